"""What a run says about the verification of its phase's goal, one function per event type."""

from __future__ import annotations

from collections.abc import Callable

from worktree_runner.core.docs.verification import VerificationStatus
from worktree_runner.core.events import Event, Type
from worktree_runner.core.goal import must_haves
from worktree_runner.core.state import RunState
from worktree_runner.core.texts import duration
from worktree_runner.dialects.schema import Words
from worktree_runner.ui.console import Tone

SHOWN = 8
Told = tuple[str, Tone] | None


def opening(words: Words) -> str:
    """What a run is for in which no plan is left."""
    return f"every {words.plan} is done; what is left is the {words.phase}'s goal"


def _checked(event: Event, state: RunState, words: Words) -> Told:
    """Short: what is declared and there is one number, what is not is listed."""
    goal = state.goal
    lines = [f"goal: {must_haves(goal)}"] if must_haves(goal) else []
    open_ones = [
        *(f"missing: {one}" for one in goal.missing),
        *(f"loose: {one}" for one in goal.loose),
    ]
    lines += open_ones[:SHOWN]
    if len(open_ones) > SHOWN:
        lines.append(f"and {len(open_ones) - SHOWN} more")
    if goal.found:
        lines.append(f"goal: {goal.found} is there and counts")
    tone = Tone.WARN if goal.missing else Tone.PLAIN
    return ("\n".join(lines), tone) if lines else None


def _started(event: Event, state: RunState, words: Words) -> Told:
    return f"goal: {state.goal.agent} verifies it on {state.goal.branch}", Tone.RUN


def _ended(event: Event, state: RunState, words: Words) -> Told:
    if event.data["reason"] == "stopped":
        return "goal: the verifier was stopped; the next time one is started again", Tone.WARN
    return None


def _failed(event: Event, state: RunState, words: Words) -> Told:
    look = "\nlook: wtrun logs verify" if event.data.get("n") else ""
    return f"goal: not verified: {event.data['reason']}{look}", Tone.BAD


def _reported(event: Event, state: RunState, words: Words) -> Told:
    goal = state.goal
    tones = {VerificationStatus.PASSED: Tone.GOOD, VerificationStatus.GAPS_FOUND: Tone.BAD}
    seconds = goal.outcome.get("seconds") if event.data["n"] else None
    after = f" after {duration(seconds)}" if seconds is not None else ""
    return f"goal: {goal.in_words()}{after}", tones.get(goal.status, Tone.ASK)


def _answered(event: Event, state: RunState, words: Words) -> Told:
    if event.data["answer"] == "later":
        return f"goal: left for later; the {words.phase} stays open", Tone.WARN
    return None


TELLERS: dict[str, Callable[[Event, RunState, Words], Told]] = {
    Type.VERIFY_CHECKED: _checked,
    Type.VERIFY_STARTED: _started,
    Type.VERIFY_ENDED: _ended,
    Type.VERIFY_FAILED: _failed,
    Type.VERIFY_REPORTED: _reported,
    Type.VERIFY_ANSWERED: _answered,
}
