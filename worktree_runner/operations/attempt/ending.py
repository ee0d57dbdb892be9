"""Records how attempts ended: by themselves, by their deadline, for their silence, or unseen.

Everything comes from the attempt's folder, so a resume after a crash records the same.
"""

from __future__ import annotations

from worktree_runner import attempts as attempt_files
from worktree_runner import supervision
from worktree_runner.agents.outcome import read_outcome
from worktree_runner.agents.protocol import AgentOutcome, FailureKind, Usage
from worktree_runner.agents.streams import add, since
from worktree_runner.core.events import Type
from worktree_runner.core.state import PlanState, Status
from worktree_runner.core.texts import duration
from worktree_runner.operations.context.session import Session


def take_ended(session: Session) -> None:
    """Records the attempts whose process has ended."""
    for plan in session.state.with_status(Status.RUNNING):
        match attempt_files.observe(session.attempt_folder(plan.id)):
            case attempt_files.Exited(exit):
                record_exit(session, plan, exit)
            case attempt_files.Lost() | attempt_files.NotStarted():
                record_loss(session, plan)


def record_exit(session: Session, plan: PlanState, exit: attempt_files.Exit) -> None:
    """Records how an attempt's process ended, with what the agent itself said about it."""
    code = exit.code if exit.signal is None else 128 + exit.signal
    outcome = read_outcome(
        session.agent_of(plan),
        session.attempt_folder(plan.id),
        code,
        killed=exit.stopped,
        timed_out=exit.timed_out,
    )
    reason, message = "exited", exit.error or outcome.message
    if exit.timed_out:
        reason = "timed_out"
    elif exit.stopped and plan.stalled:
        reason, message = "stalled", _silence(plan)
    elif exit.stopped:
        reason = "stopped"
    elif exit.error and exit.code is None and exit.signal is None:
        # the program itself could not be started: that is no crash of it
        outcome = outcome.model_copy(update={"failure": FailureKind.CONFIG})
    _record(session, plan, code, reason, outcome, message, exit.duration_s)


def record_loss(session: Session, plan: PlanState) -> None:
    """Records an attempt whose launcher is gone, and ends what it left: it must not write on.

    What its log says it has used is counted all the same.
    """
    supervision.sweep(attempt_files.Mark(session.state.id, f"{plan.id}-a{plan.attempt}"))
    folder = session.attempt_folder(plan.id)
    outcome = read_outcome(session.agent_of(plan), folder, None, killed=True, timed_out=False)
    _record(session, plan, None, "lost", outcome, "", None)


def _record(
    session: Session,
    plan: PlanState,
    code: int | None,
    reason: str,
    outcome: AgentOutcome,
    message: str,
    seconds: float | None,
) -> None:
    usage = since(outcome.usage, _used_before(session, plan, outcome))
    said = outcome.model_copy(update={"usage": usage}).model_dump(mode="json")
    session.record(
        Type.ATTEMPT_ENDED,
        plan.id,
        n=plan.attempt,
        exit_code=code,
        reason=reason,
        outcome={**said, "message": message, "seconds": seconds},
    )


def _used_before(session: Session, plan: PlanState, outcome: AgentOutcome) -> Usage | None:
    """What earlier attempts used in the session that this one went on with, where the agent counts
    on over a session; None if there is nothing to take off."""
    if not plan.resume or session.agent_of(plan).capabilities.usage_scope != "thread":
        return None
    used = Usage()
    for event in session.journal.events:
        if event.type == Type.ATTEMPT_ENDED and event.plan == plan.id:
            earlier = event.data.get("outcome") or {}
            if earlier.get("session_id") == plan.resume:
                used = add(used, Usage.model_validate(earlier.get("usage") or {}))
    return used


def _silence(plan: PlanState) -> str:
    seconds = duration(float(plan.stalled.get("seconds", 0.0)))
    if plan.stalled.get("first"):
        return f"the agent said nothing at all for {seconds}"
    return f"the agent said nothing and changed no file for {seconds}"
