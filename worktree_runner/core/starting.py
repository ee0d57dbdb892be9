"""Which plans may start now, what keeps the others, and when none may start any more.

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
  used-up quota and a missing login start no agent of the same program (core.limits) until the
  known time, or, once nothing else can start, the run stops for a person. So does a used-up budget.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from worktree_runner.core.actions import Action, Skip, Start, Stop
from worktree_runner.core.budgets import add_up, check_budget
from worktree_runner.core.limits import Closed, Fleet
from worktree_runner.core.policy import Policy
from worktree_runner.core.state import ACTIVE, SETTLED, PlanState, RunState, Status
from worktree_runner.core.waves import patterns_meet

STUCK = frozenset({Status.ASKING, Status.CONFLICTED, Status.REJECTED})


def starts(
    state: RunState,
    policy: Policy,
    rooms: Mapping[str, Fleet],
    busy: frozenset[str],
    now: float,
) -> list[Action]:
    """The plans to start now; `rooms` has what each program's agents may do."""
    # a plan with a question open has no process; a worktree being made counts as one
    active = state.with_status(*ACTIVE)
    used = len(active) + (state.queue.batch is not None and state.queue.is_on)
    used_by = Counter(plan.agent for plan in active)
    started: list[Action] = []
    for plan in state.with_status(Status.WAITING):
        if used + len(started) >= max(1, policy.max_parallel):
            break
        if used_by[plan.program] >= rooms[plan.program].parallel:
            continue
        if plan.id in busy or _not_before(plan, rooms) > now or blockers(state, plan):
            continue
        if not _is_alone(state, policy, plan, started):
            started.append(Start(plan.id))
            used_by[plan.program] += 1
    return started


def next_start(state: RunState, rooms: Mapping[str, Fleet], now: float) -> float | None:
    """The first time at which a plan that waits for nothing else may start."""
    waiting = [plan for plan in state.with_status(Status.WAITING) if not blockers(state, plan)]
    times = [_not_before(plan, rooms) for plan in waiting]
    return min((time for time in times if now < time < math.inf), default=None)


def _not_before(plan: PlanState, rooms: Mapping[str, Fleet]) -> float:
    """When a plan may start, as far as that is a matter of time; never, where a person must open
    its program's gate."""
    room = rooms[plan.program]
    opens = 0.0
    if room.closed is not None:
        opens = math.inf if room.closed.until is None else room.closed.until
    return max(plan.not_before, room.not_before or 0.0, opens)


def _is_alone(state: RunState, policy: Policy, plan: PlanState, starts: Sequence[Action]) -> bool:
    """Whether the plan's wave is too small to run in parallel, and one of it is at work."""
    wave = {other.id for other in state.plans.values() if other.wave == plan.wave}
    if len(wave) >= policy.min_plans_for_parallel:
        return False
    active = {other.id for other in state.with_status(*ACTIVE)}
    active |= {action.plan for action in starts if isinstance(action, Start)}
    return bool(active & wave)


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


def skips(state: RunState, policy: Policy) -> list[Action]:
    gone = {
        plan.id
        for plan in state.with_status(Status.FAILED, Status.SKIPPED)
        if not is_undecided(plan, policy)
    }
    skipped: list[Action] = []
    for plan in state.with_status(Status.WAITING):
        because = tuple(sorted(set(plan.depends_on) & gone))
        if because:
            skipped.append(Skip(plan.id, because))
            gone.add(plan.id)
    return skipped


def is_undecided(plan: PlanState, policy: Policy) -> bool:
    """Whether a failed plan may still be tried again at a prompt."""
    asks = policy.interactive and policy.on_failure == "ask"
    return plan.status is Status.FAILED and asks and not plan.accepted


def stop_by_plans(state: RunState, policy: Policy) -> Stop | None:
    if state.stopping:
        return None
    sent_back = state.with_status(Status.CONFLICTED, Status.REJECTED)
    if sent_back and policy.on_conflict == "stop" and state.with_status(Status.WAITING):
        first = sent_back[0]
        why = "is in conflict" if first.status is Status.CONFLICTED else "does not pass the check"
        return Stop(f"{first.id} {why}")
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


def stop_by_fleet(state: RunState, policy: Policy, rooms: Mapping[str, Fleet]) -> Stop | None:
    """Why no agent may start any more, whatever the plan."""
    if state.stopping or not state.with_status(Status.WAITING):
        return None
    shut = _shut_for_all(state, rooms)
    if shut is not None:
        name, gate = shut
        why = f"{name}: {gate.why}" if len(rooms) > 1 else gate.why
        return Stop(why, "executor", gate.hint)
    spent = add_up((cost, tokens) for _, cost, tokens in state.usages)
    budget = check_budget(spent, max_cost=policy.max_cost, max_tokens=policy.max_tokens)
    if budget.over is not None:
        return Stop(f"{budget.over} used", "budget", "raise --max-cost or --max-tokens")
    return None


def _shut_for_all(state: RunState, rooms: Mapping[str, Fleet]) -> tuple[str, Closed] | None:
    """The program whose closed gate a person must open, once no plan can start without that."""
    shut = {
        name: room.closed
        for name, room in rooms.items()
        if room.closed is not None and room.closed.until is None
    }
    waiting = state.with_status(Status.WAITING)
    stuck = {plan.id for plan in waiting if plan.program in shut}
    before = -1
    while before != len(stuck):
        before = len(stuck)
        stuck |= {plan.id for plan in waiting if blockers(state, plan) & stuck}
    if not stuck or len(stuck) < len(waiting):
        return None
    return next((plan.program, shut[plan.program]) for plan in waiting if plan.program in shut)
