"""The events that Claude Code prints with `stream-json`, and programs that took over its form.

- A result may say `subtype: success` and be an error: `is_error` decides. Denied tools end
  with exit code 0; an MCP server that failed is only named in the first event.
- Usage comes from the result alone: the counts in single messages are those of their start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worktree_runner.agents.protocol import AgentEvent, AgentOutcome, Usage
from worktree_runner.agents.streams import (
    Memory,
    Stream,
    decode,
    head,
    mapping,
    mappings,
    number,
    text,
    whole,
)


class ClaudeParser:
    """One run from its `init` to its `result`."""

    def __init__(self) -> None:
        self._memory = Memory()
        self._tools: dict[str, str] = {}
        self._refusals: dict[str, str] = {}

    def feed(self, line: str, stream: Stream) -> list[AgentEvent]:
        event = decode(line) if stream == "stdout" else None
        if event is None:
            return self._memory.stray(line, stream)
        kind = event.get("type")
        session = event.get("session_id")
        if isinstance(session, str):
            self._memory.session = session
        if kind == "system":
            return self._system(event, line)
        if kind == "assistant":
            return [e for part in mappings(mapping(event, "message").get("content"))
                    for e in self._said(part, line)]  # fmt: skip
        if kind == "user":
            return [e for part in mappings(mapping(event, "message").get("content"))
                    for e in self._returned(part, line)]  # fmt: skip
        if kind == "result":
            return self._result(event, line)
        return [AgentEvent(kind="unparsed", text=str(kind), raw=line)]

    def _system(self, event: Mapping[str, Any], line: str) -> list[AgentEvent]:
        subtype = event.get("subtype")
        if subtype == "api_retry":
            words = f"{event.get('error') or 'error'} {event.get('error_status') or ''}".strip()
            attempt = f"attempt {event.get('attempt')} of {event.get('max_retries')}"
            return [AgentEvent(kind="retry", text=f"{words}, {attempt}", raw=line)]
        if subtype != "init":
            return [AgentEvent(kind="unparsed", text=f"system {subtype}", raw=line)]
        words = f"{event.get('model') or ''} {event.get('claude_code_version') or ''}".strip()
        events = [AgentEvent(kind="started", text=words, session_id=self._memory.session, raw=line)]
        for server in mappings(event.get("mcp_servers")):
            if server.get("status") not in ("connected", "pending"):
                name, status = server.get("name"), server.get("status")
                events.append(self._memory.notice(f"MCP server {name}: {status}", line))
        return events

    def _said(self, part: Mapping[str, Any], line: str) -> list[AgentEvent]:
        if part.get("type") == "text":
            words = text(part.get("text"))
            self._memory.final = words or self._memory.final
            return [AgentEvent(kind="text", text=words, raw=line)]
        if part.get("type") == "tool_use":
            tool, given = str(part.get("name")), mapping(part, "input")
            self._tools[str(part.get("id"))] = tool
            path = given.get("file_path") or given.get("notebook_path") or given.get("path")
            shown = given.get("command") or path or given.get("pattern") or given
            paths = (str(path),) if path else ()
            return [AgentEvent(kind="tool", tool=tool, text=head(shown), paths=paths, raw=line)]
        return []

    def _returned(self, part: Mapping[str, Any], line: str) -> list[AgentEvent]:
        if part.get("type") != "tool_result":
            return []
        tool = self._tools.get(str(part.get("tool_use_id")), "")
        ok = not part.get("is_error")
        shown = head(part.get("content"))
        if not ok:
            self._refusals[str(part.get("tool_use_id"))] = shown
        return [AgentEvent(kind="tool_ended", tool=tool, text=shown, ok=ok, raw=line)]

    def _result(self, event: Mapping[str, Any], line: str) -> list[AgentEvent]:
        memory = self._memory
        memory.completed = True
        memory.usage = _usage(event)
        memory.final = text(event.get("result")) or memory.final
        events = [AgentEvent(kind="usage", usage=memory.usage, raw=line)]
        for denial in mappings(event.get("permission_denials")):
            given = mapping(denial, "tool_input")
            words = head(given.get("command") or given.get("file_path") or given)
            why = self._refusals.get(str(denial.get("tool_use_id")))
            shown = f"{words} ({why})" if why else words
            events.append(memory.denied(str(denial.get("tool_name")), shown, line))
        subtype = str(event.get("subtype"))
        if event.get("is_error") or subtype.startswith("error"):
            said = [text(item) for item in event.get("errors") or [] if item]
            words = said[0] if said else text(event.get("result")) or subtype
            memory.limit = subtype in ("error_max_turns", "error_max_budget_usd")
            events.append(memory.failed(words, whole(event.get("api_error_status")), line))
        else:
            events.append(AgentEvent(kind="finished", text=memory.final, raw=line))
        return events

    def end(self, exit_code: int | None, *, killed: bool, timed_out: bool) -> AgentOutcome:
        return self._memory.outcome(exit_code, killed=killed, timed_out=timed_out)


def _usage(event: Mapping[str, Any]) -> Usage:
    usage = mapping(event, "usage")
    return Usage(
        input_tokens=whole(usage.get("input_tokens")),
        output_tokens=whole(usage.get("output_tokens")),
        cached_tokens=whole(usage.get("cache_read_input_tokens")),
        cost_usd=number(event.get("total_cost_usd")),
    )
