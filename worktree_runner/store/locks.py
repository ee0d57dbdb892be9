"""Short critical sections between threads and processes.

- `flock` under the hood (filelock), so a lock ends with its holder, whatever ended that.
- The lock file is never deleted: a waiter would hold a lock on a file that nobody else sees.
- Not fair and not re-entrant. Hold it for milliseconds and look at the facts again inside.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worktree_runner.errors import LockedError

POLL_S = 0.005
_threads: dict[Path, threading.Lock] = {}


@contextmanager
def hold(path: Path, timeout: float = 60.0) -> Iterator[None]:
    """Holds the lock at `path`; LockedError if another one keeps it longer than `timeout`."""
    from filelock import FileLock, Timeout  # its import costs more than a small command

    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + timeout
    # threads of this process queue here, which needs no polling
    thread = _threads.setdefault(path, threading.Lock())
    if not thread.acquire(timeout=timeout):
        raise _busy(path, timeout)
    try:
        lock = FileLock(path, timeout=max(0.0, until - time.monotonic()), poll_interval=POLL_S)
        try:
            lock.acquire()
        except Timeout:
            raise _busy(path, timeout) from None
        try:
            yield
        finally:
            lock.release()
    finally:
        thread.release()


def _busy(path: Path, timeout: float) -> LockedError:
    return LockedError(
        f"{path} was busy for {timeout:.0f} s", hint=f"see which process holds it: fuser -v {path}"
    )
