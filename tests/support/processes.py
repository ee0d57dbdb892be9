"""Small programs and waits for tests of processes. Nothing here sleeps to win a race."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from worktree_runner import proctable
from worktree_runner.process import Mark, Spec

MARK = Mark(f"run-{uuid.uuid4()}", "03-01-a1")


def shell(text: str, cwd: Path, **changes: object) -> Spec:
    """An attempt that runs this shell text."""
    return Spec(argv=("/bin/sh", "-c", text), cwd=cwd, **{"mark": MARK, **changes})  # type: ignore[arg-type]


def python(text: str, cwd: Path, **changes: object) -> Spec:
    """An attempt that runs this Python text."""
    argv = (sys.executable, "-I", "-S", "-c", text)
    return Spec(argv=argv, cwd=cwd, **{"mark": MARK, **changes})  # type: ignore[arg-type]


def eventually(true: Callable[[], object], seconds: float = 30.0) -> None:
    """Returns as soon as it is true; fails if that takes too long."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it never became true"
        time.sleep(0.01)


def lives(pid: int) -> bool:
    return proctable.row_of(pid) is not None


def zombies() -> list[int]:
    """Children of this process that ended and were not collected."""
    return [
        row.pid
        for row in proctable.process_table().values()
        if row.parent == os.getpid() and row.zombie
    ]


def read_pid(file: Path) -> int:
    """The pid that a test's program wrote, once it is there whole."""
    eventually(lambda: file.exists() and file.read_text().endswith("\n"))
    return int(file.read_text())
