"""wtrun is killed while it starts an attempt: the attempt runs once or not at all, never twice."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from tests.support.processes import eventually, zombies
from worktree_runner.errors import LockedError
from worktree_runner.process import (
    Exited,
    Mark,
    NotStarted,
    Running,
    Spec,
    observe,
    start,
    wait_any,
)

STARTER = """
import sys
from pathlib import Path
from worktree_runner.process import Mark, Spec, start
place = Path(sys.argv[1])
spec = Spec(argv=("/bin/sh", "-c", "echo once >> proof"), cwd=place, mark=Mark(sys.argv[2], "a1"))
print("ready", flush=True)
start(spec, place / "a1")
"""


def settled(folder: Path) -> NotStarted | Exited:
    """The state when nothing of a killed starter is under way any more."""
    eventually(lambda: not isinstance(observe(folder), Running))
    state = observe(folder)
    assert isinstance(state, NotStarted | Exited), state
    return state


@pytest.mark.parametrize("delay_ms", [0, 1, 2, 4, 8, 12, 16, 20, 24, 30, 40, 80])
def test_a_resume_after_a_kill_during_the_start_runs_it_exactly_once(
    tmp_path: Path, delay_ms: int
) -> None:
    run = f"run-{uuid.uuid4()}"
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path), run],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
    )
    assert starter.stdout is not None
    assert starter.stdout.readline() == b"ready\n"
    time.sleep(delay_ms / 1000)  # which moment it hits does not matter, every one must be right
    starter.kill()
    starter.wait()
    starter.stdout.close()
    folder, proof = tmp_path / "a1", tmp_path / "proof"
    # as a resume does: adopt what lives or has ended, start what was never started
    while True:
        state = settled(folder)
        if isinstance(state, Exited):
            break
        assert not proof.exists()
        spec = Spec(("/bin/sh", "-c", "echo once >> proof"), tmp_path, Mark(run, "a1"))
        # the killed starter's launcher may be a moment faster: then that one is adopted
        with contextlib.suppress(LockedError):
            start(spec, folder)
        wait_any([folder], 60)
    assert state.exit.code == 0
    assert proof.read_text() == "once\n"
    assert zombies() == []
