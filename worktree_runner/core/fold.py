"""What each event of the journal changes in a run's state.

`fold` is total: any prefix of any journal gives a state, so a crash after any event does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from worktree_runner.core import goal as phase_goal
from worktree_runner.core import queue as merge_queue
from worktree_runner.core.events import Event, Type
from worktree_runner.core.limits import FLEET_KINDS, Failure
from worktree_runner.core.state import PlanState, RunState, Status


def fold(events: Iterable[Event], state: RunState | None = None) -> RunState:
    """The state after these events; unknown types change nothing."""
    current = state or RunState()
    for event in events:
        current = apply(current, event)
    return current


def apply(state: RunState, event: Event) -> RunState:
    """The state after one more event."""
    state = replace(state, seq=event.seq)
    if event.plan is not None and event.plan in state.plans:
        change = _PLAN_CHANGES.get(event.type)
        if change is not None:
            plan = change(state.plans[event.plan], event.data)
            state = replace(state, plans={**state.plans, event.plan: plan})
    change_run = _RUN_CHANGES.get(event.type)
    if change_run is not None:
        state = change_run(state, event)
    queue = merge_queue.apply(state.queue, event)
    goal = phase_goal.apply(state.goal, event)
    if queue is state.queue and goal is state.goal:
        return state
    return replace(state, queue=queue, goal=goal)


def _started(state: RunState, event: Event) -> RunState:
    data = event.data
    plans = {
        item["id"]: PlanState(
            id=item["id"],
            path=item["path"],
            summary=item["summary"],
            title=item.get("title", ""),
            wave=item["wave"],
            lane=item.get("lane"),
            depends_on=tuple(item.get("depends_on", ())),
            order=item["order"],
            autonomous=item.get("autonomous", True),
            files=tuple(item.get("files", ())),
            program=item.get("agent") or data.get("agent", ""),
        )
        for item in data["plans"]
    }
    return replace(
        state,
        id=event.run,
        phase=data["phase"],
        dialect=data["dialect"],
        target=data["target"],
        base=data["base"],
        tip=data["base"],
        published=data["base"],
        planning_tracked=data.get("planning", "tracked") == "tracked",
        options=data.get("options", {}),
        facts=data,
        plans=plans,
        since=event.at.timestamp(),
    )


def _attempt_planned(plan: PlanState, data: Mapping[str, Any]) -> PlanState:
    fresh = data.get("fresh", True)
    return replace(
        plan,
        status=Status.STARTING,
        attempt=data["n"],
        branch=data["branch"],
        worktree=data["worktree"],
        base=data["base"],
        agent=data.get("agent") or plan.program,
        fresh=fresh,
        ready=False,
        reason="",
        hint="",
        outcome={},
        checkpoint={} if fresh else plan.checkpoint,  # what the answer is an answer to
        answer={} if fresh else plan.answer,
        stalled={},
        not_before=0.0,
        cut="" if fresh else plan.cut,
        session="" if fresh else plan.session,
        resume=str(data.get("resume", "")),
    )


def _attempt_ended(plan: PlanState, data: Mapping[str, Any]) -> PlanState:
    return replace(
        plan,
        status=Status.ENDED,
        exit_code=data.get("exit_code"),
        ended_because=data.get("reason", ""),
        session=data.get("outcome", {}).get("session_id") or plan.session,
        outcome=data.get("outcome", {}),
    )


def _breached(plan: PlanState, data: Mapping[str, Any]) -> PlanState:
    found = {(one["kind"], one["subject"]): one for one in (*plan.breaches, *data["findings"])}
    return replace(plan, breaches=tuple(found.values()))


def _settled(plan: PlanState, data: Mapping[str, Any]) -> PlanState:
    """A failed plan's refs stay open: they still are where its agent moved them."""
    refs = [one for one in plan.breaches if one["kind"] == "ref"]
    match data["answer"]:
        case "put-back":
            gone = set(data.get("refs", ()))
            left = [o for o in plan.breaches if o["kind"] != "ref" or o["subject"] not in gone]
            return replace(plan, breaches=tuple(left))
        case "fail":
            return replace(plan, breaches=tuple(refs))
        case _:
            return replace(plan, breaches=())


def _finished(plan: PlanState, data: Mapping[str, Any]) -> PlanState:
    return replace(
        plan,
        status=Status.QUEUED,
        head=data["head"],
        notes=tuple(data.get("notes", ())),
        drop=tuple(data.get("drop", ())),
    )


def _failed(plan: PlanState, data: Mapping[str, Any]) -> PlanState:
    return replace(
        plan,
        status=Status.FAILED,
        reason=data["reason"],
        hint=data.get("hint", ""),
        fresh=True,
        accepted=False,
    )


def _retried(plan: PlanState, data: Mapping[str, Any]) -> PlanState:
    """Counts the retries that the run decided itself; a person's word starts from zero."""
    fresh = bool(data.get("fresh", True))
    earlier = data.get("earlier") or plan.earlier
    counted = data.get("counted")
    return replace(
        plan,
        status=Status.WAITING,
        reason="",
        hint="",
        fresh=fresh,
        earlier=earlier,
        conflicts=(),
        choices=(),
        draft=(),
        cut="" if fresh else str(data.get("why", "")),
        session="" if data.get("kind") == "session" else plan.session,
        not_before=float(data.get("not_before") or 0.0),
        counted=0 if counted is None else plan.counted + bool(counted),
        uncounted=0 if counted is None else plan.uncounted + (not counted),
    )


def _conflicted(plan: PlanState, data: Mapping[str, Any]) -> PlanState:
    return replace(
        plan,
        status=Status.CONFLICTED,
        conflicts=tuple(data["paths"]),
        deferred=False,
        reason=str(data.get("refused", "")),
    )


def _answered_merge(plan: PlanState, data: Mapping[str, Any]) -> PlanState:
    choices = (*plan.choices, *data["choices"])
    return replace(plan, status=Status.QUEUED, choices=choices, draft=(), conflicts=())


def _rejected(plan: PlanState, data: Mapping[str, Any]) -> PlanState:
    return replace(
        plan,
        status=Status.REJECTED,
        reason=data["reason"],
        hint=str(data["log"]),
        deferred=False,
    )


def _landed(plan: PlanState, data: Mapping[str, Any]) -> PlanState:
    return replace(
        plan,
        status=Status.LANDED,
        commit=data["commit"],
        resolutions=tuple(data.get("resolutions", ())),
        notices=tuple(data.get("notices", ())),
        conflicts=(),
        reason="",
        hint="",
    )


def _undone(plan: PlanState, data: Mapping[str, Any]) -> PlanState:
    path = data["path"]
    return replace(
        plan,
        unresolve=(*plan.unresolve, path),
        choices=tuple(choice for choice in plan.choices if choice["path"] != path),
    )


def _replaced(plan: PlanState, data: Mapping[str, Any]) -> PlanState:
    kept = tuple(one for one in plan.resolutions if one["path"] != data["path"])
    return replace(plan, resolutions=(*kept, data["resolution"]))


_PLAN_CHANGES: dict[str, Callable[[PlanState, Mapping[str, Any]], PlanState]] = {
    Type.ATTEMPT_PLANNED: _attempt_planned,
    Type.ATTEMPT_READY: lambda plan, data: replace(
        plan, ready=True, untracked=tuple(data.get("untracked", ()))
    ),
    Type.ATTEMPT_STARTED: lambda plan, data: replace(plan, status=Status.RUNNING),
    Type.ATTEMPT_STALLED: lambda plan, data: replace(plan, stalled=dict(data)),
    Type.ATTEMPT_ENDED: _attempt_ended,
    Type.ATTEMPT_BREACHED: _breached,
    Type.BREACH_SETTLED: _settled,
    Type.PLAN_FINISHED: _finished,
    Type.PLAN_FAILED: _failed,
    Type.FAILURE_ACCEPTED: lambda plan, data: replace(plan, accepted=True),
    Type.PLAN_RETRIED: _retried,
    Type.PLAN_SKIPPED: lambda plan, data: replace(
        plan,
        status=Status.SKIPPED,
        reason=str(data.get("because", "")),
        accepted=data.get("by") == "user",
    ),
    Type.PLAN_ASKED: lambda plan, data: replace(
        plan, status=Status.ASKING, checkpoint=data.get("checkpoint", {}), answer={}, deferred=False
    ),
    Type.PLAN_DEFERRED: lambda plan, data: replace(plan, deferred=True),
    Type.PLAN_ANSWERED: lambda plan, data: replace(
        plan, status=Status.WAITING, answer=dict(data), fresh=False, cut="", counted=0, uncounted=0
    ),
    Type.MERGE_CONFLICTED: _conflicted,
    Type.MERGE_ANSWERED: _answered_merge,
    Type.MERGE_DRAFTED: lambda plan, data: replace(plan, draft=tuple(data["choices"])),
    Type.MERGE_REOPENED: lambda plan, data: replace(
        plan,
        status=Status.QUEUED,
        head=data["head"],
        by_hand=tuple(data.get("by_hand", ())),
        prepared={},
        conflicts=(),
        reason="",
        hint="",
    ),
    Type.MERGE_PREPARED: lambda plan, data: replace(plan, prepared=dict(data)),
    Type.MERGE_PUT_BACK: lambda plan, data: replace(plan, prepared={}),
    Type.MERGE_REJECTED: _rejected,
    Type.MERGE_LANDED: _landed,
    Type.RESOLUTION_UNDONE: _undone,
    Type.RESOLUTION_REPLACED: _replaced,
    Type.WORKTREE_REMOVED: lambda plan, data: replace(plan, cleaned=True),
}


def _resumed(state: RunState, event: Event) -> RunState:
    """What was left for later is asked again; a program that the user names is the next one, and
    what was met before counts no longer where they wait no longer."""
    named, now = event.data.get("agent"), event.data.get("now")
    plans = {
        plan.id: replace(
            plan,
            deferred=False,
            program=named or plan.program,
            not_before=0.0 if now else plan.not_before,
        )
        for plan in state.plans.values()
    }
    if now:
        state = replace(state, failures=())
    since = event.at.timestamp()
    return replace(state, paused=None, stopping="", stopped_by="", since=since, plans=plans)


def _attempt_used(state: RunState, event: Event) -> RunState:
    """What an attempt cost, and whether its failure says something about all agents."""
    outcome = event.data.get("outcome") or {}
    usage = outcome.get("usage") or {}
    known = [usage.get(name) for name in ("input_tokens", "output_tokens")]
    tokens = [count for count in known if count is not None]
    used = (event.plan or "", usage.get("cost_usd"), sum(tokens) if tokens else None)
    state = replace(state, usages=(*state.usages, used))
    kind = outcome.get("failure")
    if kind not in FLEET_KINDS:
        return state
    plan = state.plans.get(event.plan or "")
    failure = Failure(
        event.at.timestamp(),
        kind,
        event.plan or "",
        outcome.get("retry_after_s"),
        plan.agent if plan is not None else "",
    )
    return replace(state, failures=(*state.failures, failure))


_RUN_CHANGES: dict[str, Callable[[RunState, Event], RunState]] = {
    Type.RUN_STARTED: _started,
    Type.RUN_RESUMED: _resumed,
    Type.RUN_PAUSED: lambda state, event: replace(state, paused=event.data["code"]),
    Type.RUN_FINISHED: lambda state, event: replace(state, finished=event.data["code"]),
    Type.RUN_STOPPING: lambda state, event: replace(
        state, stopping=event.data["reason"], stopped_by=event.data.get("by", "")
    ),
    Type.ATTEMPT_ENDED: _attempt_used,
    Type.VERIFY_ENDED: _attempt_used,
    Type.MERGE_LANDED: lambda state, event: replace(state, tip=event.data["commit"]),
    Type.RESOLUTION_REPLACED: lambda state, event: replace(state, tip=event.data["commit"]),
    Type.CONFLICTS_FORESEEN: lambda state, event: replace(
        state, foreseen=tuple(event.data["pairs"])
    ),
    Type.TARGET_MERGED: lambda state, event: replace(state, tip=event.data["commit"]),
    Type.CORRECTIONS_COMMITTED: lambda state, event: replace(state, tip=event.data["commit"]),
    Type.PLANNING_COMMITTED: lambda state, event: replace(
        state, tip=event.data["commit"], planning_commit=event.data["commit"]
    ),
    Type.PUBLISHED: lambda state, event: replace(state, published=event.data["new"], held={}),
    Type.PUBLISH_HELD: lambda state, event: replace(state, held=dict(event.data)),
}
