"""Starts processes, waits for them and ends them; the only place that does.

- `start` hands an attempt to a launcher (launcher.py) in a session of its own. From then on this
  module needs no memory of it: another wtrun process can `observe`, `wait_any` and `stop` it.
- `run` is for short helper commands (editor, setup, gate) that wtrun waits for.
- Every process carries `WTRUN_RUN_ID` and `WTRUN_ATTEMPT` (an attempt's also
  `WTRUN_ATTEMPT_DIR`, its folder); `sweep` ends what carries them and was left behind. A process
  that drops them and survives its launcher is not found; on Linux the launcher adopts orphans,
  so that needs a kill -9 of the launcher.
- Nothing of wtrun's environment is written to disk; a spec holds additions only.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from worktree_runner import attempt_end, launcher, proctable
from worktree_runner.attempts import (
    Exit,
    Exited,
    Handle,
    Lost,
    Mark,
    NotStarted,
    Running,
    Spec,
    State,
    load_exit,
    load_handle,
    observe,
)
from worktree_runner.errors import LockedError, WtrunError
from worktree_runner.supervision import (
    await_start,
    end_rows,
    remember,
    stop,
    stop_all,
    sweep,
    wait_any,
)

__all__ = [
    "Completed", "Exit", "Exited", "Handle", "Lost", "Mark", "NotStarted", "Running", "Spec",
    "State", "await_start", "load_exit", "load_handle", "observe", "run", "start", "start_or_adopt",
    "stop", "stop_all", "sweep", "wait_any",
]  # fmt: skip

START_PATIENCE_S = 60.0
# without /proc the launcher needs psutil, which lies in site-packages
_ISOLATED = ("-I", "-S") if Path("/proc/self/stat").exists() else ("-I",)
MARKS = ("WTRUN_RUN_ID", "WTRUN_ATTEMPT", "WTRUN_ATTEMPT_DIR")


# --- starting --------------------------------------------------------------------------------


def start(spec: Spec, folder: Path) -> Handle:
    """Starts an attempt and returns when `started.json` is on disk.

    One folder is started once, ever: LockedError if a launcher has it or had it. A program that
    does not exist is no error here but an attempt that ended (`Exit.error`). If this process
    dies within this call, the folder is either not started or running on its own.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    environment = {key: value for key, value in os.environ.items() if key not in MARKS}
    with (folder / "launcher.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *_ISOLATED, launcher.__file__, str(folder)],
            cwd="/",
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    with contextlib.ExitStack() as undo:
        undo.callback(process.wait)
        undo.callback(process.terminate)
        answer = _hand_over(process, spec)
        if not answer.startswith(b"started "):
            raise _start_error(answer, spec, folder)
        undo.pop_all()
    remember(folder, process)
    handle = load_handle(folder)
    if handle is None:
        raise WtrunError(f"{folder}/started.json vanished", hint="see 'wtrun status'")
    return handle


def start_or_adopt(spec: Spec, folder: Path) -> Handle:
    """Like `start`; an attempt that a wtrun was starting when it was killed is taken over.

    Its launcher may still be on its way, with or without the lock: one of the two gets the folder.
    """
    while True:
        try:
            return start(spec, folder)
        except LockedError:
            handle = await_start(folder)
            if handle is not None:
                return handle


def _hand_over(process: subprocess.Popen[bytes], spec: Spec) -> bytes:
    """Writes the spec to the launcher and gives back its first line; empty if it died."""
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(spec.as_json()).encode())
            process.stdin.close()
        answer = b""
        until = time.monotonic() + START_PATIENCE_S
        while not answer.endswith(b"\n"):
            ready = select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))[0]
            part = os.read(process.stdout.fileno(), 4096) if ready else b""
            if not part:
                break
            answer += part
        return answer


def _start_error(answer: bytes, spec: Spec, folder: Path) -> WtrunError:
    if answer.startswith(b"refused"):
        return LockedError(f"{spec.mark.attempt} was already started: {folder}")
    why = answer.decode(errors="replace").removeprefix("failed ").strip()
    if not why:
        lines = (folder / "launcher.log").read_text(errors="replace").splitlines()
        why = lines[-1] if lines else "its launcher ended at once"
    return WtrunError(f"{spec.mark.attempt} could not be started: {why}")


# --- helper commands -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Completed:
    """A helper command that ended. `code` is negative for a signal, 127 where it did not start."""

    argv: tuple[str, ...]
    code: int
    out: bytes
    err: bytes
    timed_out: bool
    duration_s: float

    @property
    def ok(self) -> bool:
        return self.code == 0 and not self.timed_out

    def tail(self, lines: int = 20) -> str:
        """The last lines of what it said, standard error last."""
        text = (self.out.rstrip() + b"\n" + self.err).decode(errors="replace").strip()
        return "\n".join(text.splitlines()[-lines:])


def run(
    argv: Sequence[str],
    cwd: Path,
    *,
    mark: Mark | None = None,
    env: Mapping[str, str] | None = None,
    unset: Collection[str] = (),
    input: bytes = b"",
    timeout: float | None = None,
    grace: float = 5.0,
    log: Path | None = None,
    foreground: bool = False,
) -> Completed:
    """Runs a command to its end and ends what it left behind.

    Output goes to files, so a background process that keeps them open holds nobody up. With
    `log` both streams are appended there in order and `out` is its part of the log. A command in
    the foreground has the terminal (editor, shell): nothing is captured or ended, Ctrl-C is its.
    A program that can't be started gives code 127 and the reason in `err`. After a crash of
    wtrun it runs on; `sweep` with its mark ends it.
    """
    began = time.monotonic()
    environment = {key: value for key, value in os.environ.items() if key not in unset}
    environment |= {**(env or {}), **(mark.environment if mark else {})}
    try:
        if foreground:
            code = _in_foreground(argv, cwd, environment)
            return Completed(tuple(argv), code, b"", b"", False, time.monotonic() - began)
        with _streams(log) as (out, err), tempfile.TemporaryFile() as stdin:
            stdin.write(input)
            stdin.seek(0)
            position = out.tell()
            let_through = _keep_back_interrupts()
            try:
                process = subprocess.Popen(
                    argv,
                    cwd=cwd,
                    env=environment,
                    stdin=stdin,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                )
            except BaseException:
                let_through()
                raise
            timed_out = _finish(process, mark, timeout, grace, let_through)
            out.seek(position)
            said = b"" if err is out else _rewound(err)
            code = process.returncode
            return Completed(
                tuple(argv), code, out.read(), said, timed_out, time.monotonic() - began
            )
    except OSError as error:
        reason = f"{error.filename or argv[0]}: {error.strerror}".encode(errors="surrogateescape")
        return Completed(tuple(argv), 127, b"", reason, False, time.monotonic() - began)


@contextlib.contextmanager
def _streams(log: Path | None) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab+") as both:
            both.seek(0, os.SEEK_END)
            yield both, both
    else:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            yield out, err


def _rewound(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _keep_back_interrupts() -> Callable[[], None]:
    """Keeps a Ctrl-C for later: one that comes while a process is being started would leave it
    running with nobody who knows of it. What is given back lets it through."""
    main = threading.current_thread() is threading.main_thread()
    if not main or not callable(signal.getsignal(signal.SIGINT)):
        return lambda: None
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: seen.append(number))

    def let_through() -> None:
        signal.signal(signal.SIGINT, before)
        if seen:
            signal.raise_signal(signal.SIGINT)

    return let_through


def _finish(
    process: subprocess.Popen[bytes],
    mark: Mark | None,
    timeout: float | None,
    grace: float,
    begin: Callable[[], None],
) -> bool:
    """Waits for the command, ends it at the time limit, and its left-overs in any case."""
    patience = grace
    try:
        begin()
        process.wait(timeout)
        patience = attempt_end.LEFTOVER_GRACE_S
        return False
    except subprocess.TimeoutExpired:
        return True
    finally:
        marks = (
            [f"{name}={value}".encode() for name, value in mark.environment.items()] if mark else []
        )

        def living() -> list[proctable.Row]:
            rows = proctable.tree_of(process.pid, process.pid, marks)
            own = proctable.row_of(process.pid) if process.poll() is None else None
            return rows if own is None else [own, *rows]

        end_rows(living, patience)
        process.wait()


def _in_foreground(argv: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> int:
    """Gives the terminal to the command; a Ctrl-C there is meant for it and not for wtrun."""
    main = threading.current_thread() is threading.main_thread()
    # a handler, for an ignored signal would stay ignored in the command
    before = signal.signal(signal.SIGINT, lambda *_: None) if main else None
    try:
        return subprocess.Popen(argv, cwd=cwd, env=environment).wait()
    finally:
        if main:
            signal.signal(signal.SIGINT, before)
