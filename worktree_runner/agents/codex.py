"""Codex CLI: `codex exec --json`, the prompt on stdin, in its workspace-write sandbox.

- A commit in a linked worktree writes outside of it. Writable are the worktree, its own git
  dir, and of the common git dir `objects`, `refs`, `logs` and wtrun's registry and mail; the
  journal, configuration and hooks are not. (The common dir alone is not enough: the sandbox
  mounts the resolved git dir read-only again.)
- Its events leave out some commands that fail at once, so nothing about the work is concluded
  from them. Usage counts on over a resumed thread: subtract with `streams.since`.
- Hooks need a flag that trusts every configured hook, also those of the repository; it is given
  only on the user's word (`trust_hooks = true`).
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from worktree_runner.agents.common import UNSET, environment, records
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
    decode,
    head,
    mapping,
    mappings,
    text,
    whole,
)

LOGIN = Login(
    files=(".codex/auth.json",),
    variables=("OPENAI_API_KEY", "CODEX_API_KEY", "CODEX_ACCESS_TOKEN", "CODEX_HOME"),
    command="codex login",
)
COMMON_PARTS = ("objects", "refs", "logs", "wtrun/registry", "wtrun/mail")

SANDBOX_FAILURES = ("bwrap: ", "bubblewrap: ", "codex-linux-sandbox: ")


class CodexAgent:
    """The adapter."""

    name = "codex"
    capabilities = Capabilities(
        events=True, resume=True, mcp=True, pre_edit_guard="hook", reports_tokens=True,
        usage_scope="thread", sandbox=True, verifies=True,
    )  # fmt: skip

    def __init__(self, table: ShippedTable) -> None:
        self._table = table
        self._program = table.program or "codex"

    def probe(self, *, deep: bool = False) -> Probe:
        return look_up(self._program, LOGIN, oldest=(0, 150), deep=deep)

    def build(self, request: AgentRequest) -> Launch:
        argv = [self._program, "exec", "--json", *self._sandbox(request)]
        if request.model:
            argv += ["-m", request.model]
        for server in request.mcp_servers:
            argv += ["-c", f"mcp_servers.{server.name}={_mcp_entry(server)}"]
        if request.pre_tool_hook and self._table.trust_hooks:
            hook = {"type": "command", "command": shlex.join(request.pre_tool_hook)}
            hooks = [{"matcher": ".*", "hooks": [hook]}]
            argv += ["--dangerously-bypass-hook-trust", "-c", f"hooks.PreToolUse={toml(hooks)}"]
        argv += [*self._table.args, *request.extra_args]
        if request.resume:
            argv += ["resume", request.resume]
        return Launch(
            argv=(*argv, "-"),
            cwd=request.worktree,
            env={**environment(request), **self._table.env},
            unset=UNSET,
            stdin=request.prompt_file,
            files=records(request, self.name, "codex"),
            folders=tuple(writable_roots(request)[1:]),  # its sandbox fails on what is not there
        )

    def _sandbox(self, request: AgentRequest) -> list[str]:
        if request.permissions == "full" or not request.sandbox:
            return ["--sandbox", "danger-full-access"]
        roots = [str(path) for path in writable_roots(request)]
        key = "sandbox_workspace_write.writable_roots"
        return ["--sandbox", "workspace-write", "-c", f"{key}={toml(roots)}"]

    def attach(self, request: AgentRequest) -> tuple[str, ...]:
        return (self._program, *self._table.args, "resume", request.resume or "")

    def parser(self) -> EventParser:
        return CodexParser()


def writable_roots(request: AgentRequest) -> list[Path]:
    """The places outside of the worktree that a commit, a reservation or a checkpoint writes."""
    common = [request.git_common_dir / part for part in COMMON_PARTS]
    return [request.git_dir, *common, request.outbox]


def toml(value: Any) -> str:
    """A value as inline TOML, for `-c key=value`."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return str(value)


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() else json.dumps(name)


def _mcp_entry(server: McpServer) -> str:
    entry: dict[str, Any] = {"default_tools_approval_mode": "approve", "required": True}
    if server.url:
        entry |= {"url": server.url, "http_headers": dict(server.headers)}
    else:
        program, *arguments = server.command
        entry |= {"command": program, "args": arguments, "env": dict(server.env)}
    return toml(entry)


class CodexParser:
    """Threads, turns and items."""

    def __init__(self) -> None:
        self._memory = Memory()

    def feed(self, line: str, stream: Stream) -> list[AgentEvent]:
        event = decode(line) if stream == "stdout" else None
        memory = self._memory
        if event is None:
            return memory.stray(line, stream)
        kind = event.get("type")
        if kind == "thread.started":
            memory.session = text(event.get("thread_id")) or None
            return [AgentEvent(kind="started", session_id=memory.session, raw=line)]
        if kind in ("item.started", "item.completed"):
            return self._item(mapping(event, "item"), kind == "item.completed", line)
        if kind == "turn.completed":
            memory.completed = True
            memory.usage = _usage(mapping(event, "usage"))
            return [
                AgentEvent(kind="usage", usage=memory.usage, raw=line),
                AgentEvent(kind="finished", text=memory.final, raw=line),
            ]
        if kind == "turn.failed":
            return [memory.failed(text(mapping(event, "error").get("message")), None, line)]
        if kind == "error":
            words = text(event.get("message"))
            if words.startswith("Reconnecting"):
                return [AgentEvent(kind="retry", text=words, raw=line)]
            return [memory.failed(words, None, line)]
        return [AgentEvent(kind="unparsed", text=str(kind), raw=line)]

    def _item(self, item: Mapping[str, Any], ended: bool, line: str) -> list[AgentEvent]:
        kind = str(item.get("type"))
        if kind == "agent_message" and ended:
            words = text(item.get("text"))
            self._memory.final = words or self._memory.final
            return [AgentEvent(kind="text", text=words, raw=line)]
        if kind == "error" and ended:  # a warning of the client, such as an unknown model's name
            return [self._memory.notice(text(item.get("message")), line)]
        if kind in ("reasoning", "agent_message", "todo_list"):
            return []
        shown, paths, result = _shown(item)
        if not ended:
            return [AgentEvent(kind="tool", tool=kind, text=head(shown), paths=paths, raw=line)]
        ok = item.get("status") != "failed" and not item.get("error")
        if not ok and text(result).startswith(SANDBOX_FAILURES):
            self._memory.notice(f"the sandbox does not start (sandbox = false): {head(result)}")
        ended_event = AgentEvent(
            kind="tool_ended", tool=kind, text=head(result), ok=ok, paths=paths, raw=line
        )
        if kind == "file_change":  # comes only when it is over
            return [AgentEvent(kind="tool", tool=kind, paths=paths, raw=line), ended_event]
        return [ended_event]

    def end(self, exit_code: int | None, *, killed: bool, timed_out: bool) -> AgentOutcome:
        if self._memory.completed and exit_code == 0:
            self._memory.error = ""  # an error that it got over
        return self._memory.outcome(exit_code, killed=killed, timed_out=timed_out)


def _shown(item: Mapping[str, Any]) -> tuple[Any, tuple[str, ...], Any]:
    """What an item does, on which paths, and what came of it."""
    kind = item.get("type")
    if kind == "command_execution":
        return _unwrapped(text(item.get("command"))), (), item.get("aggregated_output")
    if kind == "file_change":
        paths = tuple(text(change.get("path")) for change in mappings(item.get("changes")))
        return ", ".join(paths), paths, ""
    if kind == "mcp_tool_call":
        result = item.get("error") or mapping(item, "result").get("content")
        return f"{item.get('server')}.{item.get('tool')} {text(item.get('arguments'))}", (), result
    return item.get("query") or item.get("text") or "", (), ""


def _unwrapped(command: str) -> str:
    """A command line without the shell that codex starts it with."""
    shell = re.fullmatch(r"/(?:usr/)?bin/(?:ba|z)?sh -l?c (.*)", command, re.DOTALL)
    if shell is None:
        return command
    try:
        words = shlex.split(shell[1])
    except ValueError:
        return command
    return words[0] if len(words) == 1 else command


def _usage(usage: Mapping[str, Any]) -> Usage:
    return Usage(
        input_tokens=whole(usage.get("input_tokens")),
        output_tokens=whole(usage.get("output_tokens")),
        cached_tokens=whole(usage.get("cached_input_tokens")),
    )


def make(settings: AgentSettings) -> Agent:
    """The agent with the user's settings for it."""
    return CodexAgent(shipped_table(settings, "codex"))
