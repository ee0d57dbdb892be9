"""Where planning files are not committed: brings the summaries of landed plans to the user.

The run's folder has a copy from the moment the attempt ended, so the worktree may go.
"""

from __future__ import annotations

from pathlib import Path

from worktree_runner.core.events import Type
from worktree_runner.core.state import PlanState, Status
from worktree_runner.operations.context.session import Session
from worktree_runner.store.atomic import save_bytes


def kept(session: Session, plan: PlanState) -> Path:
    """Where the run keeps the plan's summary."""
    return session.folder.path / "summaries" / Path(plan.summary).name


def keep(session: Session, plan: PlanState, data: bytes) -> None:
    """Saves a summary that no commit holds in the run's folder."""
    save_bytes(kept(session, plan), data)


def bring_back(session: Session) -> None:
    """Copies them beside their plans, never over a different file; safe to do again.

    One that the agent committed all the same comes with the target; a copy would be in its way.
    """
    if session.state.planning_tracked:
        return
    landed = session.state.with_status(Status.LANDED)
    wanted = [plan.summary for plan in landed]
    committed = session.repository.objects.entries(session.state.tip, wanted) if wanted else {}
    for plan in landed:
        source, target = kept(session, plan), session.repository.home / plan.summary
        if plan.summary in committed or not source.is_file():
            continue
        data = source.read_bytes()
        if not target.exists():
            save_bytes(target, data)
        elif target.read_bytes() != data:
            text = f"{plan.summary} was there already and differs; the new one is {source}"
            session.record(Type.NOTICE, plan.id, text=text)
