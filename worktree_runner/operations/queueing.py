"""The merge queue at work: prepares batches, and does what core/queue.py asks for.

- Nothing of a batch is on any ref before it lands; its commits are kept by the integration
  worktree's HEAD and reflog, and can be made again.
- Everything here is safe to repeat: what was done before a crash is seen in the journal, or in
  the commits on the run's tip (`reconcile`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from itertools import combinations
from typing import Any

from merge import MergeOutcome
from worktree_runner.core import actions
from worktree_runner.core.events import Type
from worktree_runner.core.gate import Verdict, shown, why_it_lands
from worktree_runner.core.queue import Entry, fewest_conflicts
from worktree_runner.core.state import PlanState, Status
from worktree_runner.operations import (
    checkout_merge,
    cleanup,
    fencing,
    gate,
    landing,
    publishing,
    summaries,
)
from worktree_runner.operations.conflicts import report_conflicts
from worktree_runner.operations.session import Session

# --- preparing -------------------------------------------------------------------------------


def prepare(session: Session, plans: Sequence[str]) -> None:
    """Merges the plans onto each other as far as they go, and records the batch.

    A target that has moved on comes first. A plan that conflicts with the tip itself is a
    question. One that only conflicts with another entry of the batch stays in the queue: that one
    may still be rejected.
    """
    tip = session.state.tip
    entries = _target(session)
    chain, tried = (entries[-1]["commit"] if entries else tip), list[PlanState]()
    for plan in _in_order(session, plans):
        outcome = landing.merged(session, plan, onto=chain)
        if outcome.tree is not None:
            entry = _entry(session, plan, outcome, chain)
            entries += [entry] if entry else []
            chain = entry["commit"] if entry else chain
        elif chain == tip and _tests(session):
            tried.append(plan)
        elif chain == tip:
            report_conflicts(session, plan.id, outcome.conflicts)
    if not entries and tried:
        entries = _tested(session, tried[0])
    if entries:
        number = session.state.queue.batches + 1
        session.record(Type.QUEUE_PREPARED, batch=number, tip=tip, entries=entries)


def prepare_when_ready(session: Session, plans: Sequence[str], done: Future[Any]) -> None:
    """As `prepare`, once the worktree is ready in which git merges; raises if it can't be."""
    done.result()
    prepare(session, [plan for plan in plans if session.of(plan).status is Status.QUEUED])


def _target(session: Session) -> list[dict[str, Any]]:
    """The entry that merges the moved target in; none if it has not moved, or conflicts."""
    target = session.state.queue.target
    if not target:
        return []
    commit = publishing.merge_target(session, target)
    if commit is None:
        session.record(Type.TARGET_REFUSED, at=target, reason="it conflicts")
        return []
    return [{"plan": "", "head": target, "commit": commit}]


def _entry(
    session: Session, plan: PlanState, outcome: MergeOutcome, onto: str, *, tested: bool = False
) -> dict[str, Any] | None:
    """A plan merged onto a commit, as the journal holds it; None if a hook did not let it."""
    notices = outcome.notices
    if session.policy.checkout_merge:
        made = checkout_merge.make(session, plan, outcome, onto=onto)
        if isinstance(made, checkout_merge.Refused):
            _refused_by_hook(session, plan, made)
            return None
        commit, notices = made.commit, (*notices, *made.notices)
    else:
        commit = landing.commit(session, plan, outcome, onto=onto)
    return {
        "plan": plan.id,
        "head": plan.head,
        "commit": commit,
        "resolutions": [landing.resolution_to_json(item) for item in outcome.resolutions],
        "notices": list(notices),
        "tested": tested,
    }


def _refused_by_hook(session: Session, plan: PlanState, refused: checkout_merge.Refused) -> None:
    session.record(
        Type.MERGE_REJECTED,
        plan.id,
        head=plan.head,
        candidate="",
        verdict=str(Verdict.RED),
        reason=refused.why,
        log=refused.log,
    )


def _in_order(session: Session, plans: Sequence[str]) -> list[PlanState]:
    """The plans in the order in which they are merged."""
    chosen = [session.of(plan) for plan in plans]
    if session.policy.merge_order == "plan" or len(chosen) < 2:
        return chosen
    pairs = {
        frozenset((one.id, other.id))
        for one, other in combinations(chosen, 2)
        if landing.merged(session, one, onto=other.head).tree is None
    }
    return [session.of(plan) for plan in fewest_conflicts(plans, pairs)]


def _tests(session: Session) -> bool:
    """Whether likely resolutions may be tried: only where a gate tells whether they are right."""
    return session.policy.tests_resolutions and session.state.queue.is_on


def _tested(session: Session, plan: PlanState) -> list[dict[str, Any]]:
    """The plan with its likely resolutions, alone; a question where there are none."""
    tip = session.state.tip
    outcome = landing.merged(session, plan, onto=tip, tier="tested")
    if outcome.tree is None:
        report_conflicts(session, plan.id, outcome.conflicts)
        return []
    entry = _entry(session, plan, outcome, tip, tested=True)
    return [entry] if entry else []


# --- advancing -------------------------------------------------------------------------------


def advance(session: Session, step: actions.Step) -> None:
    """Does one step of the batch at hand, and records it."""
    match step:
        case actions.RunGate():
            gate.start(session, step)
        case actions.TurnOff(reason):
            command = shown(session.state.queue.command)
            why = f"'{command}' is not green before any plan ({reason})"
            session.record(Type.GATE_OFF, reason=why)
            gate.say_nothing_tests(session)
        case actions.Land(upto):
            land(session, upto)
        case actions.Reject():
            reject(session, step)
        case actions.Close(why):
            empty = not session.state.with_status(Status.QUEUED)
            batch = session.state.queue.batch
            number = 0 if batch is None else batch.n
            session.record(Type.QUEUE_CLOSED, batch=number, why=why, empty=empty)


def land(session: Session, upto: int) -> None:
    """Moves the tip to the batch's commit with its first `upto` plans, and publishes it.

    A crash after the ref has moved loses only events, which `reconcile` makes from the commits.
    """
    batch, tip = session.state.queue.batch, session.state.tip
    assert batch is not None
    commits = [batch.tip, *(entry.commit for entry in batch.entries)]
    new = batch.entries[commits.index(tip) : upto]
    _say_why(session, new[-1])
    if not session.repository.objects.move_ref(session.tip_ref, new[-1].commit, tip):
        raise session.narrator.tip_was_moved(session.tip_ref, tip)
    for entry in new:
        if not entry.plan:
            tip = session.state.tip
            session.record(Type.TARGET_MERGED, target=entry.head, tip=tip, commit=entry.commit)
            continue
        session.record(
            Type.MERGE_LANDED,
            entry.plan,
            head=entry.head,
            tip=session.state.tip,
            commit=entry.commit,
            resolutions=list(entry.resolutions),
            notices=list(entry.notices),
        )
    after_landing(session, [entry.plan for entry in new if entry.plan])


def _say_why(session: Session, last: Entry) -> None:
    """Says once why plans land with a gate that did not end with 0."""
    result = session.state.queue.results.get(last.commit)
    if result is None or not session.state.queue.is_on:
        return
    text = why_it_lands(result)
    said = {e.data["text"] for e in session.journal.events if e.type == Type.NOTICE and not e.plan}
    if text and text not in said:
        session.record(Type.NOTICE, text=text)


def after_landing(session: Session, plans: Iterable[str]) -> None:
    """What follows once plans are in the tip: reservations go back, the target is published."""
    for plan in plans:
        fencing.release(session, plan)
    summaries.bring_back(session)
    publishing.publish_tip(session)
    cleanup.clean_landed(session)


def reject(session: Session, step: actions.Reject) -> None:
    """Takes the plan out of the queue: its likely resolutions are undone, or a person is asked."""
    result = session.state.queue.results.get(step.commit)
    said = result.in_words() if result else "there is no gate"
    if not step.plan:
        publishing.refuse_target(session, session.state.queue.target, said)
        return
    plan = session.of(step.plan)
    if step.tested:
        outcome = landing.merged(session, plan, onto=session.state.tip, tier="proven")
        if outcome.tree is None:
            why = f"its likely resolution was undone, for the gate is not green with it: {said}"
            if result is None or step.verdict is Verdict.EMPTY:
                why = f"its likely resolution was not taken, for nothing tests it: {said}"
            report_conflicts(session, plan.id, outcome.conflicts, refused=why)
            return
    word = "inconclusive" if step.verdict is Verdict.INCONCLUSIVE else "red"
    session.record(
        Type.MERGE_REJECTED,
        plan.id,
        head=plan.head,
        candidate=step.commit,
        verdict=str(step.verdict),
        reason=f"the gate is {word} with it: {said}",
        log=result.log if result else "",
    )
    _ask_again(session, plan, word)


def _ask_again(session: Session, plan: PlanState, verdict: str) -> None:
    """Makes the user's own answers a draft again: they, too, may be what the gate refuses.

    A plan without a conflict, or with answers forced by `--on-conflict`, stays rejected.
    """
    paths = sorted({str(choice["path"]) for choice in plan.choices})
    if not paths or any(choice.get("forced") for choice in plan.choices):
        return
    for path in paths:
        session.record(Type.RESOLUTION_UNDONE, plan.id, path=path)
    session.record(Type.MERGE_DRAFTED, plan.id, choices=list(plan.choices))
    conflicts = landing.merged(session, session.of(plan.id)).conflicts
    if conflicts:
        why = f"the gate is {verdict} with your answers; they are kept as a draft"
        report_conflicts(session, plan.id, conflicts, refused=why)
