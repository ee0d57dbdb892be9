"""kill -9 before and after every type of event of a whole run; then `execute` again.

Whatever the moment: the same plans land in the same order with the same files, no agent whose
evidence was complete runs again, no commit is lost, and no process is left.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import Project, plan_text
from tests.support.repo import Repo

TYPES = [
    "run.started",
    "attempt.planned",
    "attempt.ready",
    "attempt.started",
    "attempt.ended",
    "plan.finished",
    "merge.chosen",
    "merge.conflicted",
    "merge.landed",
    "target.published",
    "worktree.removed",
    "planning.committed",
    "run.paused",
]
BASE = "one\ntwo\nthree\n"


def project_of(repo: Repo) -> Project:
    """Independent plans, a lane, a second wave, and one plan that conflicts for real."""
    change = [
        {"replace": "shared.txt", "old": "two\n", "new": "NEW\n"},
        {"commit": "feat: change"},
        {"summary": True},
    ]
    plans = {
        "01": plan_text("01", files=["a.txt"]),
        "02": plan_text("02", files=["lane.txt"]),
        "03": plan_text("03", files=["lane.txt"]),
        "04": plan_text("04", wave=2, depends_on=["03-01"], steps=_with(change, "left\n")),
        "05": plan_text("05", wave=2, depends_on=["03-01"], steps=_with(change, "right\n")),
    }
    return Project.make(repo, plans, {"shared.txt": BASE})


def _with(steps: list[dict[str, object]], text: str) -> list[dict[str, object]]:
    return [{**steps[0], "new": text}, *steps[1:]]


def run_killed(project: Project, type: str, moment: str, n: int, *args: str) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.killed", type, moment, str(n), "execute", "3", *args],
        cwd=project.path,
        env=project.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=100,
    )
    return done.returncode


@pytest.mark.timeout(180)
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("type", TYPES)
def test_a_run_that_is_killed_goes_on_to_the_same_end(repo: Repo, type: str, moment: str) -> None:
    project = project_of(repo)
    often = {"run.started", "merge.conflicted", "planning.committed", "run.paused"}
    assert run_killed(project, type, moment, 1 if type in often else 2) == -9
    project.execute(expect=3)
    assert project.statuses() == {
        "03-01": "landed",
        "03-02": "landed",
        "03-03": "landed",
        "03-04": "landed",
        "03-05": "conflicted",
    }
    # 03-02 may land before 03-01, since 03-03 waits for it; the journal keeps the order taken
    landed = [event["plan"] for event in project.events() if event["type"] == "merge.landed"]
    assert sorted(landed) == ["03-01", "03-02", "03-03", "03-04"]
    assert project.merges() == [f"Merge gsd/{plan}: Part {plan[3:]} of the API" for plan in landed]
    assert repo.read("a.txt") == b"line of 03-01\n"
    assert repo.read("lane.txt") == b"line of 03-02\nline of 03-03\n"
    assert repo.read("shared.txt") == b"one\nleft\nthree\n"
    assert repo.git("status", "--porcelain") == ""
    assert [project.starts(f"03-0{n}") for n in (1, 2, 3, 4, 5)] == [1, 1, 1, 1, 1]
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    assert project.processes() == []
    branches = repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
    assert branches == ["gsd/03-05", "main"]


def test_a_launcher_that_was_still_on_its_way_and_a_resume_start_one_agent(
    repo: Repo, tmp_path: Path
) -> None:
    project = Project.make(repo, {"01": plan_text("01", files=["a"])})
    pid = tmp_path / "launcher"
    assert run_killed(project, "launch", str(pid), 1) == -9
    second = project.start("execute", "3")
    while "run.resumed" not in [event["type"] for event in project.events()]:
        assert second.poll() is None
    os.kill(int(pid.read_text()), signal.SIGCONT)
    _, err = second.communicate(timeout=100)
    assert second.returncode == 0, err
    assert project.starts("03-01") == 1
    assert repo.read("a") == b"line of 03-01\n"
    assert project.processes() == []


def test_a_fast_forward_that_a_killed_wtrun_began_is_waited_for(repo: Repo, tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    steps = [{"write": "a.slow", "text": "a\n"}, {"commit": "feat: a"}, {"summary": True}]
    project = Project.make(
        repo,
        {"01": plan_text("01", steps=steps)},
        {".gitattributes": "*.slow filter=slow\n"},
    )
    smudge = f"touch {begun}; until test -e {go}; do sleep 0.05; done; cat"
    repo.git("config", "filter.slow.smudge", smudge)
    first = project.start("execute", "3")
    while not begun.exists():
        assert first.poll() is None
    first.kill()
    first.communicate()
    second = project.start("execute", "3")
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(5)  # it can't publish over the git command that still works
    go.touch()
    _, err = second.communicate(timeout=100)
    assert second.returncode == 0, err
    assert project.starts("03-01") == 1
    assert repo.read("a.slow") == b"a\n"
    assert repo.git("status", "--porcelain") == ""


def test_killed_wtrun_and_killed_agent_the_plan_is_continued_where_it_was(
    repo: Repo, tmp_path: Path
) -> None:
    """A machine that goes down takes wtrun, launcher and agent along."""
    ready, go = tmp_path / "ready", tmp_path / "go"
    steps = {
        "first": [
            {"write": "a", "text": "half\n"},
            {"commit": "feat: half"},
            {"touch": str(ready)},
            {"wait": str(go)},
        ],
        "again": [{"append": "a", "text": "whole\n"}, {"commit": "feat: rest"}, {"summary": True}],
    }
    project = Project.make(repo, {"01": plan_text("01", steps=steps)})
    process = project.start("execute", "3")
    while not ready.exists():
        assert process.poll() is None
    process.kill()
    process.communicate()
    kill_launcher_and_agent(project)
    project.execute()
    assert repo.read("a") == b"half\nwhole\n"
    assert project.processes() == []


def kill_launcher_and_agent(project: Project) -> None:
    """The launcher first, so that nobody writes down how the agent ended."""
    started = next((project.path / ".git/wtrun/runs").glob("*/attempts/*/started.json"))
    facts = json.loads(started.read_text())
    for pid in (facts["pid"], facts["child"]):
        os.kill(pid, signal.SIGKILL)
    while project.processes():
        for pid in project.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_an_agent_that_outlives_wtrun_is_adopted_and_not_doubled(
    repo: Repo, tmp_path: Path
) -> None:
    ready, go = tmp_path / "ready", tmp_path / "go"
    steps = [
        {"touch": str(ready)},
        {"wait": str(go)},
        {"write": "a", "text": "a"},
        {"commit": "feat: a"},
        {"summary": True},
    ]
    project = Project.make(repo, {"01": plan_text("01", steps=steps)})
    process = project.start("execute", "3")
    while not ready.exists():
        assert process.poll() is None
    process.kill()
    process.communicate()
    assert project.status()["plans"][0]["alive"] is True
    second = project.start("execute", "3")
    go.touch()
    _, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    assert project.starts("03-01") == 1
    assert repo.read("a") == b"a"


def test_ctrl_c_stops_the_agents_and_says_how_to_go_on(repo: Repo, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    steps = {
        "first": [{"touch": str(ready)}, {"wait": str(tmp_path / "never")}],
        "again": [{"write": "a", "text": "a"}, {"commit": "feat: a"}, {"summary": True}],
    }
    project = Project.make(repo, {"01": plan_text("01", steps=steps)})
    process = project.start("execute", "3")
    while not ready.exists():
        assert process.poll() is None
    process.send_signal(2)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "wtrun execute 03" in err
    assert project.processes() == []
    project.execute()
    assert repo.read("a") == b"a"
