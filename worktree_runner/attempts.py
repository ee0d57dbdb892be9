"""What the folder of an attempt says about it: values, and whether it lives.

Everything about an attempt is on disk in its folder, so any wtrun process can tell:

- `lock` is held by its launcher and whatever inherited it.
- `started.json` says who runs it (pid, start time, boot, host), before anything of it runs.
- `exit.json` says how it ended, and appears last.
- `stdout.log`, `stderr.log` hold its output, `launcher.log` what the launcher had to say.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from worktree_runner import proctable
from worktree_runner.errors import WtrunError


@dataclass(frozen=True, slots=True)
class Mark:
    """What a process is for, as its environment says. Run ids differ on the whole machine.

    Where processes are sought, an empty `attempt` stands for every attempt of the run.
    """

    run: str
    attempt: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return {"WTRUN_RUN_ID": self.run, "WTRUN_ATTEMPT": self.attempt}


@dataclass(frozen=True, slots=True)
class Spec:
    """One attempt as plain values.

    The child's environment is this process's own, without `unset`, with `env` and the marks.
    `stdin` is a file, or None for nothing. `timeout_s` counts only time in which it could run.
    """

    argv: tuple[str, ...]
    cwd: Path
    mark: Mark
    env: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    stdin: Path | None = None
    stdout: str = "stdout.log"
    stderr: str = "stderr.log"
    timeout_s: float | None = None
    grace_s: float = 10.0

    def as_json(self) -> dict[str, Any]:
        return {
            "argv": list(self.argv),
            "cwd": str(self.cwd),
            "run": self.mark.run,
            "attempt": self.mark.attempt,
            "env": dict(self.env),
            "unset": list(self.unset),
            "stdin": None if self.stdin is None else str(self.stdin),
            "stdout": self.stdout,
            "stderr": self.stderr,
            "timeout_s": self.timeout_s,
            "grace_s": self.grace_s,
        }


@dataclass(frozen=True, slots=True)
class Handle:
    """A started attempt, as its launcher wrote it down."""

    folder: Path
    pid: int
    start_time: str
    child: int
    child_start_time: str
    boot_id: str
    marks: tuple[str, ...]
    """`NAME=value` of the environment of all its processes, and of no other one."""
    grace_s: float


@dataclass(frozen=True, slots=True)
class Exit:
    """How an attempt ended: `code`, or `signal`, or `error` where it could not be started.

    `ended` are further processes of it that had to be ended, `left` those that would not end.
    """

    code: int | None
    signal: int | None
    timed_out: bool
    stopped: bool
    at: str
    duration_s: float
    error: str | None = None
    ended: tuple[int, ...] = ()
    left: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NotStarted:
    """No launcher ever got this folder: it may be started."""


@dataclass(frozen=True, slots=True)
class Running:
    """It lives. `pid` is the launcher's, or the agent's own where the launcher was killed."""

    pid: int
    start_time: str
    supervised: bool = True
    """False: nobody enforces the deadline or will know the exit status."""


@dataclass(frozen=True, slots=True)
class Exited:
    exit: Exit


@dataclass(frozen=True, slots=True)
class Lost:
    """It was started, it is gone, and how it ended is unknown (the machine or launcher died)."""


State = NotStarted | Running | Exited | Lost


def load_handle(folder: Path) -> Handle | None:
    """What `started.json` says; None if the attempt was never started."""
    facts = _load(folder / "started.json")
    if facts is None:
        return None
    return Handle(
        folder=folder,
        pid=facts["pid"],
        start_time=facts["start_time"],
        child=facts["child"],
        child_start_time=facts["child_start_time"],
        boot_id=facts["boot_id"],
        marks=tuple(facts["marks"]),
        grace_s=facts["grace_s"],
    )


def load_exit(folder: Path) -> Exit | None:
    """What `exit.json` says; None while there is none."""
    facts = _load(folder / "exit.json")
    if facts is None:
        return None
    return Exit(
        code=facts["code"],
        signal=facts["signal"],
        timed_out=facts["timed_out"],
        stopped=facts["stopped"],
        at=facts["at"],
        duration_s=facts["duration_s"],
        error=facts["error"],
        ended=tuple(facts["ended"]),
        left=tuple(facts["left"]),
    )


def _load(file: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise WtrunError(
            f"{file} is damaged: {error}", hint=f"look at it, then remove {file}"
        ) from error
    return dict(value)


def observe(folder: Path) -> State:
    """What is true of the attempt now, whoever started it. Never waits.

    Identity (boot, pid, start time) decides; the lock decides in the moment before
    `started.json` and where the pids belong to another container.
    """
    exited = load_exit(folder)
    if exited is None:
        held = _lock_is_held(folder)
        handle = load_handle(folder)
        if handle is None:
            return Running(0, "") if held else NotStarted()
        state = _living(handle, held)
        if state is not None:
            return state
        exited = load_exit(folder)  # it may have ended since the first look
    return Lost() if exited is None else Exited(exited)


def _lock_is_held(folder: Path) -> bool:
    try:
        fd = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _living(handle: Handle, held: bool) -> Running | None:
    """The launcher if it lives, else the agent if that does; strays alone don't count."""
    if handle.boot_id != proctable.boot_id():
        return Running(handle.pid, handle.start_time) if held else None
    if row_of(handle.pid, handle.start_time) is not None:
        return Running(handle.pid, handle.start_time)
    if row_of(handle.child, handle.child_start_time) is not None:
        return Running(handle.child, handle.child_start_time, supervised=False)
    return None


def row_of(pid: int, start_time: str) -> proctable.Row | None:
    """Exactly this process, if it lives."""
    row = proctable.row_of(pid)
    return row if row is not None and row.start == start_time else None
