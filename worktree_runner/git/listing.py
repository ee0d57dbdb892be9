"""Which worktrees a repository has, and which of them wtrun made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from worktree_runner.git.entries import real, records_of, worktree_of
from worktree_runner.git.gateway import Git
from worktree_runner.git.transient import ENGLISH, again
from worktree_runner.store.paths import Layout

_MARK = re.compile(r"wtrun: (\S+) attempt (\d+) of run (\S+)")
"""The reason with which a record is locked; names are percent-encoded, so they have no spaces."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose a worktree is: `owner` is a plan's id or what else it is for (`gate`)."""

    run: str
    owner: str
    attempt: int = 1

    @property
    def reason(self) -> str:
        owner, run = quote(self.owner), quote(self.run)
        return f"wtrun: {owner} attempt {self.attempt} of run {run} (wtrun clean)"

    @classmethod
    def parse(cls, reason: str | None) -> Mark | None:
        """The mark that a lock's reason holds; None if somebody else locked it."""
        found = _MARK.match(reason or "")
        return None if found is None else cls(unquote(found[3]), unquote(found[1]), int(found[2]))


@dataclass(frozen=True, slots=True)
class Worktree:
    """A record of `git worktree list`. `git_dir` is its own directory below the common one."""

    path: Path
    git_dir: Path
    head: str | None
    branch: str | None
    """Without `refs/heads/`; None where HEAD is detached."""
    locked: str | None = None
    missing: bool = False
    """The folder is gone and only git's record is left."""
    main: bool = False

    @property
    def mark(self) -> Mark | None:
        """Whose it is; None for every worktree that is not wtrun's."""
        return Mark.parse(self.locked)


def list_all(git: Git) -> tuple[Worktree, ...]:
    """Every worktree that git has on record, the main one first. Changes nothing."""
    output = again(lambda: git.run("worktree", "list", "--porcelain", "-z", env=ENGLISH))
    common = Path(git.text("rev-parse", "--path-format=absolute", "--git-common-dir"))
    layout = Layout(real(common))
    records = {worktree_of(record): record for record in records_of(layout)}
    trees = []
    for number, block in enumerate(output.out.split(b"\0\0")):
        facts = dict(_fact(line) for line in block.split(b"\0") if line)
        if "worktree" not in facts:
            continue
        path = Path(facts["worktree"])
        branch = facts.get("branch")
        trees.append(
            Worktree(
                path=path,
                git_dir=layout.common_dir
                if number == 0
                else records.get(real(path), path / ".git"),
                head=facts.get("HEAD"),
                branch=branch.removeprefix("refs/heads/") if branch else None,
                locked=facts.get("locked"),
                missing=not path.is_dir(),
                main=number == 0,
            )
        )
    return tuple(trees)


def _fact(line: bytes) -> tuple[str, str]:
    key, _, value = line.decode(errors="surrogateescape").partition(" ")
    return key, value


@dataclass(frozen=True, slots=True)
class Making:
    """How a branch came to be: `mark` if wtrun made it and nobody renamed or copied it since."""

    known: bool
    """Whether git kept a reflog that tells."""
    mark: Mark | None = None


def making_of(git: Git, layout: Layout, branch: str) -> Making:
    """Who made a branch, from its reflog, which git moves along with a rename."""
    ref = f"refs/heads/{branch}"
    file = layout.common_dir / "logs" / ref
    if file.is_file():
        # one read instead of one process for each of maybe a thousand branches
        lines = file.read_text(errors="surrogateescape").splitlines()
        words = [line.partition("\t")[2] for line in lines]
    else:
        shown = git.run("reflog", "show", "--format=%gs", ref, "--", check=False).text
        words = shown.splitlines()[::-1]
    if not words:
        return Making(known=False)
    taken = any(word.startswith(("Branch: renamed", "Branch: copied")) for word in words)
    return Making(known=True, mark=None if taken else Mark.parse(words[0]))


def list_own(git: Git, run: str | None = None) -> tuple[Worktree, ...]:
    """The worktrees that wtrun made (for that run, if one is named)."""
    own = []
    for tree in list_all(git):
        mark = tree.mark
        if mark is not None and run in (None, mark.run):
            own.append(tree)
    return tuple(own)
