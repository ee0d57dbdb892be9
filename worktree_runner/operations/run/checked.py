"""Landing and publishing for commands that start no agent, with the gate that the run has.

The gate's worktree is taken away afterwards; a crash leaves an open batch that `wtrun execute`
goes on with.
"""

from __future__ import annotations

from worktree_runner.core.state import Status
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.merging import gate, landing, queueing
from worktree_runner.operations.merging.conflicts import report_conflicts
from worktree_runner.operations.merging.publishing import FOLLOW_AT_MOST, publish_tip
from worktree_runner.operations.run.loop import open_loop


def land(session: Session, plan_id: str) -> bool:
    """Lands a finished plan and publishes; False if it conflicts or the gate is not green."""
    if session.state.queue.is_on or session.policy.checkout_merge:
        _work(session, plan_id)
        return session.of(plan_id).status is Status.LANDED
    result = landing.land(session, plan_id)
    if isinstance(result, landing.Conflicted):
        report_conflicts(session, plan_id, result.conflicts)
        return False
    queueing.after_landing(session, [plan_id])
    return True


def publish(session: Session, *, asked: bool = False) -> bool:
    """Publishes the tip; a target that has moved on is merged in and checked first."""
    for _ in range(FOLLOW_AT_MOST):
        if publish_tip(session, asked=asked):
            return True
        if not session.state.queue.target:
            return False
        _work(session, "")
    return publish_tip(session, asked=asked)


def _work(session: Session, plan_id: str) -> None:
    with open_loop(session) as loop:
        loop.land(plan_id)
    gate.finish(session)
