"""`wtrun clean`: finds worktrees and branches that wtrun made and nobody needs any more.

- Only what a journal of wtrun names is looked at; a path or branch that the user made under
  such a name meanwhile is told apart by the mark in the worktree and by the journal's commits.
- Safe to remove: everything in it is in the target or on a run's own ref. The rest needs
  `--force`, which puts it under `refs/wtrun/salvage/` first.
- What an unfinished run still needs is kept, whatever is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from worktree_runner.core.state import Status
from worktree_runner.git import worktrees
from worktree_runner.git.repository import Repository
from worktree_runner.operations import cleanup, runs
from worktree_runner.operations.cleanup import Belongings


@dataclass(frozen=True, slots=True)
class Leftover:
    """A worktree or branch of an earlier attempt, and what may be done with it."""

    run: str
    plan: str
    belongings: Belongings
    needed: str = ""
    """Why it must stay: an unfinished run works with it. Empty if it is only left over."""

    @property
    def verdict(self) -> str:
        """One sentence: safe, or why not."""
        if self.needed:
            return f"kept: {self.needed}"
        if self.belongings.safe:
            return "safe: everything in it is on a branch of yours or on the run's own ref"
        return f"not safe: {self.belongings.why_not}"


def leftovers(repository: Repository) -> tuple[Leftover, ...]:
    """Every worktree and branch of wtrun's that exists, oldest run first."""
    layout = repository.layout
    needed = _needed(repository)
    safe = _safe_commits(repository)
    own = {str(tree.path): tree for tree in worktrees.list_own(repository.git)}
    listed = {str(tree.path) for tree in worktrees.list_all(repository.git)}
    found = []
    for worktree, (run, plan, branch) in sorted(runs.made_by_wtrun(layout).items()):
        place = Path(worktree)
        tree = own.get(str(place.resolve()))
        mine = tree is not None and tree.mark is not None and tree.mark.run == run
        tip = repository.git.resolve(f"refs/heads/{branch}")
        if not mine and (tip is None or str(place.resolve()) in listed):
            continue
        belongings = cleanup.inspect(repository, place, branch, safe)
        found.append(Leftover(run, plan, belongings, needed.get(worktree, "")))
    return tuple(found)


def _needed(repository: Repository) -> dict[str, str]:
    """Worktrees that an unfinished run goes on with -> the reason in words."""
    kept = {}
    for _, state in runs.unfinished(repository.layout):
        for plan in state.plans.values():
            if plan.worktree and plan.status not in (Status.FAILED, Status.SKIPPED):
                kept[plan.worktree] = (
                    f"plan {plan.id} of the unfinished run {state.id} is {plan.status}; "
                    f"wtrun execute {state.phase}"
                )
    return kept


def _safe_commits(repository: Repository) -> list[str]:
    """Tips under which work counts as kept: local branches that are not plans', runs' refs."""
    plans = {branch for _, _, branch in runs.made_by_wtrun(repository.layout).values()}
    refs = repository.git.text(
        "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/wtrun",
        "refs/remotes", "refs/tags",
    )  # fmt: skip
    tips = []
    for line in refs.splitlines():
        oid, _, name = line.partition(" ")
        if name.removeprefix("refs/heads/") not in plans:
            tips.append(oid)
    return tips


def clean(
    repository: Repository, found: tuple[Leftover, ...], *, force: bool
) -> list[tuple[Leftover, tuple[str, ...]]]:
    """Removes the safe ones, with `force` the unsafe too; each with the refs that keep its work.

    A crash in between leaves the rest as it was; what was removed is proven or salvaged.
    """
    removed = []
    for item in found:
        if item.needed or not (item.belongings.safe or force):
            continue
        refs: tuple[str, ...] = ()
        if not item.belongings.safe:
            name = item.belongings.place.name
            refs = cleanup.salvage(repository, item.run, name, item.belongings)
        cleanup.remove(repository, item.belongings)
        removed.append((item, refs))
    return removed
