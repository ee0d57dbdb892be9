"""Claude Code: `claude -p` with its stream of JSON events, the prompt on stdin.

- `acceptEdits` and a list of allowed commands are the default; they work as root, too. What
  switches off its permission checks is used only on the user's word (`permissions = "full"`).
- The session id is chosen before the start, so it is known after any crash.
- Its own `--worktree` is never used: wtrun makes the worktrees.
"""

from __future__ import annotations

import json
import shlex
from typing import Any

from worktree_runner.agents.claude_stream import ClaudeParser
from worktree_runner.agents.common import UNSET, allowed_commands, environment, records
from worktree_runner.agents.probing import Login, look_up
from worktree_runner.agents.protocol import (
    Agent,
    AgentRequest,
    Capabilities,
    EventParser,
    Launch,
    McpServer,
    Probe,
)
from worktree_runner.agents.settings import AgentSettings, ShippedTable, shipped_table

DENIED = ("git push", "git stash", "git worktree", "git reset --hard", "git clean")
EDITS = "Edit|MultiEdit|Write|NotebookEdit"
NESTED = ("CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT")
"""Set inside a Claude Code session; a child must not take itself for a part of it."""
LOGIN = Login(
    files=(".claude/.credentials.json",),
    variables=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN",
               "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY"),
    keychain=True,
    command="claude auth login",
)  # fmt: skip


class ClaudeAgent:
    """The adapter."""

    name = "claude"
    capabilities = Capabilities(
        events=True, resume=True, preset_session_id=True, mcp=True, pre_edit_guard="hook",
        reports_tokens=True, reports_cost=True, max_turns=True, max_cost=True,
        writes_outbox=False, verifies=True,
    )  # fmt: skip

    def __init__(self, table: ShippedTable) -> None:
        self._table = table
        self._program = table.program or "claude"

    def probe(self, *, deep: bool = False) -> Probe:
        return look_up(self._program, LOGIN, oldest=(2, 0), deep=deep)

    def build(self, request: AgentRequest) -> Launch:
        argv = [self._program, "-p", "--output-format", "stream-json", "--verbose"]
        if request.resume:
            argv += ["--resume", request.resume]
        elif request.session_id:
            argv += ["--session-id", request.session_id]
        if request.model:
            argv += ["--model", request.model]
        if request.persona:
            argv += ["--agent", request.persona]
        if request.max_turns is not None:
            argv += ["--max-turns", str(request.max_turns)]
        if request.max_cost is not None:
            argv += ["--max-budget-usd", f"{request.max_cost:g}"]
        argv += self._permissions(request)
        if request.mcp_servers:
            servers = {server.name: mcp_entry(server) for server in request.mcp_servers}
            argv += ["--mcp-config", json.dumps({"mcpServers": servers})]
        if request.pre_tool_hook:
            argv += ["--settings", json.dumps(_hook_settings(request.pre_tool_hook))]
        quiet = {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_TERMINAL_TITLE": "1"}
        return Launch(
            argv=(*argv, *self._table.args, *request.extra_args),
            cwd=request.worktree,
            env={**quiet, **environment(request), **self._table.env},
            unset=(*UNSET, *NESTED),
            stdin=request.prompt_file,
            files=records(request, self.name, "claude"),
        )

    def _permissions(self, request: AgentRequest) -> list[str]:
        if request.permissions == "full":
            mode = ["--permission-mode", "bypassPermissions"]
            return [*mode, "--disallowedTools", *(f"Bash({command} *)" for command in DENIED)]
        commands = allowed_commands(request)
        tools = [rule for command in commands for rule in _bash_rules(command)]
        tools += [f"mcp__{server.name}" for server in request.mcp_servers]
        return ["--permission-mode", "acceptEdits", "--allowedTools", *tools]

    def attach(self, request: AgentRequest) -> tuple[str, ...]:
        return (self._program, "--resume", request.resume or "", *self._table.args)

    def parser(self) -> EventParser:
        return ClaudeParser()


def _bash_rules(command: str) -> list[str]:
    return [f"Bash({command})", f"Bash({command} *)"]


def mcp_entry(server: McpServer) -> dict[str, Any]:
    """One server in the form of `.mcp.json`."""
    if server.url:
        return {"type": "http", "url": server.url, "headers": dict(server.headers)}
    program, *arguments = server.command
    return {"command": program, "args": arguments, "env": dict(server.env)}


def _hook_settings(command: tuple[str, ...]) -> dict[str, Any]:
    hook = {"type": "command", "command": shlex.join(command), "timeout": 10}
    return {"hooks": {"PreToolUse": [{"matcher": EDITS, "hooks": [hook]}]}}


def make(settings: AgentSettings) -> Agent:
    """The agent with the user's settings for it."""
    return ClaudeAgent(shipped_table(settings, "claude"))
