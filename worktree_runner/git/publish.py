"""Moves the user's target branch to a commit that landed, only where nothing can be lost.

- Fast-forward only. Never a reset, a stash, a clean or a switch.
- Where the target is checked out, git's own `merge --ff-only` moves branch, index and files
  together and refuses over local edits; the settings that would weaken it are switched off.
- Git overwrites *ignored* files without asking even so (a plan that adds `.env` took the
  user's own), so every path that the commit adds is looked up on disk first.
- What can't be published is held, with the reason and the paths; the landed work stays safe
  on the run's own ref.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from merge.tree import SUBMODULE
from merge.types import Entry
from worktree_runner.git.changes import uncommitted
from worktree_runner.git.gateway import Git
from worktree_runner.git.objects import Objects
from worktree_runner.git.repository import (
    Repository,
    Worktree,
    git_dir_of,
    operation_in_progress,
)

Changed = Mapping[str, tuple[Entry | None, Entry | None]]


class Outcome(StrEnum):
    """What became of a publication."""

    PUBLISHED = "published"
    CURRENT = "current"
    """The target was there already."""
    HELD = "held"
    """Something of the user's is in the way; nothing was changed."""
    MOVED = "moved"
    """The target has commits that the candidate lacks; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What happened; `at` is the commit that the target points to now."""

    outcome: Outcome
    at: str
    reason: str = ""
    paths: tuple[str, ...] = ()
    hint: str = ""


def publish(repository: Repository, target: str, candidate: str) -> Publication:
    """Fast-forwards branch `target` to commit `candidate`, or says why not.

    A crash at any point leaves the branch at the old or the new commit; files in a checkout are
    git's business then, as after any interrupted `git merge --ff-only`.
    """
    git, objects = repository.git, repository.objects
    at = git.resolve(f"refs/heads/{target}")
    if at is None:
        return Publication(Outcome.HELD, "", f"the branch {target} is gone", (), _recreate(target))
    if at == candidate or objects.is_ancestor(candidate, at):
        return Publication(Outcome.CURRENT, at)
    if not objects.is_ancestor(at, candidate):
        return Publication(Outcome.MOVED, at, f"{target} has moved on")
    worktrees = repository.worktrees()
    busy = _operation_on(worktrees, target)
    if busy is not None:
        return Publication(Outcome.HELD, at, busy[0], (), busy[1])
    places = [tree for tree in worktrees if tree.branch == f"refs/heads/{target}"]
    if not places:
        moved = objects.move_ref(f"refs/heads/{target}", candidate, at)
        if moved:
            return Publication(Outcome.PUBLISHED, candidate)
        return Publication(Outcome.MOVED, at, f"{target} moved while it was being published")
    if len(places) > 1:
        named = " and ".join(str(tree.path) for tree in places)
        reason = f"{target} is checked out in more than one worktree: {named}"
        return Publication(Outcome.HELD, at, reason, (), "git worktree remove one of them")
    result = _fast_forward(places[0].path, target, at, candidate)
    objects.merger.close()  # the attributes in the checkout may be others now
    return result


def _recreate(target: str) -> str:
    return f"git branch {target} <commit>, then wtrun publish"


def _operation_on(worktrees: tuple[Worktree, ...], target: str) -> tuple[str, str] | None:
    """A rebase or bisect of the branch in any worktree; HEAD is detached there meanwhile."""
    ref = f"refs/heads/{target}"
    for tree in worktrees:
        if tree.bare or not tree.path.is_dir():
            continue
        git_dir = git_dir_of(tree.path)
        if git_dir is None:
            continue
        for name in ("rebase-merge/head-name", "rebase-apply/head-name"):
            if _first_line(git_dir / name) == ref:
                return f"a rebase of {target} is in progress in {tree.path}", _rebase_hint(tree)
        if _first_line(git_dir / "BISECT_START") == target:
            hint = f"git -C {tree.path} bisect reset"
            return f"a bisect that started on {target} is in progress in {tree.path}", hint
        busy = operation_in_progress(git_dir)
        if tree.branch == ref and busy is not None:
            return f"{busy[0].lower()} is in progress in {tree.path}", busy[1]
    return None


def _rebase_hint(tree: Worktree) -> str:
    return f"git -C {tree.path} rebase --continue (or --abort)"


def _first_line(file: Path) -> str:
    try:
        return file.read_text(errors="surrogateescape").split("\n", 1)[0].strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _fast_forward(place: Path, target: str, old: str, candidate: str) -> Publication:
    git = Git(place)
    changed = Objects(git).changed_paths(old, candidate)
    added = [path for path, (before, _) in changed.items() if before is None]
    same = _same_already(git, changed)
    in_the_way = tuple(sorted(set(obstacles(git, place, added)) - set(same)))
    if in_the_way:
        return Publication(
            Outcome.HELD,
            old,
            "untracked or ignored files are where new ones would land",
            in_the_way,
            "move these files away",
        )
    edited = sorted((set(_locally_changed(git, changed)) & set(changed)) - set(same))
    if edited:
        return Publication(
            Outcome.HELD,
            old,
            "files that would change have local edits",
            tuple(edited),
            "commit or stash these edits",
        )
    _set_index(git, {path: changed[path][1] for path in same})
    output = git.run(
        "merge", "--ff-only", "--no-squash", "--no-autostash", "--no-overwrite-ignore",
        "--quiet", candidate, env=_strict_settings(target), check=False,
    )  # fmt: skip
    now = git.resolve(f"refs/heads/{target}") or ""
    if now == candidate:
        return Publication(Outcome.PUBLISHED, candidate)
    if output.code == 0 and Objects(git).is_ancestor(candidate, now):
        # a post-merge hook or somebody else was quick; what landed is in there all the same
        return Publication(Outcome.PUBLISHED, now, f"{target} moved on right after")
    _set_index(git, {path: changed[path][0] for path in same})
    if now != old:
        return Publication(Outcome.MOVED, now, f"{target} moved while it was being published")
    why = os.fsdecode(output.err).strip().splitlines()
    reason = why[0].removeprefix("error: ").removeprefix("fatal: ").rstrip(".") if why else ""
    locked = re.search(r"Unable to create '(.*\.lock)': File exists", reason)
    hint = "git status"
    if locked is not None:
        hint = f"wait for the other git command, or if there is none: rm {shlex.quote(locked[1])}"
    return Publication(Outcome.HELD, old, f"git refused: {reason}", (), hint)


def _same_already(git: Git, changed: Changed) -> tuple[str, ...]:
    """Unstaged changes and untracked files that hold what the candidate brings: in nobody's way.

    Git refuses over them all the same, so their index entries go ahead of the fast-forward.
    """
    found = []
    for change in uncommitted(git, *changed):
        _, entry = changed.get(change.path, (None, None))
        unstaged = change.index + change.worktree in (" M", "??")
        if unstaged and entry is not None and entry.oid == change.content:
            found.append(change.path)
    return tuple(found)


def _set_index(git: Git, entries: Mapping[str, Entry | None]) -> None:
    """Gives these paths the index entries, None for no entry; the files are not looked at."""
    for path, entry in entries.items():
        if entry is None:
            git.run("update-index", "--force-remove", "--", path, check=False)
        else:
            place = f"{entry.mode},{entry.oid},{path}"
            git.run("update-index", "--add", "--cacheinfo", place, check=False)


def _strict_settings(target: str) -> dict[str, str]:
    """The user's own settings that would change what the fast-forward does, switched off."""
    settings = {"merge.autoStash": "false", f"branch.{target}.mergeOptions": ""}
    env = {"GIT_CONFIG_COUNT": str(len(settings))}
    for at, (key, value) in enumerate(settings.items()):
        env |= {f"GIT_CONFIG_KEY_{at}": key, f"GIT_CONFIG_VALUE_{at}": value}
    return env


def obstacles(git: Git, place: Path, added: list[str]) -> tuple[str, ...]:
    """Files on disk that are not git's and that adding these paths would replace."""
    found: set[str] = set()
    for path in added:
        spot = place / path
        if spot.is_symlink() or spot.is_file():
            found.add(path)
        elif spot.is_dir():
            found.update(git.run("ls-files", "-z", "--others", "--", path).fields)
        else:
            parent = next(
                (p for p in reversed(Path(path).parents[:-1]) if (place / p).is_symlink()
                 or (place / p).is_file()), None,
            )  # fmt: skip
            if parent is not None and not git.run("ls-files", "-z", "--", str(parent)).fields:
                found.add(str(parent))
    return tuple(sorted(found))


def _locally_changed(git: Git, changed: Changed) -> tuple[str, ...]:
    """Tracked paths whose index or file differs from HEAD.

    Not those of submodules that only have another commit checked out than the index names: git
    moves the entry and leaves the checkout as it is, so nothing is lost, and after a first
    publication of a new commit every submodule is in that state.
    """
    fields = git.run(
        "status", "--porcelain", "-z", "--untracked-files=no", "--no-renames",
        env={"GIT_OPTIONAL_LOCKS": "0"},
    ).fields  # fmt: skip
    return tuple(
        field[3:]
        for field in fields
        if field[:2] != " M" or not _stays_submodule(changed.get(field[3:]))
    )


def _stays_submodule(pair: tuple[Entry | None, Entry | None] | None) -> bool:
    return pair is not None and all(entry and entry.mode == SUBMODULE for entry in pair)
