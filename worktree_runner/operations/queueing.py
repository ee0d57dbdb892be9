"""The merge queue at work: prepares batches, and does what core/queue.py asks for.

- Nothing of a batch is on any ref before it lands; its commits are kept by the integration
  worktree's HEAD and reflog, and can be made again.
- Everything here is safe to repeat: what was done before a crash is seen in the journal, or in
  the commits on the run's tip (`reconcile`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from merge import MergeOutcome
from worktree_runner.core import queue
from worktree_runner.core.events import Type
from worktree_runner.core.gate import Verdict, shown
from worktree_runner.core.state import PlanState, Status
from worktree_runner.operations import cleanup, fencing, gate, landing, summaries
from worktree_runner.operations.conflicts import report_conflicts
from worktree_runner.operations.publishing import publish_tip
from worktree_runner.operations.session import Session


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A plan merged onto something: its commit, and what the merge came to."""

    plan: PlanState
    commit: str
    outcome: MergeOutcome
    tested: bool = False


# --- preparing -------------------------------------------------------------------------------


def prepare(session: Session, plans: Sequence[str]) -> None:
    """Merges the plans onto each other as far as they go, and records the batch.

    A plan that conflicts with the tip itself is a question. One that only conflicts with another
    plan of the batch stays in the queue: that one may still be rejected.
    """
    tip = session.state.tip
    chain, made, tried = tip, list[_Candidate](), list[PlanState]()
    for plan in _in_order(session, plans):
        outcome = landing.merged(session, plan, onto=chain)
        if outcome.tree is not None:
            commit = landing.commit(session, plan, outcome, onto=chain)
            made.append(_Candidate(plan, commit, outcome))
            chain = commit
        elif chain == tip and _tests(session):
            tried.append(plan)
        elif chain == tip:
            report_conflicts(session, plan.id, outcome.conflicts)
    if not made and tried:
        made = _tested(session, tried[0])
    if made:
        _record_batch(session, tip, made)


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
    return [session.of(plan) for plan in queue.fewest_conflicts(plans, pairs)]


def _tests(session: Session) -> bool:
    """Whether likely resolutions may be tried: only where a gate tells whether they are right."""
    return session.policy.tests_resolutions and session.state.queue.is_on


def _tested(session: Session, plan: PlanState) -> list[_Candidate]:
    """The plan with its likely resolutions, alone; a question where there are none."""
    tip = session.state.tip
    outcome = landing.merged(session, plan, onto=tip, tier="tested")
    if outcome.tree is None:
        report_conflicts(session, plan.id, outcome.conflicts)
        return []
    return [_Candidate(plan, landing.commit(session, plan, outcome, onto=tip), outcome, True)]


def _record_batch(session: Session, tip: str, made: Iterable[_Candidate]) -> None:
    session.record(
        Type.QUEUE_PREPARED,
        batch=session.state.queue.batches + 1,
        tip=tip,
        entries=[
            {
                "plan": one.plan.id,
                "head": one.plan.head,
                "commit": one.commit,
                "resolutions": [
                    landing.resolution_to_json(item) for item in one.outcome.resolutions
                ],
                "notices": list(one.outcome.notices),
                "tested": one.tested,
            }
            for one in made
        ],
    )


# --- advancing -------------------------------------------------------------------------------


def advance(session: Session, step: queue.Step) -> None:
    """Does one step of the batch at hand, and records it."""
    match step:
        case queue.RunGate():
            gate.start(session, step)
        case queue.TurnOff(reason):
            command = shown(session.state.queue.command)
            why = f"'{command}' is not green before any plan ({reason})"
            session.record(Type.GATE_OFF, reason=why)
            gate.say_nothing_tests(session)
        case queue.Land(upto):
            land(session, upto)
        case queue.Reject():
            reject(session, step)
        case queue.Close(why):
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
    if not session.repository.objects.move_ref(session.tip_ref, new[-1].commit, tip):
        raise session.narrator.tip_was_moved(session.tip_ref, tip)
    for entry in new:
        session.record(
            Type.MERGE_LANDED,
            entry.plan,
            head=entry.head,
            tip=session.state.tip,
            commit=entry.commit,
            resolutions=list(entry.resolutions),
            notices=list(entry.notices),
        )
    after_landing(session, [entry.plan for entry in new])


def after_landing(session: Session, plans: Iterable[str]) -> None:
    """What follows once plans are in the tip: reservations go back, the target is published."""
    for plan in plans:
        fencing.release(session, plan)
    summaries.bring_back(session)
    publish_tip(session)
    cleanup.clean_landed(session)


def reject(session: Session, step: queue.Reject) -> None:
    """Takes the plan out of the queue: its likely resolutions are undone, or a person is asked."""
    plan = session.of(step.plan)
    result = session.state.queue.results.get(step.commit)
    said = result.in_words() if result else "there is no gate"
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
