"""opencode: `opencode run --format json`, the prompt on stdin, its settings in the environment.

- `OPENCODE_DB` is one file per plan: parallel starts on a fresh shared data folder were seen to
  fail in its database migration. It stays the same over the plan's attempts, for a resume.
- What it would ask about ends its run, with exit code 0; so commands that are not allowed are
  denied instead, which the model is told, and it goes on.
- There is no final event: the end of the process is the end. Usage is the sum of its steps.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from worktree_runner.agents.common import UNSET, allowed_commands, environment, records
from worktree_runner.agents.probing import Login, look_up
from worktree_runner.agents.protocol import (
    Agent,
    AgentEvent,
    AgentOutcome,
    AgentRequest,
    Capabilities,
    EventParser,
    Launch,
    McpServer,
    Probe,
    Usage,
)
from worktree_runner.agents.settings import AgentSettings, ShippedTable, shipped_table
from worktree_runner.agents.streams import (
    Memory,
    Stream,
    add,
    decode,
    head,
    mapping,
    number,
    text,
    whole,
)

LOGIN = Login(
    files=(".local/share/opencode/auth.json", ".config/opencode/opencode.json",
           ".config/opencode/opencode.jsonc"),
    variables=("OPENCODE_CONFIG", "OPENCODE_CONFIG_CONTENT", "OPENCODE_API_KEY",
               "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "GEMINI_API_KEY"),
    command="opencode auth login",
)  # fmt: skip
_LOST_SERVER = re.compile(r'message="server unavailable" key=(\S+).*? status=(\S+)')
CONFIG = "OPENCODE_CONFIG_CONTENT"


class OpencodeAgent:
    """The adapter."""

    name = "opencode"
    capabilities = Capabilities(
        events=True, resume=True, mcp=True, pre_edit_guard="config", reports_tokens=True,
        reports_cost=True, usage_scope="step", verifies=True,
    )  # fmt: skip

    def __init__(self, table: ShippedTable) -> None:
        self._table = table
        self._program = table.program or "opencode"

    def probe(self, *, deep: bool = False) -> Probe:
        return look_up(self._program, LOGIN, oldest=(1, 0), deep=deep)

    def build(self, request: AgentRequest) -> Launch:
        argv = [self._program, "run", "--format", "json"]
        if request.model:
            argv += ["-m", request.model]
        if request.persona:
            argv += ["--agent", request.persona]
        if request.resume:
            argv += ["-s", request.resume]
        if request.permissions == "full":
            argv.append("--auto")
        if request.mcp_servers:  # its log is the only place where a failed server is named
            argv += ["--print-logs", "--log-level", "WARN"]
        env = {**environment(request), **self._table.env}
        return Launch(
            argv=(*argv, *self._table.args, *request.extra_args),
            cwd=request.worktree,
            env={
                "OPENCODE_DISABLE_AUTOUPDATE": "1",
                **env,
                "OPENCODE_DB": str(request.run_dir.parent / f"{request.plan_id}.opencode.db"),
                CONFIG: self._config(request, env.get(CONFIG)),
            },
            unset=UNSET,
            stdin=request.prompt_file,
            files=records(request, self.name, "opencode"),
        )

    def _config(self, request: AgentRequest, own: str | None) -> str:
        """Our settings over the user's, which opencode merges with its files."""
        config: dict[str, Any] = dict(decode(own or "") or {})
        config |= {"autoupdate": False, "share": "disabled"}
        config["permission"] = self._permission(request)
        if request.mcp_servers:
            servers = {server.name: _mcp_entry(server) for server in request.mcp_servers}
            config["mcp"] = {**mapping(config, "mcp"), **servers}
        return json.dumps(config)

    def _permission(self, request: AgentRequest) -> dict[str, Any]:
        edit = {"*": "allow", **dict.fromkeys(request.protected_paths, "deny")}
        outside = {"*": "deny", f"{request.outbox}/*": "allow"}
        if request.permissions == "full":
            return {"edit": edit, "bash": "allow", "external_directory": outside}
        commands = allowed_commands(request)
        bash = {"*": "deny"}
        for command in commands:
            bash |= {command: "allow", f"{command} *": "allow"}
        return {"edit": edit, "bash": bash, "external_directory": outside, "doom_loop": "deny"}

    def attach(self, request: AgentRequest) -> tuple[str, ...]:
        return (self._program, "-s", request.resume or "", *self._table.args)

    def parser(self) -> EventParser:
        return OpencodeParser()


def _mcp_entry(server: McpServer) -> dict[str, Any]:
    if server.url:
        return {"type": "remote", "url": server.url, "headers": dict(server.headers)}
    return {"type": "local", "command": list(server.command), "environment": dict(server.env)}


class OpencodeParser:
    """Steps and their parts."""

    def __init__(self) -> None:
        self._memory = Memory()

    def feed(self, line: str, stream: Stream) -> list[AgentEvent]:
        event = decode(line) if stream == "stdout" else None
        memory = self._memory
        if event is None:
            if stream == "stderr" and "auto-rejecting" in line:
                return [memory.denied("permission", head(line), line)]
            if lost := _LOST_SERVER.search(line):
                return [memory.notice(f"MCP server {lost[1]}: {lost[2]}", line)]
            return memory.stray(line, stream)
        kind, part = event.get("type"), mapping(event, "part")
        session = text(event.get("sessionID")) or None
        if kind == "step_start":
            first, memory.session = memory.session is None, session or memory.session
            return [AgentEvent(kind="started", session_id=session, raw=line)] if first else []
        if kind == "text":
            memory.final = text(part.get("text")) or memory.final
            return [AgentEvent(kind="text", text=text(part.get("text")), raw=line)]
        if kind == "tool_use":
            return self._tool(part, line)
        if kind == "step_finish":
            return self._step(part, line)
        if kind == "error":
            error = mapping(event, "error")
            data = mapping(error, "data")
            words = text(data.get("message")) or text(error.get("name")) or "error"
            return [memory.failed(words, whole(data.get("statusCode")), line)]
        return [AgentEvent(kind="unparsed", text=str(kind), raw=line)]

    def _tool(self, part: Mapping[str, Any], line: str) -> list[AgentEvent]:
        tool, state = str(part.get("tool")), mapping(part, "state")
        given = mapping(state, "input")
        path = given.get("filePath") or given.get("path")
        paths = (str(path),) if path else ()
        shown = head(given.get("command") or path or given)
        begun = AgentEvent(kind="tool", tool=tool, text=shown, paths=paths, raw=line)
        if state.get("status") == "error":
            words = text(state.get("error"))
            if "permission" in words.lower() or "rule which prevents" in words:
                return [begun, self._memory.denied(tool, shown, line)]
            return [begun, AgentEvent(kind="tool_ended", tool=tool, text=head(words), ok=False)]
        code = mapping(state, "metadata").get("exit")
        ended = AgentEvent(
            kind="tool_ended", tool=tool, text=head(state.get("output")), ok=code in (None, 0)
        )
        return [begun, ended]

    def _step(self, part: Mapping[str, Any], line: str) -> list[AgentEvent]:
        memory, tokens = self._memory, mapping(part, "tokens")
        step = Usage(
            input_tokens=whole(tokens.get("input")),
            output_tokens=whole(tokens.get("output")),
            cached_tokens=whole(mapping(tokens, "cache").get("read")),
            cost_usd=number(part.get("cost")),
        )
        memory.usage = add(memory.usage, step)
        events = [AgentEvent(kind="usage", usage=step, raw=line)]
        if part.get("reason") == "stop":
            memory.completed = True
            events.append(AgentEvent(kind="finished", text=memory.final, raw=line))
        return events

    def end(self, exit_code: int | None, *, killed: bool, timed_out: bool) -> AgentOutcome:
        memory = self._memory
        if exit_code == 0 and not memory.completed and not memory.error:
            memory.notice("the run ended without a last step")
        return memory.outcome(exit_code, killed=killed, timed_out=timed_out)


def make(settings: AgentSettings) -> Agent:
    """The agent with the user's settings for it."""
    return OpencodeAgent(shipped_table(settings, "opencode"))
