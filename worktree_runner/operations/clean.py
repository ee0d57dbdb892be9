"""`wtrun clean`: finds worktrees and branches that wtrun made and nobody needs any more.

- What wtrun made is told by what it left itself, never by a name: the mark in a worktree's record
  (git's lock reason), the mark in the first line of a branch's reflog, and only where git keeps
  no reflog by a run's journal. So it is found without the run's folder, and a branch that the
  user makes under such a name later is the user's.
- Safe to remove: everything in it is on a branch of the user's, a tag, a remote's branch or a ref
  of wtrun's own. The rest needs `--force`, which puts it under `refs/wtrun/salvage/` first.
- What an unfinished run still needs, what a process works in and what the user has checked out is
  kept, whatever is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from worktree_runner import supervision
from worktree_runner.attempts import Mark as ProcessMark
from worktree_runner.core.events import Type
from worktree_runner.core.state import RunState, Status
from worktree_runner.core.texts import count, listing
from worktree_runner.errors import ExitCode, PreconditionError, UsageError, WtrunError
from worktree_runner.git import worktrees
from worktree_runner.git.listing import making_of
from worktree_runner.git.repository import Repository
from worktree_runner.git.worktrees import Mark, Worktree
from worktree_runner.operations.attempt import readiness
from worktree_runner.operations.context import runs
from worktree_runner.operations.merging import cleanup
from worktree_runner.operations.merging.cleanup import Belongings
from worktree_runner.store.journal import Journal


@dataclass(frozen=True, slots=True)
class Leftover:
    """A worktree or branch of an earlier attempt, and what may be done with it."""

    mark: Mark
    belongings: Belongings
    needed: str = ""
    """Why it must stay, whatever is asked; empty if it is only left over."""
    missing: bool = False
    """Git has the worktree on record, and its folder is gone."""

    @property
    def name(self) -> str:
        """The worktree with its branch, or the one of them that is there."""
        place, branch = self.belongings.place, self.belongings.branch
        if place is None:
            return f"branch {branch}"
        tip = f" (branch {branch})" if self.belongings.branch_tip else ""
        return f"{place}{tip}{', whose folder is gone' if self.missing else ''}"

    @property
    def removable(self) -> bool:
        """Whether `--force` may remove it."""
        return not self.needed and not self.belongings.inside

    @property
    def verdict(self) -> str:
        """One sentence: safe, or why not."""
        if self.needed:
            return f"kept: {self.needed}"
        if self.belongings.safe:
            return "safe: every commit in it is kept elsewhere, and no file is uncommitted"
        if self.belongings.inside:
            return f"kept: {self.belongings.why_not}"
        return f"not safe: {self.belongings.why_not}"


@dataclass(frozen=True, slots=True)
class Removal:
    """What became of a leftover; `problem` is why it could not be removed."""

    item: Leftover
    salvaged: tuple[str, ...] = ()
    problem: str = ""


def leftovers(repository: Repository) -> tuple[Leftover, ...]:
    """Every worktree and branch of wtrun's that exists, sorted; changes nothing."""
    return tuple(_Search(repository).found())


class _Search:
    """One look at a repository: what is listed once is asked once."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.trees = worktrees.list_all(repository.git)
        self.planned = runs.attempts_planned(repository.layout)

    def found(self) -> Iterator[Leftover]:
        covered = set()
        for tree in sorted(self.trees, key=lambda tree: tree.path):
            if tree.mark is not None:
                branch = self._branch_of(tree)
                covered.add(branch)
                yield self._judge(tree.mark, tree, branch)
        for branch, mark in sorted(self.own_branches.items()):
            if branch not in covered:
                yield self._judge(mark, None, branch)

    @cached_property
    def own_branches(self) -> Mapping[str, Mark]:
        """Every branch that wtrun made, with whose it is."""
        git = self.repository.git
        heads = git.text("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").splitlines()
        found = {}
        for branch in heads:
            made = making_of(git, self.repository.layout, branch)
            mark = made.mark if made.known else self.planned.get(branch)
            if mark is not None:
                found[branch] = mark
        return found

    @cached_property
    def safe_commits(self) -> list[str]:
        """Tips under which work counts as kept: of the user's, of remotes and of wtrun's refs."""
        refs = self.repository.git.text(
            "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/wtrun",
            "refs/remotes", "refs/tags",
        )  # fmt: skip
        pairs = (line.split(" ", 1) for line in refs.splitlines())
        own = {f"refs/heads/{branch}" for branch in self.own_branches}
        return [oid for oid, name in pairs if name not in own]

    @cached_property
    def unfinished(self) -> Mapping[str, RunState]:
        return {folder.id: state for folder, state in runs.unfinished(self.repository.layout)}

    def _branch_of(self, tree: Worktree) -> str:
        """The branch that was made with the worktree, whatever HEAD says there now."""
        made = next((name for name, mark in self.own_branches.items() if mark == tree.mark), "")
        return made or (tree.branch if tree.branch in self.own_branches else "") or ""

    def _judge(self, mark: Mark, tree: Worktree | None, branch: str) -> Leftover:
        layout = self.repository.layout
        place = tree.path if tree is not None else None
        baseline: tuple[str, ...] = ()
        if place is not None and place.is_dir():
            baseline = readiness.untouched_in(layout.run(mark.run), place)
        found = cleanup.inspect(self.repository, place, branch, self.safe_commits, baseline)
        missing = tree is not None and tree.missing
        return Leftover(mark, found, self._needed(mark, tree, branch), missing)

    def _needed(self, mark: Mark, tree: Worktree | None, branch: str) -> str:
        """Why it must stay; empty if nobody needs it."""
        state = self.unfinished.get(mark.run)
        if state is not None:
            plan = state.plans.get(mark.owner)
            again = (
                f"go on with it: wtrun execute {state.call}, "
                f"or give it up: wtrun clean --give-up {state.id}"
            )
            unfinished = f"unfinished {runs.words_of(state).execution} {state.id}"
            if plan is None:
                return f"the {unfinished} uses it; {again}"
            same = branch == plan.branch or (tree and str(tree.path) == plan.worktree)
            current = same or plan.attempt == mark.attempt
            if current and plan.status not in (Status.FAILED, Status.SKIPPED):
                return f"{plan.id} of the {unfinished} is {plan.status}; {again}"
        attempt = f"{mark.owner}-a{mark.attempt}"
        pids = supervision.living(ProcessMark(mark.run, attempt)) if tree is not None else ()
        if pids:
            return f"{count(len(pids), 'process', 'processes')} still at work in it: " + (
                listing([str(pid) for pid in pids], limit=5)
            )
        others = [t.path for t in self.trees if branch and t.branch == branch and t != tree]
        return f"it is checked out at {others[0]}" if others else ""


def give_up(repository: Repository, run: str) -> RunState:
    """Finishes an unfinished run as it stands, so that what it needs can be cleaned.

    The caller holds the run lock. Nothing is removed here: what landed and is not published stays
    on the run's own ref. Raises where there is no such run or its agents are still at work.
    """
    found = {folder.id: (folder, state) for folder, state in runs.unfinished(repository.layout)}
    if run not in found:
        known = listing(sorted(found)) or "none"
        raise UsageError(f"nothing unfinished is called {run}", hint=f"unfinished: {known}")
    folder, state = found[run]
    pids = supervision.living(ProcessMark(run))
    if pids:
        raise PreconditionError(
            f"{count(len(pids), 'process', 'processes')} still at work for {run}: "
            f"{listing([str(pid) for pid in pids], limit=5)}",
            hint=f"take over with 'wtrun execute {state.call}' and stop with Ctrl-C",
        )
    journal = Journal(folder.journal)
    try:
        journal.append(Type.RUN_FINISHED, code=int(ExitCode.FAILED), given_up=True)
    finally:
        journal.close()
    return state


def clean(repository: Repository, found: tuple[Leftover, ...], *, force: bool) -> Iterator[Removal]:
    """Removes the safe ones, with `force` the unsafe too; each with the refs that keep its work.

    A crash in between leaves the rest as it was; what was removed is proven or salvaged.
    """
    for item in found:
        if not item.removable or not (item.belongings.safe or force):
            continue
        refs: tuple[str, ...] = ()
        try:
            if not item.belongings.safe:
                name = f"{item.mark.owner}-a{item.mark.attempt}"
                refs = cleanup.salvage(repository, item.mark.run, name, item.belongings)
            cleanup.remove(repository, item.belongings)
        except WtrunError as error:
            yield Removal(item, refs, error.message)
            continue
        yield Removal(item, refs)
