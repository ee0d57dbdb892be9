"""`wtrun state`, and runs in projects whose state file is missing."""

from __future__ import annotations

import json
import sys

import pexpect
import pytest

from tests.support.project import PHASE, Project, plan_text
from tests.support.repo import Repo

STATE = ".planning/STATE.md"
BRANCH = "gsd/phase-03-api"
PHASE_BRANCH = json.dumps({"git": {"branching_strategy": "phase"}})
SUMMARY = b"---\nkey-decisions: [Ids are opaque]\n---\n\n# Phase 3 Plan 01: API Summary\n"


def stateless(repo: Repo) -> Project:
    plans = {"01": plan_text("01", files=["a"]), "02": plan_text("02", files=["b"])}
    project = Project.make(repo, plans)
    repo.git("rm", "-q", STATE)
    repo.commit("done before", {f"{PHASE}/03-01-SUMMARY.md": SUMMARY})
    return project


def test_the_state_is_shown_as_agents_are_told_it(repo: Repo) -> None:
    project = Project.make(repo, {"01": plan_text("01")})
    done = project.wtrun("state", expect=0)
    assert done.stdout == (
        f"{STATE}\n  Phase: 3 of 3 (API)\n  Plan: 0 of 2 in current phase\n"
        "  Status: Ready to execute\n"
    )
    shown = json.loads(project.wtrun("state", "--json", expect=0).stdout)
    assert (shown["v"], shown["phase"], shown["decisions"]) == (1, "3 of 3 (API)", [])


def test_a_missing_state_is_an_error_with_the_way_out(repo: Repo) -> None:
    project = stateless(repo)
    assert "wtrun state --rebuild" in project.wtrun("state", expect=5).stderr


def test_a_rebuilt_state_has_position_and_decisions_and_is_not_committed(repo: Repo) -> None:
    project = stateless(repo)
    done = project.wtrun("state", "--rebuild", expect=0)
    assert "Phase: 3 of 3 (API)\n  Plan: 1 of 2 in current phase\n" in done.stdout
    assert "  - [Phase 3]: Ids are opaque\n" in done.stdout
    assert f"hint: git add {STATE} && git commit" in done.stderr
    assert repo.git("status", "--porcelain") == f"?? {STATE}"


def test_a_state_that_is_there_is_never_rebuilt(repo: Repo) -> None:
    project = Project.make(repo, {"01": plan_text("01")})
    before = repo.read(STATE)
    assert "only a missing one" in project.wtrun("state", "--rebuild", expect=5).stderr
    assert repo.read(STATE) == before


def test_without_a_terminal_the_run_goes_on_and_says_what_to_do(repo: Repo) -> None:
    project = stateless(repo)
    done = project.execute("--yes")
    assert f"{STATE} is missing" in done.stderr
    assert "wtrun state --rebuild" in done.stderr
    assert not (repo.path / STATE).exists()
    assert repo.read("b")


def test_on_a_terminal_the_state_is_rebuilt_and_committed_alone(repo: Repo) -> None:
    project = stateless(repo)
    (repo.path / "mine.txt").write_text("mine")
    repo.git("add", "mine.txt")
    child = pexpect.spawn(
        sys.executable, ["-P", "-m", "worktree_runner", "execute", "3"],
        cwd=str(repo.path), env=project.env, timeout=60, encoding="utf-8",  # type: ignore[arg-type]
    )  # fmt: skip
    child.expect("Rebuild .planning/STATE.md")
    child.sendline("y")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    subjects = repo.git("log", "--format=%s", "--", STATE).splitlines()
    assert subjects[:2] == ["docs(phase-3): record 1 plan as executed", "docs: rebuild STATE.md"]
    rebuilt = repo.git("log", "--format=%H", "--grep=rebuild STATE.md")
    assert repo.git("show", "--format=", "--name-only", rebuilt).split() == [STATE]
    assert repo.git("diff", "--cached", "--name-only") == "mine.txt"
    assert b"Plan: 2 of 2 in current phase\n" in repo.read(STATE)


@pytest.mark.parametrize("there", [True, False], ids=["a branch that is there", "a new one"])
def test_on_a_branch_that_is_not_checked_out_it_is_rebuilt_there(repo: Repo, there: bool) -> None:
    project = stateless(repo)
    repo.commit("a branch for the phase", {".planning/config.json": PHASE_BRANCH})
    if there:
        repo.git("branch", BRANCH)
    (repo.path / "mine.txt").write_text("mine")
    repo.git("add", "mine.txt")
    before = repo.git("rev-parse", "main")
    child = pexpect.spawn(
        sys.executable, ["-P", "-m", "worktree_runner", "execute", "3"],
        cwd=str(repo.path), env=project.env, timeout=60, encoding="utf-8",  # type: ignore[arg-type]
    )  # fmt: skip
    child.expect("The work will land on")
    child.sendline("l")
    child.expect("Rebuild .planning/STATE.md")
    child.sendline("y")
    child.expect(f"rebuilt .planning/STATE.md on {BRANCH}")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    subjects = repo.git("log", "--format=%s", BRANCH, "--", STATE).splitlines()
    assert subjects[:2] == ["docs(phase-3): record 1 plan as executed", "docs: rebuild STATE.md"]
    text = repo.show(BRANCH, STATE).decode()
    assert "Plan: 2 of 2 in current phase\n" in text
    assert "- [Phase 3]: Ids are opaque\n" in text
    assert repo.git("rev-parse", "main") == before
    assert repo.git("status", "--porcelain") == "A  mine.txt"
