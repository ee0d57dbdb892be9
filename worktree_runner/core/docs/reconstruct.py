"""A state file made anew from what is left: the road map, the summaries, git's facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worktree_runner.core.docs.facts import Decision, PhaseRef, Progress
from worktree_runner.core.docs.refs import plain_token, token_key
from worktree_runner.core.docs.roadmap import Milestone, RoadmapPhase
from worktree_runner.core.docs.summary import Summary
from worktree_runner.dialects.schema import Dialect


@dataclass(frozen=True, slots=True)
class PhaseFacts:
    """A phase of the current milestone as its directory has it."""

    token: str
    name: str
    plans: tuple[str, ...]
    """Ids of all its plans."""
    summaries: tuple[tuple[str, Summary], ...]
    """Plan id and summary of those that are done."""
    verified: bool = False


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """All that a state can be rebuilt from; `last_commit` is `2026-01-31 subject`, or empty."""

    phases: tuple[PhaseFacts, ...]
    roadmap: tuple[RoadmapPhase, ...]
    milestone: Milestone
    date: str
    now: str
    core_value: str = ""
    last_commit: str = ""


MOST_DECISIONS = 12


def render_state(facts: ProjectFacts, dialect: Dialect) -> bytes:
    """A state document in the template's form; it says that it was rebuilt and from what."""
    words = dialect.words
    current, done_phases = _current(facts)
    progress = progress_of(facts, done_phases)
    phase, plan = words.phase.capitalize(), words.plan.capitalize()
    last = _last_token(facts)
    when, what = facts.last_commit[:10] or facts.date, facts.last_commit[11:] or "none"
    lines = [
        "# Project State",
        "",
        "## Project Reference",
        "",
        *([f"See: {dialect.root}/{dialect.files.project[0]}", ""] if dialect.files.project else []),
        *([f"**Core value:** {facts.core_value}"] if facts.core_value else []),
        f"**Current focus:** {phase} {_named(current, '—')}" if current else "**Current focus:** —",
        "",
        "## Current Position",
        "",
    ]
    if current is not None:
        done, total = len(current.summaries), len(current.plans)
        name = f" ({current.name})" if current.name else ""
        lines += [
            f"{phase}: {plain_token(current.token)} of {last}{name}",
            f"{plan}: {done} of {total} in current {words.phase}"
            if total
            else f"{plan}: Not started",
            f"Status: {_status(current, words.phase)}",
        ]
    else:
        lines += [f"{phase}: —", f"{plan}: —", "Status: Milestone complete"]
    lines += [
        f"Last activity: {when} — {what}",
        "",
        f"Progress: {_bar(progress.percent)} {progress.percent}%",
        "",
        "## Accumulated Context",
        "",
        "### Decisions",
        "",
        *_decisions(facts, phase),
        "",
        "### Blockers/Concerns",
        "",
        "None yet.",
        "",
        "## Session Continuity",
        "",
        f"Last session: {facts.now}",
        f"Stopped at: rebuilt from {dialect.files.roadmap[0]}, {words.summary} files and git",
        "Resume file: None",
    ]
    return ("\n".join(lines) + "\n").encode()


def progress_of(facts: ProjectFacts, done_phases: int | None = None) -> Progress:
    """Counts over the phases of the current milestone."""
    done = _current(facts)[1] if done_phases is None else done_phases
    plans = sum(len(each.plans) for each in facts.phases)
    finished = sum(len(each.summaries) for each in facts.phases)
    return Progress(max(len(facts.roadmap), len(facts.phases)), done, plans, finished)


def _current(facts: ProjectFacts) -> tuple[PhaseFacts | None, int]:
    """The first phase that isn't done, and how many are; a phase is done if the road map says
    so or if every plan of it has a summary and its goal is verified."""
    known = {token_key(each.token): each for each in facts.phases}
    ticked = {token_key(each.token) for each in facts.roadmap if each.done}
    names = {token_key(each.token): each for each in facts.roadmap}
    first: PhaseFacts | None = None
    done = 0
    for key in sorted(known.keys() | names.keys(), key=lambda k: k or ()):
        each = known.get(key)
        if key in ticked or (each is not None and each.verified and _finished(each)):
            done += 1
        elif first is None:
            planned = names.get(key)
            first = each or PhaseFacts(planned.token if planned else "", "", (), ())
            if not first.name and planned is not None:
                first = PhaseFacts(
                    first.token, planned.name, first.plans, first.summaries, first.verified
                )
    return first, done


def _finished(phase: PhaseFacts) -> bool:
    return bool(phase.plans) and len(phase.summaries) >= len(phase.plans)


def _status(phase: PhaseFacts, word: str) -> str:
    if not phase.plans:
        return "Ready to plan"
    if not phase.summaries:
        return "Ready to execute"
    if _finished(phase):
        return f"{word.capitalize()} complete — ready for verification"
    return "In progress"


def _last_token(facts: ProjectFacts) -> str:
    tokens = [each.token for each in facts.roadmap] or [each.token for each in facts.phases]
    return plain_token(tokens[-1]) if tokens else "?"


def _named(phase: PhaseFacts | PhaseRef, dash: str) -> str:
    token = plain_token(phase.token)
    return f"{token} {dash} {phase.name}" if phase.name else token


def _bar(percent: int) -> str:
    full = (percent + 5) // 10
    return f"[{'█' * full}{'░' * (10 - full)}]"


def _decisions(facts: ProjectFacts, word: str) -> list[str]:
    """The latest decisions of the summaries, the oldest first."""
    taken: list[tuple[str, Decision]] = [
        (phase.token, Decision(text, plan))
        for phase in facts.phases
        for plan, summary in phase.summaries
        for text in summary.key_decisions
    ]
    latest: Sequence[tuple[str, Decision]] = taken[-MOST_DECISIONS:]
    lines = [f"- [{word} {plain_token(t)}]: {' '.join(d.text.split())}" for t, d in latest]
    return lines or ["None yet."]
