"""What the board is told: read from the logs once, and only what is new."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from worktree_runner.agents.protocol import AgentEvent
from worktree_runner.agents.registry import load
from worktree_runner.core.state import PlanState, RunState, Status
from worktree_runner.operations.run import watching
from worktree_runner.operations.run.watching import LogReader, activity_of, wave_of


def tool(name: str, path: str) -> bytes:
    use = {"type": "tool_use", "id": "t", "name": name, "input": {"file_path": path}}
    event = {"type": "assistant", "message": {"content": [use]}}
    return json.dumps(event).encode() + b"\n"


def test_the_last_thing_an_agent_did_is_its_activity(tmp_path: Path) -> None:
    log = tmp_path / "stdout.log"
    reader = LogReader(load("claude"), tmp_path)
    reader.read()
    assert reader.activity == ""
    log.write_bytes(tool("Read", "/w/a.py") + tool("Edit", "/w/b.py")[:20])
    reader.read()
    assert reader.activity == "Read /w/a.py"
    with log.open("ab") as file:
        file.write(tool("Edit", "/w/b.py")[20:])
    reader.read()
    assert reader.activity == "Edit /w/b.py"


def test_of_a_log_that_grew_fast_only_the_end_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MOST_BYTES", 4_000)
    log = tmp_path / "stdout.log"
    log.write_bytes(b"x" * 100_000 + b"\n" + tool("Edit", "/w/b.py"))
    reader = LogReader(load("claude"), tmp_path)
    reader.read()
    assert reader.activity == "Edit /w/b.py"
    assert reader._offset == log.stat().st_size


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (AgentEvent(kind="tool", tool="Bash", text="pytest -q"), "Bash pytest -q"),
        (AgentEvent(kind="text", text="\nFirst line\nsecond"), "First line"),
        (AgentEvent(kind="text", text=" "), ""),
        (AgentEvent(kind="usage"), ""),
    ],
)
def test_an_event_in_a_few_words(event: AgentEvent, words: str) -> None:
    assert activity_of(event) == words


def plan(id: str, wave: int, status: Status) -> PlanState:
    return PlanState(
        id=id, path="", summary="", title="", wave=wave, lane=None, depends_on=(), order=0,
        autonomous=True, status=status,
    )  # fmt: skip


def test_the_wave_is_the_first_with_an_open_plan() -> None:
    plans = [
        plan("1", 1, Status.LANDED),
        plan("2", 3, Status.CONFLICTED),
        plan("3", 7, Status.WAITING),
    ]
    state = RunState(plans={one.id: one for one in plans})
    assert wave_of(state) == (2, 3)
    assert wave_of(RunState(plans={"1": plans[0]})) == (1, 1)
    assert wave_of(RunState()) == (0, 0)
