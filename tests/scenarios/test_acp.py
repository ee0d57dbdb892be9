"""A whole phase by an agent that speaks ACP: at work, failing, hanging, killed, without a login."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import Project, plan_text
from tests.support.repo import Repo

pytest.importorskip("acp")
WORKER = [sys.executable, "-m", "tests.support.acp_worker"]
REST: list[dict[str, Any]] = [
    {"append": "c", "text": "rest\n"}, {"commit": "feat: rest"}, {"summary": True},
]  # fmt: skip


def make(repo: Repo, plans: dict[str, str], *mode: str, limits: str = "") -> Project:
    argv = json.dumps([*WORKER, *mode])
    config = f'verify = false\n[agents.acp]\nargv = {argv}\nevents = "acp"\n'
    project = Project.make(repo, plans, {".wtrun.toml": config})
    user = Path(project.env["HOME"]) / ".config/wtrun/config.toml"
    user.parent.mkdir(parents=True, exist_ok=True)
    user.write_text(f"[limits]\n{limits}\n")
    return project


def test_phase_with_one_that_fails_one_that_hangs_and_one_that_is_killed(
    repo: Repo, tmp_path: Path
) -> None:
    half: list[dict[str, Any]] = [{"append": "c", "text": "half\n"}, {"commit": "feat: half"}]
    hangs = {"first": [*half, {"wait": str(tmp_path / "never")}], "again": REST}
    killed = {"first": [*half, {"kill": 9}], "again": REST}
    plans = {
        "01": plan_text("01", files=["a"]),
        "02": plan_text("02", files=["b"], steps=[{"exit": 3}]),
        "03": plan_text("03", files=["c"], steps=hangs),
        "04": plan_text("04", wave=2, files=["c"], depends_on=["03-03"], steps=killed),
    }
    project = make(repo, plans, limits="stall_timeout = 8\nretries = 5")
    done = project.execute("--agent", "acp", "--on-failure", "continue", expect=1)
    assert project.statuses() == {
        "03-01": "landed", "03-02": "failed", "03-03": "landed", "03-04": "landed",
    }  # fmt: skip
    assert "gave up with 3" in done.stderr
    assert repo.read("c").count(b"rest\n") == 2
    assert repo.read("c").endswith(b"half\nrest\n")
    assert project.starts("03-04") == 2
    ends = [
        (event.get("plan"), event["data"]["reason"])
        for event in project.events()
        if event["type"] == "attempt.ended"
    ]
    assert ("03-03", "stalled") in ends
    assert project.processes() == []
    shown = project.wtrun("logs", "03-01", expect=0).stdout
    assert "All done." in shown


def test_session_is_loaded_and_what_was_said_in_it_is_not_said_again(repo: Repo) -> None:
    steps = {"first": [{"append": "c", "text": "half\n"}, {"kill": 9}], "again": REST}
    project = make(repo, {"01": plan_text("01", files=["c"], steps=steps)})
    project.execute("--agent", "acp", "--resume-session")
    shown = project.wtrun("logs", "03-01", expect=0).stdout
    assert "All done." in shown
    assert "Said before." not in shown


def test_missing_login_stops_the_fleet_and_the_check_names_it(repo: Repo) -> None:
    project = make(repo, {"01": plan_text("01", files=["a"])}, "login")
    shown = project.wtrun("agents", "--check", expect=0).stdout
    assert "it opens no session: Authentication required: run worker login" in shown
    done = project.execute("--agent", "acp", expect=7)
    assert "the agent is not logged in" in done.stderr


def test_check_tells_version_and_what_does_not_speak_the_protocol(repo: Repo) -> None:
    project = make(repo, {"01": plan_text("01")}, "no-sessions")
    text = repo.read(".wtrun.toml").decode()
    silent = f'{text}[agents.silent]\nargv = ["{sys.executable}", "-c", "1"]\nevents = "acp"\n'
    repo.commit("another", {".wtrun.toml": silent})
    rows = json.loads(project.wtrun("agents", "--check", "--json", expect=0).stdout)["agents"]
    found = {row["name"]: row for row in rows}
    assert found["acp"]["version"] == "1.2.3"
    assert found["acp"]["problems"] == ["it can't load sessions: work goes on in fresh processes"]
    assert "does not speak ACP" in found["silent"]["problems"][0]
