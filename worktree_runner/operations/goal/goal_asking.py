"""Puts the questions about a phase's goal to the user, and records the answers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from worktree_runner.core.docs.summary import parse_summary
from worktree_runner.core.events import Type
from worktree_runner.core.goal_questions import acceptance_question, goal_question
from worktree_runner.core.texts import clean
from worktree_runner.operations.context import tools
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.context.tracking import planning_files
from worktree_runner.ui.ask import Aborted, Answer

ANSWERS = {"a": "approved", "i": "issues", "l": "later"}


def question_for(session: Session) -> Callable[[], Any]:
    """The job that asks what is open; its values are taken now."""
    goal, words, phase = session.state.goal, session.words, session.state.phase
    if goal.question == "goal":
        question = goal_question(goal, phase, words)
    else:
        test = session.dialect.commands.verify_work.format(phase=phase)
        question = acceptance_question(goal, phase, words, _built(session), test)

    def report() -> None:
        text = clean(Path(goal.copy).read_text(errors="replace"))
        tools.page(session.repository.git, session.screen, text)

    return partial(session.asker.ask, question, {"r": report})


def _built(session: Session) -> list[str]:
    """What each plan's summary says in a sentence, and what was decided on the way."""
    wanted = [plan.summary_path for plan in session.phase.plans]
    texts = planning_files(session).read(wanted)
    found = [
        (plan, parse_summary(texts[plan.summary_path]))
        for plan in session.phase.plans
        if plan.summary_path in texts
    ]
    lines = [f"{plan.id}: {summary.one_liner or plan.title}" for plan, summary in found]
    return [*lines, *(f"decided: {text}" for _, summary in found for text in summary.key_decisions)]


def take_answer(session: Session, done: Future[Any]) -> None:
    """Records what the user chose; an aborted question (Ctrl-C, a closed input) stops the run."""
    answer, about = done.result(), session.state.goal.question
    if isinstance(answer, Answer):
        word = ANSWERS[answer.key]
        session.record(Type.VERIFY_ANSWERED, about=about, answer=word, text=answer.text or "")
    elif answer is None or isinstance(answer, Aborted):
        reason = "the question about the goal was left open"
        session.record(Type.RUN_STOPPING, reason=reason)
