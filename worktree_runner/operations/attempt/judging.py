"""Judges an ended attempt: its evidence, then what it changed outside of its own ground."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from worktree_runner.core import evidence
from worktree_runner.core.events import Type
from worktree_runner.core.limits import Fail
from worktree_runner.core.state import PlanState
from worktree_runner.operations.attempt import breaches, checkpoints, failing, fencing
from worktree_runner.operations.attempt.evidence import gather
from worktree_runner.operations.context import plan_mail
from worktree_runner.operations.context.session import Session


def judge(session: Session, plan_id: str) -> None:
    """Records what becomes of the plan: finished, failed, asked about, or continued."""
    plan = session.of(plan_id)
    found = gather(session, plan, checkpoints.find(session, plan))
    verdict = evidence.judge(found)
    notes = (*verdict.notes, *_audit(session, plan))
    match verdict.kind:
        case evidence.Kind.FINISHED:
            _finished(session, plan_id, head=found.head, commits=len(found.commits), notes=notes)
        case evidence.Kind.CHECKPOINT:
            session.record(
                Type.PLAN_ASKED, plan_id, n=plan.attempt, checkpoint=dict(found.checkpoint)
            )
            checkpoints.advance(session, plan_id, found.checkpoint)
        case _:
            failed = failing.settle(session, plan, verdict)
            if failed is not None:
                _failed(session, plan_id, failed, notes)
    failing.tell_budget(session)


def _audit(session: Session, plan: PlanState) -> list[str]:
    """Records what is held against the plan, reserves and keeps what is its own; the notes."""
    report = fencing.inspect(session, plan)
    breaches.record(session, plan.id, report)
    fencing.take_undeclared(session, plan, report)
    kept = fencing.keep_stray(session, plan, report)
    beside = (f"commits beside its branch are kept: {ref}" for ref in kept)
    return [*fencing.notes(report), *beside]


def _finished(session: Session, plan_id: str, **facts: Any) -> None:
    plan = session.of(plan_id)
    facts |= {"n": plan.attempt, "notes": list(facts["notes"])}
    if breaches.open_ones(plan, merged=True):
        stop = breaches.stop_for(plan, "finished", facts)
        session.record(Type.PLAN_ASKED, plan_id, n=plan.attempt, checkpoint=stop)
    else:
        finish(session, plan_id, facts)


def _failed(session: Session, plan_id: str, failed: Fail, notes: Sequence[str]) -> None:
    plan = session.of(plan_id)
    if breaches.open_ones(plan, merged=False):
        facts = {"reason": failed.why, "hint": failed.hint or "", "notes": list(notes)}
        stop = breaches.stop_for(plan, "failed", facts)
        session.record(Type.PLAN_ASKED, plan_id, n=plan.attempt, checkpoint=stop)
    else:
        fail(session, plan, failed.why, failed.hint or "", notes)


def finish(session: Session, plan_id: str, facts: dict[str, Any]) -> None:
    """Records a finished plan and sends its message, unless its agent did."""
    plan_mail.completed(session, plan_id, head=str(facts["head"]))
    session.record(Type.PLAN_FINISHED, plan_id, **facts)


def fail(
    session: Session, plan: PlanState, reason: str, hint: str = "", notes: Sequence[str] = ()
) -> None:
    """Records a failed plan and sends its message, unless its agent did; its worktree stays, its
    reservations are given back."""
    plan_mail.failed(session, plan.id, reason)
    session.record(
        Type.PLAN_FAILED,
        plan.id,
        n=plan.attempt,
        reason=reason,
        hint=hint or f"wtrun logs {plan.id}",
        log=str(session.attempt_folder(plan.id)),
        notes=list(notes),
    )
    fencing.release(session, plan.id)


def settle(session: Session, plan_id: str, answer: str) -> tuple[str, ...]:
    """Records the user's word about the plan's open breach (see `breaches`).

    After `put-back` the plan still waits, with what could not be put back in the answer.
    """
    if answer == breaches.PUT_BACK:
        return breaches.put_back(session, plan_id)
    plan = session.of(plan_id)
    session.record(Type.BREACH_SETTLED, plan_id, answer=answer)
    if not breaches.is_open(plan):  # it has failed already, and its refs are accepted
        return ()
    stop = plan.checkpoint
    facts = dict(stop["facts"])
    if answer != breaches.FAIL and stop["becomes"] == "finished":
        drop = list(stop["paths"]) if answer == breaches.DROP else []
        finish(session, plan_id, {**facts, "drop": drop})
    else:
        why = f"it changed what is not its own: {stop['details']}"
        reason = str(facts.get("reason") or why)
        notes = facts.get("notes", ())
        fail(session, session.of(plan_id), reason, str(facts.get("hint", "")), notes)
    return ()
