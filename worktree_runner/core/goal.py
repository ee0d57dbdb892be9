"""The phase's goal after its plans: where its verification stands, and what it needs next.

In this order
1. The plans' must-haves are looked up in the tip, without a model (core/verify.py).
2. A report that is there already and still counts is read; else a verifier writes one.
3. What follows: passed; a person has to look; gaps. A report is not taken at its word where a
   must-have is missing or its verifier left its own ground: then a person decides.
4. Where the planning system wants it, the user accepts what passed.

The goal is due once every plan of the phase is done, and never twice in a run but for a verifier
that was interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from worktree_runner.core.docs.verification import Verification, VerificationStatus
from worktree_runner.core.events import Event, Type
from worktree_runner.core.texts import clean_line, count

VERIFIER = "verify"
"""Stands for a plan's id in names of folders, branches and logs, and in `busy`."""


class Step(StrEnum):
    """How far the verification has come."""

    NOT_BEGUN = "not begun"
    CHECKED = "checked"
    VERIFYING = "verifying"
    ENDED = "ended"
    """The verifier's process has ended; what it left is still to be read."""
    FAILED = "failed"
    """It left no report that counts."""
    REPORTED = "reported"


@dataclass(frozen=True, slots=True)
class Goal:
    """The verification of one run's phase."""

    step: Step = Step.NOT_BEGUN
    tip: str = ""
    present: int = 0
    missing: tuple[str, ...] = ()
    """Must-haves that are not there."""
    loose: tuple[str, ...] = ()
    """Links of which nothing is found."""
    found: str = ""
    """The report that was there already and counts."""
    n: int = 0
    agent: str = ""
    base: str = ""
    branch: str = ""
    worktree: str = ""
    report: str = ""
    copy: str = ""
    """The report in the run's folder."""
    reason: str = ""
    exit_code: int | None = None
    ended_because: str = ""
    outcome: Mapping[str, Any] = field(default_factory=dict)
    status: VerificationStatus = VerificationStatus.UNKNOWN
    stated: str = ""
    score: str = ""
    gaps: tuple[str, ...] = ()
    human: tuple[str, ...] = ()
    concerns: tuple[str, ...] = ()
    accept: bool = False
    answer: str = ""
    accepted: str = ""
    text: str = ""
    """What the user wrote about issues."""
    deferred: bool = False

    @property
    def question(self) -> str:
        """What a person has to say something about: "goal", "acceptance" or nothing."""
        if self.step is not Step.REPORTED:
            return ""
        if self.status is VerificationStatus.HUMAN_NEEDED and not self.answer:
            return "goal"
        stands = self.status is VerificationStatus.PASSED or self.answer == "approved"
        return "acceptance" if stands and self.accept and not self.accepted else ""

    @property
    def has_gaps(self) -> bool:
        """Plans that close gaps are needed: the report says so, or the user."""
        found = self.step is Step.REPORTED and self.status is VerificationStatus.GAPS_FOUND
        return found or "issues" in (self.answer, self.accepted)

    @property
    def is_reached(self) -> bool:
        return self.step is Step.REPORTED and not self.has_gaps and not self.question

    def in_words(self) -> str:
        """Where it stands, in a sentence; empty where nothing has been looked at."""
        match self.step:
            case Step.NOT_BEGUN:
                return ""
            case Step.CHECKED:
                return must_haves(self)
            case Step.VERIFYING | Step.ENDED:
                return f"{self.agent} is verifying the goal"
            case Step.FAILED:
                return f"not verified: {self.reason}"
        score = f", {clean_line(self.score, 60)}" if self.score else ""
        if "issues" in (self.answer, self.accepted):
            return f"issues reported{score}"
        if self.has_gaps:
            return f"{count(len(self.gaps), 'gap')} found{score}" if self.gaps else f"gaps{score}"
        if self.question == "goal":
            return f"waits for a person{score}"
        if self.question == "acceptance":
            return f"passed, waits to be accepted{score}"
        return ("approved" if self.answer else "passed") + score


def must_haves(goal: Goal) -> str:
    """What the look into the tree has found, in a few words; empty if there was nothing."""
    known = goal.present + len(goal.missing)
    if not known:
        return ""
    return f"{goal.present} of {count(known, 'must-have')} found"


def apply(goal: Goal, event: Event) -> Goal:
    """The goal after one more event."""
    change = _CHANGES.get(event.type)
    return goal if change is None else change(goal, event.data)


def _checked(goal: Goal, data: Mapping[str, Any]) -> Goal:
    return replace(
        goal,
        step=Step.CHECKED,
        tip=data["tip"],
        present=int(data.get("present", 0)),
        missing=tuple(data.get("missing", ())),
        loose=tuple(data.get("loose", ())),
        found=str(data.get("found", "")),
    )


def _started(goal: Goal, data: Mapping[str, Any]) -> Goal:
    return replace(
        goal,
        step=Step.VERIFYING,
        n=data["n"],
        agent=data["agent"],
        base=data["base"],
        branch=data["branch"],
        worktree=data["worktree"],
        report=data["report"],
        outcome={},
        reason="",
    )


def _ended(goal: Goal, data: Mapping[str, Any]) -> Goal:
    """One that wtrun stopped itself is begun anew."""
    stopped = data["reason"] == "stopped"
    return replace(
        goal,
        step=Step.CHECKED if stopped else Step.ENDED,
        exit_code=data.get("exit_code"),
        ended_because=data["reason"],
        outcome=data.get("outcome") or {},
    )


def _reported(goal: Goal, data: Mapping[str, Any]) -> Goal:
    return replace(
        goal,
        step=Step.REPORTED,
        report=data["report"],
        copy=str(data.get("copy", "")),
        status=VerificationStatus(data["status"]),
        stated=str(data.get("stated", "")),
        score=str(data.get("score", "")),
        gaps=tuple(data.get("gaps", ())),
        human=tuple(data.get("human", ())),
        concerns=tuple(data.get("concerns", ())),
        accept=bool(data.get("accept", False)),
    )


def _answered(goal: Goal, data: Mapping[str, Any]) -> Goal:
    if data["answer"] == "later":
        return replace(goal, deferred=True)
    text = str(data.get("text", "")) or goal.text
    if data["about"] == "acceptance":
        return replace(goal, accepted=data["answer"], text=text)
    return replace(goal, answer=data["answer"], text=text)


_CHANGES: dict[str, Callable[[Goal, Mapping[str, Any]], Goal]] = {
    Type.VERIFY_CHECKED: _checked,
    Type.VERIFY_STARTED: _started,
    Type.VERIFY_ENDED: _ended,
    Type.VERIFY_FAILED: lambda goal, data: replace(
        goal, step=Step.FAILED, reason=str(data["reason"])
    ),
    Type.VERIFY_REPORTED: _reported,
    Type.VERIFY_ANSWERED: _answered,
    Type.RUN_RESUMED: lambda goal, data: replace(goal, deferred=False),
}


def judge(report: Verification, concerns: Iterable[str]) -> VerificationStatus:
    """What follows from a report: never more than it says, and nothing passes over a concern."""
    if report.status is VerificationStatus.UNKNOWN:
        return VerificationStatus.HUMAN_NEEDED
    if report.status is VerificationStatus.PASSED and any(concerns):
        return VerificationStatus.HUMAN_NEEDED
    return report.status
