"""`wtrun resolve PLAN` for a plan whose agent left its own ground: the user's word about it."""

from __future__ import annotations

from worktree_runner.core.state import Status
from worktree_runner.errors import PreconditionError, UsageError
from worktree_runner.operations.attempt import breaches, judging
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.merging.publishing import publish_tip
from worktree_runner.operations.run import checked
from worktree_runner.operations.run.asking import question_for, record_answer
from worktree_runner.ui.ask import Answer


def concerns(session: Session, plan_id: str) -> bool:
    """Whether what waits of this plan is a breach."""
    plan = session.state.plans.get(plan_id)
    return plan is not None and breaches.is_open(plan)


def render(session: Session, plan_id: str) -> str:
    """The evidence, one line a finding."""
    lines = str(session.of(plan_id).checkpoint["details"]).splitlines()
    return "\n".join([f"{plan_id} changed what is not its own:", *(f"  {line}" for line in lines)])


def suggestion(session: Session, plan_id: str) -> str:
    """The commands that answer without a terminal."""
    flags = breaches.flags(session.of(plan_id))
    return f"wtrun resolve {plan_id} {' or '.join(flags)}"


def ask(session: Session, plan_id: str) -> bool:
    """Asks at the terminal; True if nothing of the plan is left to decide."""
    while breaches.is_open(session.of(plan_id)):
        answer = question_for(session, plan_id)()
        if not isinstance(answer, Answer):
            return False
        record_answer(session, plan_id, answer)
    return _go_on(session, plan_id)


def settle(session: Session, plan_id: str, answer: str) -> bool:
    """Takes the answer; True if nothing of the plan is left to decide, and it has landed if it
    was accepted. A failed plan's refs can still be put back or accepted."""
    plan = session.of(plan_id)
    if breaches.is_open(plan):
        possible = breaches.answers(plan)
    else:
        possible = (breaches.ACCEPT, breaches.PUT_BACK) if breaches.moved_refs(plan) else ()
    if answer not in possible:
        options = ", ".join(breaches.FLAGS[one] for one in possible)
        raise UsageError(
            f"{plan_id} has nothing open that {breaches.FLAGS[answer]} would settle.",
            hint=f"possible: {options}" if options else "wtrun status",
        )
    left = judging.settle(session, plan_id, answer)
    if left:
        raise PreconditionError(
            f"{'; '.join(left)}: it is not put back.",
            hint=f"put it right with git, then wtrun resolve {plan_id} {breaches.FLAGS['accept']}",
        )
    return _go_on(session, plan_id)


def _go_on(session: Session, plan_id: str) -> bool:
    plan = session.of(plan_id)
    if plan.status is Status.QUEUED:
        return checked.land(session, plan_id)
    publish_tip(session)
    return not breaches.is_open(plan)
