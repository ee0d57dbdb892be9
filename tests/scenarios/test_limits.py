"""Limits in whole runs: each class of failure, stalls, budgets, and what a kill leaves of them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.support.project import Project, kill, plan_text
from tests.support.repo import Repo

WORK: list[dict[str, Any]] = [
    {"append": "a", "text": "rest\n"}, {"commit": "feat: rest"}, {"summary": True},
]  # fmt: skip


def failing(words: str) -> list[dict[str, Any]]:
    """An agent that says why on stderr, as programs do, after half of its work."""
    return [
        {"append": "a", "text": "half\n"},
        {"commit": "feat: half"},
        {"run": ["sh", "-c", f"echo '{words}' >&2"]},
        {"exit": 1},
    ]


def one(steps: Any, number: str = "01") -> dict[str, str]:
    return {number: plan_text(number, files=["a"], steps=steps)}


def retries(project: Project) -> list[dict[str, Any]]:
    return [event["data"] for event in project.events() if event["type"] == "plan.retried"]


def set_limits(project: Project, **limits: object) -> None:
    """Limits in the user's own file, which needs no trust."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in limits.items()]
    config = Path(project.env["HOME"]) / ".config/wtrun/config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("\n".join(["[limits]", *lines, ""]))


def test_after_a_crash_the_plan_goes_on_in_its_worktree_with_what_it_had(repo: Repo) -> None:
    half = [*failing("x")[:2], {"kill": 9}]
    project = Project.make(repo, one({"first": half, "again": WORK}))
    done = project.execute()
    assert "the agent crashed" in done.stderr
    assert repo.read("a") == b"half\nrest\n"
    assert project.starts("03-01") == 2
    prompt = next((repo.path / ".git/wtrun/runs").glob("*/attempts/03-01-a2/prompt.md")).read_text()
    assert "feat: half" in prompt
    assert "the agent crashed" in prompt
    assert [fact["kind"] for fact in retries(project)] == ["crash"]


def test_overload_is_tried_again_after_the_wait_that_the_service_names(repo: Repo) -> None:
    words = failing("529 Overloaded, retry after 16 s")
    project = Project.make(repo, one(words))
    process = project.start("execute", "3")
    wait_for(project, "plan.retried")
    kill(process)
    fact = retries(project)[0]
    left = fact["not_before"] - time.time()
    assert 5 < left <= 25
    assert (fact["kind"], fact["counted"], fact["fresh"]) == ("overloaded", True, False)
    # the wait and the try are still there after the kill
    again = project.start("execute", "3")
    wait_for(project, "run.resumed")
    assert project.starts("03-01") == 1
    kill(again)
    assert project.execute("--retries", "1", expect=1)
    assert project.starts("03-01") == 2
    assert "was tried again once" in project.status()["plans"][0]["reason"]


def wait_for(project: Project, type: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if (project.path / ".git/wtrun/runs").is_dir() and any(
            event["type"] == type for event in project.events()
        ):
            return
        time.sleep(0.05)
    raise AssertionError(f"no {type} came")


def test_a_missing_login_starts_no_further_agent_and_execute_goes_on_later(repo: Repo) -> None:
    plans = {
        **one({"first": failing("401 Unauthorized: invalid api key"), "again": WORK}),
        "02": plan_text("02", wave=2, files=["b"]),
    }
    project = Project.make(repo, plans)
    done = project.execute(expect=7)
    assert "no further plan is started: the agent is not logged in" in done.stderr
    assert "wtrun agents --check" in done.stderr
    assert project.starts("03-02") == 0
    assert project.statuses() == {"03-01": "waiting", "03-02": "waiting"}
    project.execute()
    assert repo.read("a") == b"half\nrest\n"


def test_used_up_quota_with_a_near_reset_is_waited_for_without_starting_others(repo: Repo) -> None:
    words = "usage limit reached, quota resets in 1000 seconds"
    plans = {**one(failing(words)), "02": plan_text("02", files=["b"])}
    project = Project.make(repo, plans)
    process = project.start("execute", "3", "-j", "1")
    wait_for(project, "plan.retried")
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "kept for later: the quota is used up" in err
    assert "to go on sooner: Ctrl-C, then wtrun execute 03 --now" in err
    assert project.starts("03-02") == 0


def test_now_goes_on_before_the_quota_is_said_to_be_back(repo: Repo) -> None:
    words = {"first": failing("usage limit reached, quota resets in 1000 seconds"), "again": WORK}
    project = Project.make(repo, one(words))
    process = project.start("execute", "3")
    wait_for(project, "plan.retried")
    kill(process)
    project.execute("--now")
    assert repo.read("a") == b"half\nrest\n"


def test_quota_that_is_back_tomorrow_ends_the_run_and_the_next_one_does_not_wait(
    repo: Repo,
) -> None:
    words = {"first": failing("usage limit reached, quota resets in 30 hours"), "again": WORK}
    project = Project.make(repo, one(words))
    done = project.execute(expect=7)
    assert "it is back at 20" in done.stderr
    project.execute()
    assert repo.read("a") == b"half\nrest\n"


def test_rate_limits_make_the_fleet_smaller_and_fail_no_plan(repo: Repo) -> None:
    words = failing("429 too many requests, retry after 1 s")
    plans = one({"first": words, "again": WORK})
    project = Project.make(repo, plans)
    set_limits(project, retries=0)
    process = project.start("execute", "3", "-j", "4")
    wait_for(project, "plan.retried")
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert "because of rate limits, 2 agents at a time for a while" in err
    assert retries(project)[0]["counted"] is False


def test_wrong_configuration_is_not_tried_again(repo: Repo) -> None:
    project = Project.make(repo, one(failing("error: unknown option --frob")))
    done = project.execute(expect=1)
    assert project.starts("03-01") == 1
    assert "wtrun agents --check" in done.stderr


def test_a_stalled_agent_is_ended_and_its_plan_goes_on(repo: Repo, tmp_path: Path) -> None:
    half = [*failing("x")[:2], {"wait": str(tmp_path / "never")}]
    project = Project.make(repo, one({"first": half, "again": WORK}))
    set_limits(project, stall_timeout=2, retries=1)
    done = project.execute()
    assert "said and changed nothing for" in done.stderr
    assert repo.read("a") == b"half\nrest\n"
    ended = [event["data"] for event in project.events() if event["type"] == "attempt.ended"]
    assert [data["reason"] for data in ended] == ["stalled", "exited"]
    assert project.processes() == []


def test_a_changing_file_is_a_sign_of_life(repo: Repo) -> None:
    busy = "for i in 1 2 3 4 5 6 7 8 9; do echo $i > b; sleep 0.5; done; rm b"
    project = Project.make(repo, one([{"run": ["sh", "-c", busy]}, *WORK]))
    set_limits(project, stall_timeout=2)
    project.execute()
    assert "attempt.stalled" not in [event["type"] for event in project.events()]


def test_an_agent_with_events_that_never_says_anything_waits_at_a_hidden_prompt(
    repo: Repo, tmp_path: Path
) -> None:
    project = Project.make(repo, one([{"wait": str(tmp_path / "never")}]))
    text = repo.read(".wtrun.toml").decode()
    repo.commit("events", {".wtrun.toml": f'{text}events = "jsonl"\n'})
    set_limits(project, first_output_timeout=2)
    done = project.execute(expect=1)
    assert "the agent said nothing at all for" in done.stderr
    assert "wtrun attach 03-01, and start it there by hand" in done.stderr
    assert project.starts("03-01") == 1


def spending(tokens: int, cost: float) -> list[dict[str, Any]]:
    usage = {"input_tokens": tokens, "output_tokens": 1, "cost_usd": cost}
    return [{"say": json.dumps({"kind": "usage", "usage": usage})}, *WORK]


def test_beyond_its_budget_a_run_starts_nothing_more_and_goes_on_with_a_higher_one(
    repo: Repo,
) -> None:
    plans = {
        "01": plan_text("01", files=["a"], steps=spending(900, 1.5)),
        "02": plan_text("02", wave=2, files=["b"], depends_on=["03-01"]),
    }
    project = Project.make(repo, plans)
    text = repo.read(".wtrun.toml").decode()
    repo.commit("events", {".wtrun.toml": f'{text}events = "jsonl"\n'})
    done = project.execute("--max-cost", "1", expect=4)
    assert "1.50 of 1.00 USD used" in done.stderr
    assert project.statuses() == {"03-01": "landed", "03-02": "waiting"}
    assert project.execute("--max-tokens", "500", expect=4)
    project.execute("--max-cost", "2", "--max-tokens", "1000")
    assert project.statuses() == {"03-01": "landed", "03-02": "landed"}


def test_a_plan_that_used_up_its_own_budget_is_not_tried_again(repo: Repo) -> None:
    steps = [spending(100, 3.0)[0], {"kill": 9}]
    project = Project.make(repo, one(steps))
    text = repo.read(".wtrun.toml").decode()
    repo.commit("events", {".wtrun.toml": f'{text}events = "jsonl"\n'})
    done = project.execute("--plan-max-cost", "2", expect=1)
    assert "not tried again, for it used 3.00 of 2.00 USD" in done.stderr
    assert project.starts("03-01") == 1
