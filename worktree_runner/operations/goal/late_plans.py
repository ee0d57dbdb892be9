"""Plans that the target got for the phase after the run had begun: it is not complete with them."""

from __future__ import annotations

from worktree_runner.core.listing import find_phase, phase_paths
from worktree_runner.core.plans import read_phase
from worktree_runner.errors import WtrunError
from worktree_runner.git.files import TreeFiles
from worktree_runner.operations.context.session import Session
from worktree_runner.planning.reader import DiskFiles, PlanningFiles


def late_plans(session: Session) -> tuple[str, ...]:
    """Ids of open plans that this run does not know; none where the phase can't be read."""
    files, dialect = _files(session), session.dialect
    try:
        paths = files.paths()
        found = find_phase(paths, dialect, session.phase.dir.token)
        contents = files.read(phase_paths(paths, found, dialect))
        phase = read_phase(found, contents, dialect, paths=paths)
    except WtrunError:
        return ()
    known = {plan.path for plan in session.phase.plans}
    return tuple(plan.id for plan in phase.plans if not plan.done and plan.path not in known)


def _files(session: Session) -> PlanningFiles:
    """The target's planning files as they are now, or the disk's where none are committed."""
    repository, state = session.repository, session.state
    if not state.planning_tracked:
        return DiskFiles(repository.home, session.dialect.roots)
    head = repository.git.resolve(f"refs/heads/{state.target}")
    return TreeFiles(repository.objects, head or state.tip, session.dialect.root)
