"""Waits for attempts, ends them, and ends what they left behind.

- Waiting costs nothing where the kernel tells when a process ends (pidfd on Linux); elsewhere an
  attempt is looked at every 150 ms.
- Ending is always TERM, a grace time, KILL, over the whole tree, and repeated until none is left:
  a process may fork while it is being ended.
- A signal goes to exactly the process that was looked at, never to a later one of the same pid.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from worktree_runner import attempt_end, proctable
from worktree_runner.attempts import (
    Exited,
    Handle,
    Mark,
    Running,
    State,
    load_handle,
    observe,
    row_of,
)
from worktree_runner.errors import LockedError

POLL_S = 0.15
"""How often an attempt is looked at where the system can't tell when a process ends."""


class HasDescriptor(Protocol):
    def fileno(self) -> int: ...


class Child(Protocol):
    def poll(self) -> int | None: ...


_children: dict[Path, Child] = {}
"""Launchers that are children of this process, by folder, kept only to collect their exit."""


def remember(folder: Path, child: Child) -> None:
    """Has this child's exit collected by a later wait, so that it does not stay as a zombie."""
    collect()
    _children[folder] = child


def collect(ended: Iterable[Path] = ()) -> None:
    """Takes the exits of launchers that are children of this process.

    Those of `ended` attempts have written their last file and are waited for: a moment.
    """
    until = time.monotonic() + 1.0
    for folder in ended:
        child = _children.get(folder.absolute())
        while child is not None and child.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
    for folder, child in list(_children.items()):
        if child.poll() is not None:
            _children.pop(folder, None)


# --- waiting and stopping --------------------------------------------------------------------


def await_start(folder: Path, patience: float = 60.0) -> Handle | None:
    """The handle of an attempt that may just be starting; None if it was never started.

    Waits while a launcher holds the lock and has not yet written down what it runs: a moment,
    unless it was stopped (LockedError after `patience` seconds).
    """
    until = time.monotonic() + patience
    while (handle := load_handle(folder)) is None:
        if not isinstance(observe(folder), Running):
            return load_handle(folder)  # it may have been written between the two looks
        if time.monotonic() > until:
            raise LockedError(
                f"{folder} is held by a launcher that starts nothing.",
                hint=f"end the process that has {folder / 'lock'} open, then try again",
            )
        time.sleep(0.01)
    return handle


class _Watch(threading.local):
    """The open process descriptors of one thread, so that a repeated wait costs one poll."""

    def __init__(self) -> None:
        self.descriptors: dict[Path, int] = {}

    def keep_only(self, folders: Collection[Path]) -> None:
        for folder in [folder for folder in self.descriptors if folder not in folders]:
            os.close(self.descriptors.pop(folder))

    def open(self, folder: Path, state: Running) -> bool:
        """Watches the process of this attempt; False where the system has no such thing."""
        if not hasattr(os, "pidfd_open") or not state.pid:
            return False
        try:
            self.descriptors[folder] = os.pidfd_open(state.pid)
        except OSError:
            return False
        return True


_watch = _Watch()


def wait_any(
    folders: Iterable[Path],
    timeout: float | None = None,
    wake: HasDescriptor | int | threading.Event | None = None,
) -> list[Path]:
    """The folders whose attempt no longer runs; empty after `timeout` or when `wake` is ready.

    Sleeps in the kernel where it can tell when a process ends (Linux). `wake` is read by nobody
    here. A descriptor costs nothing; an Event is looked at every 150 ms.
    """
    wanted = list(dict.fromkeys(folders))
    until = None if timeout is None else time.monotonic() + timeout
    _watch.keep_only(set(wanted))
    polled = isinstance(wake, threading.Event)
    while True:
        ended = []
        blind = polled
        for folder in [folder for folder in wanted if folder not in _watch.descriptors]:
            state = observe(folder)
            if not isinstance(state, Running):
                ended.append(folder)
            elif not _watch.open(folder, state):
                blind = True
        left = None if until is None else max(0.0, until - time.monotonic())
        if ended or (isinstance(wake, threading.Event) and wake.is_set()):
            left = 0.0
        woken = _poll(
            left if not blind else min(POLL_S, left if left is not None else POLL_S), wake
        )
        for folder in [folder for folder in wanted if folder in woken]:
            os.close(_watch.descriptors.pop(folder))
            if not isinstance(observe(folder), Running):
                ended.append(folder)
        if ended or None in woken or left == 0.0:
            collect(ended)
            return ended


def _poll(
    seconds: float | None, wake: HasDescriptor | int | threading.Event | None
) -> set[Path | None]:
    """The watched folders whose process ended meanwhile, and None if `wake` became ready."""
    poll = select.poll()
    sources: dict[int, Path | None] = {fd: path for path, fd in _watch.descriptors.items()}
    if wake is not None and not isinstance(wake, threading.Event):
        sources[wake if isinstance(wake, int) else wake.fileno()] = None
    for fd in sources:
        poll.register(fd, select.POLLIN)
    ready = poll.poll(None if seconds is None else round(seconds * 1000 + 0.5))
    return {sources[fd] for fd, _ in ready}


def stop(folder: Path, grace: float | None = None) -> State:
    """Ends an attempt and its whole tree, and gives back what became of it."""
    return stop_all([folder], grace)[folder]


def stop_all(folders: Iterable[Path], grace: float | None = None) -> dict[Path, State]:
    """Ends attempts at the same time: TERM, then KILL after `grace` seconds (their own if None).

    An attempt whose launcher is gone gets its `exit.json` from here. A crash within this call
    leaves launchers that finish the job.
    """
    states = {folder: observe(folder) for folder in folders}
    running = [folder for folder, state in states.items() if isinstance(state, Running)]
    handles = {folder: handle for folder in running if (handle := load_handle(folder))}
    patience = max((handle.grace_s for handle in handles.values()), default=0.0)
    patience = patience if grace is None else grace
    for waiting in (patience, attempt_end.KILL_PATIENCE_S + 2.0):
        for folder in running:
            _tell_launcher(handles.get(folder), signal.SIGTERM)
        running = _wait_all(running, waiting, handles)
    for folder in running:
        _tell_launcher(handles.get(folder), signal.SIGKILL)
    for folder, handle in handles.items():
        if not isinstance(observe(folder), Exited):
            _end_unsupervised(handle, patience)
    collect(states)
    return {folder: observe(folder) for folder in states}


def _tell_launcher(handle: Handle | None, number: int) -> None:
    row = row_of(handle.pid, handle.start_time) if handle is not None else None
    if row is not None:
        proctable.send(row, number)


def _wait_all(folders: list[Path], seconds: float, handles: Mapping[Path, Handle]) -> list[Path]:
    """Those that still have a living launcher after so many seconds."""
    until = time.monotonic() + seconds
    left = [folder for folder in folders if _is_supervised(folder)]
    while left and time.monotonic() < until:
        wait_any(left, until - time.monotonic())
        left = [folder for folder in left if _is_supervised(folder)]
    return left


def _is_supervised(folder: Path) -> bool:
    state = observe(folder)
    return isinstance(state, Running) and state.supervised


def _end_unsupervised(handle: Handle, grace: float) -> None:
    """Does the launcher's last work where it was killed."""
    began = time.monotonic()
    ended = end_rows(lambda: _rows_of(handle), grace)
    watch = attempt_end.Watch(handle.child, -1)
    watch.counted_s = time.monotonic() - began
    outcome = attempt_end.Outcome()
    outcome.stopped = True
    outcome.error = "its launcher was killed, so its exit status is unknown"
    outcome.ended = sorted(ended)
    attempt_end.publish_exit(str(handle.folder), watch, outcome)


def _rows_of(handle: Handle) -> list[proctable.Row]:
    """Every living process of this attempt, as far as it can be known without its launcher."""
    if handle.boot_id != proctable.boot_id():
        return []
    marks = [mark.encode() for mark in handle.marks]
    root = row_of(handle.child, handle.child_start_time)
    if root is None:
        return _carriers(marks)
    return [root, *proctable.tree_of(handle.child, handle.child, marks)]


# --- what was left behind --------------------------------------------------------------------


def sweep(mark: Mark, *, keep: Collection[str] = (), grace: float = 2.0) -> tuple[int, ...]:
    """Ends every process that carries the mark, and gives back their pids.

    A mark without attempt means the whole run, `keep` names attempts of it to leave alone (those
    that a resume adopts). This process and those above it are never among them.
    """
    wanted = [f"WTRUN_RUN_ID={mark.run}".encode()]
    wanted += [f"WTRUN_ATTEMPT={mark.attempt}".encode()] if mark.attempt else []
    kept = [f"WTRUN_ATTEMPT={attempt}".encode() for attempt in keep]
    return end_rows(lambda: _carriers(wanted, kept), grace)


def living(mark: Mark) -> tuple[int, ...]:
    """The processes that carry the mark (of the whole run if it names no attempt), sorted."""
    wanted = [f"WTRUN_RUN_ID={mark.run}".encode()]
    wanted += [f"WTRUN_ATTEMPT={mark.attempt}".encode()] if mark.attempt else []
    return tuple(sorted(row.pid for row in _carriers(wanted)))


def _carriers(wanted: Sequence[bytes], kept: Sequence[bytes] = ()) -> list[proctable.Row]:
    """The living processes that carry all wanted marks and none of the kept ones."""
    table = proctable.process_table()
    own = set()
    pid = os.getpid()
    while pid in table and pid not in own:
        own.add(pid)
        pid = table[pid].parent
    return [
        row
        for row in table.values()
        if row.pid not in own
        and not row.zombie
        and proctable.carries(row, wanted)
        and not any(proctable.carries(row, [mark]) for mark in kept)
    ]


def await_end(mark: bytes, patience: float) -> tuple[int, ...]:
    """Waits for the end of every process that carries the mark; those that did not end in time."""
    until = time.monotonic() + patience
    pause = 0.02
    while rows := _carriers([mark]):
        if time.monotonic() > until:
            break
        _pause(rows, pause)
        pause = min(pause * 2, 0.5)
    return tuple(sorted(row.pid for row in rows))


def end_rows(find: Callable[[], list[proctable.Row]], grace: float) -> tuple[int, ...]:
    """TERM to all that `find` gives, KILL after `grace`, until it gives none; their pids."""
    began = time.monotonic()
    told: set[tuple[int, str]] = set()
    pause = 0.02
    while rows := find():
        waited = time.monotonic() - began
        if waited > grace + attempt_end.KILL_PATIENCE_S:
            break
        killing = waited >= grace
        fresh = [row for row in rows if (row.pid, row.start) not in told]
        proctable.send_all(
            rows if killing else fresh, signal.SIGKILL if killing else signal.SIGTERM
        )
        told |= {(row.pid, row.start) for row in rows}
        _pause(rows, pause)
        pause = min(pause * 2, 0.2)
    return tuple(sorted(pid for pid, _ in told))


def _pause(rows: Sequence[proctable.Row], seconds: float) -> None:
    """Waits for the end of the first of these processes, at most so long."""
    descriptor = None
    if hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(rows[0].pid)
    select.select([] if descriptor is None else [descriptor], [], [], seconds)
    if descriptor is not None:
        os.close(descriptor)
