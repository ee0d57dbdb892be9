"""Makes branches and, on the user's word, switches a checkout to one; nothing is ever forced."""

from __future__ import annotations

import os

from worktree_runner.errors import PreconditionError, UsageError
from worktree_runner.git.gateway import Git
from worktree_runner.git.objects import Objects
from worktree_runner.git.publish import obstacles


def check_name(git: Git, branch: str) -> None:
    """UsageError if git can't call a branch so."""
    if branch.startswith("-") or not git.ok("check-ref-format", f"refs/heads/{branch}"):
        raise UsageError(
            f"'{branch}' can't be the name of a branch.", hint="wtrun config --origin branching"
        )


def create(git: Git, branch: str, commit: str) -> None:
    """A new branch at `commit`; PreconditionError with git's words if it can't be."""
    output = git.run("branch", "--no-track", branch, commit, check=False)
    if output.code != 0:
        raise PreconditionError(
            f"The branch {branch} can't be made: {_why(output.err)}", hint="git branch --list"
        )


def switch(git: Git, branch: str, *, new: bool) -> None:
    """Checks the branch out, made at HEAD if it is new.

    Local edits come along or git refuses; PreconditionError says what is in the way, and the
    checkout is as it was then. Ignored files count as in the way: git would overwrite them.
    """
    if not new:
        changed = Objects(git).changed_paths("HEAD", f"refs/heads/{branch}")
        added = [path for path, (before, _) in changed.items() if before is None]
        in_the_way = obstacles(git, git.path, added)
        if in_the_way:
            raise PreconditionError(
                f"{git.path} can't be switched to {branch}: {', '.join(in_the_way[:5])} would be "
                "overwritten.",
                hint="move these files away, or leave the checkout where it is",
            )
    flags = ["--no-track", "-c"] if new else ["--no-guess"]
    output = git.run("switch", "--quiet", *flags, branch, check=False, foreground=True)
    if output.code != 0:
        raise PreconditionError(
            f"{git.path} can't be switched to {branch}: {_why(output.err)}",
            hint="commit or stash the edits, or leave the checkout where it is",
        )


def _why(err: bytes) -> str:
    lines = [line.strip() for line in os.fsdecode(err).splitlines() if line.strip()]
    text = " ".join(lines[:4]) or "git gave no reason"
    return text.removeprefix("error: ").removeprefix("fatal: ")
