"""What to do next, decided from the state alone: the specification of a run.

Starting
- A plan starts when every plan of a lower wave is out of the way (landed, failed, skipped, or
  stuck with a person), everything that it depends on has landed, and the plans before it in
  its lane (same wave, shared files) are out of the way too.
- A plan behind one that is stuck waits with it: its dependants, the rest of its lane, plans of
  later waves that mean to change the same files, and, for a plan that declares no dependency of
  its own, all later waves.
- In team mode waves don't count: a plan starts when what it depends on has landed and no plan
  of an earlier wave that means to change the same files is unfinished.
- The plans of a wave that has fewer than `min_plans_for_parallel` run one after another.
- A plan that depends on a failed or skipped one is skipped, never failed.
- A plan that is to be tried again later waits for its time. Rate limits make the fleet smaller;
  used-up quota and a missing login start nothing at all (core.limits), and so does a used-up
  budget: until the known time, or the run stops for a person.

Merging
- Plan order, but the earlier plan is waited for only while it is running outside a lane and
  nothing waits on the later one. Failed, asking, conflicted and rejected plans hold nobody back.
- With `fewest-conflicts` a plan waits for every running plan of its wave in the same way.
- With a gate, plans land in batches (core/queue.py). A gate takes one of the slots. A batch is
  begun when a slot is left over, so that it is as large as it can be, or at once if something
  waits on one of its plans; while there is one, its gate goes before new agents.
- A conflict is treated as `on_conflict` says: left to a person, or settled here.

Ending
- Nothing left to start, run, judge or merge: planning files, publish, clean up, then stop with
  the code that needs a person most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worktree_runner.core import queue
from worktree_runner.core.budgets import add_up, check_budget
from worktree_runner.core.limits import Fleet, fleet
from worktree_runner.core.state import ACTIVE, SETTLED, PlanState, RunState, Status
from worktree_runner.core.waves import patterns_meet
from worktree_runner.errors import ExitCode


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that decide; everything else is mechanics."""

    max_parallel: int = 3
    interactive: bool = False
    on_failure: str = "ask"
    on_conflict: str = "ask"
    merge_order: str = "plan"
    resolve: str = "proven"
    checkout_merge: bool = False
    max_cost: float | None = None
    max_tokens: int | None = None
    min_plans_for_parallel: int = 2
    plan_word: str = "plan"
    wave_word: str = "wave"

    @property
    def tests_resolutions(self) -> bool:
        return self.resolve == "tested"


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
class Prepare:
    """Merge these plans onto each other as far as they go, as a batch for the gate."""

    plans: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advance:
    """Do what the batch at hand needs next."""

    step: queue.Step


@dataclass(frozen=True, slots=True)
class Settle:
    """Treat this plan's conflict as `on_conflict` says."""

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
    """Start no further plan; `by` is what a person has to look after."""

    reason: str
    by: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Something runs, or its time has not come; look again when it has ended, and then."""

    until: float | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing is left to do; end with this code."""

    code: ExitCode


Action = (
    Start | Begin | Judge | Merge | Prepare | Advance | Settle | Skip | Ask | Stop | Wait | Finish
)

QUEUE = "gate"
"""Stands in `busy` while the worktree of gate and merges is being made ready."""
STUCK = frozenset({Status.ASKING, Status.CONFLICTED, Status.REJECTED})


def decide(
    state: RunState, policy: Policy, *, busy: frozenset[str] = frozenset(), now: float = 0.0
) -> tuple[Action, ...]:
    """The actions that the state calls for now, in the order to perform them.

    `busy` holds plans with a question open or a worktree being made: nothing new for those.
    `now` is in seconds of the calendar.
    Performing one action may change the state; ask again afterwards rather than going on blindly.
    """
    actions: list[Action] = []
    plans = state.in_order()
    actions += [Begin(p.id) for p in plans if p.status is Status.STARTING and p.id not in busy]
    actions += [Judge(p.id) for p in plans if p.status is Status.ENDED and p.id not in busy]
    actions += [Settle(p.id) for p in state.with_status(Status.CONFLICTED) if _settles(p, policy)]
    room = fleet(state.failures, now=now, max_parallel=policy.max_parallel, since=state.since)
    startable = tuple(_starts(state, policy, room, busy, now))
    if QUEUE not in busy:
        actions += _merges(state, policy, startable)
    skips = _skips(state, policy)
    actions += skips
    questions = [plan.id for plan in _questions(state, policy)]
    if questions and not busy & set(questions):  # one at a time: an answer may stop the run
        actions.append(Ask(questions[0]))
    stop = _stop(state, policy) or _stop_all(state, policy, room)
    if stop is not None:
        actions.append(stop)
    elif not state.stopping and not skips:
        actions += startable
    if actions:
        return tuple(actions)
    until = None if state.stopping else _next_start(state, room, now)
    if busy or state.with_status(*ACTIVE) or state.queue.batch is not None or until is not None:
        return (Wait(until),)
    return (Finish(exit_code(state)),)


def decide_merge(
    state: RunState, plan: str, *, busy: frozenset[str] = frozenset()
) -> tuple[Action, ...]:
    """As `decide`, for a command that starts no agent and only wants this plan to land.

    Without a plan: that the moved target is merged in.
    """
    step = queue.next_step(state.queue, state.tip, [p.id for p in state.with_status(Status.QUEUED)])
    if step is not None:
        return (Advance(step),)
    if state.queue.batch is not None or QUEUE in busy:
        return (Wait(),)
    if plan and state.plans[plan].status is Status.QUEUED:
        return (Prepare((plan,)),)
    if not plan and state.queue.target:
        return (Prepare(()),)
    return (Finish(exit_code(state)),)


def _merges(state: RunState, policy: Policy, startable: tuple[Action, ...]) -> list[Action]:
    """What the merge queue needs now."""
    step = queue.next_step(state.queue, state.tip, [p.id for p in state.with_status(Status.QUEUED)])
    if step is not None:
        return [Advance(step)]
    turn = ready(state, policy)
    if not (turn or state.queue.target) or state.queue.batch is not None:
        return []
    together = policy.merge_order != "plan" or policy.checkout_merge or state.queue.target
    if not (state.queue.is_on or together):
        return [Merge(turn[0])]
    if state.queue.is_on and not _gate_may_start(state, policy, startable, turn):
        return []
    one_by_one = state.queue.guilty >= queue.ONE_BY_ONE_AFTER
    return [Prepare(turn[:1] if one_by_one else turn)]


def _gate_may_start(
    state: RunState, policy: Policy, startable: tuple[Action, ...], turn: tuple[str, ...]
) -> bool:
    used, slots = len(state.with_status(*ACTIVE)), max(1, policy.max_parallel)
    if not any(_something_waits_on(state, state.plans[plan]) for plan in turn):
        stopped = bool(state.stopping) or _stop(state, policy) is not None
        used += 0 if stopped else len(startable)
    return used < slots


def ready(state: RunState, policy: Policy) -> tuple[str, ...]:
    """The finished plans whose turn it is to merge, in order; see the module's rules."""
    plans = state.in_order()
    turn = []
    for at, plan in enumerate(plans):
        if plan.status is not Status.QUEUED:
            continue
        others = plans[:at] if policy.merge_order == "plan" else plans
        running = [
            other
            for other in others
            if other.status in ACTIVE and other.wave == plan.wave and other.lane is None
        ]
        if not running or _something_waits_on(state, plan):
            turn.append(plan.id)
    return tuple(turn)


def _settles(plan: PlanState, policy: Policy) -> bool:
    """Whether the conflict is not left to a person; each way is tried once on a conflict."""
    match policy.on_conflict:
        case "skip":
            return True
        case "rerun":
            return not plan.earlier
        case "ours" | "theirs":
            tried = {choice["fingerprint"] for choice in plan.choices if choice.get("forced")}
            return any(item.get("fingerprint") not in tried for item in plan.conflicts)
    return False


def _something_waits_on(state: RunState, plan: PlanState) -> bool:
    if state.stopping:
        return True
    for other in state.with_status(Status.WAITING):
        if plan.id in other.depends_on and blockers(state, other) == {plan.id}:
            return True
        if plan.lane is not None and other.lane == plan.lane and other.wave == plan.wave:
            return True
    return False


def blockers(state: RunState, plan: PlanState) -> set[str]:
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
            passed = other.status in STUCK and plan.depends_on
            if not (passed or state.is_team) or _share_files(plan, other):
                blockers.add(other.id)
        elif same_lane and other.status not in SETTLED:
            blockers.add(other.id)
    return blockers


def _share_files(plan: PlanState, other: PlanState) -> bool:
    return any(patterns_meet(mine, theirs) for mine in plan.files for theirs in other.files)


def _starts(
    state: RunState, policy: Policy, room: Fleet, busy: frozenset[str], now: float
) -> list[Action]:
    # a plan with a question open has no process; a worktree being made counts as one
    used = len(state.with_status(*ACTIVE)) + (state.queue.batch is not None and state.queue.is_on)
    starts: list[Action] = []
    for plan in state.with_status(Status.WAITING):
        if used + len(starts) >= max(1, room.parallel):
            break
        if plan.id in busy or _not_before(plan, room) > now or blockers(state, plan):
            continue
        if not _is_alone(state, policy, plan, starts):
            starts.append(Start(plan.id))
    return starts


def _not_before(plan: PlanState, room: Fleet) -> float:
    """When a plan may start, as far as that is a matter of time."""
    closed = room.closed.until if room.closed is not None else None
    return max(plan.not_before, room.not_before or 0.0, closed or 0.0)


def _next_start(state: RunState, room: Fleet, now: float) -> float | None:
    """The first time at which a plan that waits for nothing else may start."""
    waiting = [plan for plan in state.with_status(Status.WAITING) if not blockers(state, plan)]
    times = [_not_before(plan, room) for plan in waiting]
    return min((time for time in times if time > now), default=None)


def _is_alone(state: RunState, policy: Policy, plan: PlanState, starts: Sequence[Action]) -> bool:
    """Whether the plan's wave is too small to run in parallel, and one of it is at work."""
    wave = {other.id for other in state.plans.values() if other.wave == plan.wave}
    if len(wave) >= policy.min_plans_for_parallel:
        return False
    active = {other.id for other in state.with_status(*ACTIVE)}
    active |= {action.plan for action in starts if isinstance(action, Start)}
    return bool(active & wave)


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
    if policy.on_conflict in ("ask", "rerun"):
        conflicted = state.with_status(Status.CONFLICTED)
        asking += [plan for plan in conflicted if not _settles(plan, policy)]
    return [plan for plan in asking if not plan.deferred]


def _stop(state: RunState, policy: Policy) -> Stop | None:
    if state.stopping:
        return None
    conflicted = state.with_status(Status.CONFLICTED)
    if conflicted and policy.on_conflict == "stop" and state.with_status(Status.WAITING):
        return Stop(f"{conflicted[0].id} is in conflict")
    failed = state.with_status(Status.FAILED)
    if not failed:
        return None
    waiting = state.with_status(Status.WAITING)
    if not waiting or (policy.on_failure == "ask" and policy.interactive):
        return None  # a person decides about each failure
    first = failed[0]
    if all(p.status is Status.FAILED for p in state.plans.values() if p.wave == first.wave) and (
        sum(p.wave == first.wave for p in state.plans.values()) > 1
    ):
        return Stop(
            f"every {policy.plan_word} of {policy.wave_word} {first.wave} failed, "
            f"so the cause is not in one {policy.plan_word}"
        )
    if policy.on_failure == "continue":
        return None
    return Stop(f"{first.id} failed")


def _stop_all(state: RunState, policy: Policy, room: Fleet) -> Stop | None:
    """Why no agent may start any more, whatever the plan."""
    if state.stopping or not state.with_status(Status.WAITING):
        return None
    if room.closed is not None and room.closed.until is None:
        return Stop(room.closed.why, "executor", room.closed.hint)
    spent = add_up((cost, tokens) for _, cost, tokens in state.usages)
    budget = check_budget(spent, max_cost=policy.max_cost, max_tokens=policy.max_tokens)
    if budget.over is not None:
        return Stop(f"the run has used {budget.over}", "budget", "raise --max-cost or --max-tokens")
    return None


def exit_code(state: RunState) -> ExitCode:
    """The code a run ends with as it stands; what waits for a person wins over failures."""
    if state.with_status(Status.CONFLICTED):
        return ExitCode.CONFLICT
    if state.with_status(Status.ASKING):
        return ExitCode.WAITING
    if state.with_status(Status.WAITING) and state.stopped_by:
        return ExitCode.NO_EXECUTOR if state.stopped_by == "executor" else ExitCode.WAITING
    if state.with_status(Status.FAILED, Status.REJECTED, Status.SKIPPED, Status.WAITING, *ACTIVE):
        return ExitCode.FAILED
    return ExitCode.DONE
