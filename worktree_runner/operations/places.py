"""Where attempts work: names of branches and folders, and the worktrees behind them."""

from __future__ import annotations

from pathlib import Path

from worktree_runner.core.places import branch_of, folder_of
from worktree_runner.errors import PreconditionError
from worktree_runner.git import worktrees
from worktree_runner.git.exclude import exclude_worktrees
from worktree_runner.git.repository import Repository
from worktree_runner.git.worktrees import Mark, Worktree
from worktree_runner.models import Plan
from worktree_runner.operations.provision import checkout_environment
from worktree_runner.operations.session import Session

TRIES = 1000


def root(repository: Repository, setting: str) -> Path:
    """The folder of all worktrees; relative settings start at the main worktree."""
    main = repository.common_dir.parent if repository.common_dir.name == ".git" else None
    return ((main or repository.home) / setting).absolute()


def names(session: Session, plan: Plan, n: int) -> tuple[str, Path]:
    """Branch and folder of a plan's n-th fresh attempt; numbered from the second on."""
    folder = folder_of(session.dialect, plan.phase, plan.number, n)
    place = root(session.repository, session.settings.worktrees.root) / folder
    return branch_of(session.dialect, plan.phase, plan.number, n), place


def free_names(session: Session, plan: Plan) -> tuple[str, Path]:
    """The first names that nobody uses.

    A branch of the first name that wtrun did not make is the user's: PreconditionError rather
    than a quiet second name beside it.
    """
    git = session.repository.git
    known = {branch for _, _, branch in made_before(session).values()}
    for n in range(1, TRIES):
        branch, place = names(session, plan, n)
        tip = git.resolve(f"refs/heads/{branch}")
        if tip is None and not place.exists():
            return branch, place
        if tip is not None and branch not in known:
            raise PreconditionError(
                f"The branch {branch} exists already, and wtrun did not make it.",
                hint=f"git branch -m {branch} {branch}-old",
            )
    raise PreconditionError(f"Plan {plan.id} has {TRIES} left-over branches.", hint="wtrun clean")


def made_before(session: Session) -> dict[str, tuple[str, str, str]]:
    """What the journals of this repository name as made by wtrun."""
    from worktree_runner.operations.runs import made_by_wtrun

    return made_by_wtrun(session.repository.layout)


def make(session: Session, plan_id: str) -> Worktree:
    """The worktree of an attempt that has been planned, on its new branch at its base.

    One that a crash left half-made is made anew: nothing has run in it yet.
    """
    plan, repository = session.of(plan_id), session.repository
    place, mark = Path(plan.worktree), Mark(session.state.id, plan.id, plan.attempt)
    exclude_worktrees(repository.git, repository.layout, place.parent)
    for tree in worktrees.list_own(repository.git, session.state.id):
        if tree.mark == mark:
            worktrees.remove(repository.git, repository.layout, tree)
    return worktrees.add(
        repository.git,
        repository.layout,
        path=place,
        branch=plan.branch,
        base=plan.base,
        mark=mark,
        env=checkout_environment(session.settings.worktrees),
    )


def find(repository: Repository, place: Path) -> Worktree | None:
    """The worktree of wtrun at this folder, if there is one."""
    wanted = place.resolve()
    own = worktrees.list_own(repository.git)
    return next((tree for tree in own if tree.path.resolve() == wanted), None)


def is_attempt(repository: Repository) -> bool:
    """Whether the user (or an agent) stands in a worktree that wtrun made."""
    return find(repository, repository.home) is not None
