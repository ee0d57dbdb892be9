"""Whether an attempt finished its plan: decided by what it left in git, not by what it said.

- Finished means: a summary, commits beyond the base, no failed self-check, and the files that
  the summary says it created first are there.
- A folder that became a repository of its own is not finished work: the commit holds a link to it
  and none of its files.
- A process that ended badly is a failed plan, but for known false alarms with full evidence.
- An attempt that was ended for its time or its silence has failed, unless the evidence is complete.
- An attempt that vanished or that wtrun itself stopped is judged by its evidence alone: with
  all of it the plan is finished, else the attempt is to be continued.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from worktree_runner.core.texts import listing

FALSE_ALARMS = ("classifyHandoffIfNeeded is not defined",)
"""Messages of agents' own crashes after the work was done (seed 003, execute_waves step 5)."""


class SelfCheck(StrEnum):
    """What the summary says of itself; absent is normal and proves nothing."""

    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an ended attempt left, gathered from its worktree."""

    base: str
    branch: str
    branch_tip: str | None
    summary_path: str
    head: str | None = None
    """HEAD of the worktree; None if the worktree is gone."""
    head_contains_branch: bool = False
    commits: tuple[str, ...] = ()
    has_summary: bool = False
    self_check: SelfCheck = SelfCheck.ABSENT
    missing: tuple[str, ...] = ()
    """Files that the summary says were created and that are not there."""
    links: tuple[str, ...] = ()
    """Folders that were committed as links to repositories that `.gitmodules` does not name."""
    leftovers: tuple[str, ...] = ()
    """Uncommitted files, those of provisioning left out."""
    rescued: bool = False
    """The summary had been left uncommitted and was committed by wtrun."""
    ended: str = "exited"
    exit_code: int | None = 0
    message: str = ""
    """What the agent said of its failure, if it did."""
    seconds: float | None = None
    checkpoint: Mapping[str, Any] = field(default_factory=dict)
    word: str = "summary"
    """What the dialect calls a summary."""


class Kind(StrEnum):
    """What becomes of the plan."""

    FINISHED = "finished"
    CHECKPOINT = "checkpoint"
    FAILED = "failed"
    UNFINISHED = "unfinished"
    """Neither done nor failed: the attempt was cut off; a further one continues it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement, with what to tell the user."""

    kind: Kind
    reason: str = ""
    hint: str = ""
    notes: tuple[str, ...] = ()


def judge(evidence: Evidence) -> Verdict:
    """The verdict on an ended attempt; see the module's rules."""
    gap = missing_evidence(evidence)
    notes = _notes(evidence)
    if evidence.checkpoint and gap:
        return Verdict(Kind.CHECKPOINT, notes=notes)
    if evidence.ended in ("lost", "stopped"):
        if gap is None:
            return Verdict(Kind.FINISHED, notes=notes)
        return Verdict(Kind.UNFINISHED, reason=gap, notes=notes)
    if evidence.ended in ("stalled", "timed_out") and gap is None:
        notes = (*notes, "the agent did not end by itself after its work was done")
        return Verdict(Kind.FINISHED, notes=notes)
    if evidence.ended == "stalled":
        return Verdict(Kind.FAILED, evidence.message or "the agent stalled", "", notes)
    if evidence.ended == "timed_out":
        after = "" if evidence.seconds is None else f" after {evidence.seconds:.0f} s"
        hint = "give it longer with --timeout, or fewer tasks at a time"
        return Verdict(Kind.FAILED, f"the agent ran out of time{after}", hint, notes)
    if evidence.exit_code != 0:
        alarm = any(text in evidence.message for text in FALSE_ALARMS)
        if not (alarm and gap is None):
            code = f"exit code {evidence.exit_code}"
            said = evidence.message.removeprefix(code).removeprefix(": ")
            more = f": {said}" if said else ""
            return Verdict(Kind.FAILED, f"the agent ended with {code}{more}", "", notes)
        notes = (*notes, "the agent reported a known false alarm; the evidence is complete")
    if gap is not None:
        return Verdict(Kind.FAILED, gap, "", notes)
    return Verdict(Kind.FINISHED, notes=notes)


def missing_evidence(evidence: Evidence) -> str | None:
    """What is missing for the plan to count as finished; None if nothing is."""
    if evidence.head is None:
        return "the worktree is gone, or its .git file leads elsewhere"
    if not evidence.head_contains_branch:
        return (
            f"the worktree's HEAD {evidence.head[:10]} has left the branch {evidence.branch}, "
            f"whose own commits it lacks"
        )
    if not evidence.commits:
        return "the agent made no commit"
    if not evidence.has_summary:
        return f"no {evidence.summary_path.rsplit('/', 1)[-1]} was written"
    if evidence.self_check is SelfCheck.FAILED:
        return f"the {evidence.word}'s own self-check says FAILED"
    if evidence.missing:
        named = ", ".join(evidence.missing)
        return f"the {evidence.word} says that it created {named}, but that is not in the commit"
    if evidence.links:
        return (
            f"{listing(evidence.links)} became a git repository of its own (git init or clone), "
            f"so the commit holds a link to it and none of its files"
        )
    return None


def _notes(evidence: Evidence) -> tuple[str, ...]:
    notes = []
    if evidence.rescued:
        notes.append(f"the {evidence.word} had been left uncommitted; wtrun committed it")
    if evidence.leftovers:
        shown = ", ".join(evidence.leftovers[:5])
        more = len(evidence.leftovers) - 5
        rest = f" and {more} more" if more > 0 else ""
        notes.append(f"left uncommitted in the worktree: {shown}{rest}")
    if evidence.head and evidence.branch_tip and evidence.head != evidence.branch_tip:
        notes.append(f"the last commits are on HEAD, not on {evidence.branch}")
    return tuple(notes)
