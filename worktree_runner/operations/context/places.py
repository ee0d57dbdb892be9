"""Where attempts work: names of branches and folders, and the worktrees behind them."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from worktree_runner.core.places import branch_of, folder_of
from worktree_runner.core.state import PlanState
from worktree_runner.dialects.schema import Dialect
from worktree_runner.errors import PreconditionError
from worktree_runner.git import worktrees
from worktree_runner.git.exclude import exclude_worktrees
from worktree_runner.git.repository import Repository
from worktree_runner.git.worktrees import Mark, Worktree
from worktree_runner.operations.context.provision import checkout_environment
from worktree_runner.operations.context.runs import made_by_wtrun
from worktree_runner.operations.context.session import Session

TRIES = 1000


def root(repository: Repository, setting: str) -> Path:
    """The folder of all worktrees; relative settings start at the main worktree."""
    main = repository.common_dir.parent if repository.common_dir.name == ".git" else None
    return ((main or repository.home) / setting).absolute()


def names(
    repository: Repository, dialect: Dialect, setting: str, phase: str, number: str, n: int
) -> tuple[str, Path]:
    """Branch and folder of a plan's n-th fresh attempt; numbered from the second on."""
    folder = folder_of(dialect, phase, number, n)
    return branch_of(dialect, phase, number, n), root(repository, setting) / folder


def free_names(session: Session, phase: str, number: str) -> tuple[str, Path]:
    """The first names for a plan of the phase that nobody uses.

    A branch or folder of that name that wtrun did not make is the user's: PreconditionError
    rather than a quiet second name beside it.
    """
    taken = Taken.of(session.repository)
    setting = session.settings.worktrees.root
    for n in range(1, TRIES):
        branch, place = names(session.repository, session.dialect, setting, phase, number, n)
        for obstacle in taken.obstacles(branch, place):
            raise obstacle
        if branch not in taken.branches and not is_occupied(place):
            return branch, place
    raise PreconditionError(
        f"{phase}-{number} has {TRIES} left-over branches", hint="wtrun clean --force"
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """The names that are in use in a repository, and which of them wtrun itself has used."""

    branches: frozenset[str]
    places: frozenset[Path]
    own_branches: frozenset[str]
    own_places: frozenset[Path]

    @classmethod
    def of(cls, repository: Repository) -> Taken:
        heads = repository.git.text("for-each-ref", "--format=%(refname)", "refs/heads")
        named = made_by_wtrun(repository.layout)
        listed = worktrees.list_all(repository.git)
        marked = [tree for tree in listed if tree.mark is not None]
        return cls(
            frozenset(line.removeprefix("refs/heads/") for line in heads.splitlines()),
            frozenset(tree.path for tree in listed),
            frozenset(
                [branch for _, _, branch in named.values()]
                + [tree.branch for tree in marked if tree.branch]
            ),
            frozenset([*map(Path, named), *(tree.path for tree in marked)]),
        )

    def obstacles(self, branch: str, place: Path) -> list[PreconditionError]:
        """What of the user's is in the way of this branch and folder, each with a way out."""
        found = []
        for other in sorted(self.branches):
            if other == branch and branch not in self.own_branches:
                message = f"the branch {branch} exists already, and wtrun did not make it"
                found.append(PreconditionError(message, hint=_rename(branch, f"{branch}-old")))
            elif branch.startswith(f"{other}/") or other.startswith(f"{branch}/"):
                message = f"the branch {other} is in the way: git can't have {branch} beside it"
                free = f"{other}-old" if branch.startswith(f"{other}/") else other.replace("/", "-")
                found.append(PreconditionError(message, hint=_rename(other, free)))
        if is_occupied(place) and place not in self.own_places:
            move = "git worktree move" if place in self.places else "mv"
            hint = f"{move} {shlex.quote(str(place))} {shlex.quote(f'{place}.old')}"
            message = f"{place} exists already, and wtrun did not make it"
            found.append(PreconditionError(message, hint=hint))
        return found


def _rename(old: str, new: str) -> str:
    return f"git branch -m {shlex.quote(old)} {shlex.quote(new)}"


def is_occupied(place: Path) -> bool:
    """Whether something is there that a new worktree would meet; an empty folder is nothing."""
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        return True
    return place.is_dir() and any(place.iterdir())


def make(session: Session, plan: PlanState) -> Worktree:
    """The worktree of an attempt that has been planned, on its new branch at its base.

    One that a crash left half-made is made anew: nothing has run in it yet.
    """
    repository = session.repository
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
