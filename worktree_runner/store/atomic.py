"""Whole files or none: a reader never sees half of one, and a crash leaves the old one.

The temporary file lies beside its target, so the last step is a rename on one file system.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def save_bytes(path: Path, data: bytes, *, durable: bool = True, mode: int | None = None) -> None:
    """Replaces `path` by `data` in one step; with `durable` it also survives a power cut.

    A crash before the rename leaves a `.<name>.*.tmp` file beside the old content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fd, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), 0o644 if mode is None else mode)
            if durable:
                os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)
        raise
    if durable:
        sync_directory(path.parent)


def save_text(path: Path, text: str, *, durable: bool = True, mode: int | None = None) -> None:
    """As `save_bytes`, for text, written as UTF-8."""
    save_bytes(path, text.encode("utf-8", "backslashreplace"), durable=durable, mode=mode)


def sync_directory(path: Path) -> None:
    """Makes a rename in `path` durable; file systems that can't are left alone."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(fd)
    except OSError:
        pass
    finally:
        os.close(fd)
