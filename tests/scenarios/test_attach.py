"""`wtrun attach` after real runs: the agent's session, else a shell in the worktree."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.project import Project, plan_text
from tests.support.repo import Repo

SAID = {"say": json.dumps({"kind": "started", "session_id": "s-17"})}


def project_with(repo: Repo, extra: str) -> Project:
    project = Project.make(repo, {"01": plan_text("01", steps=[SAID, {"exit": 3}])})
    config = repo.read(".wtrun.toml").decode()
    repo.commit("agent", {".wtrun.toml": f'{config}events = "jsonl"\n{extra}'})
    project.execute(expect=1)
    return project


def test_the_session_is_opened_by_the_agents_own_program_in_the_worktree(repo: Repo) -> None:
    shown = '["sh", "-c", "echo $0 in $(pwd) as $WTRUN_PLAN", "{resume}"]'
    project = project_with(repo, f"attach_argv = {shown}\n")
    done = project.wtrun("attach", "03-01", expect=0)
    assert done.stdout == f"s-17 in {repo.path}/.worktrees/wt-03-01 as 03-01\n"
    assert "what failed starts anew" in done.stderr
    assert "wtrun execute 03" in done.stderr


def test_without_such_a_program_it_is_a_shell(repo: Repo, tmp_path: Path) -> None:
    shell = tmp_path / "shell"
    shell.write_text("#!/bin/sh\npwd\n")
    shell.chmod(0o755)
    project = project_with(repo, "")
    repo.env["SHELL"] = str(shell)
    done = project.wtrun("attach", "03-01", expect=0)
    assert done.stdout == f"{repo.path}/.worktrees/wt-03-01\n"
    assert "has no session that could be opened here" in done.stderr
    assert "has not been started" in project.wtrun("attach", "03-09", expect=2).stderr
