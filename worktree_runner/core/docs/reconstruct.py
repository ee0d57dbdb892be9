"""A state file made anew from what is left: the road map, the summaries, git's facts."""

from __future__ import annotations

from dataclasses import dataclass

from worktree_runner.core.docs.facts import Decision, Progress
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
    """Ids of all its plans, also of those that only the road map lists."""
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
    current, done_phases = _current(facts)
    percent = progress_of(facts, done_phases).percent
    when, what = facts.last_commit[:10] or facts.date, facts.last_commit[11:] or "none"
    phase = dialect.words.phase.capitalize()
    sources = f"{dialect.files.roadmap[0]}, {dialect.words.summary} files and git"
    lines = [
        *("# Project State", "", "## Project Reference", ""),
        *_reference(facts, current, dialect),
        *("", "## Current Position", ""),
        *_position(facts, current, dialect),
        f"Last activity: {when} — {what}",
        "",
        f"Progress: {_bar(percent)} {percent}%",
        *("", "## Accumulated Context", "", "### Decisions", ""),
        *_decisions(facts, phase),
        *("", "### Blockers/Concerns", "", "None yet."),
        *("", "## Session Continuity", ""),
        f"Last session: {facts.now}",
        f"Stopped at: rebuilt from {sources}",
        "Resume file: None",
    ]
    return ("\n".join(lines) + "\n").encode()


def _reference(facts: ProjectFacts, current: PhaseFacts | None, dialect: Dialect) -> list[str]:
    phase = dialect.words.phase.capitalize()
    lines = []
    if dialect.files.project:
        lines += [f"See: {dialect.root}/{dialect.files.project[0]}", ""]
    if facts.core_value:
        lines.append(f"**Core value:** {facts.core_value}")
    focus = "—"
    if current is not None:
        token = plain_token(current.token)
        focus = f"{phase} {token} — {current.name}" if current.name else f"{phase} {token}"
    return [*lines, f"**Current focus:** {focus}"]


def _position(facts: ProjectFacts, current: PhaseFacts | None, dialect: Dialect) -> list[str]:
    word, plan = dialect.words.phase, dialect.words.plan.capitalize()
    phase = word.capitalize()
    if current is None:
        return [f"{phase}: —", f"{plan}: —", "Status: Milestone complete"]
    done, total = len(current.summaries), len(current.plans)
    name = f" ({current.name})" if current.name else ""
    counted = f"{done} of {total} in current {word}" if total else "Not started"
    return [
        f"{phase}: {plain_token(current.token)} of {_last_token(facts)}{name}",
        f"{plan}: {counted}",
        f"Status: {_status(current, word)}",
    ]


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
    once = {
        " ".join(decision.text.split()).casefold(): (token, decision) for token, decision in taken
    }
    latest = list(once.values())[-MOST_DECISIONS:]
    lines = [f"- [{word} {plain_token(t)}]: {' '.join(d.text.split())}" for t, d in latest]
    return lines or ["None yet."]
