from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from tests.support.agents import perform, request_for
from tests.support.repo import Repo
from worktree_runner.agents import registry
from worktree_runner.agents.acp_rules import command_allowed, refusal
from worktree_runner.agents.jsonl import JsonlParser, render
from worktree_runner.agents.outcome import read_outcome
from worktree_runner.agents.protocol import AgentEvent, AgentOutcome, FailureKind, Usage
from worktree_runner.agents.settings import AgentSettings

FAKE = Path(__file__).parent.parent / "support" / "acp_agent.py"
ALLOWED = ("git add", "git commit", "npm test")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("git add -- 'a b.txt'", True),
        ("git add a && git commit -m 'x; y'", True),
        ("npm test -- --watch=false", True),
        ("npm  test", True),
        ("npm tests", False),
        ("git push", False),
        ("git add a; rm -rf /", False),
        ("git add a & rm b", False),
        ("git add $(rm b)", False),
        ("git add `rm b`", False),
        ("git commit -m x > ~/.bashrc", False),
        ("git add a\nrm b", False),
        ("git add 'unclosed", False),
        ("FOO=1 git add a", False),
        ("", False),
    ],
)
def test_command_lines(line: str, expected: bool) -> None:
    assert command_allowed(line, ALLOWED) is expected


@pytest.mark.parametrize(
    ("kind", "path", "words"),
    [
        ("read", "/etc/passwd", ""),
        ("edit", "src/a.py", ""),
        ("edit", "src/auth/login.py", "reserved by somebody else"),
        ("delete", "../other/a.py", "outside of the worktree"),
        ("edit", "/etc/passwd", "outside of the worktree"),
        ("edit", "", "names no file"),
        ("surprise", "a", "are not allowed"),
        ("other", "", ""),
    ],
)
def test_edits_stay_in_the_worktree_and_off_reserved_paths(
    tmp_path: Path, kind: str, path: str, words: str
) -> None:
    why = refusal(
        kind, (path,) if path else (), "", worktree=tmp_path, protected=("src/auth/**",),
        allowed=ALLOWED,
    )  # fmt: skip
    assert (words in why) if words else why == ""


def test_edit_through_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wt").mkdir()
    (tmp_path / "wt" / "link").symlink_to(tmp_path)
    why = refusal("edit", ("link/x",), "", worktree=tmp_path / "wt", protected=(), allowed=ALLOWED)
    assert "outside" in why


def converse(repo: Repo, *args: str, **changes: object) -> tuple[AgentOutcome, Path]:
    pytest.importorskip("acp")
    table = {"argv": [sys.executable, str(FAKE), *args], "events": "acp"}
    agent = registry.load("mine", AgentSettings(tables={"mine": table}))
    request = request_for(repo, "---\n---\n", **changes)
    launch = agent.build(request)
    code = perform(launch, request.run_dir)
    assert json.loads(launch.files[request.run_dir / "agent.json"])["events"] == "jsonl"
    return read_outcome(agent, request.run_dir, code, False, False), request.worktree


def test_a_turn_over_the_protocol(repo: Repo) -> None:
    outcome, worktree = converse(repo, protected_paths=("taken.txt",))
    assert (outcome.status, outcome.final_text) == ("ok", "All done."), outcome
    assert (outcome.session_id, outcome.usage) == ("s-1", Usage(input_tokens=10, output_tokens=2))
    assert repo.git("show", "--format=%s", "--name-only", "gsd/03-01") == "a\n\na.txt"
    assert not (worktree / "taken.txt").exists()
    assert not (worktree.parent / "out.txt").exists()
    assert len(outcome.denials) == 3
    assert any("rm -rf" in denial for denial in outcome.denials)


def test_an_agent_that_will_not_end_does_not_hold_the_attempt(repo: Repo) -> None:
    began = time.monotonic()
    assert converse(repo, "--stay")[0].status == "ok"
    assert time.monotonic() - began < 40


def test_refused_turn_is_a_failure(repo: Repo) -> None:
    outcome, _ = converse(repo, prompt="refuse")
    assert (outcome.status, outcome.message) == ("failed", "the turn ended with refusal")


def test_program_that_is_not_there_is_a_failure(repo: Repo) -> None:
    pytest.importorskip("acp")
    table = {"argv": ["/nonexistent/agent"], "events": "acp"}
    agent = registry.load("mine", AgentSettings(tables={"mine": table}))
    request = request_for(repo, "")
    code = perform(agent.build(request), request.run_dir)
    outcome = read_outcome(agent, request.run_dir, code, False, False)
    assert outcome.status == "failed"
    assert "No such file" in outcome.message


def test_own_event_stream_reads_back() -> None:
    parser = JsonlParser()
    said = [
        render(AgentEvent(kind="started", session_id="s")),
        render(AgentEvent(kind="text", text="Hello")),
        render(AgentEvent(kind="failed", text="too long"), "max_tokens"),
    ]
    kinds = [event.kind for line in said for event in parser.feed(line, "stdout")]
    outcome = parser.end(1, killed=False, timed_out=False)
    assert kinds == ["started", "text", "failed"]
    assert (outcome.status, outcome.failure) == ("limit", FailureKind.LIMIT)
    assert (outcome.session_id, outcome.final_text) == ("s", "Hello")
    assert parser.feed('{"kind": "no such"}', "stdout")[0].kind == "unparsed"
