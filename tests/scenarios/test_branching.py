"""Runs that land on a branch for the phase or the milestone, the user's checkout left alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pexpect
import pytest

from tests.support.planning import PhaseBuilder
from tests.support.project import AGENT, PHASE, Project, kill, plan_text
from tests.support.repo import Repo
from worktree_runner.dialects import load

CONFIG = ".planning/config.json"
BRANCH = "gsd/phase-03-api"


def planned(repo: Repo, strategy: str = "phase", **plans: str) -> Project:
    texts = plans or {"01": plan_text("01", files=["a"]), "02": plan_text("02", files=["b"])}
    config = json.dumps({"git": {"branching_strategy": strategy}})
    return Project.make(repo, texts, {CONFIG: config})


def looks(repo: Repo) -> tuple[str, str, str]:
    """What the user sees of their own: branch and commit, status, and every file's content."""
    files = sorted(p for p in repo.path.rglob("*") if p.is_file() and ".git" not in p.parts)
    contents = repr([(str(p), p.read_bytes()) for p in files if ".worktrees" not in p.parts])
    head = repo.git("symbolic-ref", "HEAD") + repo.git("rev-parse", "HEAD")
    return head, repo.git("status", "--porcelain"), contents


def test_a_phase_branch_is_made_and_the_checkout_with_its_edits_stays(repo: Repo) -> None:
    project = planned(repo)
    repo.write("README.md", "# edited\n")
    repo.write("staged.txt", "mine")
    repo.git("add", "staged.txt")
    repo.write("loose.txt", "mine too")
    before = looks(repo)
    done = project.execute()
    assert f"{BRANCH} (new, from main); your checkout stays on main" in done.stderr
    assert f"git switch {BRANCH}" in done.stderr
    assert looks(repo) == before
    assert project.merges(BRANCH) == ["Merge gsd/03-01: Part 01 of the API",
                                      "Merge gsd/03-02: Part 02 of the API"]  # fmt: skip
    assert project.merges("main") == []
    assert b"Plan: 2 of 2" in repo.show(BRANCH, ".planning/STATE.md")
    assert b"- [x] 03-02" in repo.show(BRANCH, ".planning/ROADMAP.md")
    assert repo.git("branch", "--list", "gsd/03-*") == ""


def test_executed_again_it_reads_the_summaries_from_the_branch(repo: Repo) -> None:
    project = planned(repo)
    project.execute()
    done = project.execute()
    assert "nothing to do, 2 plans have their SUMMARY" in done.stderr


def test_a_kill_is_resumed_on_the_same_branch_from_any_checkout(repo: Repo, tmp_path: Path) -> None:
    go = tmp_path / "go"
    steps = [{"wait": str(go)}, {"write": "b", "text": "x"}, {"commit": "b"}, {"summary": True}]
    slow = plan_text("02", files=["b"], steps=steps)
    project = planned(repo, **{"01": plan_text("01", files=["a"]), "02": slow})
    process = project.start("execute", "3")
    assert process.stderr is not None
    next(line for line in process.stderr if "03-01" in line and "merged" in line)
    kill(process)
    repo.git("checkout", "-q", "--orphan", "bare")
    repo.git("rm", "-rqf", ".")
    repo.commit("nothing of the plans", {"other": "of the user\n", ".gitignore": ".worktrees\n"})
    before = looks(repo)
    assert project.status()["target"] == BRANCH
    go.touch()
    project.execute()
    assert repo.show(BRANCH, f"{PHASE}/03-02-SUMMARY.md")
    assert project.starts("03-01") == 1
    assert looks(repo) == before


def test_a_conflict_is_resolved_and_published_without_a_checkout(repo: Repo) -> None:
    plans = {
        n: plan_text(n, steps=[{"write": "shared", "text": n}, {"commit": n}, {"summary": True}])
        for n in ("01", "02")
    }
    project = planned(repo, **plans)
    before = looks(repo)
    project.execute(expect=3)
    project.wtrun("resolve", "03-02", "--take", "plan", expect=0)
    project.execute()
    assert repo.show(BRANCH, "shared") == b"02"
    assert looks(repo) == before


def test_a_second_phase_lands_on_the_same_milestone_branch(repo: Repo) -> None:
    project = planned(repo, "milestone")
    roadmap = repo.read(".planning/ROADMAP.md") + b"\n## v1.2 Open Accounts (in progress)\n"
    repo.commit("a milestone", {".planning/ROADMAP.md": roadmap})
    project.execute()
    branch = "gsd/v1.2-open-accounts"
    assert len(project.merges(branch)) == 2
    fourth = plan_text("01", files=["c"]).replace("03-api", "04-web")
    repo.commit("plan the web", {".planning/phases/04-web/04-01-PLAN.md": fourth})
    refused = project.wtrun("execute", "4", expect=5)
    assert f"{branch} lacks phase 4, which is on main" in refused.stderr
    before = looks(repo)
    project.wtrun("execute", "4", "--yes", expect=0)
    assert project.merges(branch)[-1] == "Merge gsd/04-01: Part 01 of the API"
    assert repo.show(branch, ".planning/phases/03-api/03-01-SUMMARY.md")
    assert looks(repo) == before


def test_a_branch_that_another_worktree_shows_is_moved_there(repo: Repo, tmp_path: Path) -> None:
    project = planned(repo)
    other = tmp_path / "other"
    repo.git("worktree", "add", "-q", "-b", BRANCH, str(other))
    (other / "README.md").write_text("edited there\n")
    done = project.execute()
    assert f"checked out in {other}" in done.stderr
    assert (other / "a").is_file()
    assert (other / "README.md").read_text() == "edited there\n"
    assert repo.git("rev-parse", "HEAD", cwd=other) == repo.git("rev-parse", BRANCH)
    assert not (repo.path / "a").exists()


def test_plans_that_are_only_edited_in_another_worktree_are_not_overlooked(
    repo: Repo, tmp_path: Path
) -> None:
    project = planned(repo)
    other = tmp_path / "other"
    repo.git("worktree", "add", "-q", "-b", BRANCH, str(other))
    (other / PHASE / "03-03-PLAN.md").write_text(plan_text("03", files=["c"]))
    refused = project.execute(expect=5)
    assert f"cd {other} && git add" in refused.stderr


def test_without_a_switch_the_edited_plans_of_a_checkout_are_only_named(repo: Repo) -> None:
    project = planned(repo)
    repo.git("branch", BRANCH)
    repo.write(f"{PHASE}/03-03-PLAN.md", plan_text("03", files=["c"]))
    done = project.execute()
    assert "03-03-PLAN.md differ in your checkout" in done.stderr
    assert set(project.statuses()) == {"03-01", "03-02"}


@pytest.mark.parametrize(("letter", "head"), [("s", BRANCH), ("l", "main")])
def test_on_a_terminal_the_user_says_whether_to_switch(repo: Repo, letter: str, head: str) -> None:
    project = planned(repo)
    repo.write("README.md", "# edited\n")
    child = pexpect.spawn(
        sys.executable, ["-P", "-m", "worktree_runner", "execute", "3", "--progress", "plain"],
        cwd=str(repo.path), env=project.env, timeout=90, encoding="utf-8",  # type: ignore[arg-type]
        dimensions=(40, 200),
    )  # fmt: skip
    child.expect("eave my checkout where it is")
    child.sendline(letter)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert repo.git("symbolic-ref", "--short", "HEAD") == head
    assert repo.read("README.md") == b"# edited\n"
    assert len(project.merges(BRANCH)) == 2
    assert (repo.path / "a").exists() == (head == BRANCH)


def test_the_dry_run_makes_no_branch_and_a_flag_overrides_the_setting(repo: Repo) -> None:
    project = planned(repo)
    shown = project.execute("--dry-run").stdout
    assert f"of {BRANCH} (to be made from main)" in shown
    assert repo.git("branch", "--list", "gsd/*") == ""
    project.execute("--branching", "none")
    assert len(project.merges("main")) == 2


@pytest.mark.parametrize(
    ("template", "words"),
    [("gsd", "can't both exist"), ("x/{who}", "there is no {who}"), ("a..b", "can't be the name")],
)
def test_a_template_that_can_not_work_is_refused(repo: Repo, template: str, words: str) -> None:
    project = planned(repo)
    repo.commit("template", {CONFIG: json.dumps(
        {"branching_strategy": "phase", "phase_branch_template": template})})  # fmt: skip
    assert words in project.execute(expect=2).stderr
    assert repo.git("branch", "--list").split() == ["*", "main"]


@pytest.mark.parametrize("name", ["ace", "renn", "ariadna"])
def test_the_other_dialects_make_their_own_branch(repo: Repo, name: str) -> None:
    dialect = load(name)
    steps = [{"write": "a", "text": "x"}, {"commit": "a"}, {"summary": True}]
    action = f"```agent\n{json.dumps(steps)}\n```"
    builder = PhaseBuilder(dialect).plan("01", files=("a",), tasks=(("Do it", "a", action),))
    builder.config = json.dumps({"branching_strategy": dialect.words.phase})
    agent = f'agent = "command"\n[agents.command]\nargv = ["{sys.executable}", "{AGENT}", '
    repo.commit("planned", {**builder.files(), ".wtrun.toml": agent + '"{plan_file}"]\n'})
    project = Project(repo)
    project.execute()
    branch = f"{name}/{dialect.words.phase}-03-accounts"
    assert len(project.merges(branch)) == 1
    assert project.merges("main") == []


def test_a_whole_phase_that_was_never_committed_is_offered(repo: Repo) -> None:
    project = planned(repo)
    repo.git("rm", "-rq", "--cached", ".planning")
    repo.git("commit", "-qm", "only on disk")
    assert "are not committed" in project.execute("--branching", "none", expect=5).stderr
    project.execute("--branching", "none", "--yes")
    assert b"Plan: 2 of 2" in repo.show("main", ".planning/STATE.md")
