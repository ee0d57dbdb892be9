"""A finished plan with which the gate is not green: asked at a terminal, and by commands."""

from __future__ import annotations

import json

from tests.scenarios.test_conflicts import at_terminal, typed
from tests.scenarios.test_gate import NO_BAD_FILES, landed, nothing_left, plans_with
from tests.support.project import Project, plan_text
from tests.support.repo import Repo

GATE = f"echo looked at $(ls); {NO_BAD_FILES}"


def rejected(repo: Repo) -> Project:
    """A run without a terminal that the gate stopped one of two plans of."""
    waiting = plan_text("03", wave=2, depends_on=["03-01"], files=["good-3"])
    project = Project.make(repo, {**plans_with([1], 2), "03": waiting})
    done = project.execute("-j", "1", "--gate", GATE, expect=1)
    for way in ("--continue", "--rerun", "--abort"):
        assert f"wtrun resolve 03-01 {way}" in done.stderr
    return project


def test_what_a_rejected_plan_needs_is_said_and_its_repair_is_taken(repo: Repo) -> None:
    project = rejected(repo)
    told = project.wtrun("resolve", "03-01", "--list", expect=0).stdout
    assert "looked at" in told and "the check is red with it: exit code" in told
    assert "it lands once the check is green with it" in project.wtrun("report", expect=0).stdout
    status = project.wtrun("status", expect=0).stdout
    assert "lands once the check is green" in status
    assert "waits for 03-01 (rejected)" in status
    place = repo.path / ".worktrees/wt-03-01"
    repo.git("mv", "bad-1", "better-1", cwd=place)
    unsaved = project.wtrun("resolve", "03-01", "--continue", expect=5)
    assert "has changes that are not committed" in unsaved.stderr
    repo.git("commit", "-qm", "fix: rename it", cwd=place)
    project.wtrun("resolve", "03-01", "--continue", expect=0)
    assert landed(project) == ["03-01", "03-02"]
    nothing_left(project)


def test_a_rejected_plan_is_left_out_on_the_users_word(repo: Repo) -> None:
    project = rejected(repo)
    project.wtrun("resolve", "03-01", "--take", "plan", expect=2)
    project.wtrun("resolve", "03-01", "--abort", expect=0)
    assert project.statuses()["03-01"] == "skipped"
    assert (repo.path / ".worktrees/wt-03-01/bad-1").exists()


def test_an_agent_does_a_rejected_plan_again_with_what_the_gate_said(repo: Repo) -> None:
    def bringing(name: str) -> list[dict[str, object]]:
        return [{"write": name, "text": "x\n"}, {"commit": "feat: work"}, {"summary": True}]

    steps = {"first": bringing("bad-1"), "again": bringing("good-1")}
    project = Project.make(repo, {"01": plan_text("01", steps=steps, files=["bad-1", "good-1"])})
    shown, code = typed(at_terminal(project, "execute", "3", "--gate", GATE), "l", "a")
    assert code == 0
    assert "is not merged" in shown and "The end of the check's output" in shown
    assert landed(project) == ["03-01"]
    prompt = next((repo.path / ".git/wtrun/runs").glob("*/attempts/03-01-a2/prompt.md"))
    text = prompt.read_text()
    assert "fails the project's check" in text
    assert "looked at" in text and "+++ b/bad-1" in text


def test_at_a_terminal_a_plan_is_checked_again_as_it_is_or_left_out(repo: Repo) -> None:
    project = Project.make(repo, plans_with([1], 1))
    shown, code = typed(at_terminal(project, "execute", "3", "--gate", GATE), "r", "c")
    assert code == 1
    assert shown.count("is not merged") == 2
    assert project.statuses() == {"03-01": "skipped"}
    nothing_left(project)


def test_a_rejected_plan_is_run_again_by_itself_where_the_user_said_so(repo: Repo) -> None:
    def bringing(name: str) -> list[dict[str, object]]:
        return [{"write": name, "text": "x\n"}, {"commit": "feat: work"}, {"summary": True}]

    steps = {"first": bringing("bad-1"), "again": bringing("bad-2")}
    project = Project.make(repo, {"01": plan_text("01", steps=steps, files=["bad-1", "bad-2"])})
    project.execute("--gate", GATE, "--on-conflict", "rerun", expect=1)
    assert project.starts("03-01") == 2
    assert project.statuses() == {"03-01": "rejected"}
    told = project.wtrun("resolve", "03-01", "--list", "--json", expect=0).stdout
    assert json.loads(told)["commands"][0] == "wtrun resolve 03-01 --continue"
