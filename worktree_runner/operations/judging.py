"""Judges an ended attempt: its evidence, then what it changed outside of its own ground."""

from __future__ import annotations

from typing import Any

from worktree_runner.core import evidence
from worktree_runner.core.audit import Kind, Report
from worktree_runner.core.events import Type
from worktree_runner.core.evidence import Evidence, Verdict
from worktree_runner.core.state import PlanState
from worktree_runner.core.texts import listing
from worktree_runner.operations import checkpoints, failing, fencing
from worktree_runner.operations.evidence import gather
from worktree_runner.operations.session import Session


def judge(session: Session, plan_id: str) -> None:
    """Records what becomes of the plan: finished, failed, asked about, or continued."""
    plan = session.of(plan_id)
    found = gather(session, plan, checkpoints.find(session, plan))
    verdict = evidence.judge(found)
    match verdict.kind:
        case evidence.Kind.FINISHED:
            _finished(session, plan, found, verdict)
        case evidence.Kind.CHECKPOINT:
            session.record(
                Type.PLAN_ASKED, plan_id, n=plan.attempt, checkpoint=dict(found.checkpoint)
            )
            checkpoints.advance(session, plan_id, found.checkpoint)
        case _:
            failed = failing.settle(session, plan, verdict)
            if failed is not None:
                fail(session, plan, failed.why, failed.hint or "", verdict.notes)
    failing.tell_budget(session)


def fail(
    session: Session, plan: PlanState, reason: str, hint: str = "", notes: tuple[str, ...] = ()
) -> None:
    """Records a failed plan; its worktree stays, its reservations are given back."""
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


def _finished(session: Session, plan: PlanState, found: Evidence, verdict: Verdict) -> None:
    report = fencing.inspect(session, plan)
    notes = [*verdict.notes, *_notes(session, report)]
    facts: dict[str, Any] = {
        "n": plan.attempt,
        "head": found.head,
        "commits": len(found.commits),
        "notes": notes,
    }
    if not report.breaches:
        session.record(Type.PLAN_FINISHED, plan.id, **facts)
        return
    paths = [item.subject for item in report.breaches if item.kind in (Kind.RESERVED, Kind.LINK)]
    stop = {
        "type": "breach",
        "details": "\n".join(str(item) for item in report.breaches),
        "awaiting": "whether these changes are accepted",
        "paths": paths,
        **facts,
    }
    session.record(Type.PLAN_ASKED, plan.id, n=plan.attempt, checkpoint=stop)


def _notes(session: Session, report: Report) -> list[str]:
    """What the user should know of the audit and need not decide."""
    own = {f"refs/heads/{plan.branch}" for plan in session.state.plans.values()}
    own |= {plan.worktree for plan in session.state.plans.values()}
    meanwhile = [item for item in report.changed_meanwhile if item.subject not in own]
    notes = []
    if report.undeclared:
        notes.append(f"changed without declaring it: {listing(list(report.undeclared), limit=5)}")
    siblings = report.of(Kind.SIBLING)
    notes += [str(item) for item in siblings]
    if meanwhile:
        texts = [str(item) for item in meanwhile]
        notes.append(f"changed during the run, by whom is not known: {listing(texts, limit=5)}")
    return notes
