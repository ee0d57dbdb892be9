"""How an attempt is watched, how its whole tree is ended, and what is written of its end.

The launcher's part; `supervision` does it where the launcher was killed. Its rules:

- The clock of the deadline does not count time during which the machine sleeps or the launcher
  or the child is stopped.
- TERM asks the whole tree to end, KILL follows after the grace time; a second TERM to the
  launcher means KILL at once. The tree is: the child's process group, everything in this
  session, every descendant (orphans come back to the launcher on Linux), and every process
  whose environment carries the marks. The same happens to what a finished agent left behind.
- `exit.json` appears in one step, last. Its space is taken beforehand, so a full disk can't
  swallow it.

It imports as little as the launcher does, and for the same reason.
"""

# pathlib costs memory that the launcher saves
# ruff: noqa: PTH118
from __future__ import annotations

import json
import os
import select
import signal
import sys
import time

from worktree_runner.proctable import send_all, tree_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

TICK_S = 5.0
"""The longest sleep while a deadline runs; a longer gap means that this program was stopped."""
SLACK_S = 1.0
LEFTOVER_GRACE_S = 2.0
KILL_PATIENCE_S = 10.0
RESERVED_BYTES = 4096


class Watch:
    """What is known about the child; the handler of TERM and `reap` write here."""

    def __init__(self, child: int, wakeups: int) -> None:
        self.child = child
        self.wakeups = wakeups
        self.status: int | None = None
        self.stopped = False
        self.terms = 0
        self.counted_s = 0.0

    def wait(self, seconds: float) -> None:
        """Sleeps until a signal or so long, reaps, and adds to the clock what truly passed."""
        before = time.monotonic()
        paused = self.stopped
        if select.select([self.wakeups], [], [], seconds)[0]:
            os.read(self.wakeups, 4096)
        if not paused:
            self.counted_s += min(time.monotonic() - before, seconds + SLACK_S)
        self.reap()

    def reap(self) -> None:
        """Collects every ended child, also orphans that came to us, so that no zombie stays."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.child:
                if os.WIFSTOPPED(status):
                    self.stopped = True
                elif os.WIFCONTINUED(status):
                    self.stopped = False
                else:
                    self.status = status


class Outcome:
    """Why and how it ended: facts of `exit.json` beside the child's status."""

    def __init__(self) -> None:
        self.timed_out = False
        self.stopped = False
        self.error: str | None = None
        self.ended: list[int] = []
        self.left: list[int] = []


def supervise(watch: Watch, outcome: Outcome, spec: Mapping[str, Any]) -> None:
    """Waits for the child's end, the deadline or a TERM, then ends all that is left of the tree."""
    timeout: float | None = spec["timeout_s"]
    watch.reap()
    while watch.status is None and not watch.terms:
        left = TICK_S if timeout is None else timeout - watch.counted_s
        if left <= 0:
            outcome.timed_out = True
            break
        watch.wait(min(left, TICK_S))
    outcome.stopped = watch.terms > 0
    asked = outcome.timed_out or outcome.stopped
    marks = [mark.encode() for mark in marks_of(spec)]
    end_tree(watch, outcome, marks, spec["grace_s"] if asked else LEFTOVER_GRACE_S)


def end_tree(watch: Watch, outcome: Outcome, marks: list[bytes], grace: float) -> None:
    """TERM to all, KILL to all after `grace`; what even KILL does not end is listed as left."""
    began = time.monotonic()
    told: set[tuple[int, str]] = set()
    pause = 0.02
    while True:
        watch.reap()
        rows = tree_of(os.getpid(), watch.child, marks)
        if not rows:
            watch.reap()
            return
        waited = time.monotonic() - began
        if waited > grace + KILL_PATIENCE_S:
            outcome.left = sorted(row.pid for row in rows)
            return
        killing = waited >= grace or watch.terms > 1
        fresh = [row for row in rows if (row.pid, row.start) not in told]
        send_all(rows if killing else fresh, signal.SIGKILL if killing else signal.SIGTERM)
        told |= {(row.pid, row.start) for row in fresh}
        outcome.ended = sorted({pid for pid, _ in told} - {watch.child})
        watch.wait(min(pause, max(0.01, grace - waited) if not killing else pause))
        pause = min(pause * 2, 0.2)


def publish_exit(folder: str, watch: Watch, outcome: Outcome) -> None:
    """Writes `exit.json`; on a disk that can't take it, tries for a while before giving up."""
    status = watch.status
    code = os.waitstatus_to_exitcode(status) if status is not None else None
    facts = {
        "v": 1,
        "code": code if code is None or code >= 0 else None,
        "signal": -code if code is not None and code < 0 else None,
        "timed_out": outcome.timed_out,
        "stopped": outcome.stopped,
        "error": outcome.error,
        "ended": outcome.ended,
        "left": outcome.left,
        "at": utc(),
        "duration_s": round(watch.counted_s, 3),
    }
    for _ in range(60):
        try:
            publish(folder, "exit.json", facts)
            return
        except OSError as error:
            print(f"exit.json: {error}", file=sys.stderr, flush=True)  # noqa: T201
            time.sleep(1.0)


def marks_of(spec: Mapping[str, Any]) -> list[str]:
    """What every process of this attempt has in its environment, and no other one."""
    return [
        f"WTRUN_RUN_ID={spec['run']}",
        f"WTRUN_ATTEMPT={spec['attempt']}",
        f"WTRUN_ATTEMPT_DIR={spec['folder']}",
    ]


def publish(folder: str, name: str, value: Mapping[str, Any]) -> None:
    """Makes `FOLDER/NAME` appear whole, over space that `reserve` took if it did."""
    part = os.path.join(folder, f"{name}.part")
    data = json.dumps(value).encode()
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # padded with spaces, which JSON allows, so that old bytes are gone without a truncation
        os.pwrite(fd, data + b" " * max(0, RESERVED_BYTES - len(data) - 1) + b"\n", 0)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(part, os.path.join(folder, name))
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    except OSError:
        pass  # some file systems can't; the rename itself has happened
    finally:
        os.close(directory)


def reserve(folder: str, name: str) -> None:
    """Takes the space for a later `publish` of this name."""
    fd = os.open(
        os.path.join(folder, f"{name}.part"),
        os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC,
        0o600,
    )
    try:
        os.pwrite(fd, b" " * RESERVED_BYTES, 0)
        os.fsync(fd)
    finally:
        os.close(fd)


def utc() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
