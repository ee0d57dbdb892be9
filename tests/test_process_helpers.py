"""Short helper commands, the sweep, and the process table they rest on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import MARK, eventually, lives, read_pid, shell
from worktree_runner import proctable
from worktree_runner.process import Mark, Running, observe, run, start, stop, sweep

SH = ("/bin/sh", "-c")


def test_a_helper_gives_its_output_and_code(tmp_path: Path) -> None:
    done = run((*SH, 'cat; echo "$A-$B" >&2; pwd; exit 3'), tmp_path, env={"A": "a"}, input=b"in\n")
    assert (done.code, done.ok, done.timed_out) == (3, False, False)
    assert done.out == f"in\n{tmp_path}\n".encode()
    assert done.err == b"a-\n"
    assert done.tail(2) == f"{tmp_path}\na-"


def test_a_helper_that_does_not_exist_gives_the_reason(tmp_path: Path) -> None:
    done = run(("no-such-program",), tmp_path)
    assert (done.code, done.err) == (127, b"no-such-program: No such file or directory")
    assert b"nowhere" in run(("true",), tmp_path / "nowhere").err


def test_a_helper_past_its_time_is_ended_with_its_children(tmp_path: Path) -> None:
    text = "sh -c 'echo $$ > pid; sleep 600' & wait"
    done = run((*SH, text), tmp_path, timeout=0.5)
    assert done.timed_out
    assert not done.ok
    assert done.code == -signal.SIGTERM
    assert not lives(read_pid(tmp_path / "pid"))


def test_a_background_process_with_the_output_open_holds_nobody_up(tmp_path: Path) -> None:
    mark = Mark(f"run-{uuid.uuid4()}", "gate")
    began = time.monotonic()
    done = run((*SH, "setsid sleep 600 & echo $! > pid; echo said"), tmp_path, mark=mark)
    assert done.out == b"said\n"
    assert time.monotonic() - began < 60
    assert not lives(read_pid(tmp_path / "pid"))


def test_a_log_is_appended_to_and_its_new_part_given_back(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "setup.log"
    run((*SH, "echo one"), tmp_path, log=log)
    done = run((*SH, "echo two; echo three >&2"), tmp_path, log=log)
    assert (done.out, done.err) == (b"two\nthree\n", b"")
    assert log.read_text() == "one\ntwo\nthree\n"


def test_ctrl_c_during_a_helper_ends_it_and_reaches_the_caller(tmp_path: Path) -> None:
    def interrupt() -> None:
        read_pid(tmp_path / "pid")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run((*SH, "echo $$ > pid; sleep 600"), tmp_path)
    thread.join()
    assert not lives(read_pid(tmp_path / "pid"))


def test_ctrl_c_while_a_helper_is_being_started_ends_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = subprocess.Popen

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        made = start(*args, **kwargs)
        read_pid(tmp_path / "pid")
        os.kill(os.getpid(), signal.SIGINT)
        return made

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run((*SH, "echo $$ > pid; sleep 600"), tmp_path)
    assert not lives(read_pid(tmp_path / "pid"))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_during_a_foreground_command_is_the_commands(tmp_path: Path) -> None:
    text = "import os, signal; os.kill(os.getppid(), signal.SIGINT); os.kill(os.getpid(), 2)"
    done = run((sys.executable, "-c", text), tmp_path, foreground=True)
    assert done.code in (-signal.SIGINT, 130, 1)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_sweep_ends_exactly_what_carries_the_mark(tmp_path: Path) -> None:
    one = subprocess.Popen(("sleep", "600"), env={**os.environ, **MARK.environment})
    other = Mark(MARK.run, "03-02-a1")
    two = subprocess.Popen(("sleep", "600"), env={**os.environ, **other.environment})
    foreign = Mark(f"run-{uuid.uuid4()}", MARK.attempt)
    three = subprocess.Popen(("sleep", "600"), env={**os.environ, **foreign.environment})
    try:
        eventually(lambda: all(carries(process.pid) for process in (one, two, three)))
        assert sweep(MARK) == (one.pid,)
        assert sweep(Mark(MARK.run), keep=[other.attempt]) == ()
        assert lives(two.pid)
        assert sweep(Mark(MARK.run)) == (two.pid,)
        assert lives(three.pid)
    finally:
        for process in (one, two, three):
            process.kill()
            process.wait()


def carries(pid: int) -> bool:
    row = proctable.row_of(pid)
    return row is not None and proctable.carries(row, []) and b"sleep" in command(pid)


def command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_sweep_never_ends_itself_or_what_it_was_started_from(tmp_path: Path) -> None:
    mark = Mark(f"run-{uuid.uuid4()}", "03-01-a1")
    text = (
        "from worktree_runner.process import Mark, sweep; import sys;"
        "print(sweep(Mark(sys.argv[1], sys.argv[2])))"
    )
    place = Path(__file__).parent.parent
    # the shell carries the mark as well, and must live to print the second line
    argv = (*SH, '"$@"; echo still here', "sh", sys.executable, "-c", text, mark.run, mark.attempt)
    done = subprocess.run(
        argv, cwd=place, env={**os.environ, **mark.environment}, capture_output=True, check=True
    )
    assert done.stdout == b"()\nstill here\n"


def test_sweep_of_an_attempt_leaves_its_launcher_to_report(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    handle = start(shell("exec sleep 600", tmp_path), folder)
    assert handle.child in sweep(MARK)
    eventually(lambda: not isinstance(observe(folder), Running))
    stop(folder)
    assert (folder / "exit.json").exists()


def test_psutil_gives_the_same_table_as_proc() -> None:
    process = subprocess.Popen(
        ("sleep", "600"), env={**os.environ, **MARK.environment}, start_new_session=True
    )
    try:
        eventually(lambda: carries(process.pid))
        rows = {row.pid: row for row in proctable._rows_of_psutil()}
        row, same = rows[process.pid], proctable.row_of(process.pid)
        assert same is not None
        for name in ("parent", "group", "session", "zombie"):
            assert getattr(row, name) == getattr(same, name)
        marks = [f"{name}={value}".encode() for name, value in MARK.environment.items()]
        assert proctable.carries(row, marks)
        assert not proctable.carries(row, [b"WTRUN_ATTEMPT=another"])
        (alone,) = proctable._rows_of_psutil([process.pid])
        assert (alone.pid, alone.start) == (row.pid, row.start)
    finally:
        process.kill()
        process.wait()


def test_a_name_with_parentheses_and_spaces_does_not_confuse_the_table(tmp_path: Path) -> None:
    odd = tmp_path / "a) R 1 1 (b"
    odd.symlink_to("/bin/sleep")
    process = subprocess.Popen((str(odd), "600"))
    try:
        row = proctable.row_of(process.pid)
        assert row is not None
        assert row.parent == os.getpid()
    finally:
        process.kill()
        process.wait()


def test_a_signal_never_reaches_a_later_process_of_the_same_pid() -> None:
    process = subprocess.Popen(("sleep", "600"))
    row = proctable.row_of(process.pid)
    assert row is not None
    row.start = "an earlier one"
    proctable.send(row, signal.SIGKILL)
    process.terminate()
    assert process.wait() == -signal.SIGTERM  # the earlier KILL would have been first
