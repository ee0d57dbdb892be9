"""A disk that is full or read-only: said with the path, nothing lost, and the next run goes on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.mounts import in_namespace
from tests.support.project import Project, plan_text
from tests.support.repo import Repo

WTRUN = (
    f'wtrun() {{ "{sys.executable}" -P -m worktree_runner "$@" 2>&1 </dev/null'
    ' || echo "code $?"; }\n'
)

FULL = (
    WTRUN
    + """
mount -t tmpfs -o size=6m none "$1"
cp -a repo "$1/repo" && cd "$1/repo"
free=$(df -k --output=avail . | tail -n 1)
head -c "$((free - $2))K" /dev/zero > "$1/filler"
wtrun execute 3
rm "$1/filler"
echo "=== room again"
wtrun execute 3
git log --format=%s --merges
git status --porcelain
git fsck --strict 2>&1
"""
)

READ_ONLY = (
    WTRUN
    + """
cd repo
mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"
wtrun execute 3
wtrun clean
wtrun execute 3 --dry-run
"""
)


def two_plans(repo: Repo) -> Project:
    plans = {number: plan_text(number, files=[f"{number}.txt"]) for number in ("01", "02")}
    return Project.make(repo, plans)


@pytest.mark.parametrize("left", [4, 180])
def test_a_full_disk_ends_the_run_with_words_and_the_next_one_goes_on(
    repo: Repo, tmp_path: Path, left: int
) -> None:
    """`left` KiB: for nothing, or for a worktree but not for its agent."""
    project = two_plans(repo)
    place = tmp_path / "small"
    place.mkdir()
    said = in_namespace(FULL, str(place), str(left), env=project.env, cwd=tmp_path)
    first, _, second = said.partition("=== room again\n")
    assert "Traceback" not in said
    assert re.search(r"code [15]\n", first), said
    assert left > 4 or "error: the disk is full: " in first
    assert "Phase 03: 2 of 2 plans merged into main" in second, said
    merges = re.findall(r"^Merge gsd/(03-0\d)", second, re.MULTILINE)
    assert sorted(merges) == ["03-01", "03-02"]


@pytest.mark.parametrize("part", [".git", ".worktrees"])
def test_a_read_only_place_is_named_before_anything_starts(
    repo: Repo, tmp_path: Path, part: str
) -> None:
    project = two_plans(repo)
    (repo.path / part).mkdir(exist_ok=True)
    place = (repo.path / part).resolve()
    said = in_namespace(READ_ONLY, str(place), env=project.env, cwd=tmp_path)
    assert "Traceback" not in said
    assert said.startswith(f"error: {place}")
    assert re.search("can't be (used: it lies on a read-only file system|written)\nhint: ", said)
    assert "code 5\n" in said
    assert "Nothing was changed." in said
    assert not list((repo.path / ".git/wtrun").glob("runs/*"))


def test_agents_at_work_when_the_disk_fills_up_are_named_and_taken_over(
    repo: Repo, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    steps = [{"wait": str(go)}, {"write": "b", "text": "b"}, {"commit": "b"}, {"summary": True}]
    plans = {"01": plan_text("01", files=["a"]), "02": plan_text("02", files=["b"], steps=steps)}
    project = Project.make(repo, plans)
    program = (
        "import errno\n"
        "from worktree_runner.cli import main\n"
        "from worktree_runner.store.journal import Journal\n"
        "append = Journal.append\n"
        "def full(self, type, plan=None, **data):\n"
        "    if str(type) == 'attempt.ended':\n"
        "        raise OSError(errno.ENOSPC, 'No space left on device', str(self.path))\n"
        "    return append(self, type, plan, **data)\n"
        "Journal.append = full\n"
        "main(['execute', '3'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=repo.path, env=project.env, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 5, done.stderr
    assert "the agent of 03-01 may" in done.stderr or "the agents of 03-01 and" in done.stderr
    assert "journal.jsonl could not be written" in done.stderr
    go.touch()
    project.execute()
    assert project.statuses() == {"03-01": "landed", "03-02": "landed"}
    assert (project.starts("03-01"), project.starts("03-02")) == (1, 1)
