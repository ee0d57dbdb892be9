"""Why a plan has not landed, and what would make it land: one sentence each, from the state."""

from __future__ import annotations

from worktree_runner.core import starting
from worktree_runner.core.conflicts import CONCERNS
from worktree_runner.core.gate import Purpose, shown
from worktree_runner.core.queue import Queue
from worktree_runner.core.state import ACTIVE, PlanState, RunState, Status
from worktree_runner.core.texts import count, listing


def why_not(state: RunState, plan: PlanState) -> str:
    """What keeps the plan from landing; empty for one that landed."""
    match plan.status:
        case Status.CONFLICTED:
            whys = dict.fromkeys(str(item.get("why", "")) for item in plan.conflicts)
            reasons = [plan.reason, *whys] if plan.reason else list(whys)
            return "; ".join(filter(None, reasons))
        case Status.WAITING:
            if plan.cut:
                return f"is to be continued: {plan.cut}"
            blockers = [state.plans[id] for id in sorted(starting.blockers(state, plan))]
            if state.stopping and not blockers:
                return state.stopping
            if not blockers:
                return "waits for its turn"
            return f"waits for {listing([f'{one.id} ({one.status})' for one in blockers])}"
        case Status.LANDED:
            return ""
    return plan.reason


def waiting_for(state: RunState, plan_id: str) -> tuple[str, ...]:
    """The plans that can't start without this one, directly or through others, in order."""
    held = {plan_id}
    for _ in state.plans:
        held |= {plan.id for plan in state.plans.values() if held & set(plan.depends_on)}
    return tuple(plan.id for plan in state.in_order() if plan.id in held - {plan_id})


def lands_when(state: RunState, plan: PlanState) -> str:
    """What has to happen for it; empty where nothing can, or nothing needs to."""
    match plan.status:
        case Status.CONFLICTED:
            paths = [str(item["path"]) for item in plan.conflicts]
            asked = all(item.get("kind") in CONCERNS for item in plan.conflicts)
            what = "what it changes" if asked else "its conflict"
            return f"{what} in {listing(paths, limit=5)} is decided"
        case Status.REJECTED:
            return (
                "the check is green with it: repair it in its worktree and commit, then "
                f"'wtrun resolve {plan.id} --continue'; or 'wtrun resolve {plan.id} --rerun' has "
                "an agent do it again"
            )
        case Status.ASKING:
            return "its question is answered"
        case Status.FAILED:
            return "a new attempt finishes it"
        case Status.WAITING:
            return _landed(sorted(starting.blockers(state, plan)))
        case Status.SKIPPED:
            if plan.accepted:
                return f"'wtrun execute {state.call}' runs it again, after this run"
            landed = {Status.LANDED, Status.QUEUED, *ACTIVE}
            return _landed([id for id in plan.depends_on if state.plans[id].status not in landed])
    return ""


def _landed(plans: list[str]) -> str:
    if not plans:
        return ""
    return f"{listing(plans)} {'has' if len(plans) == 1 else 'have'} landed"


def gate_in_words(queue: Queue) -> str:
    """What the merges of a run were checked with, or why they were not; empty if not decided."""
    if queue.off:
        return f"not checked: {queue.off}"
    if not queue.command:
        return ""
    apart = [
        count(queue.counts[purpose], word, words)
        for purpose, word, words in (
            (Purpose.BASELINE, "baseline", "baselines"),
            (Purpose.AGAIN, "repetition", "repetitions"),
        )
        if queue.counts.get(purpose)
    ]
    more = f", {listing(apart)}" if apart else ""
    where = f" ({queue.origin})" if queue.origin else ""
    empty = "; it found no tests, so nothing was tested" if queue.untested else ""
    return f"'{shown(queue.command)}'{where}: {count(queue.runs, 'run')}{more}{empty}"
