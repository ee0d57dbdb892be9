"""Why a plan has not landed, and what would make it land: one sentence each, from the state."""

from __future__ import annotations

from worktree_runner.core import starting
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
            return f"waits for {listing([f'{one.id} ({one.status})' for one in blockers])}"
        case Status.LANDED:
            return ""
    return plan.reason


def lands_when(state: RunState, plan: PlanState) -> str:
    """What has to happen for it; empty where nothing can, or nothing needs to."""
    match plan.status:
        case Status.CONFLICTED:
            paths = [str(item["path"]) for item in plan.conflicts]
            return f"its conflict in {listing(paths, limit=5)} is decided"
        case Status.REJECTED:
            return (
                "the gate is green with it: repair it in its worktree and commit; it is checked "
                f"again by 'wtrun execute {state.phase}'"
            )
        case Status.ASKING:
            return "its question is answered"
        case Status.FAILED:
            return "a new attempt leaves its summary and commits"
        case Status.WAITING:
            return _landed(sorted(starting.blockers(state, plan)))
        case Status.SKIPPED:
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
    return f"'{shown(queue.command)}'{where}: {count(queue.runs, 'run')}{more}"
