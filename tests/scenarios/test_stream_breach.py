"""What only the agent's event stream tells of it: a file of the main worktree that it changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.project import Project, plan_text
from tests.support.repo import Repo

STREAMS = {
    "codex": [
        {"type": "thread.started", "thread_id": "t-1"},
        {"type": "item.started", "item": {"id": "item_1", "type": "command_execution",
         "command": "/bin/bash -lc '{command}'", "status": "in_progress"}},
    ],
    "claude": [
        {"type": "system", "subtype": "init", "session_id": "s-1", "mcp_servers": []},
        {"type": "assistant", "message": {"content": [{"type": "tool_use", "id": "toolu_1",
         "name": "Bash", "input": {"command": "{command}"}}]}},
    ],
    "opencode": [
        {"type": "tool_use", "sessionID": "ses_1", "part": {"tool": "bash", "state": {
         "status": "completed", "input": {"command": "{command}"}, "metadata": {"exit": 0}}}},
    ],
}  # fmt: skip
"""What the real programs print about a command (see tests/agents/streams)."""


def make(repo: Repo, events: str, *, told: bool) -> Project:
    """One plan whose agent appends a line to README.md of the main worktree, and says so or not."""
    command = f"echo leaked >> {repo.path}/README.md"
    rows = STREAMS[events] if told else STREAMS[events][:-1]
    lines = [json.dumps(row).replace("{command}", command) for row in rows]
    steps: list[dict[str, Any]] = [
        *({"say": line} for line in lines), {"run": ["sh", "-c", command]},
        {"append": "a", "text": "a\n"}, {"commit": "feat: a"}, {"summary": True},
    ]  # fmt: skip
    project = Project.make(repo, {"01": plan_text("01", files=["a"], steps=steps)})
    text = repo.read(".wtrun.toml").decode()
    repo.commit("events", {".wtrun.toml": f'{text}events = "{events}"\n'})
    return project


@pytest.mark.parametrize("events", STREAMS)
def test_command_that_names_a_file_of_the_main_worktree_is_held_against_its_agent(
    repo: Repo, events: str
) -> None:
    project = make(repo, events, told=True)
    done = project.execute(expect=4)
    assert "README.md" in done.stderr
    assert "call names it: echo leaked >>" in done.stderr
    assert project.statuses() == {"03-01": "asking"}
    project.wtrun("resolve", "03-01", "--accept-breach", expect=0)
    project.execute()
    assert project.statuses() == {"03-01": "landed"}
    assert (repo.path / "README.md").read_text() == "# project\nleaked\n"


def test_the_same_change_without_such_a_command_is_the_users_own(repo: Repo) -> None:
    project = make(repo, "codex", told=False)
    done = project.execute()
    assert "changed meanwhile, not held against it" in done.stderr
    assert project.statuses() == {"03-01": "landed"}
