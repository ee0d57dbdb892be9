"""Writes planning files on disk, for projects that don't commit them.

- A file is replaced as a whole or not at all, and only if it still holds what the change was made
  from: an edit of the user in the meantime is never overwritten.
- Its mode stays; a symbolic link is followed, never replaced, and never out of the repository.
- A crash between two files leaves the first written; the same change again finds nothing to do.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from worktree_runner.store.atomic import save_bytes


@dataclass(frozen=True, slots=True)
class Change:
    """New content for a repository path; `before` is what it was made from, None for no file."""

    path: str
    before: bytes | None
    after: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, and what was left with the reason, in the order of the changes."""

    written: tuple[str, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)


def write_documents(root: Path, changes: Iterable[Change]) -> Written:
    """Writes what can be written safely below `root`."""
    written: list[str] = []
    left: dict[str, str] = {}
    for change in changes:
        reason = _write(root, change)
        if reason:
            left[change.path] = reason
        else:
            written.append(change.path)
    return Written(tuple(written), left)


def _write(root: Path, change: Change) -> str:
    """Writes one file; why not, if it was left."""
    home = root.resolve()
    file = (root / change.path).resolve()
    if not file.is_relative_to(home) or ".git" in file.relative_to(home).parts:
        return "is a link to a place outside of the repository"
    try:
        now: bytes | None = file.read_bytes()
        mode: int | None = stat.S_IMODE(file.stat().st_mode)
    except FileNotFoundError:
        now = mode = None
    except OSError as error:
        return f"can't be read: {error.strerror}"
    if now == change.after:
        return ""
    if now != change.before:
        return "was changed in the meantime"
    try:
        save_bytes(file, change.after, mode=mode)
    except OSError as error:
        return f"can't be written: {error.strerror}"
    return ""
