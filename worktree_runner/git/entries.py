"""The records that git keeps of linked worktrees, as files: `<common dir>/worktrees/<name>/`.

- Only what git's own commands can't do well is done here: find the one record of a folder, and
  put exactly that record aside. `git worktree prune` would drop other people's records too.
- Nothing is deleted in the way of the user: trees and records are renamed into the trash folder
  in one step each, and the trash is emptied at the end of a run.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from worktree_runner.store import locate
from worktree_runner.store.paths import Layout


def record_of(layout: Layout, path: Path) -> Path | None:
    """The record whose worktree is the folder `path`, whether or not that still exists."""
    wanted = real(path)
    likely = layout.common_dir / "worktrees" / wanted.name
    if worktree_of(likely) == wanted:
        return likely
    return next(
        (
            record
            for record in records_of(layout)
            if wanted.name in _pointer(record) and worktree_of(record) == wanted
        ),
        None,
    )


def is_linked(layout: Layout, path: Path) -> bool:
    """Whether git run in the folder works on its record. Without that, or with a `.git` of another
    repository in it, git would work on whatever repository it finds from there."""
    record, found = record_of(layout, path), locate.find(path)
    if record is None or found is None or found.worktree is None:
        return False
    return real(found.worktree) == real(path) and real(found.git_dir) == real(record)


def records_of(layout: Layout) -> tuple[Path, ...]:
    """All records, half-made ones and other people's included."""
    return tuple(sorted((layout.common_dir / "worktrees").glob("*")))


def worktree_of(record: Path) -> Path | None:
    """The folder that a record points to; None for a half-made one."""
    pointer = _pointer(record)
    # newer git can write it relative to the record
    return real((record / pointer).parent) if pointer else None


def _pointer(record: Path) -> str:
    """What git wrote into the record: the path of the worktree's `.git` file."""
    try:
        return os.fsdecode((record / "gitdir").read_bytes()).rstrip("\n")
    except (FileNotFoundError, NotADirectoryError):
        return ""


def reason_of(record: Path) -> str | None:
    """Why the record is locked; None if it is not."""
    try:
        return (record / "locked").read_text(errors="replace").strip()
    except FileNotFoundError:
        return None


def real(path: Path) -> Path:
    """As git writes it: links resolved, also where the last folder is missing."""
    return Path(os.path.realpath(path))


def discard(layout: Layout, path: Path, *, label: str) -> Path | None:
    """Renames `path` into the trash, or beside itself where that is another file system.

    Gives the new place; None if there was nothing. A crash leaves it here or there, whole.
    """
    name = f"{label}-{uuid.uuid4().hex[:8]}"
    layout.trash.mkdir(parents=True, exist_ok=True)
    try:
        target = layout.trash / name
        os.rename(path, target)  # noqa: PTH104  (a clear name for: same file system, one step)
    except FileNotFoundError:
        return None
    except OSError:
        target = path.with_name(f".wtrun-trash-{name}")
        # noted first: a crash then leaves a note without a folder, never the other way round
        (layout.trash / f"{name}.elsewhere").write_bytes(os.fsencode(target))
        path.rename(target)
    return target


def empty_trash(layout: Layout) -> int:
    """Deletes what `discard` put aside, and gives back how many pieces could not be deleted.

    Safe while other processes do the same; meant for the end of a run, as deleting many files
    slows down creating new ones.
    """
    failed = 0
    for piece in sorted(layout.trash.glob("*")):
        note = piece if piece.suffix == ".elsewhere" else None
        try:
            place = piece if note is None else Path(os.fsdecode(note.read_bytes()))
        except FileNotFoundError:
            continue  # another process was faster
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, onerror=_make_writable)
        else:
            place.unlink(missing_ok=True)
        if place.exists():
            failed += 1
        elif note is not None:
            note.unlink(missing_ok=True)
    return failed


def _make_writable(retry: Callable[..., Any], path: str, _: object) -> None:
    """Read-only folders (Go's module cache) keep their files from being deleted; try once more."""
    with contextlib.suppress(OSError):
        for place in (Path(path).parent, Path(path)):
            if not place.is_symlink():
                place.chmod(stat.S_IMODE(place.stat().st_mode) | stat.S_IRWXU)
        if retry is os.unlink or retry is os.rmdir:
            retry(path)
        else:
            shutil.rmtree(path, ignore_errors=True)
