"""The repository that a command works on, and whether it is in a state to work on.

- Opened once per command. Refusals say what is in the way and the command that clears it.
- `home` is the worktree the user stands in; it is the only one that may show the target.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from worktree_runner.errors import PreconditionError
from worktree_runner.git.gateway import MINIMUM_VERSION, Git
from worktree_runner.git.objects import Objects
from worktree_runner.store.paths import Layout

IN_PROGRESS = (
    ("rebase-merge", "A rebase", "git rebase --continue (or --abort)"),
    ("rebase-apply", "A rebase or 'git am'", "git rebase --continue (or --abort)"),
    ("MERGE_HEAD", "A merge", "git merge --continue (or --abort)"),
    ("CHERRY_PICK_HEAD", "A cherry-pick", "git cherry-pick --continue (or --abort)"),
    ("REVERT_HEAD", "A revert", "git revert --continue (or --abort)"),
    ("BISECT_LOG", "A bisect", "git bisect reset"),
)
"""Files below a worktree's git dir that mean that an operation is under way there."""


@dataclass(frozen=True, slots=True)
class Worktree:
    """One entry of `git worktree list`."""

    path: Path
    head: str | None
    branch: str | None
    """Full ref name; None if detached."""
    bare: bool = False
    locked: str | None = None
    prunable: str | None = None


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository with a worktree, found from the folder a command was started in."""

    home: Path
    git_dir: Path
    common_dir: Path

    @property
    def git(self) -> Git:
        return Git(self.home)

    @property
    def objects(self) -> Objects:
        return Objects(self.git)

    @property
    def layout(self) -> Layout:
        return Layout(self.common_dir)

    def worktrees(self) -> tuple[Worktree, ...]:
        """Every worktree that git knows, the main one first."""
        return parse_worktrees(self.git.run("worktree", "list", "--porcelain", "-z").out)


def parse_worktrees(data: bytes) -> tuple[Worktree, ...]:
    """The entries of `git worktree list --porcelain -z`."""
    found = []
    for block in os.fsdecode(data).split("\0\0"):
        facts: dict[str, str] = {}
        for line in block.split("\0"):
            key, _, value = line.partition(" ")
            if key:
                facts[key] = value
        if "worktree" in facts:
            found.append(
                Worktree(
                    path=Path(facts["worktree"]),
                    head=facts.get("HEAD"),
                    branch=facts.get("branch"),
                    bare="bare" in facts,
                    locked=facts.get("locked"),
                    prunable=facts.get("prunable"),
                )
            )
    return tuple(found)


def open_repository(folder: Path) -> Repository:
    """The repository around `folder`; PreconditionError if there is none to work on."""
    if sys.platform == "win32":
        raise PreconditionError(
            "Native Windows is not supported.", hint="run wtrun inside WSL: wsl --install"
        )
    git = Git(folder)
    check_version(git)
    output = git.run(
        "rev-parse", "--path-format=absolute", "--is-bare-repository", "--absolute-git-dir",
        "--git-common-dir", check=False,
    )  # fmt: skip
    if output.code != 0:
        message = os.fsdecode(output.err).strip().removeprefix("fatal: ")
        if "dubious ownership" in message:
            raise PreconditionError(
                f"Git does not trust {folder}: it belongs to another user.",
                hint=f"git config --global --add safe.directory {folder}",
            )
        raise PreconditionError(
            f"{folder} is not inside a git repository.", hint="git init, then commit once"
        )
    bare, git_dir, common_dir = output.text.split("\n")
    if bare == "true":
        raise PreconditionError(
            f"{folder} is a bare repository: it has no files to work on.",
            hint="git worktree add ../work main, then run wtrun there",
        )
    top = git.run("rev-parse", "--show-toplevel", check=False)
    if top.code != 0:
        raise PreconditionError(
            f"{folder} lies inside a .git folder.", hint="cd to the project's own folder"
        )
    return Repository(Path(top.text), Path(git_dir), Path(common_dir))


def check_version(git: Git) -> None:
    """Refuses a git that can't merge in memory."""
    text = git.text("--version")
    match = re.search(r"(\d+)\.(\d+)", text)
    if match is None or (int(match[1]), int(match[2])) < MINIMUM_VERSION:
        wanted = ".".join(map(str, MINIMUM_VERSION))
        raise PreconditionError(
            f"wtrun needs git {wanted} or newer; this is '{text}'.", hint="update git"
        )


def operation_in_progress(git_dir: Path) -> tuple[str, str] | None:
    """What is half done in the worktree of this git dir, and the command that ends it."""
    for name, words, command in IN_PROGRESS:
        if (git_dir / name).exists():
            return words, command
    return None


def current_branch(repository: Repository) -> str:
    """The branch that is checked out, without `refs/heads/`; refuses where there is no tip."""
    git = repository.git
    name = git.run("symbolic-ref", "--quiet", "HEAD", check=False).text
    busy = operation_in_progress(repository.git_dir)
    if busy is not None:
        words, command = busy
        raise PreconditionError(f"{words} is in progress in {repository.home}.", hint=command)
    if not name:
        raise PreconditionError(
            f"HEAD is detached in {repository.home}, so there is no branch to merge into.",
            hint="git switch main (or the branch that the plans should land on)",
        )
    branch = name.removeprefix("refs/heads/")
    if git.resolve("HEAD") is None:
        raise PreconditionError(
            f"The branch {branch} has no commit yet.",
            hint="git add -A && git commit -m 'Start'",
        )
    return branch
