"""What to do next, decided from the state alone: the specification of a run.

Starting
- A plan starts when every plan of a lower wave is out of the way (landed, failed, skipped, or
  stuck with a person), everything that it depends on has landed, and the plans before it in
  its lane (same wave, shared files) are out of the way too.
- A plan behind one that is stuck waits with it: its dependants, the rest of its lane, and, for
  a plan that declares no dependency of its own, all later waves.
- A plan that depends on a failed or skipped one is skipped, never failed.

Merging
- Plan order, but the earlier plan is waited for only while it is running outside a lane and
  nothing waits on the later one. Failed, asking and conflicted plans hold nobody back.

Ending
- Nothing left to start, run, judge or merge: planning files, publish, clean up, then stop with
  the code that needs a person most.
"""

from __future__ import annotations

from dataclasses import dataclass

from worktree_runner.core.state import ACTIVE, SETTLED, PlanState, RunState, Status
from worktree_runner.errors import ExitCode


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that decide; everything else is mechanics."""

    max_parallel: int = 3
    interactive: bool = False
    on_failure: str = "ask"
    on_conflict: str = "ask"


@dataclass(frozen=True, slots=True)
class Start:
    """Begin an attempt of this plan."""

    plan: str


@dataclass(frozen=True, slots=True)
class Begin:
    """Go on with an attempt that was planned and that a crash kept from being started."""

    plan: str


@dataclass(frozen=True, slots=True)
class Judge:
    """Look at what an ended attempt left and say whether the plan is finished."""

    plan: str


@dataclass(frozen=True, slots=True)
class Merge:
    """Merge this plan's head into the tip."""

    plan: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave this plan out, because of these plans."""

    plan: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """Put this plan's failure, checkpoint or conflict to the user."""

    plan: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Start no further plan."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Something runs; look again when it has ended."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing is left to do; end with this code."""

    code: ExitCode


Action = Start | Begin | Judge | Merge | Skip | Ask | Stop | Wait | Finish

STUCK = frozenset({Status.ASKING, Status.CONFLICTED})


def decide(
    state: RunState, policy: Policy, *, busy: frozenset[str] = frozenset()
) -> tuple[Action, ...]:
    """The actions that the state calls for now, in the order to perform them.

    `busy` holds plans with a question open or a worktree being made: nothing new for those.
    Performing one action may change the state; ask again afterwards rather than going on blindly.
    """
    actions: list[Action] = []
    plans = state.in_order()
    actions += [Begin(p.id) for p in plans if p.status is Status.STARTING and p.id not in busy]
    actions += [Judge(p.id) for p in plans if p.status is Status.ENDED and p.id not in busy]
    merge = next_merge(state)
    if merge is not None:
        actions.append(Merge(merge))
    skips = _skips(state, policy)
    actions += skips
    actions += [Ask(p.id) for p in _questions(state, policy) if p.id not in busy]
    stop = _stop(state, policy)
    if stop is not None:
        actions.append(stop)
    elif not state.stopping and not skips:
        actions += _starts(state, policy, busy)
    if actions:
        return tuple(actions)
    if busy or state.with_status(*ACTIVE):
        return (Wait(),)
    return (Finish(exit_code(state)),)


def next_merge(state: RunState) -> str | None:
    """The plan whose turn it is to merge, if any; see the module's rules."""
    plans = state.in_order()
    for at, plan in enumerate(plans):
        if plan.status is not Status.QUEUED:
            continue
        earlier = [
            other
            for other in plans[:at]
            if other.status in ACTIVE and other.wave == plan.wave and other.lane is None
        ]
        if not earlier or _something_waits_on(state, plan):
            return plan.id
    return None


def _something_waits_on(state: RunState, plan: PlanState) -> bool:
    if state.stopping:
        return True
    for other in state.with_status(Status.WAITING):
        if plan.id in other.depends_on and _blockers(state, other) == {plan.id}:
            return True
        if plan.lane is not None and other.lane == plan.lane and other.wave == plan.wave:
            return True
    return False


def _blockers(state: RunState, plan: PlanState) -> set[str]:
    """Plans that must get out of the way before `plan` can start."""
    blockers: set[str] = set()
    for other in state.plans.values():
        if other.id == plan.id:
            continue
        before = other.wave == plan.wave and other.order < plan.order
        same_lane = before and plan.lane is not None and other.lane == plan.lane
        depends = other.id in plan.depends_on
        if depends and other.status is not Status.LANDED:
            blockers.add(other.id)
        elif other.wave < plan.wave and other.status not in SETTLED:
            if other.status not in STUCK or not plan.depends_on:
                blockers.add(other.id)
        elif same_lane and other.status not in SETTLED:
            blockers.add(other.id)
    return blockers


def _starts(state: RunState, policy: Policy, busy: frozenset[str]) -> list[Action]:
    # a plan with a question open has no process; a worktree being made counts as one
    used = len(state.with_status(*ACTIVE))
    starts: list[Action] = []
    for plan in state.with_status(Status.WAITING):
        if used + len(starts) >= max(1, policy.max_parallel):
            break
        if plan.id not in busy and not _blockers(state, plan):
            starts.append(Start(plan.id))
    return starts


def _undecided(plan: PlanState, policy: Policy) -> bool:
    """Whether a failed plan may still be tried again at a prompt."""
    asks = policy.interactive and policy.on_failure == "ask"
    return plan.status is Status.FAILED and asks and not plan.accepted


def _skips(state: RunState, policy: Policy) -> list[Action]:
    gone = {
        plan.id
        for plan in state.with_status(Status.FAILED, Status.SKIPPED)
        if not _undecided(plan, policy)
    }
    skips: list[Action] = []
    for plan in state.with_status(Status.WAITING):
        because = tuple(sorted(set(plan.depends_on) & gone))
        if because:
            skips.append(Skip(plan.id, because))
            gone.add(plan.id)
    return skips


def _questions(state: RunState, policy: Policy) -> list[PlanState]:
    if not policy.interactive or state.stopping:
        return []
    asking = list(state.with_status(Status.ASKING))
    asking += [plan for plan in state.with_status(Status.FAILED) if _undecided(plan, policy)]
    if policy.on_conflict == "ask":
        asking += state.with_status(Status.CONFLICTED)
    return [plan for plan in asking if not plan.deferred]


def _stop(state: RunState, policy: Policy) -> Stop | None:
    if state.stopping:
        return None
    failed = state.with_status(Status.FAILED)
    if not failed:
        return None
    waiting = state.with_status(Status.WAITING)
    if not waiting:
        return None
    first = failed[0]
    if all(p.status is Status.FAILED for p in state.plans.values() if p.wave == first.wave) and (
        sum(p.wave == first.wave for p in state.plans.values()) > 1
    ):
        return Stop(f"every plan of wave {first.wave} failed, so the cause is not in one plan")
    if policy.on_failure == "continue" or (policy.on_failure == "ask" and policy.interactive):
        return None
    return Stop(f"{first.id} failed")


def exit_code(state: RunState) -> ExitCode:
    """The code a run ends with as it stands; what waits for a person wins over failures."""
    if state.with_status(Status.CONFLICTED):
        return ExitCode.CONFLICT
    if state.with_status(Status.ASKING):
        return ExitCode.WAITING
    if state.with_status(Status.FAILED, Status.SKIPPED, Status.WAITING, *ACTIVE):
        return ExitCode.FAILED
    return ExitCode.DONE
