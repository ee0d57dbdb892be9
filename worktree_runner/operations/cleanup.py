"""Removes worktrees and branches of wtrun's own, only with a proof that nothing is lost.

- The proof: every commit that the worktree's HEAD, its reflog, its own refs and its branch ever
  pointed to is in the run's tip (or the target), and no file lies uncommitted.
- What has no proof is kept; `force` (the user's word) first puts it under `refs/wtrun/salvage/`:
  stray commits as they are, uncommitted files as a commit made through a private index.
- Nothing that no journal of wtrun names is ever touched.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from worktree_runner.core.events import Type
from worktree_runner.git import worktrees
from worktree_runner.git.gateway import Git
from worktree_runner.git.repository import Repository
from worktree_runner.operations import places, readiness
from worktree_runner.operations.evidence import leftovers
from worktree_runner.operations.session import Session


@dataclass(frozen=True, slots=True)
class Belongings:
    """What would go away with a worktree and its branch."""

    place: Path
    branch: str
    branch_tip: str | None
    strays: tuple[str, ...]
    """Commits that are not in any of the safe ones, newest of each line only."""
    files: tuple[str, ...]
    """Uncommitted files."""

    @property
    def safe(self) -> bool:
        return not self.strays and not self.files

    @property
    def why_not(self) -> str:
        """What would be lost, in words."""
        parts = []
        if self.strays:
            parts.append(f"commits that are nowhere else: {_short(self.strays)}")
        if self.files:
            more = f" and {len(self.files) - 3} more" if len(self.files) > 3 else ""
            parts.append(f"uncommitted files: {', '.join(self.files[:3])}{more}")
        return "; ".join(parts)


def _short(commits: Iterable[str]) -> str:
    return ", ".join(commit[:10] for commit in commits)


def inspect(
    repository: Repository,
    place: Path,
    branch: str,
    safe: Iterable[str],
    baseline: tuple[str, ...] = (),
) -> Belongings:
    """What the worktree and the branch hold that none of the `safe` commits contains."""
    git = repository.git
    tip = git.resolve(f"refs/heads/{branch}") if branch else None
    known = [commit for commit in safe if commit]
    seen = {tip} if tip else set()
    files: tuple[str, ...] = ()
    if (place / ".git").exists():
        inside = Git(place)
        files = leftovers(place, baseline)
        head = inside.resolve("HEAD")
        seen |= {head} if head else set()
        seen |= set(inside.run("reflog", "show", "--format=%H", "HEAD", check=False).text.split())
        own = inside.run(
            "for-each-ref", "--format=%(objectname)", "refs/worktree", "refs/bisect",
            "refs/rewritten", check=False,
        ).text.split()  # fmt: skip
        seen |= set(own)
    strays = _not_in(git, seen, known)
    return Belongings(place, branch, tip, strays, files)


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
    if belongings.files:
        wanted.append(("files", snapshot(belongings.place)))
    for part, commit in wanted:
        ref = f"refs/wtrun/salvage/{run}/{name}/{part}"
        old = repository.git.run("rev-parse", "--verify", "--quiet", ref, check=False).text
        if old != commit and not objects.move_ref(ref, commit, old or None):
            raise RuntimeError(f"{ref} changed while it was being written")
        refs.append(ref)
    return tuple(refs)


def snapshot(place: Path) -> str:
    """A commit of the worktree's files as they are, ignored ones left out, HEAD as its parent."""
    git = Git(place)
    head = git.resolve("HEAD")
    with tempfile.TemporaryDirectory(prefix="wtrun-salvage-") as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        if head is not None:
            git.run("read-tree", head, env=env)
        git.run("add", "--all", "--", ".", env=env)
        tree = git.run("write-tree", env=env).text
    parents = ["-p", head] if head else []
    message = f"Uncommitted files of {place.name}, kept by wtrun\n"
    return git.run(
        "commit-tree", "--no-gpg-sign", tree, *parents, "-F", "-", stdin=message.encode()
    ).text


def remove(repository: Repository, belongings: Belongings) -> None:
    """Removes worktree and branch; the caller has the proof or has salvaged."""
    tree = places.find(repository, belongings.place)
    if tree is not None:
        worktrees.remove(repository.git, repository.layout, tree)
    tip = belongings.branch_tip
    if tip is not None:
        worktrees.delete_branch(repository.git, repository.layout, belongings.branch, tip)


def clean_landed(session: Session) -> None:
    """Removes the worktrees of landed plans; what can't be proven safe stays, with the reason."""
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
        refs: tuple[str, ...] = ()
        if not belongings.safe:
            refs = salvage(
                session.repository, session.state.id, f"{plan.id}-a{plan.attempt}", belongings
            )
        remove(session.repository, belongings)
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
