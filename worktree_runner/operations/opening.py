"""Opens an unfinished run for the commands that answer it: `resolve` and `publish`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worktree_runner.core.state import PlanState, Status
from worktree_runner.errors import PreconditionError, UsageError
from worktree_runner.operations import trust
from worktree_runner.operations.context import runs
from worktree_runner.operations.context.project import open_project
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.execute import resume_session
from worktree_runner.store.runlock import run_lock
from worktree_runner.ui.ask import Asker
from worktree_runner.ui.console import Screen


@contextmanager
def open_run(
    folder: Path,
    doing: str,
    screen: Screen,
    asker: Asker,
    *,
    plan: str | None = None,
    meanwhile: str = "wtrun status",
) -> Iterator[Session]:
    """The newest unfinished run, of the plan if one is named, under the run lock.

    `meanwhile` is the command that is named where another wtrun holds that lock.
    """
    project = open_project(folder, {})
    trust.require(project, screen, asker)
    with run_lock(project.repository.layout, doing, meanwhile=meanwhile):
        found = list(runs.unfinished(project.repository.layout))
        if plan is not None:
            found = [pair for pair in found if plan in pair[1].plans]
        if not found:
            what = "Nothing" if plan is None else f"Nothing with {plan}"
            raise UsageError(f"{what} is unfinished.", hint="wtrun status")
        yield resume_session(project, *found[0], screen, asker)


@contextmanager
def open_newest(folder: Path, doing: str, screen: Screen, asker: Asker) -> Iterator[Session]:
    """The run that was started last, finished or not, under the run lock."""
    project = open_project(folder, {})
    trust.require(project, screen, asker)
    with run_lock(project.repository.layout, doing):
        found = runs.newest(project.repository.layout)
        if found is None:
            raise PreconditionError(runs.NOTHING_YET, hint="wtrun execute PHASE")
        yield resume_session(project, *found, screen, asker)


def conflicted(session: Session, plan_id: str) -> PlanState:
    """The plan if its conflict is open; UsageError names those that are."""
    plan = session.of(plan_id)
    if plan.status is Status.CONFLICTED:
        return plan
    if plan.status is Status.REJECTED:
        raise UsageError(
            f"{plan_id} is in no conflict: {plan.reason}.",
            hint=f"wtrun resolve {plan_id} --continue, or --rerun, or --abort",
        )
    open_ids = [item.id for item in session.state.with_status(Status.CONFLICTED)]
    named = f"open conflicts: {', '.join(open_ids)}" if open_ids else "no conflict is open"
    raise UsageError(f"{plan_id} is {plan.status}, not in conflict.", hint=named)
