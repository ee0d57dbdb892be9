"""Parsers against streams that the real programs printed (made with a scripted model)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worktree_runner.agents import registry
from worktree_runner.agents.outcome import replay
from worktree_runner.agents.protocol import AgentEvent, AgentOutcome, FailureKind, Usage
from worktree_runner.agents.streams import add, since

STREAMS = Path(__file__).parent / "streams"
VERSIONS = {folder.name.partition("-")[0]: folder for folder in sorted(STREAMS.iterdir())}
AGENTS = ("claude", "codex", "opencode", "gemini", "qwen")


def play(
    agent: str, case: str, tmp_path: Path, *, killed: bool = False
) -> tuple[AgentOutcome, list[AgentEvent]]:
    for stream in ("stdout", "stderr"):
        source = VERSIONS[agent] / f"{case}.{stream}.log"
        (tmp_path / f"{stream}.log").write_bytes(source.read_bytes() if source.exists() else b"")
    code = int((VERSIONS[agent] / f"{case}.exit").read_text())
    parser = registry.load(agent).parser()
    events = list(replay(parser, tmp_path))
    return parser.end(code, killed=killed, timed_out=False), events


@pytest.mark.parametrize("agent", AGENTS)
def test_run_that_did_its_work(agent: str, tmp_path: Path) -> None:
    outcome, events = play(agent, "ok", tmp_path)
    assert (outcome.status, outcome.failure, outcome.final_text) == ("ok", None, "All done.")
    assert (outcome.usage.input_tokens, outcome.usage.output_tokens) == (8000, 360)
    assert (outcome.usage.cost_usd is not None) == registry.load(agent).capabilities.reports_cost
    assert outcome.session_id
    kinds = [event.kind for event in events]
    assert {"started", "tool", "tool_ended", "text", "finished"} <= set(kinds)
    assert kinds.index("started") < kinds.index("tool") < kinds.index("finished")
    assert any("git commit" in event.text for event in events if event.kind == "tool")
    assert "unparsed" not in kinds[kinds.index("started") :] or agent in ("claude", "codex")


@pytest.mark.parametrize("agent", ["claude", "opencode", "gemini", "qwen"])
def test_denied_command_ends_with_code_zero_and_is_listed(agent: str, tmp_path: Path) -> None:
    outcome, _ = play(agent, "denied", tmp_path)
    assert outcome.status == "ok"
    assert len(outcome.denials) == 1
    assert "python3 -c 1" in outcome.denials[0]


@pytest.mark.parametrize("agent", AGENTS)
def test_wrong_login_is_an_auth_failure(agent: str, tmp_path: Path) -> None:
    outcome, _ = play(agent, "auth", tmp_path)
    assert (outcome.status, outcome.failure) == ("failed", FailureKind.AUTH)
    assert outcome.message


@pytest.mark.parametrize("agent", AGENTS)
def test_session_that_is_gone_is_told_from_other_failures(agent: str, tmp_path: Path) -> None:
    outcome, _ = play(agent, "gone", tmp_path)
    assert (outcome.status, outcome.failure) == ("failed", FailureKind.SESSION)
    assert "\x1b" not in outcome.message


@pytest.mark.parametrize("agent", ["claude", "codex"])
def test_rate_limit_is_told_from_other_failures(agent: str, tmp_path: Path) -> None:
    assert play(agent, "rate", tmp_path)[0].failure is FailureKind.RATE_LIMIT


def test_overloaded_once_is_a_retry_and_no_failure(tmp_path: Path) -> None:
    outcome, events = play("claude", "retry", tmp_path)
    assert outcome.status == "ok"
    assert any(event.kind == "retry" and "529" in event.text for event in events)


@pytest.mark.parametrize("agent", ["claude", "opencode"])
def test_failed_mcp_server_is_noticed_although_the_run_succeeds(agent: str, tmp_path: Path) -> None:
    outcome, _ = play(agent, "mcpbad", tmp_path)
    assert (outcome.status, outcome.notices) == ("ok", ("MCP server wtrun: failed",))


def test_codex_ends_where_its_mcp_server_does_not_start(tmp_path: Path) -> None:
    outcome, _ = play("codex", "mcpbad", tmp_path)
    assert (outcome.status, outcome.failure) == ("failed", FailureKind.CONFIG)
    assert "wtrun" in outcome.message


@pytest.mark.parametrize("case", ["turns", "budget"])
def test_limits_of_claude(case: str, tmp_path: Path) -> None:
    outcome, _ = play("claude", case, tmp_path)
    assert (outcome.status, outcome.failure) == ("limit", FailureKind.LIMIT)
    assert "Reached maximum" in outcome.message


def test_reason_of_a_hook_is_kept(tmp_path: Path) -> None:
    outcome, _ = play("claude", "hook", tmp_path)
    assert "HELLO.txt is reserved by plan 03-02" in outcome.denials[0]


@pytest.mark.parametrize("agent", AGENTS)
def test_our_own_kill_wins_over_a_result_that_says_success(agent: str, tmp_path: Path) -> None:
    assert play(agent, "ok", tmp_path, killed=True)[0].status == "killed"


@pytest.mark.parametrize("agent", AGENTS)
def test_stream_that_was_cut_off_is_a_crash(agent: str, tmp_path: Path) -> None:
    lines = (VERSIONS[agent] / "ok.stdout.log").read_text().splitlines()
    parser = registry.load(agent).parser()
    for line in [*lines[:2], lines[2][: len(lines[2]) // 2]]:
        parser.feed(line, "stdout")
    outcome = parser.end(-9, killed=False, timed_out=False)
    assert (outcome.status, outcome.failure) == ("failed", FailureKind.CRASH)
    assert outcome.message == "ended by signal 9"


def test_result_may_call_an_error_a_success() -> None:
    parser = registry.load("claude").parser()
    said = {"type": "result", "subtype": "success", "is_error": True, "api_error_status": 529,
            "result": "Overloaded"}  # fmt: skip
    parser.feed(json.dumps(said), "stdout")
    outcome = parser.end(1, killed=False, timed_out=False)
    assert (outcome.status, outcome.failure) == ("failed", FailureKind.OVERLOADED)


def test_codex_warning_about_a_model_is_a_notice(tmp_path: Path) -> None:
    outcome, _ = play("codex", "ok", tmp_path)
    assert any("Model metadata" in notice for notice in outcome.notices)


def test_codex_without_a_working_sandbox_is_noticed() -> None:
    parser = registry.load("codex").parser()
    item = {"type": "command_execution", "command": "ls", "status": "failed", "exit_code": 1,
            "aggregated_output": "bwrap: No permissions to create new namespace\n"}  # fmt: skip
    parser.feed(json.dumps({"type": "item.completed", "item": item}), "stdout")
    notices = parser.end(0, killed=False, timed_out=False).notices
    assert len(notices) == 1
    assert "sandbox = false" in notices[0]


def test_usage_of_a_resumed_thread_is_the_difference() -> None:
    before = Usage(input_tokens=1000, output_tokens=20)
    now = Usage(input_tokens=3000, output_tokens=60, cached_tokens=5)
    assert since(now, before) == Usage(input_tokens=2000, output_tokens=40, cached_tokens=5)
    assert since(now, None) == now
    assert add(before, Usage(cost_usd=0.5)) == Usage(
        input_tokens=1000, output_tokens=20, cost_usd=0.5
    )


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
WORDS = st.sampled_from(
    ["type", "subtype", "message", "content", "part", "item", "error", "usage", "result", "state",
     "init", "assistant", "user", "tool_use", "tool_result", "system", "item.completed", "text",
     "turn.completed", "step_finish", "stats", "mcp_servers", "permission_denials", "errors"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(WORDS, ANYTHING | WORDS, max_size=6), max_size=6))
def test_no_stream_breaks_a_parser(rows: list[dict[str, object]]) -> None:
    for agent in AGENTS:
        parser = registry.load(agent).parser()
        for row in rows:
            for stream in ("stdout", "stderr"):
                parser.feed(json.dumps(row), stream)
        assert parser.end(0, killed=False, timed_out=False).status in ("ok", "failed", "limit")


@pytest.mark.parametrize("agent", AGENTS)
def test_lines_that_are_no_json_pass(agent: str) -> None:
    parser = registry.load(agent).parser()
    for line in ("", "plain", "{broken", '["list"]', '{"a":' * 2000, "\x00\x1b[31m", "null"):
        parser.feed(line, "stdout")
        parser.feed(line, "stderr")
    assert parser.end(0, killed=False, timed_out=False).status == "ok"


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("/bin/bash -lc 'git add -- a'", "git add -- a"),
        ("/bin/zsh -c \"echo 'x y'\"", "echo 'x y'"),
        ("/bin/bash -lc ls more", "/bin/bash -lc ls more"),
        ("/bin/bash -lc 'open", "/bin/bash -lc 'open"),
        ("python3 -c 1", "python3 -c 1"),
    ],
)
def test_codex_commands_are_shown_without_the_shell_around_them(command: str, shown: str) -> None:
    item = {"type": "command_execution", "id": "i", "command": command}
    line = json.dumps({"type": "item.started", "item": item})
    assert registry.load("codex").parser().feed(line, "stdout")[0].text == shown
