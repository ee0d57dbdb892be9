"""The repository that a command works on, and whether it is in a state to work on.

- Opened once per command. Refusals say what is in the way and the command that clears it.
- `home` is the worktree the user stands in; it is the only one that may show the target.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from worktree_runner.errors import PreconditionError
from worktree_runner.git.gateway import FORGOTTEN, MINIMUM_VERSION, Git
from worktree_runner.git.objects import Objects
from worktree_runner.git.transient import ENGLISH
from worktree_runner.store.locate import main_worktree
from worktree_runner.store.paths import Layout

_MAIN = ("main", "master", "trunk", "develop")
IN_PROGRESS = (
    ("rebase-merge", "a rebase", "rebase"),
    ("rebase-apply/applying", "'git am'", "am"),
    ("rebase-apply", "a rebase", "rebase"),
    ("MERGE_HEAD", "a merge", "merge"),
    ("CHERRY_PICK_HEAD", "a cherry-pick", "cherry-pick"),
    ("REVERT_HEAD", "a revert", "revert"),
    ("sequencer", "a series of cherry-picks or reverts", "cherry-pick"),
    ("BISECT_LOG", "a bisect", "bisect"),
)
"""Files below a worktree's git dir that mean that an operation is under way there: name, what it
is in words, git's command for it."""


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
    objects: Objects = field(init=False, repr=False, compare=False)
    """One for each repository; it keeps a `git cat-file` running from its first question on."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "objects", Objects(self.git))

    @property
    def git(self) -> Git:
        return Git(self.home)

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
    git = Git(folder)
    check_version(git)
    output = git.run(
        "rev-parse", "--path-format=absolute", "--is-bare-repository", "--absolute-git-dir",
        "--git-common-dir", check=False, env=ENGLISH,
    )  # fmt: skip
    if output.code != 0:
        raise _not_usable(folder, os.fsdecode(output.err).strip().removeprefix("fatal: "))
    facts = output.text.split("\n")
    if len(facts) != 3:
        raise PreconditionError(
            f"the path of this repository has a line break in it: {folder!s:.200}",
            hint="move it to another path; git's own files can't hold such a one",
        )
    bare, git_dir, common_dir = facts
    if bare == "true":
        branch = git.run("symbolic-ref", "--short", "HEAD", check=False).text or "main"
        place = shlex.quote(str(Path(git_dir).with_suffix(".work")))
        raise PreconditionError(
            f"{folder} is a bare repository: it has no files to work on",
            hint=f"git worktree add {place} {branch} && cd {place}",
        )
    top = git.run("rev-parse", "--show-toplevel", check=False)
    if top.code != 0:
        main = main_worktree(Path(common_dir))
        raise PreconditionError(
            f"{folder} lies inside a .git folder",
            hint=f"cd {shlex.quote(str(main))}" if main else "cd to the project's own folder",
        )
    return Repository(Path(top.text), Path(git_dir), Path(common_dir))


def _not_usable(folder: Path, said: str) -> PreconditionError:
    """Why git does not take `folder` for a repository, from git's words and what lies there."""
    if "dubious ownership" in said:
        named = re.search(r"in repository at '(.*)'", said)
        owned = shlex.quote(named[1] if named else str(folder))
        return PreconditionError(
            f"git does not trust {folder}: it belongs to another user",
            hint=f"if you do: git config --global --add safe.directory {owned}",
        )
    if not said.startswith("not a git repository"):
        return PreconditionError(
            f"git can't use the repository at {folder}: {said}", hint="git status"
        )
    marked = next((place for place in (folder, *folder.parents) if _looks_like_one(place)), None)
    if marked is None:
        ignored = " (GIT_DIR is not looked at)" if "GIT_DIR" in FORGOTTEN else ""
        return PreconditionError(
            f"{folder} is not inside a git repository{ignored}",
            hint="cd into the project; for a new one: "
            "git init && git add -A && git commit -m 'Start'",
        )
    if (marked / ".git").is_file():
        return PreconditionError(
            f"{marked}/.git points to a repository that is not there: {said}",
            hint=f"in the main repository: git worktree repair {shlex.quote(str(marked))}",
        )
    return PreconditionError(
        f"{marked}/.git is damaged: git does not take it for a repository",
        hint=f"look whether HEAD, objects and refs are whole: ls {shlex.quote(f'{marked}/.git')}",
    )


def _looks_like_one(folder: Path) -> bool:
    mark = folder / ".git"
    return mark.is_file() or (mark / "HEAD").exists() or (mark / "objects").is_dir()


def check_version(git: Git) -> None:
    """Refuses a git that can't merge in memory."""
    text = git.text("--version")
    match = re.search(r"(\d+)\.(\d+)", text)
    if match is None or (int(match[1]), int(match[2])) < MINIMUM_VERSION:
        wanted = ".".join(map(str, MINIMUM_VERSION))
        where = shutil.which("git") or "git"
        raise PreconditionError(
            f"wtrun needs git {wanted} or newer (merging in memory); {where} is {text!r}",
            hint="install a newer git, or put it first: PATH=/path/to/git/bin:$PATH wtrun ...",
        )


def git_dir_of(place: Path) -> Path | None:
    """The git directory that a worktree names; None for no worktree, or one half made or broken.

    Read from its `.git` without git, which fails while another git process makes the worktree.
    """
    link = place / ".git"
    if link.is_dir():
        return link
    try:
        text = link.read_text(errors="surrogateescape")
    except OSError:
        return None
    word, _, name = text.partition(" ")
    found = place / name.rstrip("\n")
    return found if word == "gitdir:" and found.is_dir() else None


def operation_in_progress(git_dir: Path) -> tuple[str, str] | None:
    """What is half done in the worktree of this git dir, and how to end it."""
    for name, words, command in IN_PROGRESS:
        if (git_dir / name).exists():
            if command == "bisect":
                return words, "end it with 'git bisect reset'"
            return words, f"end it with 'git {command} --continue' or 'git {command} --abort'"
    return None


def current_branch(repository: Repository) -> str:
    """The branch that is checked out, without `refs/heads/`; refuses where there is no tip."""
    git = repository.git
    name = git.run("symbolic-ref", "--quiet", "HEAD", check=False).text
    busy = operation_in_progress(repository.git_dir)
    if busy is not None:
        raise PreconditionError(f"{busy[0]} is in progress in {repository.home}", hint=busy[1])
    if not name:
        raise PreconditionError(
            f"HEAD is detached in {repository.home}: there is no branch to merge into",
            hint=f"git switch {_likely_branch(git)}, or make one here: git switch -c NAME",
        )
    branch = name.removeprefix("refs/heads/")
    if git.resolve("HEAD") is None:
        raise PreconditionError(
            f"the branch {branch} has no commit yet, and worktrees start from one",
            hint="git add -A && git commit -m 'Start'",
        )
    return branch


def _likely_branch(git: Git) -> str:
    """The branch that the plans were probably meant for: one at HEAD, else the main one."""
    here = git.run("for-each-ref", "--format=%(refname:short)", "--points-at=HEAD", "refs/heads")
    every = git.run("for-each-ref", "--format=%(refname:short)", "refs/heads")
    names = [*here.text.split(), *(name for name in every.text.split() if name in _MAIN)]
    return next(iter(names), "main")
