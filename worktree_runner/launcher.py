"""The small program between wtrun and an agent: `python -I -S launcher.py FOLDER`, spec on stdin.

It outlives wtrun. Its rules:

- It takes `FOLDER/lock` and keeps it; the child inherits it. Whoever finds the lock held knows
  that the attempt lives; a second launcher for the same folder is refused.
- Nothing of the agent runs before `started.json` is on disk. A crash earlier leaves no process.
- It holds the deadline by itself, ends the whole tree and writes `exit.json` last: attempt_end.py.

It imports little and nothing but the standard library (no dataclasses, typing or subprocess at
the start): one of it runs for every living agent.
"""

# pathlib costs memory that this program saves
# ruff: noqa: PTH110, PTH118, PTH120
from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import signal
import sys
import time

if __name__ == "__main__":  # started as a file, and isolated: the package is not on the path
    sys.path.append(os.path.dirname(os.path.dirname(__file__)))

from worktree_runner.attempt_end import (
    Outcome,
    Watch,
    marks_of,
    publish,
    publish_exit,
    reserve,
    supervise,
    utc,
)
from worktree_runner.proctable import boot_id, row_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn


def take_lock(folder: str) -> int | None:
    """The held lock, or None if another launcher has this folder or had it.

    An observer holds the lock for a moment without being a launcher, hence the second look.
    """
    fd = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + 2.0
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EINTR):
                raise
        if _was_started(folder) or time.monotonic() > until:
            return None
        time.sleep(0.01)
    return None if _was_started(folder) else fd


def _was_started(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "started.json"))


def main(folder: str) -> int:
    """Runs the attempt of this folder; 0 = it was started, 3 = refused, said on stdout."""
    spec = {**json.load(sys.stdin), "folder": folder}
    lock = take_lock(folder)
    if lock is None:
        return reply("refused", 3)
    os.set_inheritable(lock, True)
    adopt_orphans()
    wakeups = catch_signals()
    go = None
    try:
        reserve(folder, "exit.json")
        child, go, failure = fork_child(spec, folder)
        watch = Watch(child, wakeups)
        signal.signal(signal.SIGTERM, lambda *_: _count_term(watch))
        publish(folder, "started.json", identity(spec, child))
    except OSError as error:
        if go is not None:  # the child sees its pipe close, ends, and lets go of the lock
            os.close(go)
            os.waitpid(child, 0)
        os.close(lock)
        return reply(f"failed {error}", 4)
    os.write(go, b"g")
    os.close(go)
    outcome = Outcome()
    outcome.error = _text_of(failure)
    reply(f"started {os.getpid()} {child}", 0)
    supervise(watch, outcome, spec)
    publish_exit(folder, watch, outcome)
    return 0


def reply(text: str, code: int) -> int:
    """Tells the starter, if it still lives, and lets go of its pipe."""
    with contextlib.suppress(OSError):  # the starter may be gone; the attempt goes on without it
        os.write(1, text.encode() + b"\n")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    return code


def _count_term(watch: Watch) -> None:
    watch.terms += 1


def adopt_orphans() -> None:
    """Makes processes that lose their parent come to the launcher, where the system can (Linux)."""
    if not sys.platform.startswith("linux"):
        return
    try:
        import ctypes

        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    except (ImportError, OSError, AttributeError):
        return  # the marks still find them


def catch_signals() -> int:
    """A file descriptor that becomes readable with each signal of interest."""
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) if hasattr(os, "pipe2") else os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
        os.set_inheritable(end, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    return reader


def identity(spec: Mapping[str, Any], child: int) -> dict[str, Any]:
    """The facts of `started.json`: who runs here, told apart from later processes of that pid."""
    me, row = row_of(os.getpid()), row_of(child)
    return {
        "v": 1,
        "pid": os.getpid(),
        "start_time": me.start if me else "",
        "child": child,
        "child_start_time": row.start if row else "",
        "host": os.uname().nodename,
        "boot_id": boot_id(),
        "at": utc(),
        "argv": spec["argv"],
        "cwd": spec["cwd"],
        "run": spec["run"],
        "attempt": spec["attempt"],
        "marks": marks_of(spec),
        "timeout_s": spec["timeout_s"],
        "grace_s": spec["grace_s"],
    }


def fork_child(spec: Mapping[str, Any], folder: str) -> tuple[int, int, int]:
    """The child's pid, the descriptor that lets it go, and the one that tells why it could not.

    The child waits: if this process dies before it says so, the child ends and runs nothing.
    """
    hold, go = os.pipe()
    failure, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(go)
        become(spec, folder, hold, tell)
    os.close(hold)
    os.close(tell)
    with contextlib.suppress(PermissionError, ProcessLookupError):  # the child did it, or is gone
        os.setpgid(pid, pid)
    return pid, go, failure


def become(spec: Mapping[str, Any], folder: str, hold: int, tell: int) -> NoReturn:
    """Turns this forked child into the agent; on failure writes why to `tell` and ends."""
    place = ""
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for handled in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            if signal.getsignal(handled) not in (signal.SIG_DFL, None):
                signal.signal(handled, signal.SIG_DFL)
        if os.read(hold, 1) != b"g":
            os._exit(127)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        streams = [(0, spec["stdin"] or os.devnull, os.O_RDONLY)]
        streams += [
            (number, os.path.join(folder, spec[name]), flags)
            for number, name in ((1, "stdout"), (2, "stderr"))
        ]
        for number, place, mode in streams:
            fd = os.open(place, mode, 0o600)
            os.dup2(fd, number)
            os.close(fd)
        place = spec["cwd"]
        os.chdir(place)
        place = spec["argv"][0]
        os.execvpe(place, spec["argv"], child_environment(spec))
    except OSError as error:
        os.write(tell, f"{place}: {error.strerror}".encode(errors="surrogateescape"))
    finally:
        os._exit(127)


def child_environment(spec: Mapping[str, Any]) -> dict[str, str]:
    """This process's own environment with the spec's changes and the marks."""
    kept = {key: value for key, value in os.environ.items() if key not in spec["unset"]}
    marks = dict(mark.split("=", 1) for mark in marks_of(spec))
    return {**kept, **spec["env"], **marks}


def _text_of(fd: int) -> str | None:
    """What the child could say before it became the agent; None if it did become it."""
    parts = []
    while part := os.read(fd, 4096):
        parts.append(part)
    os.close(fd)
    return b"".join(parts).decode(errors="replace") or None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
