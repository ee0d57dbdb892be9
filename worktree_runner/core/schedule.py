"""What to do next, decided from the state alone: with `core.starting` the specification of a run.

Merging
- Plan order, but the earlier plan is waited for only while it is running outside a lane and
  nothing waits on the later one. Failed, asking, conflicted and rejected plans hold nobody back.
- With `fewest-conflicts` a plan waits for every running plan of its wave in the same way.
- With a gate, plans land in batches (core/queue.py). A gate takes one of the slots. A batch is
  begun when a slot is left over, so that it is as large as it can be, or at once if something
  waits on one of its plans; while there is one, its gate goes before new agents.
- A conflict is treated as `on_conflict` says: left to a person, or settled here; `skip` and
  `rerun` also count for a plan that the gate rejected. A change that is
  a person's to decide (`conflicts.CONCERNS`) is never let in by it.

Ending
- Nothing left to start, run, judge or merge, and every plan of the phase done: its goal is
  verified (core/goal.py).
- Then planning files, publish, clean up, and stop with the code that needs a person most.
"""

from __future__ import annotations

from dataclasses import replace

from worktree_runner.core import queue
from worktree_runner.core.actions import (
    Action,
    Advance,
    Ask,
    AskGoal,
    Begin,
    Finish,
    Judge,
    Merge,
    Prepare,
    Settle,
    Stop,
    Verify,
    Wait,
)
from worktree_runner.core.budgets import add_up, check_budget
from worktree_runner.core.conflicts import CONCERNS, may_force
from worktree_runner.core.goal import Goal, Step
from worktree_runner.core.limits import fleets
from worktree_runner.core.policy import Policy
from worktree_runner.core.starting import (
    blockers,
    is_undecided,
    next_start,
    skips,
    starts,
    stop_by_fleet,
    stop_by_plans,
)
from worktree_runner.core.state import ACTIVE, PlanState, RunState, Status
from worktree_runner.errors import ExitCode

QUEUE = "gate"
"""Stands in `busy` while the worktree of gate and merges is being made ready."""


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
    sent_back = state.with_status(Status.CONFLICTED, Status.REJECTED)
    actions += [Settle(plan.id) for plan in sent_back if _settles(plan, policy)]
    rooms = fleets(
        state.failures,
        (plan.program for plan in plans),
        now=now,
        max_parallel=policy.max_parallel,
        since=state.since,
    )
    startable = tuple(starts(state, policy, rooms, busy, now))
    if QUEUE not in busy:
        actions += _merges(state, policy, startable)
    skipped = skips(state, policy)
    actions += skipped
    questions = [plan.id for plan in _questions(state, policy)]
    if questions and not busy & set(questions):  # one at a time: an answer may stop the run
        actions.append(Ask(questions[0]))
    stop = stop_by_plans(state, policy) or stop_by_fleet(state, policy, rooms)
    if stop is not None:
        actions.append(stop)
    elif not state.stopping and not skipped:
        actions += startable
    if actions:
        return tuple(actions)
    until = None if state.stopping else next_start(state, rooms, now)
    if busy or state.with_status(*ACTIVE) or state.queue.batch is not None or until is not None:
        return (Wait(until),)
    if not policy.verify:
        return (Finish(exit_code(replace(state, goal=Goal()))),)
    return (_next_of_goal(state, policy) or Finish(exit_code(state)),)


def _next_of_goal(state: RunState, policy: Policy) -> Action | None:
    """What the phase's goal needs now; None if nothing, or nothing that a run can give it."""
    goal = state.goal
    if state.stopping or not state.is_goal_due:
        return None
    match goal.step:
        case Step.NOT_BEGUN | Step.ENDED:
            return Verify()
        case Step.CHECKED:
            if goal.found:
                return Verify()
            return (_over_budget(state, policy) or Verify()) if policy.verifier else None
        case Step.VERIFYING:
            return Wait()
        case Step.REPORTED if goal.question and policy.interactive and not goal.deferred:
            return AskGoal()
    return None


def _over_budget(state: RunState, policy: Policy) -> Stop | None:
    spent = add_up((cost, tokens) for _, cost, tokens in state.usages)
    over = check_budget(spent, max_cost=policy.max_cost, max_tokens=policy.max_tokens).over
    more = "raise --max-cost or --max-tokens"
    return None if over is None else Stop(f"{over} used", "budget", more)


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
        stopped = bool(state.stopping) or stop_by_plans(state, policy) is not None
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
    """Whether a plan that can't land is not left to a person; each way is tried once."""
    match policy.on_conflict:
        case "skip":
            return True
        case "rerun" if plan.status is Status.REJECTED:
            return not plan.earlier
        case "rerun":
            again = [item for item in plan.conflicts if item.get("kind") not in CONCERNS]
            return bool(again) and not plan.earlier
        case "ours" | "theirs":
            tried = {choice["fingerprint"] for choice in plan.choices if choice.get("forced")}
            return any(
                item.get("fingerprint") not in tried
                and may_force(str(item.get("kind", "")), policy.on_conflict)
                for item in plan.conflicts
            )
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


def _questions(state: RunState, policy: Policy) -> list[PlanState]:
    if not policy.interactive or state.stopping:
        return []
    asking = list(state.with_status(Status.ASKING))
    asking += [plan for plan in state.with_status(Status.FAILED) if is_undecided(plan, policy)]
    if policy.on_conflict != "stop":
        conflicted = state.with_status(Status.CONFLICTED)
        asking += [plan for plan in conflicted if not _settles(plan, policy)]
    asking += [p for p in state.with_status(Status.REJECTED) if not _settles(p, policy)]
    return [plan for plan in asking if not plan.deferred]


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
    if state.goal.step is Step.FAILED or state.goal.has_gaps:
        return ExitCode.FAILED
    cut_off = state.stopped_by == "budget" and state.goal.step is Step.CHECKED
    return ExitCode.WAITING if state.goal.question or cut_off else ExitCode.DONE
