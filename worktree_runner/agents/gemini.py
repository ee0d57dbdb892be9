"""Gemini CLI: `gemini -o stream-json`, the prompt on stdin, its permissions in a policy file.

- A policy file of the run allows edits and the named commands and denies the rest; so a commit
  works without `yolo`, which is used only on the user's word.
- A worktree's path is new to it, so the workspace is trusted for this session; otherwise it
  ends at once. Its exit codes are not clean (401 gave 145): any other than 0 is a failure.
- It starts itself again as a child: signals go to the whole group, as for every agent.
"""

from __future__ import annotations

import json
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
    Probe,
    Usage,
)
from worktree_runner.agents.settings import AgentSettings, ShippedTable, shipped_table
from worktree_runner.agents.streams import Memory, Stream, decode, head, mapping, text, whole

LOGIN = Login(
    files=(".gemini/oauth_creds.json",),
    variables=("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS",
               "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_GCA"),
    keychain=True,
    command="gemini",
)  # fmt: skip
TURN_LIMIT = 53
"""Exit code where its limit of turns is reached."""


class GeminiAgent:
    """The adapter."""

    name = "gemini"
    capabilities = Capabilities(
        events=True, resume=True, preset_session_id=True, reports_tokens=True,
        writes_outbox=False, verifies=True,
    )  # fmt: skip

    def __init__(self, table: ShippedTable) -> None:
        self._table = table
        self._program = table.program or "gemini"

    def probe(self, *, deep: bool = False) -> Probe:
        return look_up(self._program, LOGIN, oldest=(0, 50), deep=deep)

    def build(self, request: AgentRequest) -> Launch:
        policy = request.run_dir / "gemini-policy.toml"
        argv = [self._program, "-o", "stream-json", "--skip-trust"]
        files = records(request, self.name, "gemini")
        if request.permissions == "full":
            argv += ["--approval-mode", "yolo"]
        else:
            argv += ["--approval-mode", "auto_edit", "--policy", str(policy)]
            files[policy] = self._policy(request)
        if request.model:
            argv += ["-m", request.model]
        if request.resume:
            argv += ["--resume", request.resume]
        elif request.session_id:
            argv += ["--session-id", request.session_id]
        return Launch(
            argv=(*argv, *self._table.args, *request.extra_args),
            cwd=request.worktree,
            env={**environment(request), **self._table.env},
            unset=UNSET,
            stdin=request.prompt_file,
            files=files,
        )

    def _policy(self, request: AgentRequest) -> str:
        commands = allowed_commands(request)
        rules = (
            (["write_file", "replace"], None, "allow", 500),
            (["run_shell_command"], commands, "allow", 500),
            (["run_shell_command"], None, "deny", 400),
        )
        return "\n".join(_rule(*rule) for rule in rules)

    def attach(self, request: AgentRequest) -> tuple[str, ...]:
        return (self._program, "--resume", request.resume or "", *self._table.args)

    def parser(self) -> EventParser:
        return GeminiParser()


def _rule(tools: list[str], prefixes: list[str] | None, decision: str, priority: int) -> str:
    # a rule with a prefix takes one name only, or the whole file is refused
    lines = ["[[rule]]", f"toolName = {json.dumps(tools[0] if len(tools) == 1 else tools)}"]
    if prefixes is not None:
        lines.append(f"commandPrefix = {json.dumps(prefixes, ensure_ascii=False)}")
    return "\n".join([*lines, f'decision = "{decision}"', f"priority = {priority}", ""])


class GeminiParser:
    """Messages come in pieces; a tool of the assistant begins the next one."""

    def __init__(self) -> None:
        self._memory = Memory()
        self._tools: dict[str, Mapping[str, Any]] = {}
        self._saying = ""

    def feed(self, line: str, stream: Stream) -> list[AgentEvent]:
        event = decode(line) if stream == "stdout" else None
        memory = self._memory
        if event is None:
            return memory.stray(line, stream)
        kind = event.get("type")
        if kind == "init":
            memory.session = text(event.get("session_id")) or None
            model = text(event.get("model"))
            return [AgentEvent(kind="started", text=model, session_id=memory.session, raw=line)]
        if kind == "message":
            return self._message(event, line)
        if kind == "tool_use":
            return self._tool(event, line)
        if kind == "tool_result":
            return self._returned(event, line)
        if kind == "error":
            return [memory.notice(text(event.get("message")) or head(event), line)]
        if kind == "result":
            return self._result(event, line)
        return [AgentEvent(kind="unparsed", text=str(kind), raw=line)]

    def _message(self, event: Mapping[str, Any], line: str) -> list[AgentEvent]:
        if event.get("role") != "assistant":
            return []
        words = text(event.get("content"))
        self._saying = self._saying + words if event.get("delta") else words
        self._memory.final = self._saying
        return [AgentEvent(kind="text", text=words, raw=line)]

    def _tool(self, event: Mapping[str, Any], line: str) -> list[AgentEvent]:
        self._saying = ""
        given = mapping(event, "parameters")
        self._tools[str(event.get("tool_id"))] = event
        path = given.get("file_path") or given.get("path")
        paths = (str(path),) if path else ()
        shown = head(given.get("command") or path or given)
        tool = str(event.get("tool_name"))
        return [AgentEvent(kind="tool", tool=tool, text=shown, paths=paths, raw=line)]

    def _returned(self, event: Mapping[str, Any], line: str) -> list[AgentEvent]:
        call = self._tools.get(str(event.get("tool_id")), {})
        tool, given = text(call.get("tool_name")), mapping(call, "parameters")
        output = text(event.get("output"))
        refused = mapping(event, "error").get("type") == "policy_violation"
        if refused or output.startswith("Blocked:"):  # the latter with status "success"
            shown = head(given.get("command") or given.get("file_path") or given)
            return [self._memory.denied(tool, shown, line)]
        ok = event.get("status") != "error"
        return [AgentEvent(kind="tool_ended", tool=tool, text=head(output), ok=ok, raw=line)]

    def _result(self, event: Mapping[str, Any], line: str) -> list[AgentEvent]:
        memory, stats = self._memory, mapping(event, "stats")
        memory.completed = True
        memory.usage = Usage(
            input_tokens=whole(stats.get("input_tokens")),
            output_tokens=whole(stats.get("output_tokens")),
            cached_tokens=whole(stats.get("cached")),
        )
        events = [AgentEvent(kind="usage", usage=memory.usage, raw=line)]
        if event.get("status") == "error":
            error = mapping(event, "error")
            words = text(error.get("message")) or text(error.get("type")) or "error"
            return [*events, memory.failed(words, None, line)]
        return [*events, AgentEvent(kind="finished", text=memory.final, raw=line)]

    def end(self, exit_code: int | None, *, killed: bool, timed_out: bool) -> AgentOutcome:
        self._memory.limit = exit_code == TURN_LIMIT
        return self._memory.outcome(exit_code, killed=killed, timed_out=timed_out)


def make(settings: AgentSettings) -> Agent:
    """The agent with the user's settings for it."""
    return GeminiAgent(shipped_table(settings, "gemini"))
