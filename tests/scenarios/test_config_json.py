"""The originals' config.json, acted on by real runs."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.support.project import AGENT, Project, plan_text
from tests.support.repo import Repo

CONFIG = ".planning/config.json"


def planned(
    repo: Repo, config: dict[str, Any], plans: dict[str, str] | None = None, more: str = ""
) -> Project:
    names = ("01", "02", "03")
    texts = plans or {name: plan_text(name, files=[f"f{name}"]) for name in names}
    agent = f'agent = "command"\n{more}\n[agents.command]\nargv = ["{sys.executable}", "{AGENT}", '
    return Project.make(
        repo, texts, {CONFIG: json.dumps(config), ".wtrun.toml": agent + '"{plan_file}"]\n'}
    )


def overlapped(project: Project) -> set[tuple[str, str]]:
    """Pairs of plans whose agents were at work at the same time."""
    at_work: list[str] = []
    pairs = set()
    for event in project.events():
        if event["type"] == "attempt.started":
            pairs |= {(other, event["plan"]) for other in at_work}
            at_work.append(event["plan"])
        elif event["type"] == "attempt.ended":
            at_work.remove(event["plan"])
    return pairs


def test_without_parallelization_one_plan_runs_at_a_time(repo: Repo) -> None:
    project = planned(repo, {"parallelization": {"enabled": False, "max_concurrent_agents": 3}})
    project.execute()
    assert overlapped(project) == set()


def test_a_wave_below_the_minimum_runs_one_after_another(repo: Repo) -> None:
    plans = {
        name: plan_text(name, files=[name], wave=1 if name < "04" else 2)
        for name in ("01", "02", "03", "04", "05")
    }
    config = {"parallelization": {"enabled": True, "min_plans_for_parallel": 3}}
    project = planned(repo, config, plans)
    project.execute()
    assert overlapped(project)
    assert ("03-04", "03-05") not in overlapped(project)


def test_wrong_types_are_named_with_file_and_key_and_the_default_counts(repo: Repo) -> None:
    wrong = {
        "parallelization": {"max_concurrent_agents": "many"},
        "git": {"branching_strategy": "feature"},
        "model_profile": "turbo",
        "workflow": {"auto_advance": [1]},
    }
    said = planned(repo, wrong).execute().stderr
    for words in (
        f'{CONFIG}: parallelization.max_concurrent_agents: "many" is not allowed',
        f'{CONFIG}: git.branching_strategy: "feature" is not allowed',
        f"{CONFIG} model_profile: profile 'turbo' is unknown, expected quality, balanced",
        f"{CONFIG}: workflow.auto_advance: [1] is not allowed, expected true or false; not used",
    ):
        assert words in said
    assert "'balanced' is used" in said
    assert repo.git("symbolic-ref", "--short", "HEAD") == "main"


def test_the_profile_chooses_the_model_of_the_agent(repo: Repo) -> None:
    plans = {"01": plan_text("01", files=["a"])}
    more = '[models.command]\nopus = "big"\nsonnet = "middle"'
    project = planned(repo, {"model_profile": "quality"}, plans, more)
    project.execute()
    request = next((repo.path / ".git/wtrun/runs").glob("*/attempts/03-01-a1/request.json"))
    assert json.loads(request.read_text())["model"] == "big"


def test_auto_advance_answers_a_decision_and_never_what_only_a_person_can_do(repo: Repo) -> None:
    options = [{"id": "postgres", "name": "Postgres"}, {"id": "sqlite", "name": "SQLite"}]
    common = {"details": "x", "awaiting": "y", "progress": "0/1"}
    stops = {
        "01": {**common, "type": "decision", "options": options},
        "02": {**common, "type": "human-action"},
    }
    plans = {
        name: plan_text(name, files=[name], steps=[{"checkpoint": stop}])
        for name, stop in stops.items()
    }
    project = planned(repo, {"workflow": {"auto_advance": True}}, plans)
    project.execute("--on-failure", "continue", expect=4)
    answers = [
        (event["plan"], event["data"]["text"])
        for event in project.events()
        if event["type"] == "plan.answered"
    ]
    assert ("03-01", "postgres") in answers
    assert {plan for plan, _ in answers} == {"03-01"}
    assert project.statuses()["03-02"] == "asking"


def test_a_team_starts_plans_by_their_dependencies_and_not_by_waves(repo: Repo) -> None:
    wait = [{"wait": str(repo.path.parent / "go")}, {"write": "a", "text": "x"}]
    touch = [{"write": "b", "text": "x"}, {"commit": "b"}, {"summary": True}]
    plans = {
        "01": plan_text("01", files=["a"], steps=[*wait, {"commit": "a"}, {"summary": True}]),
        "02": plan_text("02", wave=2, files=["b"],
                        steps=[*touch, {"touch": str(repo.path.parent / "go")}]),
        "03": plan_text("03", wave=2, files=["a"]),
    }  # fmt: skip
    project = planned(repo, {}, plans, 'team = "on"')
    project.execute()
    assert ("03-01", "03-02") in overlapped(project)
    assert ("03-01", "03-03") not in overlapped(project)


def test_a_checkout_that_is_not_to_be_moved_waits_for_publish(repo: Repo) -> None:
    plans = {"01": plan_text("01", files=["a"])}
    project = planned(repo, {}, plans, "[merge]\ncheckout = false")
    before = repo.git("rev-parse", "HEAD")
    done = project.execute(expect=5)
    assert "merge.checkout is off" in done.stderr
    assert repo.git("rev-parse", "HEAD") == before
    project.wtrun("publish", expect=0)
    assert repo.read("a")
