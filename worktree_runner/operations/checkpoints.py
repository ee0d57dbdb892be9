"""Finds the checkpoint that an ended attempt stopped at, in its folder or its last words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worktree_runner.agents.common import CHECKPOINT
from worktree_runner.core import checkpoints
from worktree_runner.core.state import PlanState
from worktree_runner.operations.session import Session


def find(session: Session, plan: PlanState) -> Mapping[str, Any]:
    """The checkpoint as the journal keeps it; empty if the attempt did not stop at one."""
    file = session.folder.attempt(plan.id, plan.attempt) / "outbox" / CHECKPOINT
    text = file.read_text(errors="replace") if file.is_file() else None
    found = checkpoints.read(str(plan.outcome.get("final_text", "")), text)
    return {} if found is None else found.as_json()
