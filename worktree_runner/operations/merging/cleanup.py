"""Removes worktrees and branches of wtrun's own, only with a proof that nothing is lost.

- The proof: every commit that the worktree's HEAD, its reflog, its own refs and its branch ever
  pointed to is in the run's tip (or the target), and no file lies uncommitted.
- What has no proof is kept; `force` (the user's word) first puts it under `refs/wtrun/salvage/`:
  stray commits as they are, uncommitted files as a commit made through a private index.
- A repository inside a worktree can't be kept that way: such a worktree stays, whatever is asked.
- Nothing that wtrun did not make is ever touched.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from merge.tree import SUBMODULE
from worktree_runner.core.events import Type
from worktree_runner.core.texts import listing
from worktree_runner.errors import WtrunError
from worktree_runner.git import worktrees
from worktree_runner.git.entries import empty_trash, real, record_of
from worktree_runner.git.gateway import Git
from worktree_runner.git.repository import Repository
from worktree_runner.operations.attempt import readiness
from worktree_runner.operations.attempt.evidence import leftovers
from worktree_runner.operations.context import places
from worktree_runner.operations.context.session import Session

_OWN_REFS = ("refs/worktree", "refs/bisect", "refs/rewritten")
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Belongings:
    """What would go away with a worktree and its branch; either may be gone already."""

    place: Path | None
    branch: str
    branch_tip: str | None
    strays: tuple[str, ...]
    """Commits that are not in any of the safe ones, newest of each line only."""
    files: tuple[str, ...]
    """Uncommitted files."""
    inside: tuple[str, ...] = ()
    """Repositories in the worktree with commits of their own, which no ref here can keep."""

    @property
    def safe(self) -> bool:
        return not self.strays and not self.files and not self.inside

    @property
    def why_not(self) -> str:
        """What would be lost, in words."""
        parts = []
        if self.strays:
            parts.append(f"commits that are nowhere else: {_short(self.strays)}")
        if self.files:
            parts.append(f"uncommitted files: {listing(self.files, limit=_SHOWN)}")
        if self.inside:
            parts.append(f"it holds other repositories: {listing(self.inside, limit=_SHOWN)}")
        return "; ".join(parts)


def _short(commits: Iterable[str]) -> str:
    return ", ".join(commit[:10] for commit in commits)


def inspect(
    repository: Repository,
    place: Path | None,
    branch: str,
    safe: Iterable[str],
    baseline: tuple[str, ...] = (),
) -> Belongings:
    """What the worktree and the branch hold that none of the `safe` commits contains.

    The worktree's record in git tells its commits also where its folder is gone.
    """
    git = repository.git
    tip = git.resolve(f"refs/heads/{branch}") if branch else None
    seen = {tip} if tip else set()
    if tip:
        seen |= set(_reflog(git, f"refs/heads/{branch}"))
    files: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    record = record_of(repository.layout, place) if place is not None else None
    if record is not None:
        head = f"worktrees/{record.name}/HEAD"
        found = git.resolve(head)
        seen |= {found} if found else set()
        seen |= set(_reflog(git, head))
    if place is not None and record is not None and (place / ".git").exists():
        own = Git(place).run("for-each-ref", "--format=%(objectname)", *_OWN_REFS, check=False)
        seen |= set(own.text.split())
        changed = leftovers(place, baseline)
        names = [path.rstrip("/") for path in changed if path.endswith("/")]
        names += [*_repositories(place, changed), *_unpushed_submodules(record)]
        inside = tuple(dict.fromkeys(names))
        files = tuple(path for path in changed if not path.endswith("/") and path not in inside)
    strays = _not_in(git, seen, [commit for commit in safe if commit])
    return Belongings(place, branch, tip, strays, files, inside)


def _reflog(git: Git, ref: str) -> list[str]:
    return git.run("reflog", "show", "--format=%H", ref, "--", check=False).text.split()


def _repositories(place: Path, changed: Iterable[str]) -> Iterator[str]:
    """Committed repositories whose contents only the worktree has: objects, or changed files."""
    for field in Git(place).run("ls-files", "--stage", "-z").fields:
        facts, _, path = field.partition("\t")
        if facts.startswith(SUBMODULE) and ((place / path / ".git").is_dir() or path in changed):
            yield path


def _unpushed_submodules(record: Path) -> Iterator[str]:
    """Submodules of a worktree with commits that no remote of theirs has; they go with it."""
    root = record / "modules"
    for head in sorted(root.rglob("HEAD")):
        git_dir = head.parent
        if not (git_dir / "objects").is_dir():
            continue
        own = Git(git_dir).run(
            "--git-dir=.", "-c", "core.worktree=", "-c", "core.bare=true",
            "rev-list", "--max-count=1", "HEAD", "--branches", "--not", "--remotes", check=False,
        )  # fmt: skip
        if own.code != 0 or own.text:
            yield git_dir.relative_to(root).as_posix()


def _not_in(git: Git, commits: set[str], known: list[str]) -> tuple[str, ...]:
    """The commits that none of `known` contains, without those that another of them contains."""
    existing = sorted(commit for commit in commits if git.ok("cat-file", "-e", commit))
    if not existing:
        return ()
    lines = "\n".join([*existing, *(f"^{commit}" for commit in known)]) + "\n"
    lost = set(git.run("rev-list", "--stdin", stdin=lines.encode()).text.split())
    strays = [commit for commit in existing if commit in lost]
    if len(strays) < 2:
        return tuple(strays)
    return tuple(git.text("merge-base", "--independent", *strays).split())


def salvage(repository: Repository, run: str, name: str, belongings: Belongings) -> tuple[str, ...]:
    """Puts everything that would be lost under `refs/wtrun/salvage/`; the refs that hold it.

    A crash in between leaves refs too many, never one too few.
    """
    objects = repository.objects
    refs = []
    wanted = [(commit[:10], commit) for commit in belongings.strays]
    if belongings.files and belongings.place is not None:
        wanted.append(("files", snapshot(belongings.place)))
    for part, commit in wanted:
        ref = f"refs/wtrun/salvage/{run}/{name}/{part}"
        old = repository.git.run("rev-parse", "--verify", "--quiet", ref, check=False).text
        if old != commit and not objects.move_ref(ref, commit, old or None):
            raise RuntimeError(f"{ref} changed while it was being written")
        refs.append(ref)
    return tuple(refs)


def snapshot(place: Path) -> str:
    """A commit of the worktree's files as they are, ignored ones left out, HEAD as its parent.

    What is staged and differs from the files is a second parent, as `git stash` has it.
    """
    git = Git(place)
    head = git.resolve("HEAD")
    parents = [head] if head else []
    staged = git.run("write-tree", check=False)  # fails with unmerged entries: the files tell
    with tempfile.TemporaryDirectory(prefix="wtrun-salvage-") as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        if head is not None:
            git.run("read-tree", head, env=env)
        git.run("add", "--all", "--", ".", env=env)
        tree = git.run("write-tree", env=env).text
    known = {tree, git.run("rev-parse", "HEAD^{tree}", check=False).text}
    if staged.code == 0 and staged.text not in known:
        message = f"Staged files of {place.name}, kept by wtrun\n"
        parents.append(_commit(git, staged.text, parents, message))
    return _commit(git, tree, parents, f"Uncommitted files of {place.name}, kept by wtrun\n")


def _commit(git: Git, tree: str, parents: Iterable[str], message: str) -> str:
    args = [word for parent in parents for word in ("-p", parent)]
    return git.run(
        "commit-tree", "--no-gpg-sign", tree, *args, "-F", "-", stdin=message.encode()
    ).text


def remove(repository: Repository, belongings: Belongings) -> None:
    """Removes worktree and branch; the caller has the proof or has salvaged."""
    place, tip = belongings.place, belongings.branch_tip
    tree = places.find(repository, place) if place is not None else None
    if tree is not None:
        worktrees.remove(repository.git, repository.layout, tree)
    if tip is not None:
        worktrees.delete_branch(repository.git, repository.layout, belongings.branch, tip)


def clean_landed(session: Session) -> None:
    """Removes the worktrees of landed plans and prints the proof.

    Work beside what landed is salvaged first; what can't be kept or removed stays, with the reason.
    """
    for plan in session.state.plans.values():
        if plan.cleaned or not plan.commit or not plan.worktree:
            continue
        belongings = inspect(
            session.repository,
            Path(plan.worktree),
            plan.branch,
            [session.state.tip],
            readiness.untouched(session, plan),
        )
        try:
            name = f"{plan.id}-a{plan.attempt}"
            refs = release(session.repository, session.state.id, name, belongings)
        except WtrunError as error:
            _keep(session, plan.id, f"its worktree or branch stays: {error.message}")
            continue
        session.record(
            Type.WORKTREE_REMOVED,
            plan.id,
            n=plan.attempt,
            worktree=plan.worktree,
            branch=plan.branch,
            proof=f"{plan.head[:10]} is in {plan.commit[:10]}",
            salvage=list(refs),
            left=belongings.why_not,
        )


def release(repository: Repository, run: str, name: str, belongings: Belongings) -> tuple[str, ...]:
    """Removes worktree and branch, with what would be lost put under the refs that come back.

    Raises WtrunError where something can't be kept or removed; it stays then.
    """
    _require_own(repository, belongings)
    refs = () if belongings.safe else salvage(repository, run, name, belongings)
    remove(repository, belongings)
    return refs


def _require_own(repository: Repository, belongings: Belongings) -> None:
    """Raises if the worktree is not wtrun's any more, or holds what no ref can keep."""
    if belongings.inside:
        raise WtrunError(belongings.why_not)
    place = belongings.place
    if place is not None and place.exists() and places.find(repository, place) is None:
        raise WtrunError(f"{place} is not marked as wtrun's any more")


def _keep(session: Session, plan_id: str, text: str) -> None:
    """Says once why something stays."""
    told = any(
        event.type == Type.NOTICE and event.plan == plan_id and event.data["text"] == text
        for event in session.journal.events
    )
    if not told:
        session.record(Type.NOTICE, plan_id, text=text)


def give_back_space(repository: Repository) -> str | None:
    """Deletes what was removed before; words about what could not be deleted, if anything."""
    if not empty_trash(repository.layout):
        return None
    return f"some removed files can't be deleted; see {real(repository.layout.trash)}"
