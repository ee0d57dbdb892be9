"""The merge queue at work: prepares batches, and does what core/queue.py asks for.

- Nothing of a batch is on any ref before it lands; its commits are kept by the integration
  worktree's HEAD and reflog, and can be made again.
- Everything here is safe to repeat: what was done before a crash is seen in the journal, or in
  the commits on the run's tip (`reconcile`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from merge import FileConflict, MergeOutcome
from worktree_runner.core import actions
from worktree_runner.core.conflicts import CONCERNS
from worktree_runner.core.events import Type
from worktree_runner.core.gate import Verdict, shown, why_it_lands
from worktree_runner.core.queue import Entry, fewest_conflicts
from worktree_runner.core.state import PlanState, Status
from worktree_runner.errors import WtrunError
from worktree_runner.operations.attempt import fencing
from worktree_runner.operations.context import summaries
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.merging import (
    checkout_merge,
    cleanup,
    forecast,
    gate,
    landing,
    publishing,
    remembering,
)
from worktree_runner.operations.merging.conflicts import report_conflicts

# --- preparing -------------------------------------------------------------------------------


@dataclass(slots=True)
class Prepared:
    """What merging plans onto each other came to; nothing of it is recorded yet."""

    tip: str
    entries: list[dict[str, Any]] = field(default_factory=list)
    conflicts: list[tuple[PlanState, tuple[FileConflict, ...]]] = field(default_factory=list)
    refused: list[tuple[PlanState, checkout_merge.Refused]] = field(default_factory=list)
    """Plans whose merge a hook did not let happen."""


def prepare(session: Session, plans: Sequence[str]) -> None:
    """Merges the plans onto each other as far as they go, and records the batch."""
    record(session, merge_all(session, plans, target_entries(session)))


def merge_all(
    session: Session,
    plans: Sequence[str],
    target: Sequence[dict[str, Any]],
    goes_on: Callable[[], bool] = lambda: True,
) -> Prepared:
    """Merges the plans onto each other as far as they go; records nothing, so a worker may do it.

    A target that has moved on comes first. A plan that conflicts with the tip itself is a
    question. One that only conflicts with another entry of the batch stays in the queue: that one
    may still be rejected. Where the run no longer `goes_on`, what is left is not merged.
    """
    tip = session.state.tip
    found = Prepared(tip, list(target))
    entries = found.entries
    chain, tried = (entries[-1]["commit"] if entries else tip), list[PlanState]()
    for plan in _in_order(session, plans):
        if not goes_on():
            break
        outcome = landing.merged(session, plan, onto=chain)
        if outcome.tree is not None:
            _add(session, found, plan, outcome, onto=chain)
            chain = entries[-1]["commit"] if entries else chain
        elif chain == tip and _tests(session):
            tried.append(plan)
        elif chain == tip:
            found.conflicts.append((plan, outcome.conflicts))
    if not entries and tried and goes_on():
        plan, order = tried[0], _order_of(session, tried[0])
        outcome = landing.merged(session, plan, onto=tip, tier="tested", plan_first=order > 1)
        if outcome.tree is None:
            found.conflicts.append((plan, outcome.conflicts))
        else:
            _add(session, found, plan, _told(outcome, order), onto=tip, tested=order)
    return found


def record(session: Session, found: Prepared) -> None:
    """Records a batch, and the plans that are no part of it."""
    for plan, refused in found.refused:
        _refused_by_hook(session, plan, refused)
    for plan, conflicts in found.conflicts:
        report_conflicts(session, plan.id, conflicts)
    if found.entries:
        number = session.state.queue.batches + 1
        session.record(Type.QUEUE_PREPARED, batch=number, tip=found.tip, entries=found.entries)


def record_when_done(session: Session, plans: Sequence[str], done: Future[Prepared]) -> None:
    """Records what a worker merged. Where the worktree could not be made, the plans stay out."""
    try:
        found = done.result()
    except WtrunError as error:
        log = str(session.folder.gates / "setup.log")
        why = checkout_merge.Refused(f"the merge could not be made: {error.message}", log)
        found = Prepared(session.state.tip, refused=[(session.of(plan), why) for plan in plans])
    record(session, found)


def target_entries(session: Session) -> list[dict[str, Any]]:
    """The entry that merges the moved target in; none if it has not moved, or conflicts."""
    target = session.state.queue.target
    if not target:
        return []
    commit = publishing.merge_target(session, target)
    if commit is None:
        session.record(Type.TARGET_REFUSED, at=target, reason="it conflicts")
        return []
    return [{"plan": "", "head": target, "commit": commit}]


def _add(
    session: Session,
    found: Prepared,
    plan: PlanState,
    outcome: MergeOutcome,
    *,
    onto: str,
    tested: int = 0,
) -> None:
    """Adds a plan merged onto a commit, as the journal holds it, unless a hook does not let it.

    `tested` is the number of the order in which likely insertions stand, if there are any.
    """
    notices = outcome.notices
    if session.policy.checkout_merge:
        made = checkout_merge.make(session, plan, outcome, onto=onto)
        if isinstance(made, checkout_merge.Refused):
            found.refused.append((plan, made))
            return
        commit, notices = made.commit, (*notices, *made.notices)
    else:
        commit = landing.commit(session, plan, outcome, onto=onto)
    entry = {
        "plan": plan.id,
        "head": plan.head,
        "commit": commit,
        "resolutions": [landing.resolution_to_json(item) for item in outcome.resolutions],
        "notices": list(notices),
        "tested": bool(tested),
        "order": tested or 1,
    }
    found.entries.append(entry)


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
    scanner = forecast.Scanner(session.repository, session.settings, session.dialect)
    pairs = {frozenset(pair.key) for pair in scanner.scan(session.state) if pair.paths}
    return [session.of(plan) for plan in fewest_conflicts(plans, pairs)]


def _tests(session: Session) -> bool:
    """Whether likely resolutions may be tried: only where a gate tells whether they are right."""
    return session.policy.tests_resolutions and session.state.queue.is_on


def _order_of(session: Session, plan: PlanState) -> int:
    """Which order of likely insertions is to be tried: the second where the first was not green."""
    return 2 if session.state.queue.refused_orders.get(plan.id) == _place(session, plan) else 1


def _place(session: Session, plan: PlanState) -> tuple[str, str]:
    return plan.head, session.state.tip


def _told(outcome: MergeOutcome, order: int) -> MergeOutcome:
    """The outcome whose likely resolutions say that they stand in the second order."""
    if order == 1:
        return outcome
    more = " (the other order was not green)"
    told = (
        replace(one, why=one.why + more) if one.tier == "tested" else one
        for one in outcome.resolutions
    )
    return replace(outcome, resolutions=tuple(told))


def _has_other_order(session: Session, plan: PlanState) -> bool:
    """Whether likely insertions can stand in another order than the one that is tried first."""
    tip = session.state.tip
    trees = [
        landing.merged(session, plan, onto=tip, tier="tested", plan_first=plan_first).tree
        for plan_first in (False, True)
    ]
    return trees[1] is not None and trees[0] != trees[1]


# --- advancing -------------------------------------------------------------------------------


def advance(session: Session, step: actions.Step) -> None:
    """Does one step of the batch at hand, and records it."""
    match step:
        case actions.RunGate():
            gate.start(session, step)
        case actions.TurnOff(reason):
            command = shown(session.state.queue.command)
            why = f"'{command}' is not green before anything is merged ({reason})"
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
    if text and not session.has_said(text):
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
    said = result.in_words() if result else "there is no check"
    if not step.plan:
        publishing.refuse_target(session, session.state.queue.target, said)
        return
    plan = session.of(step.plan)
    if step.tested:
        batch = session.state.queue.batch
        assert batch is not None
        tried = batch.entries[batch.plans.index(plan.id)]
        red = step.verdict is Verdict.RED
        if red and tried.order == 1 and _has_other_order(session, plan):
            head, tip = _place(session, plan)
            session.record(Type.ORDER_REFUSED, plan.id, batch=batch.n, head=head, tip=tip)
            return
        orders = ", in both orders" if tried.order > 1 else ""
        outcome = landing.merged(session, plan, onto=session.state.tip, tier="proven")
        if outcome.tree is None:
            why = (
                "its likely resolution was undone, for the check is not green with it"
                f"{orders}: {said}"
            )
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
        reason=f"the check is {word} with it: {said}",
        log=result.log if result else "",
    )
    _ask_again(session, plan, word)


def _ask_again(session: Session, plan: PlanState, verdict: str) -> None:
    """Makes the user's own answers a draft again: they, too, may be what the gate refuses.

    Those that it is red with are remembered no longer for other merges.
    A plan without a conflict, or with answers forced by `--on-conflict`, stays rejected.
    """
    answered = {str(choice["path"]) for choice in plan.choices}
    if not answered or any(choice.get("forced") for choice in plan.choices):
        return
    open_ones = landing.merged(session, replace(plan, choices=())).conflicts
    paths = {one.path for one in open_ones if one.kind not in CONCERNS} & answered
    if not paths:
        return  # what was answered is what is run, not how the work goes together
    for path in sorted(paths):
        session.record(Type.RESOLUTION_UNDONE, plan.id, path=path)
    if verdict == "red":
        remembering.forget(session, plan.id, open_ones)
    draft = [choice for choice in plan.choices if choice["path"] in paths]
    session.record(Type.MERGE_DRAFTED, plan.id, choices=draft)
    conflicts = landing.merged(session, session.of(plan.id)).conflicts
    if conflicts:
        why = f"the check is {verdict} with your answers; they are kept as a draft"
        report_conflicts(session, plan.id, conflicts, refused=why)
