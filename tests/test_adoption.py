"""Attempts that a wtrun was starting at the moment when it was killed."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.processes import shell
from worktree_runner.errors import LockedError
from worktree_runner.process import Handle, await_start, start, start_or_adopt, wait_any


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The lock as a launcher holds it that has not yet written what it runs."""
    folder.mkdir()
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_the_attempt_of_another_starter_is_taken_over(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    first = start(shell("echo one >> count", tmp_path), folder)
    assert start_or_adopt(shell("echo two >> count", tmp_path), folder) == first
    assert wait_any([folder], 60) == [folder]
    assert (tmp_path / "count").read_text() == "one\n"


def test_a_launcher_that_gives_up_its_lock_makes_room_for_a_new_one(tmp_path: Path) -> None:
    folder, found = tmp_path / "a1", list[Handle]()
    spec = shell("echo one >> count", tmp_path)
    with held(folder):
        starter = threading.Thread(target=lambda: found.append(start_or_adopt(spec, folder)))
        starter.start()
        starter.join(timeout=3.0)  # longer than a second launcher waits for the lock
        assert starter.is_alive()
    starter.join(timeout=60)
    assert len(found) == 1
    assert wait_any([folder], 60) == [folder]
    assert (tmp_path / "count").read_text() == "one\n"


def test_a_launcher_that_never_starts_anything_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    assert await_start(folder) is None
    with held(folder), pytest.raises(LockedError, match="starts nothing") as caught:
        await_start(folder, patience=0.05)
    assert str(folder / "lock") in str(caught.value.hint)
