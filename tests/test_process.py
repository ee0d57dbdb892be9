"""Attempts and their launcher, with real processes."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.processes import (
    MARK,
    eventually,
    lives,
    python,
    read_pid,
    shell,
    zombies,
)
from worktree_runner import attempt_end, launcher, proctable
from worktree_runner.errors import LockedError, WtrunError
from worktree_runner.process import (
    Exit,
    Exited,
    Lost,
    NotStarted,
    Running,
    load_handle,
    observe,
    start,
    stop,
    stop_all,
    wait_any,
)

IGNORE_TERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
FOR_EVER = "print('up', flush=True)\nwhile True: time.sleep(60)"


def ended(folder: Path) -> Exit:
    """How the attempt ended; fails if it does not."""
    assert wait_any([folder], 60) == [folder]
    state = observe(folder)
    assert isinstance(state, Exited), state
    return state.exit


def wait_for_output(folder: Path, text: str = "up") -> None:
    log = folder / "stdout.log"
    eventually(lambda: log.exists() and text in log.read_text())


def kill(pid: int) -> None:
    """kill -9, and waits until the process is truly gone (as a zombie it is)."""
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not lives(pid))


def test_an_attempt_leaves_its_output_and_exit_code_in_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    handle = start(shell("echo out; echo err >&2; exit 7", tmp_path), folder)
    exit = ended(folder)
    assert (exit.code, exit.signal, exit.timed_out, exit.stopped) == (7, None, False, False)
    assert (folder / "stdout.log").read_text() == "out\n"
    assert (folder / "stderr.log").read_text() == "err\n"
    assert load_handle(folder) == handle
    assert (folder / "launcher.log").read_text() == ""


def test_the_child_sees_wtruns_environment_with_the_changes_and_the_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEPT", "k")
    monkeypatch.setenv("DROPPED", "d")
    text = 'echo "$KEPT-$DROPPED-$ADDED-$(pwd)"; env | grep ^WTRUN_ | sort'
    start(shell(text, tmp_path, env={"ADDED": "a"}, unset=("DROPPED",)), tmp_path / "a1")
    ended(tmp_path / "a1")
    assert (tmp_path / "a1" / "stdout.log").read_text().splitlines() == [
        f"k--a-{tmp_path}",
        f"WTRUN_ATTEMPT={MARK.attempt}",
        f"WTRUN_ATTEMPT_DIR={tmp_path / 'a1'}",
        f"WTRUN_RUN_ID={MARK.run}",
    ]


def test_no_environment_value_reaches_the_disk_and_others_may_not_read_the_files(
    tmp_path: Path,
) -> None:
    start(shell("true", tmp_path, env={"API_KEY": "hush-hush"}), tmp_path / "a1")
    ended(tmp_path / "a1")
    files = [file for file in (tmp_path / "a1").iterdir() if file.name != "launcher.log"]
    assert {"started.json", "exit.json", "stdout.log"} <= {file.name for file in files}
    assert not any(b"hush" in file.read_bytes() for file in files)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_stdin_is_the_given_file_and_else_empty(tmp_path: Path) -> None:
    prompt = tmp_path / "prompt"
    prompt.write_text("x" * 300_000)
    start(shell("wc -c", tmp_path, stdin=prompt), tmp_path / "a1")
    start(shell("wc -c", tmp_path), tmp_path / "a2")
    ended(tmp_path / "a1")
    ended(tmp_path / "a2")
    assert (tmp_path / "a1" / "stdout.log").read_text().strip() == "300000"
    assert (tmp_path / "a2" / "stdout.log").read_text().strip() == "0"


def test_signals_that_python_ignores_are_as_usual_in_the_child(tmp_path: Path) -> None:
    start(shell("grep SigIgn /proc/self/status", tmp_path), tmp_path / "a1")
    ended(tmp_path / "a1")
    assert (tmp_path / "a1" / "stdout.log").read_text().split()[1] == "0" * 16


@pytest.mark.parametrize("argv", [("no-such-program",), ("./not-executable",)])
def test_a_program_that_cannot_be_started_is_an_attempt_that_ended(
    tmp_path: Path, argv: tuple[str, ...]
) -> None:
    (tmp_path / "not-executable").write_text("")
    spec = shell("", tmp_path)
    start(type(spec)(argv=argv, cwd=tmp_path, mark=MARK), tmp_path / "a1")
    exit = ended(tmp_path / "a1")
    assert exit.code == 127
    assert exit.error is not None
    assert exit.error.startswith(argv[0])


def test_a_missing_working_directory_is_named(tmp_path: Path) -> None:
    start(shell("true", tmp_path / "nowhere"), tmp_path / "a1")
    assert str(tmp_path / "nowhere") in (ended(tmp_path / "a1").error or "")


def test_a_second_start_of_the_same_folder_is_refused_even_after_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    start(shell("echo once >> proof", tmp_path), folder)
    ended(folder)
    with pytest.raises(LockedError, match="03-01-a1 was already started"):
        start(shell("echo once >> proof", tmp_path), folder)
    assert (tmp_path / "proof").read_text() == "once\n"
    assert zombies() == []


def test_of_many_starters_at_once_exactly_one_gets_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    barrier = threading.Barrier(6)
    results: list[str] = []

    def starter() -> None:
        barrier.wait()
        try:
            start(shell("echo once >> proof; sleep 1", tmp_path), folder)
            results.append("started")
        except LockedError:
            results.append("refused")

    threads = [threading.Thread(target=starter) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["refused"] * 5 + ["started"]
    ended(folder)
    assert (tmp_path / "proof").read_text() == "once\n"


def test_nothing_runs_if_the_start_cannot_be_written_down(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    (folder / "started.json.part").mkdir(parents=True)
    with pytest.raises(WtrunError, match=r"could not be started: .*started\.json"):
        start(shell("touch proof", tmp_path), folder)
    assert not (tmp_path / "proof").exists()
    assert observe(folder) == NotStarted()
    assert zombies() == []


def test_a_starter_that_dies_before_the_spec_is_whole_starts_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    folder.mkdir()
    process = subprocess.run(
        [sys.executable, "-I", "-S", launcher.__file__, str(folder)],
        input=b'{"argv": ["/bin/sh", "-c", "touch proof"], "cw',
        capture_output=True,
        check=False,
    )
    assert process.returncode != 0
    assert observe(folder) == NotStarted()
    start(shell("true", tmp_path), folder)
    assert ended(folder).code == 0


STARTER = """
import sys, os
from pathlib import Path
from worktree_runner.process import Mark, Spec, start
place = Path(sys.argv[1])
timeout = float(sys.argv[3]) if sys.argv[3] else None
spec = Spec(argv=("/bin/sh", "-c", sys.argv[2]), cwd=place, mark=Mark("run-1", "03-01-a1"),
            timeout_s=timeout)
start(spec, place / "a1")
os.kill(os.getpid(), 9)
"""


def start_and_die(place: Path, text: str, timeout: str = "") -> None:
    """Has another wtrun process start the attempt, and kill -9 itself."""
    argv = [sys.executable, "-c", STARTER, str(place), text, timeout]
    done = subprocess.run(argv, cwd=Path(__file__).parent.parent, check=False)
    assert done.returncode == -signal.SIGKILL


def test_an_attempt_outlives_wtrun_and_its_exit_status_is_not_lost(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    start_and_die(tmp_path, "cat gate > got; exit 9")
    state = observe(tmp_path / "a1")
    assert isinstance(state, Running)
    assert state.supervised
    (tmp_path / "gate").write_text("go on")
    assert ended(tmp_path / "a1").code == 9
    assert (tmp_path / "got").read_text() == "go on"


def test_the_deadline_holds_without_wtrun(tmp_path: Path) -> None:
    start_and_die(tmp_path, "echo $$ > pid; sleep 600", "0.5")
    exit = ended(tmp_path / "a1")
    assert exit.timed_out
    assert exit.signal == signal.SIGTERM
    assert not lives(read_pid(tmp_path / "pid"))


def test_a_child_that_ignores_term_is_killed_after_the_grace_time(tmp_path: Path) -> None:
    spec = python(IGNORE_TERM + FOR_EVER, tmp_path, timeout_s=0.5, grace_s=0.2)
    start(spec, tmp_path / "a1")
    exit = ended(tmp_path / "a1")
    assert (exit.timed_out, exit.signal, exit.left) == (True, signal.SIGKILL, ())


def test_time_while_the_child_is_stopped_does_not_count(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    handle = start(shell("exec sleep 600", tmp_path, timeout_s=1.0, grace_s=0.2), folder)
    os.kill(handle.child, signal.SIGSTOP)
    assert wait_any([folder], 2.0) == []
    os.kill(handle.child, signal.SIGCONT)
    assert ended(folder).timed_out


def test_a_gap_in_which_the_launcher_did_not_run_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader, writer = os.pipe()
    watch = attempt_end.Watch(child=0, wakeups=reader)
    now = iter([100.0, 100.0 + 3600.0])
    monkeypatch.setattr(attempt_end.time, "monotonic", lambda: next(now))
    watch.wait(0.0)
    assert watch.counted_s <= attempt_end.SLACK_S
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("how", ["setsid sleep 600", "env -i /usr/bin/setsid sleep 600"])
def test_what_a_finished_agent_leaves_behind_is_ended(tmp_path: Path, how: str) -> None:
    """Also what left the group and session and, with the launcher alive, dropped the marks."""
    folder = tmp_path / "a1"
    start(shell(f"{how} & echo $! > pid; exit 0", tmp_path), folder)
    exit = ended(folder)
    stray = read_pid(tmp_path / "pid")
    assert exit.code == 0
    assert exit.ended == (stray,)
    assert not lives(stray)


def test_a_stray_that_ignores_term_is_killed(tmp_path: Path, monkeypatch: object) -> None:
    folder = tmp_path / "a1"
    program = (
        IGNORE_TERM
        + "open('pid', 'w').write(f'{__import__(\"os\").getpid()}\\n');"
        + ("time.sleep(600)")
    )
    (tmp_path / "stray.py").write_text(program)
    text = f"setsid {sys.executable} -I -S stray.py & while [ ! -s pid ]; do sleep 0.05; done"
    start(shell(text, tmp_path), folder)
    exit = ended(folder)
    assert exit.left == ()
    assert not lives(read_pid(tmp_path / "pid"))


def test_stop_lets_the_agent_end_by_itself_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    start(
        shell("trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.1; done", tmp_path),
        folder,
    )
    wait_for_output(folder)
    state = stop(folder)
    assert isinstance(state, Exited)
    assert (state.exit.code, state.exit.stopped, state.exit.timed_out) == (3, True, False)
    assert (folder / "stdout.log").read_text() == "up\nbye\n"
    assert stop(folder) == state


def test_stop_wakes_a_stopped_agent_to_end_it(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    handle = start(shell("exec sleep 600", tmp_path), folder)
    os.kill(handle.child, signal.SIGSTOP)
    state = stop(folder)
    assert isinstance(state, Exited)
    assert state.exit.signal == signal.SIGTERM


def test_stop_all_kills_together_what_does_not_listen(tmp_path: Path) -> None:
    folders = [tmp_path / f"a{n}" for n in range(4)]
    for folder in folders:
        start(python(IGNORE_TERM + FOR_EVER, tmp_path, grace_s=600), folder)
    for folder in folders:
        wait_for_output(folder)
    states = stop_all(folders, grace=0.2)
    assert [state.exit.signal for state in states.values() if isinstance(state, Exited)] == [9] * 4
    assert zombies() == []


def test_an_agent_whose_launcher_was_killed_is_seen_and_stopped(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    handle = start(shell("setsid sleep 600 & echo $! > pid; sleep 600", tmp_path), folder)
    stray = read_pid(tmp_path / "pid")
    kill(handle.pid)
    assert observe(folder) == Running(handle.child, handle.child_start_time, supervised=False)
    state = stop(folder)
    assert isinstance(state, Exited)
    assert state.exit.stopped
    assert state.exit.code is None
    assert "launcher was killed" in (state.exit.error or "")
    assert not lives(handle.child)
    assert not lives(stray)


def test_wait_goes_on_for_an_agent_whose_launcher_is_killed_meanwhile(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    folder = tmp_path / "a1"
    handle = start(shell("cat gate", tmp_path), folder)
    assert wait_any([folder], 0) == []
    kill(handle.pid)
    assert wait_any([folder], 0.3) == []
    (tmp_path / "gate").write_text("")
    assert wait_any([folder], 30) == [folder]
    assert observe(folder) == Lost()


def test_an_attempt_without_launcher_and_agent_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    handle = start(shell("exec sleep 600", tmp_path), folder)
    kill(handle.pid)
    kill(handle.child)
    assert wait_any([folder], 30) == [folder]
    assert observe(folder) == Lost()
    assert zombies() == []


def test_another_process_with_the_pid_of_the_attempt_is_not_taken_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    start(shell("true", tmp_path), folder)
    ended(folder)
    facts = json.loads((folder / "started.json").read_text())
    (folder / "exit.json").unlink()
    (folder / "started.json").write_text(json.dumps({**facts, "pid": os.getpid(), "child": 1}))
    assert observe(folder) == Lost()
    assert stop(folder) == Lost()


def test_after_a_reboot_a_process_with_the_same_pid_and_start_is_not_it(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    handle = start(shell("true", tmp_path), folder)
    ended(folder)
    (folder / "exit.json").unlink()
    me = proctable.row_of(os.getpid())
    assert me is not None
    facts = json.loads((folder / "started.json").read_text())
    facts |= {"pid": me.pid, "start_time": me.start, "boot_id": "an earlier boot"}
    (folder / "started.json").write_text(json.dumps(facts))
    assert handle.boot_id == proctable.boot_id()
    assert observe(folder) == Lost()


def test_where_pids_mean_nothing_the_inherited_lock_tells_that_the_agent_lives(
    tmp_path: Path,
) -> None:
    """As seen from another container: only the lock file is common."""
    folder = tmp_path / "a1"
    handle = start(shell("exec sleep 600", tmp_path), folder)
    kill(handle.pid)
    facts = (folder / "started.json").read_text()
    elsewhere = json.dumps({**json.loads(facts), "boot_id": "another container"})
    (folder / "started.json").write_text(elsewhere)
    assert isinstance(observe(folder), Running)
    kill(handle.child)
    assert observe(folder) == Lost()


def test_an_empty_or_missing_folder_is_not_started(tmp_path: Path) -> None:
    assert observe(tmp_path / "nowhere") == NotStarted()
    assert wait_any([tmp_path / "nowhere"]) == [tmp_path / "nowhere"]


def test_wait_gives_what_ended_and_leaves_no_zombie(tmp_path: Path) -> None:
    folders = [tmp_path / f"a{n}" for n in range(5)]
    os.mkfifo(tmp_path / "gate")
    start(shell("cat gate", tmp_path), folders[0])
    for folder in folders[1:]:
        start(shell("true", tmp_path), folder)
    waiting = set(folders)
    while len(waiting) > 1:
        gone = wait_any(waiting, 30)
        assert gone
        waiting -= set(gone)
    assert waiting == {folders[0]}
    assert zombies() == []
    (tmp_path / "gate").write_text("")
    assert wait_any(waiting, 30) == [folders[0]]
    assert zombies() == []


def test_wait_ends_at_once_when_woken(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    start(shell("exec sleep 600", tmp_path), folder)
    reader, writer = os.pipe()
    os.write(writer, b"x")
    assert wait_any([folder], 600, reader) == []
    event = threading.Event()
    event.set()
    assert wait_any([folder], 600, event) == []
    assert wait_any([folder], 0) == []
    stop(folder)
    os.close(reader)
    os.close(writer)


def test_wait_works_where_the_system_cannot_tell_when_a_process_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    folder = tmp_path / "a1"
    start(shell("sleep 0.3; exit 4", tmp_path), folder)
    assert ended(folder).code == 4


def test_a_full_disk_cannot_swallow_the_exit_status(tmp_path: Path) -> None:
    """The space for it is taken at the start and overwritten in place."""
    os.mkfifo(tmp_path / "gate")
    folder = tmp_path / "a1"
    start(shell("cat gate", tmp_path), folder)
    reserved = (folder / "exit.json.part").stat()
    assert reserved.st_size >= attempt_end.RESERVED_BYTES
    (tmp_path / "gate").write_text("")
    ended(folder)
    written = (folder / "exit.json").stat()
    assert (written.st_ino, written.st_size) == (reserved.st_ino, reserved.st_size)


def test_a_damaged_exit_file_is_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "exit.json").write_text("{")
    with pytest.raises(WtrunError, match=r"exit\.json is damaged"):
        observe(tmp_path)
