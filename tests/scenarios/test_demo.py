"""`wtrun demo`: what a person who has just installed wtrun sees first."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repo import Repo, clean_environment
from worktree_runner.ui.narrate import what_it_builds

ROOT = Path(__file__).parents[2]


def wtrun(folder: Path, home: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "worktree_runner", *args],
        cwd=folder, env={**clean_environment(home), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=110,
    )  # fmt: skip


def test_the_demo_shows_a_lane_a_settled_conflict_and_one_that_waits(tmp_path: Path) -> None:
    home, place = tmp_path / "home", tmp_path / "demo"
    home.mkdir()
    done = wtrun(tmp_path, home, "demo", str(place))
    assert done.returncode == 3, done.stderr
    told = re.sub(r"^\[[\d:]+\] ", "", done.stderr, flags=re.MULTILINE)
    assert "03-03 and 03-04 share files: one after another" in told
    assert "settled tallybook/__init__.py by rule" in told
    assert "Phase 03: 6 of 7 plans merged into main" in told
    assert f"  cd {place}\n" in told

    command = re.search(r"^Next:\n  wtrun (.+)$", told, re.MULTILINE)
    assert command is not None, told
    resolved = wtrun(place, home, *command[1].split(), "--take", "plan")
    assert resolved.returncode == 0, resolved.stderr
    again = wtrun(place, home, "execute", "3")
    assert again.returncode == 0, again.stderr
    assert "/gsd:verify-work 03" in resolved.stderr + again.stderr
    repo = Repo(place, clean_environment(home))
    merges = repo.git("log", "--first-parent", "--merges", "--format=%s", "main").splitlines()
    assert len(merges) == 7
    assert repo.git("worktree", "list").count("\n") == 0
    tests = subprocess.run(
        [sys.executable, "-m", "unittest"], cwd=place, capture_output=True, text=True
    )
    assert tests.returncode == 0, tests.stderr


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    done = wtrun(tmp_path, tmp_path, "demo", str(tmp_path))
    assert done.returncode == 5
    assert "is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = wtrun(tmp_path, tmp_path, "demo", str(tmp_path / "file" / "demo"))
    assert done.returncode == 5
    assert "can't be made: not a directory" in done.stderr


@pytest.mark.parametrize(
    ("objective", "text"),
    [
        ("Purpose: years fit\nOutput: lib/months.py", "Sums. Years fit. lib/months.py."),
        ("all of them\n**Goal:** 4.5 of what?", "Sums. All of them. 4.5 of what?"),
        ("Sums", "Sums."),
    ],
)
def test_what_a_plan_builds_is_told_as_sentences(objective: str, text: str) -> None:
    assert what_it_builds("Sums", objective) == text
