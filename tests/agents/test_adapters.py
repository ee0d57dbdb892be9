"""What each adapter starts: argv, environment and files, compared as values."""

from __future__ import annotations

import json
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.agents import request_for
from tests.support.repo import Repo
from worktree_runner.agents import registry
from worktree_runner.agents.protocol import AgentRequest, Launch, McpServer
from worktree_runner.agents.settings import AgentSettings

CLIS = ("claude", "codex", "opencode", "gemini", "qwen")
BYPASSES = ("bypassPermissions", "danger-full-access", "--auto", "yolo", "--yolo",
            "--dangerously-skip-permissions", "--dangerously-bypass-approvals-and-sandbox",
            "--dangerously-bypass-hook-trust")  # fmt: skip
SERVER = McpServer(name="wtrun", command=("wtrun", "serve", "--stdio"), env={"A": 'b"\n😀'})


def launch(repo: Repo, agent: str, table: object = None, **changes: object) -> Launch:
    settings = AgentSettings(tables={agent: table} if table else {})
    return registry.load(agent, settings).build(request_for(repo, "---\n---\n", **changes))


def after(argv: tuple[str, ...], flag: str) -> str:
    return argv[argv.index(flag) + 1]


@pytest.mark.parametrize("agent", CLIS)
def test_prompt_is_on_stdin_and_never_an_argument(repo: Repo, agent: str) -> None:
    made = launch(repo, agent, prompt="p" * 300_000)
    assert made.stdin is not None
    assert made.files[made.stdin] == "p" * 300_000
    assert max(len(argument) for argument in made.argv) < 4000
    assert made.cwd.name == "wt-03-01"


@pytest.mark.parametrize("agent", CLIS)
def test_no_bypass_without_the_users_word(repo: Repo, agent: str) -> None:
    careful = launch(repo, agent, mcp_servers=(SERVER,), pre_tool_hook=("wtrun", "hook"))
    assert not set(BYPASSES) & set(careful.argv)
    full = launch(repo, agent, permissions="full")
    assert set(BYPASSES) & set(full.argv)


@pytest.mark.parametrize("agent", CLIS)
def test_table_of_the_user_reaches_the_program(repo: Repo, agent: str) -> None:
    made = launch(repo, agent, {"program": "/opt/x", "args": ["--own"], "env": {"K": "v"}})
    assert made.argv[0] == "/opt/x"
    assert "--own" in made.argv
    assert made.env["K"] == "v"


@pytest.mark.parametrize("agent", CLIS)
def test_git_of_the_agent_is_not_redirected(repo: Repo, agent: str) -> None:
    made = launch(repo, agent)
    assert {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"} <= set(made.unset)
    assert made.env["GIT_TERMINAL_PROMPT"] == "0"


def test_claude_knows_its_session_before_it_starts(repo: Repo) -> None:
    new = launch(repo, "claude", session_id="1-2", model="opus", max_turns=9, max_cost=1.5).argv
    assert (after(new, "--session-id"), after(new, "--model")) == ("1-2", "opus")
    assert (after(new, "--max-turns"), after(new, "--max-budget-usd")) == ("9", "1.5")
    again = launch(repo, "claude", session_id="1-2", resume="0-1").argv
    assert after(again, "--resume") == "0-1"
    assert "--session-id" not in again
    assert "--worktree" not in again


def test_claude_may_commit_and_run_what_the_user_allows(repo: Repo) -> None:
    argv = launch(
        repo, "claude", allow_commands=("make", "npm test"),
        mcp_servers=(SERVER,), pre_tool_hook=("/a b/python", "-m", "wtrun"),
    ).argv  # fmt: skip
    assert after(argv, "--permission-mode") == "acceptEdits"
    assert {"Bash(git commit *)", "Bash(make *)", "Bash(npm test)", "mcp__wtrun"} <= set(argv)
    assert json.loads(after(argv, "--mcp-config"))["mcpServers"]["wtrun"]["args"] == [
        "serve", "--stdio",
    ]  # fmt: skip
    hook = json.loads(after(argv, "--settings"))["hooks"]["PreToolUse"][0]
    assert hook["hooks"][0]["command"] == "'/a b/python' -m wtrun"
    assert "Write" in hook["matcher"]


def test_claude_in_a_claude_session_does_not_take_itself_for_a_part_of_it(repo: Repo) -> None:
    assert "CLAUDECODE" in launch(repo, "claude").unset


def test_codex_writes_what_a_commit_needs_and_no_more(repo: Repo) -> None:
    made = launch(repo, "codex")
    value = after(made.argv, "-c")
    key, _, roots = value.partition("=")
    assert key == "sandbox_workspace_write.writable_roots"
    common, request = repo.path / ".git", request_for(repo, "")
    assert tomllib.loads(f"x = {roots}")["x"] == [
        str(path)
        for path in (
            request.git_dir, common / "objects", common / "refs", common / "logs",
            common / "wtrun/registry", common / "wtrun/mail", request.outbox,
        )
    ]  # fmt: skip
    assert {str(folder) for folder in made.folders} == set(tomllib.loads(f"x = {roots}")["x"][1:])
    assert made.argv[-1] == "-"
    assert launch(repo, "codex", resume="t1").argv[-3:] == ("resume", "t1", "-")
    assert after(launch(repo, "codex", sandbox=False).argv, "--sandbox").startswith("danger")


def test_codex_gets_servers_and_hooks_as_toml(repo: Repo) -> None:
    argv = launch(
        repo, "codex", {"trust_hooks": True}, mcp_servers=(SERVER,), pre_tool_hook=("a", "b c")
    ).argv
    values = tomllib.loads("\n".join(v for f, v in pairwise(argv) if f == "-c"))
    assert values["mcp_servers"]["wtrun"]["env"] == {"A": 'b"\n😀'}
    assert values["mcp_servers"]["wtrun"]["required"] is True
    assert values["hooks"]["PreToolUse"][0]["hooks"][0]["command"] == "a 'b c'"


def opencode_config(made: Launch) -> dict[str, object]:
    config: dict[str, object] = json.loads(made.env["OPENCODE_CONFIG_CONTENT"])
    return config


def test_opencode_has_a_database_per_plan_that_outlives_an_attempt(repo: Repo) -> None:
    one = launch(repo, "opencode").env["OPENCODE_DB"]
    second: Path = request_for(repo, "").run_dir.parent / "03-01-a2"
    again = launch(repo, "opencode", run_dir=second, resume="ses_1")
    other = launch(repo, "opencode", plan_id="03-02").env["OPENCODE_DB"]
    assert again.env["OPENCODE_DB"] == one != other
    assert after(again.argv, "-s") == "ses_1"


def test_opencode_denies_instead_of_asking_and_guards_what_others_reserved(repo: Repo) -> None:
    own = json.dumps({"model": "a/b", "mcp": {"mine": {}}, "permission": {"bash": "ask"}})
    made = launch(
        repo, "opencode", {"env": {"OPENCODE_CONFIG_CONTENT": own}},
        protected_paths=("src/auth/**",), mcp_servers=(SERVER,), allow_commands=("npm test",),
    )  # fmt: skip
    config = opencode_config(made)
    assert config["model"] == "a/b"
    assert set(config["mcp"]) == {"mine", "wtrun"}  # type: ignore[call-overload]
    permission = config["permission"]
    assert isinstance(permission, dict)
    assert list(permission["edit"].items()) == [("*", "allow"), ("src/auth/**", "deny")]
    assert next(iter(permission["bash"].items())) == ("*", "deny")
    assert permission["bash"]["npm test *"] == "allow"
    assert "ask" not in json.dumps(permission)


def test_gemini_gets_a_policy_that_lets_it_commit(repo: Repo) -> None:
    made = launch(repo, "gemini", allow_commands=("npm test",))
    policy = tomllib.loads(made.files[Path(after(made.argv, "--policy"))])
    allow = next(r for r in policy["rule"] if "commandPrefix" in r)
    assert {"git commit", "npm test"} <= set(allow["commandPrefix"])
    denied = [r for r in policy["rule"] if r["decision"] == "deny"]
    assert [r["toolName"] for r in denied] == ["run_shell_command"]
    assert allow["toolName"] == "run_shell_command"
    assert denied[0]["priority"] < allow["priority"]


@pytest.mark.parametrize("agent", [*CLIS, "shell"])
def test_record_says_later_which_parser_reads_the_log(repo: Repo, agent: str) -> None:
    made = launch(repo, agent)
    request: AgentRequest = request_for(repo, "")
    record = json.loads(made.files[request.run_dir / "agent.json"])
    assert type(registry.parser_for(record["events"])) is type(registry.load(agent).parser())
    assert request.outbox / "README.txt" in made.files
