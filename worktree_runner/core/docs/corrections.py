"""Which uncommitted changes in the main worktree are the run's own, before verification.

- The run's: changes in the planning directory and in files that the run itself wrote.
- The user's: everything else, what was changed before the run began, whatever is staged, what is
  deleted, and what is changed in the directories of other phases, which the user may be planning.
  None of it is touched; each path is named with the reason.
- Where both may have written a file, it is the user's: a correction can be made by hand, a lost
  edit can't be brought back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from worktree_runner.dialects.schema import Dialect


@dataclass(frozen=True, slots=True)
class LocalChange:
    """One path of `git status --porcelain`: the two letters, and the blob id of the file as it
    lies there (None: deleted)."""

    path: str
    index: str
    worktree: str
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Corrections:
    """`run` is to be committed, each path by itself; `users` maps a path to why it is left."""

    run: tuple[str, ...] = ()
    users: Mapping[str, str] | None = None

    @property
    def left(self) -> Mapping[str, str]:
        return self.users or {}


def sort_changes(
    changes: Iterable[LocalChange],
    dialect: Dialect,
    *,
    before: Mapping[str, str | None],
    written: Mapping[str, str | None],
    elsewhere: Collection[str] = (),
    phase: str = "",
) -> Corrections:
    """The run's own changes and the user's, in path order.

    `before` holds what was changed already when the run began, `written` the content that the run
    itself gave to a path (blob ids), `elsewhere` prefixes that are never looked at (worktrees),
    `phase` is the directory of the phase that runs.
    """
    run: list[str] = []
    users: dict[str, str] = {}
    for change in sorted(changes, key=lambda each: each.path):
        if any(change.path.startswith(prefix) for prefix in elsewhere):
            continue
        reason = _users_own(change, dialect, before, written, phase)
        if reason:
            users[change.path] = reason
        else:
            run.append(change.path)
    return Corrections(tuple(run), users)


def _users_own(
    change: LocalChange,
    dialect: Dialect,
    before: Mapping[str, str | None],
    written: Mapping[str, str | None],
    phase: str,
) -> str:
    """Why the change is the user's; empty if it is the run's."""
    if "U" in change.index + change.worktree or change.index + change.worktree in ("AA", "DD"):
        return "has a merge conflict"
    if change.index not in (" ", "?", "!"):
        return "is staged"
    if change.path in written:
        if change.content == written[change.path]:
            return ""
        return "was changed after wtrun wrote it"
    if change.path in before:
        return "was changed before wtrun began"
    if change.path.startswith(f"{dialect.root}/"):
        return _users_plan(change, dialect, phase)
    return "is no planning file and was not written by wtrun"


def _users_plan(change: LocalChange, dialect: Dialect, phase: str) -> str:
    if change.content is None:
        return "is deleted" if change.worktree == "D" else "is no regular file"
    phases = f"{dialect.root}/{dialect.files.phases}/"
    if phase and change.path.startswith(phases) and not change.path.startswith(f"{phase}/"):
        return f"belongs to another {dialect.words.phase}"
    return ""
