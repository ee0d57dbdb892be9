"""What a run has found out, as the values that the documents are written from.

Everything is given: counts come from summaries on the target, dates from the caller's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Position(StrEnum):
    """Where the phase stands after the run."""

    EXECUTING = "executing"
    """A run works on it."""
    PARTIAL = "partial"
    """The run ended and plans are open."""
    EXECUTED = "executed"
    """Every plan has its summary; the goal is not verified yet."""
    HUMAN_NEEDED = "human_needed"
    """A person has to check what the verifier can't."""
    GAPS_FOUND = "gaps_found"
    """The verifier found gaps; plans that close them are to be made."""
    COMPLETE = "complete"
    """Verified, approved, or verification switched off."""


@dataclass(frozen=True, slots=True)
class PhaseRef:
    """A phase by token and name, as a document names it."""

    token: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts over the phases of the current milestone."""

    phases: int
    phases_done: int
    plans: int
    plans_done: int

    @property
    def percent(self) -> int:
        """Summaries per plan, rounded half up; 0 where there are no plans."""
        return (200 * self.plans_done + self.plans) // (2 * self.plans) if self.plans else 0


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision with the plan that took it (`03-01`, or empty)."""

    text: str
    plan: str = ""


@dataclass(frozen=True, slots=True)
class StateFacts:
    """For the state file. `date` is `2026-01-31`, `now` an ISO time with zone."""

    phase: PhaseRef
    position: Position
    plans_done: int
    plans_total: int
    date: str
    now: str
    activity: str
    """Text of the last activity, without its date."""
    stopped_at: str = ""
    """Empty: as `activity`."""
    resume: str = ""
    """A path to go on from; empty: none."""
    last_phase: str | None = None
    """The `Y` of `Phase: X of Y`; None leaves what is there."""
    next_phase: PhaseRef | None = None
    """With COMPLETE: the position moves there; None means that the milestone is done."""
    decisions: tuple[Decision, ...] = ()
    blockers: tuple[str, ...] = ()
    """Texts; one that begins with `03-02 failed` replaces an older one of that plan."""
    finished: tuple[str, ...] = ()
    """Ids of plans that are done now: their `failed` blockers of earlier runs are removed."""
    worktrees: tuple[str, ...] = ()
    """Worktrees that wait for clean-up."""
    checkpoints: tuple[str, ...] = ()
    """Checkpoints that wait for an answer, one text each."""
    wave: str = ""
    """The wave that was reached, such as `2 of 3`; empty when the phase has no open wave."""
    progress: Progress | None = None
    plan: str = ""
    """The plan last completed (`03-02`)."""


@dataclass(frozen=True, slots=True)
class RoadmapFacts:
    """For the road map. `done` are the numbers of the plans with a summary (`01`)."""

    token: str
    done: tuple[str, ...]
    plans_total: int
    date: str
    phase_complete: bool = False
    """Only then the phase's check-box, status and date are written."""
    milestone: str = ""
    """The current milestone's version where the caller knows it (`v1.1`)."""

    @property
    def plans_done(self) -> int:
        return len(self.done)


@dataclass(frozen=True, slots=True)
class RequirementsFacts:
    """For the requirements: the ids of this phase that are met, with evidence where there is."""

    ids: tuple[str, ...]
    token: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)
