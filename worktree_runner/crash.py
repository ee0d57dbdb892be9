"""What is said when something outside of a command's own checks goes wrong.

- A disk that is full, read-only or not permitted is the machine's business: an error like any
  other, with the path.
- Anything else is a mistake in wtrun. The traceback goes to a file that can be sent along, with
  the versions that matter; the terminal gets one line and the file's path.
- Imported only then, and by nobody but `cli`.
"""

from __future__ import annotations

import errno
import os
import platform
import shlex
import sys
import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from worktree_runner import __version__
from worktree_runner.errors import ExitCode, PreconditionError, WtrunError
from worktree_runner.store.atomic import save_text
from worktree_runner.store.locate import find

_NO_SPACE = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up"}
_NO_SPACE[errno.EFBIG] = "a file would become larger than is allowed here (ulimit -f)"
_FORBIDDEN = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "it lies on a read-only file system",
}
_USED_UP = {
    errno.EMFILE: "too many files are open (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENOMEM: "there is not enough memory",
    errno.EAGAIN: "no further process may be started (ulimit -u)",
}


def explain(error: OSError) -> WtrunError | None:
    """The machine's failure as an error with a hint; None if it may be a mistake of wtrun's."""
    place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    number = error.errno or 0
    if number in _NO_SPACE:
        what = f": {place} could not be written" if place else ""
        folder = shlex.quote(str(_nearest(place)))
        return PreconditionError(
            f"{_NO_SPACE[number]}{what}",
            hint=f"look with 'df -h {folder}', make room, then run the same command again; "
            "what was recorded before is safe",
        )
    if number in _FORBIDDEN:
        hint = "run it as the user who owns these files"
        if place:
            folder = shlex.quote(str(_nearest(place)))
            hint = f"see who may write there: ls -ld {folder}"
            if number == errno.EROFS:
                hint = f"see what is mounted there: df {folder}; work in a copy that can be written"
        return PreconditionError(
            f"{place or 'a file'} can't be used: {_FORBIDDEN[number]}", hint=hint
        )
    if number in _USED_UP:
        return PreconditionError(
            _USED_UP[number], hint="fewer agents at a time need less: -j 1, then run it again"
        )
    return None


def no_folder() -> WtrunError | None:
    """The error for a current folder that was deleted; None if it is there."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return PreconditionError(
            "the current folder does not exist any more", hint="cd into the project, then try again"
        )
    return None


def _nearest(place: str) -> Path:
    """The nearest folder of `place` that exists."""
    path = Path(place) if place else Path()
    return next((folder for folder in (path, *path.parents) if folder.is_dir()), Path())


def report(error: BaseException, argv: Sequence[str]) -> WtrunError:
    """Writes the log of an unexpected error; the message that names it."""
    kind = type(error).__name__
    words = " ".join(str(error).split())
    message = f"wtrun failed in a way that it should not ({kind}{f': {words}' if words else ''})"
    text = _log_text(error, argv)
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}.log"
    for folder in _log_folders():
        try:
            save_text(folder / name, text, durable=False, mode=0o600)
        except OSError:
            continue
        hint = (
            "what was recorded is safe, and the same command goes on from there; "
            f"please send this log with a report: {folder / name}"
        )
        return WtrunError(message, hint=hint, exit_code=ExitCode.INTERNAL)
    return WtrunError(f"{message}\n{text}", exit_code=ExitCode.INTERNAL)


def _log_folders() -> list[Path]:
    """Where a log may go, best place first."""
    folders = []
    try:
        place = find(Path.cwd())
        if place is not None:
            folders.append(place.layout.root / "errors")
    except OSError:
        pass
    return [*folders, Path(tempfile.gettempdir()) / f"wtrun-{os.getuid()}"]


def _log_text(error: BaseException, argv: Sequence[str]) -> str:
    trace = "".join(traceback.format_exception(error))
    head = (
        f"wtrun {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"command: wtrun {shlex.join(argv)}\nmodule: {sys.modules['worktree_runner'].__file__}\n"
    )
    return f"{head}\n{trace}"
