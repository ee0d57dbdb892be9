"""Finds the checkpoint that an ended attempt stopped at, and answers it where that is set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worktree_runner.agents.common import CHECKPOINT
from worktree_runner.core import checkpoints
from worktree_runner.core.events import Type
from worktree_runner.core.state import PlanState
from worktree_runner.operations.context.session import Session


def find(session: Session, plan: PlanState) -> Mapping[str, Any]:
    """The checkpoint as the journal keeps it; empty if the attempt did not stop at one."""
    file = session.folder.attempt(plan.id, plan.attempt) / "outbox" / CHECKPOINT
    text = file.read_text(errors="replace") if file.is_file() else None
    found = checkpoints.read(str(plan.outcome.get("final_text", "")), text)
    return {} if found is None else found.as_json()


def advance(session: Session, plan_id: str, checkpoint: Mapping[str, Any]) -> None:
    """With `auto_advance`: records the answer that the settings give for the user.

    What was built is approved and a decision takes its first option; what only a person can do
    is never answered, and neither is a stop that comes back after such an answer.
    """
    if not session.settings.auto_advance or _came_back(session, plan_id):
        return
    stop = checkpoints.from_json(checkpoint)
    if stop.type == "human-verify":
        text = "approved"
    elif stop.type == "decision" and stop.options:
        text = stop.options[0].id
    else:
        return
    session.record(Type.NOTICE, plan_id, text=f"answered by auto_advance: {text}")
    session.record(Type.PLAN_ANSWERED, plan_id, answer="auto", text=text)


def _came_back(session: Session, plan_id: str) -> bool:
    """Whether the plan's last two stops are the same, with an answer of `advance` between."""
    mine = [event for event in session.journal.events if event.plan == plan_id]
    stops = [event.data["checkpoint"] for event in mine if event.type == Type.PLAN_ASKED]
    answers = [event.data["answer"] for event in mine if event.type == Type.PLAN_ANSWERED]
    if len(stops) < 2 or answers[-1:] != ["auto"]:
        return False
    before, now = (checkpoints.from_json(stop) for stop in stops[-2:])
    return before == now
