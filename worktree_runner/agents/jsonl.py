"""Our own event stream: one `AgentEvent` as JSON per line, for bridges and users' programs.

Beside the events of the protocol, a line may hold `usage`, `session_id` and, with kind
`finished` or `failed`, the last words. `stop` names why a turn ended (`max_tokens`,
`max_turn_requests`, `refusal`).
"""

from __future__ import annotations

from pydantic import ValidationError

from worktree_runner.agents.protocol import AgentEvent, AgentOutcome
from worktree_runner.agents.streams import Memory, Stream, decode, text

LIMITS = ("max_tokens", "max_turn_requests")


class JsonlParser:
    """Reads what `render` wrote; lines that are no event pass."""

    def __init__(self) -> None:
        self._memory = Memory()

    def feed(self, line: str, stream: Stream) -> list[AgentEvent]:
        data = decode(line) if stream == "stdout" else None
        memory = self._memory
        if data is None:
            return memory.stray(line, stream)
        stop = text(data.get("stop"))
        try:
            event = AgentEvent.model_validate({key: data[key] for key in data if key != "stop"})
        except ValidationError:
            return memory.stray(line, stream)
        event = event.model_copy(update={"raw": line})
        memory.session = event.session_id or memory.session
        memory.usage = event.usage or memory.usage
        memory.limit = memory.limit or stop in LIMITS
        if event.kind == "text":
            memory.final = event.text or memory.final
        elif event.kind == "finished":
            memory.completed, memory.final = True, event.text or memory.final
        elif event.kind == "failed":
            memory.failed(event.text)
        elif event.kind == "denied":
            memory.denied(event.tool, event.text)
        elif event.kind == "notice":
            memory.notice(event.text)
        return [event]

    def end(self, exit_code: int | None, *, killed: bool, timed_out: bool) -> AgentOutcome:
        return self._memory.outcome(exit_code, killed=killed, timed_out=timed_out)


def render(event: AgentEvent, stop: str = "") -> str:
    """The line for an event."""
    import json

    data = event.model_dump(mode="json", exclude_defaults=True, exclude={"raw"})
    return json.dumps({**data, **({"stop": stop} if stop else {})}, ensure_ascii=False)
