"""The short lock: with other processes, with threads, with FileLock, and when it is not free."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import filelock
import pytest

from worktree_runner.errors import LockedError, PreconditionError
from worktree_runner.store.lock import exclusive

HOLD = """
import sys, pathlib
from worktree_runner.store.lock import exclusive
with exclusive(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_it_excludes_filelock_and_the_other_way_round(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "lock"
    with exclusive(path):
        with pytest.raises(filelock.Timeout):
            filelock.FileLock(path).acquire(timeout=0)
    with filelock.FileLock(path), pytest.raises(LockedError, match="was busy"):
        with exclusive(path, timeout=0.05):
            pass
    with exclusive(path, timeout=1):
        assert path.exists()


def test_it_is_free_at_once_after_its_holder_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(LockedError):
        with exclusive(path, timeout=0.05):
            pass
    holder.kill()
    holder.communicate()
    with exclusive(path, timeout=1):
        assert path.exists()


def test_a_wait_that_was_given_up_does_not_take_the_lock_later(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with exclusive(path):
        with pytest.raises(LockedError):
            with exclusive(path, timeout=0.01):
                pass
    for thread in threading.enumerate():
        if thread.name == "wtrun-lock":
            thread.join(5)
    with exclusive(path, timeout=0):
        pass


def test_threads_take_turns(tmp_path: Path) -> None:
    path, inside, most = tmp_path / "lock", [0], [0]

    def work() -> None:
        for _ in range(50):
            with exclusive(path):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside[0], most[0]) == (0, 1)


def test_a_folder_that_must_not_be_written_is_named(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(PreconditionError, match="can't be opened"):
        with exclusive(blocker / "lock"):
            pass
