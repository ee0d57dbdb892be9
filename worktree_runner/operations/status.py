"""`wtrun status`: where a run stands, from its journal alone; works while it runs."""

from __future__ import annotations

from typing import Any

from worktree_runner import attempts as attempt_files
from worktree_runner.core.goal import Goal, Step
from worktree_runner.core.outlook import gate_in_words, lands_when, why_not
from worktree_runner.core.settled import resolution_of, tally
from worktree_runner.core.starting import blockers
from worktree_runner.core.state import PlanState, RunState, Status
from worktree_runner.core.texts import count, listing
from worktree_runner.operations.context import runs
from worktree_runner.store.paths import Layout, RunFolder
from worktree_runner.store.runlock import is_locked

JSON_VERSION = 1
STUCK = (Status.CONFLICTED, Status.REJECTED, Status.ASKING, Status.FAILED, Status.SKIPPED)


def to_json(layout: Layout, folder: RunFolder, state: RunState) -> dict[str, Any]:
    """The run as one document; names are add-only within a version."""
    return {
        "v": JSON_VERSION,
        "run": state.id,
        "phase": state.phase,
        "dialect": state.dialect,
        "target": state.target,
        "base": state.base,
        "tip": state.tip,
        "published": state.published,
        "held": dict(state.held) or None,
        "at_work": is_locked(layout),
        "finished": state.finished,
        "paused": state.paused,
        "gate": gate_in_words(state.queue) or None,
        "goal": _goal_json(state.goal),
        "plans": [_plan_json(folder, state, plan) for plan in state.in_order()],
    }


def _goal_json(goal: Goal) -> dict[str, Any] | None:
    """The verification of the phase's goal; nothing before it begins."""
    if goal.step is Step.NOT_BEGUN:
        return None
    return {
        "step": str(goal.step),
        "status": str(goal.status) if goal.step is Step.REPORTED else None,
        "said": goal.in_words(),
        "waits_for": goal.question or None,
        "reached": goal.is_reached,
        "present": goal.present,
        "missing": list(goal.missing),
        "loose": list(goal.loose),
        "gaps": list(goal.gaps),
        "human": list(goal.human),
        "concerns": list(goal.concerns),
        "issues": goal.text or None,
        "agent": goal.agent or None,
        "worktree": goal.worktree or None,
        "report": goal.report or None,
        "copy": goal.copy or None,
    }


def _plan_json(folder: RunFolder, state: RunState, plan: PlanState) -> dict[str, Any]:
    living = plan.status is Status.RUNNING and isinstance(
        attempt_files.observe(folder.attempt(plan.id, plan.attempt)), attempt_files.Running
    )
    return {
        "id": plan.id,
        "title": plan.title,
        "wave": plan.wave,
        "lane": plan.lane,
        "status": str(plan.status),
        "alive": living,
        "attempt": plan.attempt,
        "branch": plan.branch,
        "worktree": plan.worktree if not plan.cleaned else None,
        "head": plan.head or None,
        "commit": plan.commit or None,
        "reason": plan.reason or None,
        "lands_when": lands_when(state, plan) or None,
        "conflicts": [item["path"] for item in plan.conflicts],
        "log": str(folder.attempt(plan.id, plan.attempt)) if plan.attempt else None,
    }


def render(layout: Layout, folder: RunFolder, state: RunState) -> str:
    """The run for a person: one line a plan, then what to do next."""
    landed = len(state.with_status(Status.LANDED))
    words = runs.words_of(state)
    merged = f"{landed} of {count(len(state.plans), words.plan, words.plans)} merged into "
    merged = merged + state.target if state.plans else f"for the {words.phase}'s goal alone"
    lines = [f"{words.execution} {state.id}: {merged}, {_mood(layout, state)}"]
    width = max((len(plan.id) for plan in state.plans.values()), default=0)
    for plan in state.in_order():
        lines.append(f"  {plan.id.ljust(width)}  {str(plan.status).ljust(10)}  {_detail(plan)}")
        lines += [f"  {' ' * width}  {line}" for line in _what_it_needs(state, plan)]
    checked = gate_in_words(state.queue)
    if checked:
        lines.append(checked if state.queue.off else f"checked with {checked}")
    if state.goal.in_words():
        lines.append(f"goal: {state.goal.in_words()}")
    if state.held:
        lines.append(f"landed, not published: {state.held['reason']}; wtrun publish")
    return "\n".join(lines)


def _what_it_needs(state: RunState, plan: PlanState) -> list[str]:
    """For a plan that waits for more than its turn: what keeps it, and what would make it land."""
    blocked = plan.status is Status.WAITING and blockers(state, plan)
    if not (blocked or plan.status in STUCK):
        return []
    when = lands_when(state, plan)
    return [*([why_not(state, plan)] if blocked else []), *([f"lands once {when}"] if when else [])]


def _mood(layout: Layout, state: RunState) -> str:
    if state.finished is not None:
        return "finished" if state.finished == 0 else f"finished with exit code {state.finished}"
    if is_locked(layout):
        return "at work"
    if state.paused is not None:
        return f"paused; 'wtrun execute {state.call}' goes on"
    return f"not at work; 'wtrun execute {state.call}' goes on"


def _detail(plan: PlanState) -> str:
    match plan.status:
        case Status.LANDED:
            settled = tally(map(resolution_of, plan.resolutions))
            return f"{plan.commit[:10]}{f', {settled}' if settled else ''}"
        case Status.CONFLICTED:
            paths = listing([item["path"] for item in plan.conflicts], limit=3)
            return f"{paths}; wtrun resolve {plan.id}"
        case Status.FAILED | Status.SKIPPED | Status.REJECTED:
            return plan.reason
        case Status.RUNNING | Status.STARTING | Status.ENDED:
            return f"attempt {plan.attempt} in {plan.worktree}"
        case Status.ASKING:
            return str(plan.checkpoint.get("awaiting") or plan.checkpoint.get("type", ""))
        case _:
            return plan.title
