"""Puts a plan's failure, checkpoint or conflict to the user, and records the answer.

- The job runs in the thread that owns the terminal and only reads; what it gives back is
  recorded by the loop. A question that is aborted is asked again when the run is resumed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from merge import checks
from merge.types import Choice, Entry, FileConflict
from worktree_runner.core import checkpoints
from worktree_runner.core.conflicts import CONCERNS
from worktree_runner.core.events import Type
from worktree_runner.core.outlook import waiting_for
from worktree_runner.core.questions import (
    Alternative,
    CheckpointKind,
    Question,
    checkpoint_question,
    failure_question,
    reserved_question_of,
)
from worktree_runner.core.reservations import Conflict
from worktree_runner.core.state import PlanState, Status
from worktree_runner.core.texts import listing
from worktree_runner.operations.attempt import breaches, judging
from worktree_runner.operations.context import logs, tools
from worktree_runner.operations.context.session import (
    Session,
    choice_to_json,
    choices_from_json,
    choices_of,
)
from worktree_runner.operations.context.tools import conflict_tools
from worktree_runner.operations.merging import drafts, landing, remembering
from worktree_runner.operations.merging.conflicts import conflict_facts
from worktree_runner.operations.run import rejected
from worktree_runner.ui.ask import Aborted, Answer
from worktree_runner.ui.conflict import Again, Decided, Skipped, Stopped, decide_conflicts
from worktree_runner.ui.console import Tone
from worktree_runner.ui.reserved import describe

LOG_TAIL_LINES = 12


def question_for(session: Session, plan_id: str) -> Callable[[], Any]:
    """The job that asks about a plan as it stands; its values are taken now."""
    plan = session.of(plan_id)
    if plan.status is Status.CONFLICTED:
        return partial(_ask_conflict, session, plan)
    if breaches.is_open(plan):
        question = breaches.question(plan, session.words)
    elif plan.status is Status.FAILED:
        question = _failure(session, plan)
    elif plan.status is Status.REJECTED:
        question = rejected.question(session, plan)
    else:
        question = _checkpoint(session, plan)
    return partial(session.asker.ask, question, _looks(session, plan))


def take_answer(session: Session, plan_id: str, done: Future[Any]) -> None:
    """As `record_answer`, for an answer that a job gave."""
    record_answer(session, plan_id, done.result())


def record_answer(session: Session, plan_id: str, answer: object) -> None:
    """Records what the user chose.

    Only an aborted question (Ctrl-C, a closed input) stops the run: a question that is left for
    later holds back nothing but what waits for its plan.
    """
    plan = session.of(plan_id)
    keep_draft(session, plan_id, answer)
    if answer is None or isinstance(answer, Aborted):
        session.record(Type.RUN_STOPPING, reason=f"the question about {plan_id} was left open")
    elif isinstance(answer, Decided):
        conflicts = open_conflicts(session, plan)
        remembering.keep(session, plan_id, conflicts, answer.choices)
        fixed = remembering.pinned(conflicts, answer.choices)
        choices = [choice_to_json(choice) for choice in fixed]
        session.record(Type.MERGE_ANSWERED, plan_id, choices=choices)
        drafts.forget(session, plan_id)
    elif isinstance(answer, Again):
        rejected.rerun(session, plan)
    elif isinstance(answer, Stopped) and answer.interrupted:
        session.record(Type.RUN_STOPPING, reason=f"the conflict of {plan_id} was left open")
    elif isinstance(answer, Skipped | Stopped):
        session.record(Type.PLAN_DEFERRED, plan_id, why="its conflict is left for later")
    elif isinstance(answer, Answer):
        _take_key(session, plan, answer)


def keep_draft(session: Session, plan_id: str, answer: object) -> None:
    """Records answers to a conflict that were given and not confirmed; the plan stays in it."""
    if isinstance(answer, Skipped | Stopped) and answer.choices:
        data = [choice_to_json(choice) for choice in answer.choices]
        session.record(Type.MERGE_DRAFTED, plan_id, choices=data)
    if isinstance(answer, Skipped | Stopped | Again):
        drafts.forget(session, plan_id)


def _take_key(session: Session, plan: PlanState, answer: Answer) -> None:
    if plan.status is Status.FAILED:
        if answer.key == "r":
            session.record(Type.PLAN_RETRIED, plan.id, why="the user tries again")
        elif answer.key == "c":
            session.record(Type.FAILURE_ACCEPTED, plan.id)
        else:
            session.record(Type.RUN_STOPPING, reason=f"the user stopped after {plan.id} failed")
    elif plan.status is Status.REJECTED:
        rejected.take_key(session, plan, answer.key)
    elif breaches.is_open(plan):
        for line in judging.settle(session, plan.id, breaches.KEYS[answer.key]):
            session.record(Type.NOTICE, plan.id, text=line)
    elif answer.key == "l":
        session.record(Type.PLAN_DEFERRED, plan.id, why="its question is left for later")
    else:
        options = checkpoints.from_json(plan.checkpoint).options
        chosen = answer.text
        if not chosen and answer.key.isdigit() and int(answer.key) <= len(options):
            chosen = options[int(answer.key) - 1].id
        session.record(Type.PLAN_ANSWERED, plan.id, answer=answer.key, text=chosen or "approved")


def _ask_conflict(session: Session, plan: PlanState) -> Any:
    conflicts = open_conflicts(session, plan)
    before = (*choices_of(plan), *choices_from_json(plan.draft))
    given = drafts.kept(session, plan.id) or before
    if plan.reason:
        session.screen.say(plan.reason, plan=plan.id, tone=Tone.WARN)
    return decide_conflicts(
        conflicts,
        conflict_facts(session, plan, conflicts),
        asker=session.asker,
        screen=session.screen,
        tools=conflict_tools(
            session.repository.git,
            session.screen,
            session.folder.conflicts / plan.id / "texts",
            check=partial(what_breaks, session, plan),
        ),
        draft=latest(given),
        keep=partial(drafts.keep, session, plan.id),
        offers=remembering.whole_offers(session, conflicts),
        can_rerun=any(one.kind not in CONCERNS for one in conflicts),
    )


def open_conflicts(session: Session, plan: PlanState) -> tuple[FileConflict, ...]:
    """What of the plan's merge is open now, with the answers of before as proposals."""
    return remembering.offer(session, landing.merged(session, plan).conflicts)


def latest(choices: Iterable[Choice]) -> tuple[Choice, ...]:
    """Each hunk's last answer; an answer for the whole file ends those for its hunks."""
    found: dict[tuple[str, int | None], Choice] = {}
    for choice in choices:
        if choice.hunk is None:
            found = {key: one for key, one in found.items() if key[0] != choice.path}
        else:
            found.pop((choice.path, None), None)
        found[choice.path, choice.hunk] = choice
    return tuple(found.values())


def what_breaks(
    session: Session, plan: PlanState, one: FileConflict, choices: Sequence[Choice]
) -> str:
    """What is wrong with a file under these answers, in words; empty if nothing is known."""
    objects = session.repository.objects
    fixed = remembering.pinned(open_conflicts(session, plan), choices)
    outcome = landing.merged(session, plan, fixed)
    for left in outcome.conflicts:
        if left.path == one.path:
            return f"is still open: {left.why}"
    found = objects.entries(outcome.marked_tree, [one.path]).get(one.path)
    stages = [one.stages.get(stage) for stage in (2, 3)]
    if found is None or any(entry is None or not _is_file(entry) for entry in (found, *stages)):
        return ""
    ours, theirs = (objects.read_blob(entry.oid) for entry in stages if entry)
    data = objects.read_blob(found.oid)
    if checks.stops_parsing(one.path, ours, theirs, data):
        return "does not parse with these answers, though both sides did"
    twice = checks.doubled_definition(one.path, (ours, theirs), data)
    return f"defines {twice} twice with these answers" if twice else ""


def _is_file(entry: Entry) -> bool:
    return entry.mode.startswith("100")


def _failure(session: Session, plan: PlanState) -> Question:
    return failure_question(
        plan=plan.id,
        title=plan.title,
        reason=plan.reason,
        elapsed_s=plan.outcome.get("seconds"),
        skipped=waiting_for(session.state, plan.id),
        log_tail=_log_tail(session, plan),
        worktree=plan.worktree,
        noun=session.dialect.words.plan,
    )


def _checkpoint(session: Session, plan: PlanState) -> Question:
    stop = checkpoints.from_json(plan.checkpoint)
    done, _, total = stop.progress.partition("/")
    numbers = (int(done), int(total)) if done.isdigit() and total.isdigit() else None
    return checkpoint_question(
        plan=plan.id,
        title=plan.title,
        kind=CheckpointKind(stop.type),
        details=stop.details,
        awaiting=stop.awaiting,
        progress=numbers,
        alternatives=[Alternative(option.id, option.text) for option in stop.options],
        noun=session.dialect.words.plan,
    )


def reserved_question(
    session: Session, plan_id: str, found: Sequence[Conflict]
) -> Callable[[], Any]:
    """The job that asks what to do with a plan whose files others have reserved."""
    plan, now = session.of(plan_id), time.time()
    holders = listing(list(dict.fromkeys(one.held.holder.label for one in found)), limit=3)
    question = reserved_question_of(
        plan=plan.id,
        title=plan.title,
        holders=holders,
        reservations=[describe(one, now) for one in found],
        noun=session.dialect.words.plan,
    )
    return partial(session.asker.ask, question)


def take_reserved(session: Session, plan_id: str, reason: str, answer: object) -> bool:
    """Records the answer to `reserved_question`; False if the plan waits for the others."""
    key = answer.key if isinstance(answer, Answer) else ""
    if key == "w":
        session.record(Type.NOTICE, plan_id, text=f"waits: {reason} ('wtrun reservations')")
        return False
    if key == "f":
        judging.fail(session, session.of(plan_id), reason, "wtrun reservations")
    else:
        session.record(Type.RUN_STOPPING, reason=f"the files of {plan_id} are reserved: {reason}")
    return True


def _looks(session: Session, plan: PlanState) -> Mapping[str, Callable[[], None]]:
    place, lines = Path(plan.worktree), _log(session, plan)
    looks: dict[str, Callable[[], None]] = {}
    if place.is_dir():
        looks["o"] = lambda: tools.shell(session.screen, place)
    if plan.status is Status.REJECTED:
        output = rejected.output_tail(plan, None)
        looks["l"] = lambda: tools.page(session.repository.git, session.screen, output)
    if plan.status is Status.FAILED and lines:
        looks["l"] = lambda: tools.page(session.repository.git, session.screen, "\n".join(lines))
    return looks


def _log_tail(session: Session, plan: PlanState) -> str:
    return "\n".join(_log(session, plan)[-LOG_TAIL_LINES:])


def _log(session: Session, plan: PlanState) -> list[str]:
    """The attempt's events as `wtrun logs` tells them."""
    folder = session.folder.attempt(plan.id, plan.attempt)
    return logs.told(session.state.id, plan.id, plan.attempt, folder)
