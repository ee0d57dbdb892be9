"""A plan's domain chooses its program, guide and instructions; limits hold for each program."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.support.project import AGENT, Project, plan_text
from tests.support.repo import Repo


def settings(*, more: str = "") -> str:
    argv = f'argv = ["{sys.executable}", "{AGENT}", "{{plan_file}}"]'
    return (
        f'agent = "back"\n{more}\n'
        f'[agents.back]\n{argv}\nenv = {{ WHO = "back" }}\n'
        f'[agents.front]\n{argv}\nenv = {{ WHO = "front" }}\n'
        '[domains.Frontend]\nagent = "front"\nguide = "docs/front.md"\n'
        'instructions = "@docs/words.md"\n'
    )


def plans(**steps: Any) -> dict[str, str]:
    """Two plans of the domain `frontend`, two of none; the last one builds on the second."""
    who = [{"run": ["sh", "-c", "printenv WHO > $WTRUN_PLAN.txt"]}, {"commit": "feat: who"}]
    work = [*who, {"summary": True}]
    front = "domain: frontend\n"
    return {
        "01": plan_text("01", files=["a"], steps=steps.get("one", work)),
        "02": plan_text("02", files=["b"], extra=front, steps=steps.get("two", work)),
        "03": plan_text("03", files=["c"], steps=work),
        "04": plan_text("04", wave=2, files=["d"], depends_on=["03-02"], extra=front, steps=work),
    }


def make(repo: Repo, more: str = "", **steps: Any) -> Project:
    files = {
        ".wtrun.toml": settings(more=more),
        "docs/front.md": "# Front\n",
        "docs/words.md": "Use tabs.\n",
    }
    return Project.make(repo, plans(**steps), files)


def agents(project: Project) -> dict[str, list[str]]:
    """Which programs were started for each plan, by the journal."""
    found: dict[str, list[str]] = {}
    for event in project.events():
        if event["type"] == "attempt.planned":
            found.setdefault(event["plan"], []).append(event["data"]["agent"])
    return found


def test_each_domain_is_worked_on_by_its_program_with_its_guide_and_words(repo: Repo) -> None:
    project = make(repo)
    shown = project.execute("--dry-run").stdout
    assert "agent back and front" in shown
    assert "agent front, domain frontend" in shown
    project.execute()
    who = {n: repo.read(f"03-{n}.txt").decode().strip() for n in ("01", "02", "03", "04")}
    assert who == {"01": "back", "02": "front", "03": "back", "04": "front"}
    prompt = next((repo.path / ".git/wtrun/runs").glob("*/attempts/03-02-a1/prompt.md")).read_text()
    assert "docs/front.md" in prompt
    assert prompt.rstrip().endswith("Use tabs.")
    logs = project.wtrun("logs", "03-02", expect=0)
    assert "agent front" in logs.stdout + logs.stderr


def test_agent_on_the_command_line_is_every_plans(repo: Repo) -> None:
    project = make(repo)
    project.execute("--agent", "back")
    assert {name for names in agents(project).values() for name in names} == {"back"}


def test_missing_login_of_one_program_stops_its_plans_only_and_another_may_take_over(
    repo: Repo,
) -> None:
    fail = ["sh", "-c", "test $WHO = back || { echo '401 Unauthorized' >&2; exit 1; }"]
    half = [{"append": "b", "text": "half\n"}, {"commit": "feat: half"}, {"run": fail}]
    done = {"first": [*half, {"exit": 1}], "again": [{"summary": True}]}
    project = make(repo, two=done)
    ended = project.execute("-j", "1", expect=7)
    assert "front: the agent is not logged in" in ended.stderr
    assert project.statuses() == {
        "03-01": "landed", "03-02": "waiting", "03-03": "landed", "03-04": "waiting",
    }  # fmt: skip
    # what the run recorded is kept; the program that the user names takes over in the worktree
    project.execute("--agent", "back")
    assert agents(project)["03-02"] == ["front", "back"]
    assert agents(project)["03-04"] == ["back"]
    assert repo.read("b") == b"half\n"


def test_run_that_goes_on_keeps_the_programs_that_it_began_with(repo: Repo) -> None:
    work = [{"append": "b", "text": "b\n"}, {"commit": "feat: b"}, {"summary": True}]
    login = {"run": ["sh", "-c", "echo '401 Unauthorized' >&2"]}
    project = make(repo, two={"first": [login, {"exit": 1}], "again": work})
    project.execute(expect=7)
    text = repo.read(".wtrun.toml").decode().replace('agent = "front"', 'agent = "back"')
    repo.commit("other agents", {".wtrun.toml": text})
    project.execute()
    assert agents(project)["03-02"] == ["front", "front"]


def test_file_of_instructions_that_is_not_there_fails_the_plan_with_its_name(repo: Repo) -> None:
    project = make(repo)
    repo.git("rm", "-q", "docs/words.md")
    repo.commit("gone", {"x": "y\n"})
    done = project.execute("--only", "03-02", expect=1)
    assert "docs/words.md, which is not in" in done.stderr
    assert json.loads(project.wtrun("status", "--json").stdout)["plans"][0]["status"] == "failed"
