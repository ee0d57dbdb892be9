"""Whether a phase whose plans are all done still needs a run: its goal may not be verified yet."""

from __future__ import annotations

from collections.abc import Iterable

from worktree_runner.core.docs.page import Page
from worktree_runner.core.docs.refs import same_phase
from worktree_runner.core.docs.roadmap import phase_boxes
from worktree_runner.core.docs.update import find_documents
from worktree_runner.core.waves import Arrangement
from worktree_runner.models import Phase
from worktree_runner.operations.context import runs
from worktree_runner.operations.context.project import Project
from worktree_runner.operations.goal import goal_reports
from worktree_runner.operations.goal.verification import verifier_of


def covers(phase: Phase, chosen: Iterable[str], *, only: tuple[str, ...], wave: int | None) -> bool:
    """Whether the phase is done once these plans are, so that its goal is due then."""
    ids = set(chosen)
    rest = all(plan.done or plan.id in ids for plan in phase.plans)
    return bool(phase.plans) and rest and not phase.unwritten and not only and wave is None


def is_open(project: Project, phase: Phase, arrangement: Arrangement, commit: str) -> bool:
    """Whether there is something left to do for the goal of a done phase, and something to do it.

    A phase that the road map has ticked is complete; where it has no box for the phase, one that
    a run has finished with its goal reached.
    """
    if arrangement.plans or not covers(phase, (), only=(), wave=None):
        return False
    ticked = _is_ticked(project, phase, commit)
    if ticked or (ticked is None and _was_reached(project, phase)):
        return False
    settings = project.settings
    if not settings.verify:
        return ticked is False
    found = goal_reports.find(
        project.repository, project.dialect, phase, commit, tracked=project.tracked
    )
    return bool(found or verifier_of(settings, ""))


def _is_ticked(project: Project, phase: Phase, commit: str) -> bool | None:
    """What the road map's check-box says; None if there is none for the phase."""
    files = project.files(commit)
    path = find_documents(files.paths(), project.dialect).roadmap
    page = Page(files.read([path]).get(path, b"") if path else b"", "")
    if not page.readable:
        return None
    boxes = phase_boxes(page, project.dialect)
    return next((box.checked for box in boxes if same_phase(box.token, phase.dir.token)), None)


def _was_reached(project: Project, phase: Phase) -> bool:
    found = runs.newest(project.repository.layout, phase=phase.dir.path.rpartition("/")[2])
    return found is not None and found[1].finished == 0 and found[1].goal.is_reached
