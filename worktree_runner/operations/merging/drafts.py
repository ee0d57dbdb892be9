"""Answers to a conflict while they are being given: on disk, so that nothing typed is lost.

- Written at each answer, in the thread that asks; the journal gets them when the question ends.
- Left by a crash or a terminal that was closed: offered at the next prompt, as any draft is.
- One small file a plan, in the folder of its conflict; a damaged one is as good as none.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from merge.types import Choice
from worktree_runner.operations.context.session import Session, choice_to_json, choices_from_json
from worktree_runner.store.atomic import save_text

NAME = "answers.json"


def keep(session: Session, plan_id: str, choices: Sequence[Choice]) -> None:
    """Replaces what is kept for the plan by these answers."""
    save_text(_file(session, plan_id), json.dumps([choice_to_json(one) for one in choices]))


def kept(session: Session, plan_id: str) -> tuple[Choice, ...]:
    """The answers of a question that did not end; none if there was no such question."""
    try:
        return choices_from_json(json.loads(_file(session, plan_id).read_text()))
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def forget(session: Session, plan_id: str) -> None:
    """Removes them: the question has ended, and the journal says how."""
    _file(session, plan_id).unlink(missing_ok=True)


def _file(session: Session, plan_id: str) -> Path:
    return session.folder.conflicts / plan_id / NAME
