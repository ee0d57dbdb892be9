"""Puts a plan's failure, checkpoint or conflict to the user, and records the answer.

- The job runs in the thread that owns the terminal and only reads; what it gives back is
  recorded by the loop. A question that is aborted is asked again when the run is resumed.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from merge.types import Choice
from worktree_runner import process
from worktree_runner.core import checkpoints
from worktree_runner.core.events import Type
from worktree_runner.core.questions import (
    Alternative,
    CheckpointKind,
    Question,
    checkpoint_question,
    failure_question,
)
from worktree_runner.core.state import PlanState, Status
from worktree_runner.errors import WtrunError
from worktree_runner.operations import landing
from worktree_runner.operations.conflicts import conflict_facts
from worktree_runner.operations.session import Session, choice_to_json
from worktree_runner.ui.ask import Aborted, Answer
from worktree_runner.ui.conflict import Decided, Skipped, Stopped, Tools, decide_conflicts

LOG_TAIL_LINES = 12


def question_for(session: Session, plan_id: str) -> Callable[[], Any]:
    """The job that asks about a plan as it stands; its values are taken now."""
    plan = session.of(plan_id)
    if plan.status is Status.CONFLICTED:
        return partial(_ask_conflict, session, plan)
    question = (
        _failure(session, plan) if plan.status is Status.FAILED else _checkpoint(session, plan)
    )
    return partial(session.asker.ask, question, _looks(session, plan))


def take_answer(session: Session, plan_id: str, done: Future[Any]) -> None:
    """As `record_answer`, for an answer that a job gave."""
    record_answer(session, plan_id, done.result())


def record_answer(session: Session, plan_id: str, answer: object) -> None:
    """Records what the user chose; an aborted question stops the run, nothing else."""
    plan = session.of(plan_id)
    if answer is None or isinstance(answer, Aborted):
        session.record(Type.RUN_STOPPING, reason=f"the question about {plan_id} was left open")
    elif isinstance(answer, Decided):
        choices = [choice_to_json(choice) for choice in answer.choices]
        session.record(Type.MERGE_ANSWERED, plan_id, choices=choices)
    elif isinstance(answer, Skipped):
        _keep_draft(session, plan_id, answer.choices)
        session.record(Type.RUN_STOPPING, reason=f"the conflict of {plan_id} is left for later")
    elif isinstance(answer, Stopped):
        session.record(Type.RUN_STOPPING, reason=f"the conflict of {plan_id} was left open")
    elif isinstance(answer, Answer):
        _take_key(session, plan, answer)


def _keep_draft(session: Session, plan_id: str, choices: tuple[Choice, ...]) -> None:
    """Records the answers given so far; the plan stays in conflict over the rest."""
    if choices:
        data = [choice_to_json(choice) for choice in choices]
        session.record(Type.MERGE_DRAFTED, plan_id, choices=data)


def _take_key(session: Session, plan: PlanState, answer: Answer) -> None:
    if plan.status is Status.FAILED:
        if answer.key == "r":
            session.record(Type.PLAN_RETRIED, plan.id, why="the user tries again")
        elif answer.key == "c":
            session.record(Type.FAILURE_ACCEPTED, plan.id)
        else:
            session.record(Type.RUN_STOPPING, reason=f"the user stopped after {plan.id} failed")
    elif answer.key == "l":
        session.record(Type.RUN_STOPPING, reason=f"{plan.id} waits for an answer")
    else:
        options = checkpoints.from_json(plan.checkpoint).options
        chosen = answer.text
        if not chosen and answer.key.isdigit() and int(answer.key) <= len(options):
            chosen = options[int(answer.key) - 1].id
        session.record(Type.PLAN_ANSWERED, plan.id, answer=answer.key, text=chosen or "approved")


def _ask_conflict(session: Session, plan: PlanState) -> Any:
    outcome = landing.merged(session, plan)
    facts = conflict_facts(session, plan, outcome.conflicts)
    return decide_conflicts(
        outcome.conflicts,
        facts,
        asker=session.asker,
        screen=session.screen,
        tools=Tools(edit=_edit, page=_page),
    )


def _failure(session: Session, plan: PlanState) -> Question:
    waiting = [p.id for p in session.state.in_order() if plan.id in p.depends_on]
    return failure_question(
        plan=plan.id,
        title=plan.title,
        reason=plan.reason,
        elapsed_s=plan.outcome.get("seconds"),
        skipped=waiting,
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


def _looks(session: Session, plan: PlanState) -> Mapping[str, Callable[[], None]]:
    place, log = Path(plan.worktree), session.folder.attempt(plan.id, plan.attempt) / "stdout.log"
    looks: dict[str, Callable[[], None]] = {}
    if place.is_dir():
        looks["o"] = lambda: _shell(place)
    if plan.status is Status.FAILED and log.is_file():
        looks["l"] = lambda: _page(log.read_text(errors="replace"))
    return looks


def _log_tail(session: Session, plan: PlanState) -> str:
    folder = session.folder.attempt(plan.id, plan.attempt)
    lines: list[str] = []
    for name in ("stdout.log", "stderr.log"):
        file = folder / name
        if file.is_file():
            lines += file.read_text(errors="replace").splitlines()
    return "\n".join(lines[-LOG_TAIL_LINES:])


def _shell(place: Path) -> None:
    process.run([os.environ.get("SHELL", "/bin/sh")], place, foreground=True)


def _page(text: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", prefix="wtrun-") as file:
        file.write(text)
        file.flush()
        pager = shlex.split(os.environ.get("PAGER", "less -R"))
        process.run([*pager, file.name], Path.cwd(), foreground=True)


def _edit(path: str, text: bytes) -> bytes:
    """What the user made of the text in an editor; WtrunError if the editor ended badly."""
    editor = os.environ.get("GIT_EDITOR") or os.environ.get("VISUAL") or os.environ.get("EDITOR")
    argv = shlex.split(editor or "vi")
    with tempfile.TemporaryDirectory(prefix="wtrun-edit-") as folder:
        file = Path(folder) / Path(path).name
        file.write_bytes(text)
        done = process.run([*argv, str(file)], Path(folder), foreground=True)
        if not done.ok:
            raise WtrunError(
                f"{argv[0]} ended with exit code {done.code}.", hint="set EDITOR to one that works"
            )
        return file.read_bytes()
