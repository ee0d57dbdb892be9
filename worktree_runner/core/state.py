"""Where a run and each of its plans stand: what `core.fold` makes of the journal, never stored.

A plan's status says what has been recorded, not what is true on disk: `operations.run.reconcile`
compares the two after a crash and appends what the journal missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from worktree_runner.core.goal import Goal
from worktree_runner.core.limits import Failure
from worktree_runner.core.queue import Queue


class Status(StrEnum):
    """A plan's place on its way to the target."""

    WAITING = "waiting"
    STARTING = "starting"
    """An attempt is intended; worktree and process may or may not exist yet."""
    RUNNING = "running"
    ENDED = "ended"
    """The process has ended; its evidence is still to be judged."""
    ASKING = "asking"
    """The agent stopped at a checkpoint; an answer starts a fresh attempt."""
    QUEUED = "queued"
    """Finished with evidence; waits to be merged."""
    CONFLICTED = "conflicted"
    REJECTED = "rejected"
    """Merges, but the gate is not green with it; its work stays and waits for a person."""
    LANDED = "landed"
    FAILED = "failed"
    SKIPPED = "skipped"


SETTLED = frozenset({Status.LANDED, Status.FAILED, Status.SKIPPED})
ACTIVE = frozenset({Status.STARTING, Status.RUNNING, Status.ENDED})


@dataclass(frozen=True, slots=True)
class PlanState:
    """One plan in a run."""

    id: str
    path: str
    summary: str
    title: str
    wave: int
    lane: int | None
    depends_on: tuple[str, ...]
    order: int
    autonomous: bool
    files: tuple[str, ...] = ()
    """Patterns of the files that the plan means to change."""
    status: Status = Status.WAITING
    attempt: int = 0
    fresh: bool = True
    """Whether the next attempt gets a worktree of its own rather than going on in this one."""
    branch: str = ""
    worktree: str = ""
    base: str = ""
    agent: str = ""
    """The program of the present attempt, by its name in `wtrun agents`."""
    program: str = ""
    """The program of the next attempt."""
    session: str = ""
    """The session of the plan's last attempt in this worktree, if it can be gone on with."""
    resume: str = ""
    """The session that the present attempt goes on with; empty: a process with none."""
    ready: bool = False
    """The present attempt's worktree was made and its base asserted."""
    untracked: tuple[str, ...] = ()
    """Files that provisioning left untracked; never taken for the agent's work."""
    drop: tuple[str, ...] = ()
    """Paths whose changes are left out of the merge, on the user's word."""
    head: str = ""
    reason: str = ""
    hint: str = ""
    outcome: Mapping[str, Any] = field(default_factory=dict)
    exit_code: int | None = None
    ended_because: str = ""
    checkpoint: Mapping[str, Any] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)
    breaches: tuple[Mapping[str, Any], ...] = ()
    """What the audit found and the user has not settled yet, over all attempts."""
    choices: tuple[Mapping[str, Any], ...] = ()
    """Answers that the user said to merge with."""
    draft: tuple[Mapping[str, Any], ...] = ()
    """Answers that were given and not confirmed; shown again at the prompt, never merged."""
    prepared: Mapping[str, Any] = field(default_factory=dict)
    """The merge that was set up in the plan's worktree, for a person to edit; empty if none is."""
    unresolve: tuple[str, ...] = ()
    """Paths of which the user undid what settled them: questions, whatever the rules say."""
    by_hand: tuple[str, ...] = ()
    """Paths that a person decided in the plan's worktree."""
    conflicts: tuple[Mapping[str, Any], ...] = ()
    resolutions: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    commit: str = ""
    """The merge commit by which the plan landed."""
    notices: tuple[str, ...] = ()
    """What was remarkable in that merge though nothing was in conflict."""
    earlier: Mapping[str, Any] = field(default_factory=dict)
    """The attempt whose work was in conflict, once the plan was run again because of that."""
    deferred: bool = False
    """The user left the question about the plan for later; everything else goes on."""
    accepted: bool = False
    """The user has been asked about the failure and goes on without the plan."""
    cleaned: bool = False
    cut: str = ""
    """Why the attempt before did not come to its end; told to the one that goes on."""
    not_before: float = 0.0
    """No attempt starts earlier, in seconds of the calendar."""
    counted: int = 0
    """Retries for a passing reason since a person last said to try; limited by `retries`."""
    uncounted: int = 0
    """Retries that use up no try: after rate limits."""
    stalled: Mapping[str, Any] = field(default_factory=dict)
    """That wtrun decided to end the present attempt because it said and did nothing."""


@dataclass(frozen=True, slots=True)
class RunState:
    """A whole run. `tip` is where it has landed so far, `published` what the target shows."""

    id: str = ""
    phase: str = ""
    dialect: str = ""
    target: str = ""
    base: str = ""
    tip: str = ""
    published: str = ""
    planning_tracked: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The whole payload of `run.started`."""
    plans: Mapping[str, PlanState] = field(default_factory=dict)
    stopping: str = ""
    stopped_by: str = ""
    """What `stopping` is about: "executor", "budget", or nothing special."""
    since: float = 0.0
    """When a person last started or resumed the run, in seconds of the calendar."""
    failures: tuple[Failure, ...] = ()
    """Failures that concern every agent of the same program."""
    usages: tuple[tuple[str, float | None, int | None], ...] = ()
    """Plan, cost and tokens of each ended attempt, as far as its agent reported them."""
    foreseen: tuple[Mapping[str, Any], ...] = ()
    """Pairs of plans that conflict as their branches stood last; decides nothing."""
    held: Mapping[str, Any] = field(default_factory=dict)
    """Why the target could not be published last; empty if it could."""
    planning_commit: str = ""
    queue: Queue = field(default_factory=Queue)
    goal: Goal = field(default_factory=Goal)
    """The verification that follows the plans."""
    finished: int | None = None
    paused: int | None = None
    seq: int = 0

    @property
    def call(self) -> str:
        """What names exactly the run's phase in a command."""
        return str(self.facts.get("call") or self.phase)

    @property
    def is_team(self) -> bool:
        """Whether plans start by their dependencies alone."""
        return bool(self.options.get("team"))

    @property
    def is_goal_due(self) -> bool:
        """Whether every plan of the phase is done, so that its goal can be verified."""
        landed = all(plan.status is Status.LANDED for plan in self.plans.values())
        return landed and bool(self.facts.get("covers"))

    def in_order(self) -> tuple[PlanState, ...]:
        """The plans in the order in which they merge if nothing holds one back."""
        return tuple(sorted(self.plans.values(), key=lambda plan: (plan.wave, plan.order)))

    def with_status(self, *wanted: Status) -> tuple[PlanState, ...]:
        return tuple(plan for plan in self.in_order() if plan.status in wanted)
