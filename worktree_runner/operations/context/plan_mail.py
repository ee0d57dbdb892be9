"""What a run writes to its own name about a plan, where the plan's agent did not write it."""

from __future__ import annotations

from pathlib import Path

from worktree_runner.core.events import Type
from worktree_runner.core.messages import PlanFacts
from worktree_runner.core.state import PlanState
from worktree_runner.operations.context.session import Session
from worktree_runner.store.agents import stamp

FILES_TOLD = 50


def completed(session: Session, plan_id: str, *, head: str) -> None:
    """Sends "Plan Complete" from the plan's agent to the run, once an attempt."""
    plan = session.of(plan_id)
    facts = _facts(session, plan, head)
    session.mail.complete(session.correspondent(plan), facts, _since(session, plan_id))


def failed(session: Session, plan_id: str, reason: str) -> None:
    """Sends "Plan FAILED" from the plan's agent to the run, once an attempt."""
    plan = session.of(plan_id)
    head = session.repository.git.resolve(f"refs/heads/{plan.branch}") if plan.branch else None
    facts = _facts(session, plan, head or plan.base)
    session.mail.failed(session.correspondent(plan), facts, reason, _since(session, plan_id))


def _facts(session: Session, plan: PlanState, head: str) -> PlanFacts:
    git = session.repository.git
    span = f"{plan.base}..{head}"
    there = bool(plan.base and head)
    commits = git.run("log", "-z", "--reverse", "--format=%H %s", span).fields if there else ()
    changed = git.run("diff", "--name-only", "-z", plan.base, head).fields if there else ()
    main = session.repository.home
    place = Path(plan.worktree)
    inside = place.is_relative_to(main)
    return PlanFacts(
        plan_id=plan.id,
        worktree=str(place.relative_to(main)) if inside else plan.worktree,
        branch=plan.branch,
        commits=tuple((line.partition(" ")[0], line.partition(" ")[2]) for line in commits),
        files=tuple(changed[:FILES_TOLD]),
        summary=plan.summary if plan.summary in changed else "",
    )


def _since(session: Session, plan_id: str) -> str:
    """When the plan's present attempt was planned, or the run began."""
    known = (Type.ATTEMPT_PLANNED, Type.RUN_STARTED)
    moments = [
        event.at
        for event in session.journal.events
        if event.type in known and event.plan in (plan_id, None)
    ]
    return stamp(moments[-1])
