"""One `wtrun execute` at a time on a repository, and a name for the one that is at work.

- The lock is the kernel's: it is free the moment its process is gone, however that happened.
- Who holds it stands in a file beside it, written after the lock was taken; the lock file
  itself is never deleted.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime

from filelock import FileLock, Timeout

from worktree_runner.errors import LockedError
from worktree_runner.store.atomic import save_text
from worktree_runner.store.paths import Layout


@contextlib.contextmanager
def run_lock(layout: Layout, doing: str, *, meanwhile: str = "wtrun status") -> Iterator[None]:
    """Holds the run lock; LockedError names the holder if another process has it, and what can
    be done `meanwhile`."""
    layout.root.mkdir(parents=True, exist_ok=True)
    owner = layout.run_lock.with_suffix(".owner.json")
    lock = FileLock(layout.run_lock, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise LockedError(
            f"Another wtrun is at work on this repository: {_holder(layout)}.",
            hint=meanwhile,
        ) from error
    try:
        facts = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
            "doing": doing,
        }
        save_text(owner, json.dumps(facts), durable=False)
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def is_locked(layout: Layout) -> bool:
    """Whether a wtrun process is at work on the repository now."""
    if not layout.run_lock.exists():
        return False
    lock = FileLock(layout.run_lock, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    lock.release()
    return False


def _holder(layout: Layout) -> str:
    """The holder in words, as far as its file tells."""
    try:
        facts = json.loads(layout.run_lock.with_suffix(".owner.json").read_bytes())
        return (
            f"'{facts['doing']}', process {facts['pid']} on {facts['host']} since {facts['since']}"
        )
    except (OSError, ValueError, KeyError):
        return "a process that has only just begun or ended"
