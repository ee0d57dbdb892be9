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
            return "; ".join(filter(None, (plan.reason, *_whys(plan))))
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


def _whys(plan: PlanState) -> list[str]:
    """Why each file of its conflict is a question, with the file where there are several."""
    paths: dict[str, list[str]] = {}
    for item in plan.conflicts:
        paths.setdefault(str(item.get("why", "")), []).append(str(item["path"]))
    if len(paths) < 2:
        return list(paths)
    return [f"{why} ({listing(found, limit=3)})" for why, found in paths.items() if why]


def _decided(plan: PlanState) -> str:
    """What has to be decided of its conflict: with whom, where, how much, and what else helps."""
    paths = [str(item["path"]) for item in plan.conflicts]
    if all(item.get("kind") in CONCERNS for item in plan.conflicts):
        return f"what it changes in {listing(paths, limit=5)} is decided"
    against = sorted({str(other) for item in plan.conflicts for other in item.get("against", ())})
    whom = f" with {listing(against)}" if against else ""
    hunks, offered = (
        sum(int(item.get(key, 0)) for item in plan.conflicts) for key in ("hunks", "proposals")
    )
    parts = [count(hunks, "hunk")] if hunks else []
    parts += [f"{offered} with a proposal"] if offered else []
    much = f" ({', '.join(parts)})" if parts else ""
    return (
        f"its conflict{whom} in {listing(paths, limit=5)} is decided{much}; or "
        f"'wtrun resolve {plan.id} --rerun' has an agent do it again on what has landed"
    )


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
            return _decided(plan)
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
    flaky = f"; flaky: {count(queue.flaky, 'time')} red, then green on the same commit"
    told = f"{more}{flaky if queue.flaky else ''}{empty}"
    return f"'{shown(queue.command)}'{where}: {count(queue.runs, 'run')}{told}"
