"""What becomes of a plan whose attempt failed or was cut off: tried again, kept, or failed.

`core.limits` decides by the class of the failure; the journal keeps the waits, the tries and what
was spent, so a resume after a crash goes on with all of them. A further attempt always goes on in
the same worktree, with what the earlier one committed.
"""

from __future__ import annotations

import random
import time

from worktree_runner.core.budgets import add_up, check_budget
from worktree_runner.core.events import Type
from worktree_runner.core.evidence import Verdict
from worktree_runner.core.limits import (
    LONGEST_PARKING_S,
    SESSION_LOST,
    Fail,
    Park,
    Retry,
    decide_failure,
    fleet,
)
from worktree_runner.core.state import PlanState
from worktree_runner.core.texts import count
from worktree_runner.operations.context.session import Session


def settle(session: Session, plan: PlanState, verdict: Verdict) -> Fail | None:
    """Records that the plan is to be tried again or kept for later; else why it has failed."""
    if plan.ended_because == "stopped":  # by the user, who did not say that it failed
        _retry(session, plan, "", verdict.reason, counted=None)
        return None
    kind = failure_of(plan)
    over = _over_budget(session, plan)
    reaction = decide_failure(
        kind,
        counted=plan.counted,
        uncounted=plan.uncounted,
        retries=session.settings.limits.retries,
        retry_after_s=plan.outcome.get("retry_after_s"),
        spread=random.random(),
        resumed=bool(plan.resume),
    )
    if reaction == Retry(0.0, SESSION_LOST, counted=False):
        kind = "session"
    match reaction:
        case Fail(why, hint):
            tried = plan.counted or plan.uncounted
            reason = f"{verdict.reason}; {why}" if tried else verdict.reason
            return Fail(reason, (hint or verdict.hint or "").format(plan=plan.id))
        case Retry() if over is not None:
            return Fail(f"{verdict.reason}; not tried again, for it used {over}", "wtrun config")
        case Retry(wait, why, counted):
            at_once = plan.ended_because == "lost" and not plan.counted
            _retry(
                session, plan, kind or "", _because(why, plan), counted, 0.0 if at_once else wait
            )
            if kind == "rate_limit":
                _tell_sinking(session, plan.agent)
        case Park(wait, why, _):
            known = wait is not None and wait <= LONGEST_PARKING_S  # else a person says when
            back = {} if wait is None else {"back_at": time.time() + wait}
            why = _because(why, plan)
            _retry(session, plan, kind or "", why, False, wait if known else None, **back)
    return None


def failure_of(plan: PlanState) -> str | None:
    """The class of failure that an ended attempt met, as `decide_failure` takes it."""
    if plan.ended_because == "lost":
        return "crash"
    if plan.ended_because == "stalled":
        return "silent" if plan.stalled.get("first") else "stalled"
    failure = plan.outcome.get("failure")
    return None if failure is None else str(failure)


def _because(why: str, plan: PlanState) -> str:
    said = str(plan.outcome.get("message", ""))
    if plan.ended_because == "stalled":
        return said
    return f"{why}: {said}" if said and said != why else why


def _retry(
    session: Session,
    plan: PlanState,
    kind: str,
    why: str,
    counted: bool | None,
    wait: float | None = None,
    **more: float,
) -> None:
    facts = {} if counted is None else {"counted": counted}
    later = {"not_before": time.time() + wait} if wait else {}
    session.record(
        Type.PLAN_RETRIED, plan.id, why=why, fresh=False, kind=kind, **facts, **later, **more
    )


def _tell_sinking(session: Session, agent: str) -> None:
    """Says so when a rate limit has just made the fleet of a program smaller."""
    state, most = session.state, session.policy.max_parallel
    own = [failure for failure in state.failures if failure.agent == agent]
    now = time.time()
    before = fleet(own[:-1], now=now, max_parallel=most, since=state.since).parallel
    after = fleet(own, now=now, max_parallel=most, since=state.since).parallel
    if after < before:
        agents = count(after, "agent")
        session.record(Type.NOTICE, text=f"because of rate limits, {agents} at a time for a while")


def _over_budget(session: Session, plan: PlanState) -> str | None:
    """How far the plan's own budget is used up, if it is."""
    own = [(cost, tokens) for name, cost, tokens in session.state.usages if name == plan.id]
    limits = session.settings.limits
    return check_budget(
        add_up(own), max_cost=limits.plan_max_cost, max_tokens=limits.plan_max_tokens
    ).over


def tell_budget(session: Session) -> None:
    """Says once that most of the run's budget is used."""
    limits = session.settings.limits
    spent = add_up((cost, tokens) for _, cost, tokens in session.state.usages)
    near = check_budget(spent, max_cost=limits.max_cost, max_tokens=limits.max_tokens).near
    said = any(event.data.get("about") == "budget" for event in session.journal.events)
    if near is not None and not said:
        session.record(Type.NOTICE, about="budget", text=f"{near} used so far")
