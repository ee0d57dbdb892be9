"""The merge queue with its gate, in whole runs: batches, culprits, flaky and useless gates."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.faults.test_kill import run_killed
from tests.support.project import Project, kill, plan_text
from tests.support.repo import Repo

NO_BAD_FILES = "! ls bad-* >/dev/null 2>&1"
"""A gate that is red as soon as any plan brings a file named bad-*."""


def plans_with(bad: Sequence[int], count: int) -> dict[str, str]:
    """Independent plans; the bad ones bring a file that the gate refuses."""
    return {
        f"{n:02}": plan_text(f"{n:02}", files=[f"bad-{n}" if n in bad else f"good-{n}"])
        for n in range(1, count + 1)
    }


def gates(project: Project, *purposes: str) -> list[dict[str, Any]]:
    """The runs of the gate that gave a verdict, of these purposes or all."""
    return [
        event["data"]
        for event in project.events()
        if event["type"] == "gate.ended" and (not purposes or event["data"]["purpose"] in purposes)
    ]


def landed(project: Project) -> list[str]:
    return [plan for plan, status in project.statuses().items() if status == "landed"]


def nothing_left(project: Project) -> None:
    assert project.processes() == []
    assert not list((project.path / ".worktrees").glob("wt-*-gate*"))
    assert project.repo.git("status", "--porcelain") == ""


def test_a_green_batch_is_checked_once_and_lands_whole(repo: Repo) -> None:
    project = Project.make(repo, plans_with([], 3))
    done = project.execute("-j", "1", "--gate", NO_BAD_FILES)
    assert "merges are checked with" in done.stderr
    assert "checking 03-01, 03-02 and 03-03" in done.stderr
    assert [run["verdict"] for run in gates(project)] == ["green"]
    assert len(project.merges()) == 3
    assert repo.git("rev-parse", "main~1") == project.status()["plans"][2]["commit"]
    nothing_left(project)


def test_one_bad_plan_of_ten_is_found_in_six_runs_and_the_others_land(repo: Repo) -> None:
    project = Project.make(repo, plans_with([6], 10))
    done = project.execute("-j", "1", "--gate", NO_BAD_FILES, expect=1)
    assert len(gates(project, "batch", "search")) <= 6
    assert len(gates(project, "baseline")) == len(gates(project, "again")) == 1
    assert landed(project) == [f"03-{n:02}" for n in range(1, 11) if n != 6]
    assert project.statuses()["03-06"] == "rejected"
    assert "not merged: the check is red with it: exit code 1" in done.stderr
    assert (repo.path / ".worktrees/wt-03-06/bad-6").exists()
    assert not (repo.path / "bad-6").exists()
    nothing_left(project)


def test_after_two_bad_plans_the_queue_goes_one_by_one(repo: Repo) -> None:
    project = Project.make(repo, plans_with([2, 3], 5))
    project.execute("-j", "1", "--gate", NO_BAD_FILES, expect=1)
    assert landed(project) == ["03-01", "03-04", "03-05"]
    checked = [run["plans"] for run in gates(project, "batch")]
    assert checked[-2:] == [["03-04"], ["03-05"]]


def test_a_gate_that_is_red_by_chance_convicts_nobody(repo: Repo, tmp_path: Path) -> None:
    once = tmp_path / "once"
    flaky = f"test ! -e good-2 || test -e {once} || {{ touch {once}; false; }}"
    project = Project.make(repo, plans_with([], 2))
    project.execute("-j", "1", "--gate", flaky)
    assert landed(project) == ["03-01", "03-02"]
    assert next(run["verdict"] for run in gates(project, "batch")) == "red"
    report = project.wtrun("report", expect=0).stdout
    assert "flaky: 1 time red, then green on the same commit" in report


def test_a_gate_that_is_red_before_any_plan_is_no_gate_and_that_is_said_once(repo: Repo) -> None:
    project = Project.make(repo, plans_with([], 2))
    done = project.execute("-j", "1", "--gate", "exit 3")
    assert done.stderr.count("is not green before anything is merged (exit code 3)") == 1
    assert landed(project) == ["03-01", "03-02"]
    report = project.wtrun("report", expect=0).stdout
    assert "not checked: 'exit 3' is not green before anything is merged" in report
    nothing_left(project)


def test_without_a_gate_the_report_says_that_nothing_was_checked(repo: Repo) -> None:
    makefile = {"Makefile": "test:\n\tfalse\n"}
    project = Project.make(repo, plans_with([], 1), makefile)
    project.execute("--no-gate")
    assert gates(project) == []
    assert "not checked: --no-gate" in project.wtrun("report", expect=0).stdout


def test_the_projects_own_check_is_found(repo: Repo) -> None:
    makefile = {"Makefile": f"test:\n\t{NO_BAD_FILES}\n"}
    project = Project.make(repo, plans_with([1], 2), makefile)
    said = "merges are checked with 'make test' (Makefile)"
    assert said in project.execute("--dry-run").stdout
    assert said in project.execute("-j", "1", expect=1).stderr
    assert landed(project) == ["03-02"]


def test_a_gate_that_takes_too_long_is_not_green(repo: Repo) -> None:
    project = Project.make(repo, plans_with([1], 2))
    config = repo.read(".wtrun.toml").decode() + '[gate]\ntimeout = "1s"\n'
    repo.commit("a short time", {".wtrun.toml": config})
    done = project.execute("-j", "1", "--gate", "test ! -e bad-1 || sleep 300", expect=1)
    assert landed(project) == ["03-02"]
    assert "the check is inconclusive with it: no end after" in done.stderr
    assert "again" not in [run["purpose"] for run in gates(project)]
    nothing_left(project)


def test_a_rejected_plan_is_checked_again_with_what_its_branch_holds_by_then(repo: Repo) -> None:
    project = Project.make(repo, plans_with([1], 2))
    project.execute("-j", "1", "--gate", NO_BAD_FILES, expect=1)
    place = repo.path / ".worktrees/wt-03-01"
    repo.git("mv", "bad-1", "better-1", cwd=place)
    repo.git("commit", "-qm", "fix: rename it", cwd=place)
    project.execute("--gate", NO_BAD_FILES)
    assert landed(project) == ["03-01", "03-02"]
    assert (repo.path / "better-1").exists()
    assert project.starts("03-01") == 1


def test_failures_that_were_there_before_convict_nobody(repo: Repo) -> None:
    """pytest reports its tests, so a red suite is compared test by test."""
    tests = {
        "tests/test_old.py": "def test_old():\n    assert False\n",
    }
    steps = [
        {"write": "tests/test_new.py", "text": "def test_new():\n    assert False\n"},
        {"commit": "feat: new"},
        {"summary": True},
    ]
    plans = {"01": plan_text("01", files=["a"]), "02": plan_text("02", steps=steps)}
    project = Project.make(repo, plans, tests)
    gate = f"{shlex.quote(sys.executable)} -m pytest -q -p no:cacheprovider tests"
    done = project.execute("-j", "1", "--gate", gate, expect=1)
    assert landed(project) == ["03-01"]
    assert "failed: tests.test_new::test_new" in done.stderr


@pytest.mark.parametrize("launcher", [False, True])
def test_a_gate_in_a_killed_run_gives_its_verdict_to_the_next(
    repo: Repo, tmp_path: Path, launcher: bool
) -> None:
    ready, go = tmp_path / "ready", tmp_path / "go"
    gate = f"touch {ready}; while ! test -e {go}; do sleep 0.05; done; {NO_BAD_FILES}"
    project = Project.make(repo, plans_with([2], 2))
    process = project.start("execute", "3", "-j", "1", "--gate", gate)
    while not ready.exists():
        assert process.poll() is None
    kill(process)
    if launcher:
        started = next((project.path / ".git/wtrun/runs").glob("*/gates/*/started.json"))
        end_processes(project, started)
    go.touch()
    project.execute("--gate", gate, expect=1)
    assert landed(project) == ["03-01"]
    assert len(gates(project, "batch")) == (2 if launcher else 1)
    nothing_left(project)


def end_processes(project: Project, started: Path) -> None:
    """The gate's launcher first, so that nobody writes down how it ended."""
    facts = json.loads(started.read_text())
    for pid in (facts["pid"], facts["child"]):
        os.kill(pid, signal.SIGKILL)
    while project.processes():
        for pid in project.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_ctrl_c_ends_the_gate_and_the_next_run_does_it_again(repo: Repo, tmp_path: Path) -> None:
    ready, go = tmp_path / "ready", tmp_path / "go"
    gate = f"touch {ready}; while ! test -e {go}; do sleep 0.05; done"
    project = Project.make(repo, plans_with([], 1))
    process = project.start("execute", "3", "--gate", gate)
    while not ready.exists():
        assert process.poll() is None
    process.send_signal(2)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert project.processes() == []
    go.touch()
    project.execute("--gate", gate)
    assert landed(project) == ["03-01"]
    nothing_left(project)


@pytest.mark.parametrize(
    ("type", "moment"),
    [
        ("queue.prepared", "after"),
        ("gate.started", "after"),
        ("gate.ended", "before"),
        ("merge.landed", "before"),
        ("merge.rejected", "before"),
        ("queue.closed", "before"),
    ],
)
def test_a_queue_that_is_killed_goes_on_to_the_same_end(repo: Repo, type: str, moment: str) -> None:
    project = Project.make(repo, plans_with([2], 3))
    args = ("-j", "1", "--gate", NO_BAD_FILES)
    assert run_killed(project, type, moment, 1, *args) == -9
    project.execute(*args, expect=1)
    assert project.statuses() == {"03-01": "landed", "03-02": "rejected", "03-03": "landed"}
    assert project.merges() == [f"Merge gsd/03-0{n}: Part 0{n} of the API" for n in (1, 3)]
    assert [project.starts(f"03-0{n}") for n in (1, 2, 3)] == [1, 1, 1]
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    nothing_left(project)


@pytest.mark.parametrize(("name", "code"), [("mine", 0), ("bad-mine", 5)])
def test_a_target_that_moved_meanwhile_is_checked_with_what_has_landed(
    repo: Repo, tmp_path: Path, name: str, code: int
) -> None:
    ready, go = tmp_path / "ready", tmp_path / "go"
    steps = [
        {"touch": str(ready)},
        {"wait": str(go)},
        {"write": "good", "text": "x"},
        {"commit": "feat: good"},
        {"summary": True},
    ]
    project = Project.make(repo, {"01": plan_text("01", steps=steps)})
    process = project.start("execute", "3", "--gate", NO_BAD_FILES)
    while not ready.exists():
        assert process.poll() is None
    repo.commit("the user's own work", {name: "x"})
    own = repo.git("rev-parse", "main")
    go.touch()
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    if code == 0:
        assert (repo.path / "good").exists() and (repo.path / name).exists()
        assert ["03-01"] in [run["plans"] for run in gates(project)]
        assert [""] in [run["plans"] for run in gates(project)]
    else:
        assert "the check is not green on both together (exit code 1)" in err
        assert repo.git("rev-parse", "main") == own
    nothing_left(project)


def test_a_gate_that_finds_no_tests_lets_plans_land_and_that_is_said_once(repo: Repo) -> None:
    project = Project.make(repo, plans_with([], 2))
    done = project.execute("-j", "1", "--gate", f"{sys.executable} -m pytest -q")
    assert landed(project) == ["03-01", "03-02"]
    assert "red:" not in done.stderr
    assert " ".join(done.stderr.replace("|", " ").split()).count("what lands is not tested") == 1
    said = "it found no tests, so nothing was tested"
    assert said in project.wtrun("report", expect=0).stdout
    assert said in project.wtrun("status", expect=0).stdout
