"""What the parsers of event streams share: tolerant access to JSON, usage, and how runs end."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from worktree_runner.agents.common import first_line
from worktree_runner.agents.failures import classify, retry_after
from worktree_runner.agents.protocol import AgentEvent, AgentOutcome, FailureKind, Usage

Stream = Literal["stdout", "stderr"]
_WORDS = re.compile(r"[A-Za-z]{3}")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
HEAD = 400
"""How much of a tool's input or output is kept for display."""


def decode(line: str) -> Mapping[str, Any] | None:
    """The object in a line of JSON, or None."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def mapping(value: Any, *keys: str) -> Mapping[str, Any]:
    """The object at a path of keys, or an empty one where anything else is there."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects in a list; nothing if it is none."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def text(value: Any) -> str:
    """A string as it is, blocks of content joined, anything else as short JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(text(item.get("text")) if isinstance(item, dict) else text(item)
                       for item in value)  # fmt: skip
    return json.dumps(value, ensure_ascii=False)


def head(value: Any) -> str:
    """The beginning of a text, on one line."""
    flat = " ".join(text(value).split())
    return flat if len(flat) <= HEAD else f"{flat[: HEAD - 1]}…"


def whole(value: Any) -> int | None:
    """A count, or None where the agent says nothing."""
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def add(one: Usage, other: Usage) -> Usage:
    """The sum of two usages; unknown plus known is known."""

    def total(a: float | None, b: float | None) -> float | None:
        return b if a is None else a if b is None else a + b

    return Usage(
        input_tokens=whole(total(one.input_tokens, other.input_tokens)),
        output_tokens=whole(total(one.output_tokens, other.output_tokens)),
        cached_tokens=whole(total(one.cached_tokens, other.cached_tokens)),
        cost_usd=total(one.cost_usd, other.cost_usd),
    )


def since(now: Usage, before: Usage | None) -> Usage:
    """What was used after `before`, for agents whose counts go on over a resumed session."""
    if before is None:
        return now

    def less(a: float | None, b: float | None) -> float | None:
        return None if a is None else max(0, a - (b or 0))

    return Usage(
        input_tokens=whole(less(now.input_tokens, before.input_tokens)),
        output_tokens=whole(less(now.output_tokens, before.output_tokens)),
        cached_tokens=whole(less(now.cached_tokens, before.cached_tokens)),
        cost_usd=less(now.cost_usd, before.cost_usd),
    )


class Memory:
    """What a parser keeps while it reads, and the outcome made of it."""

    def __init__(self) -> None:
        self.session: str | None = None
        self.usage = Usage()
        self.final = ""
        self.error = ""
        self.error_status: int | None = None
        self.limit = False
        self.completed = False
        """The agent said that it came to its end; says nothing about the work."""
        self.notices: list[str] = []
        self.denials: list[str] = []
        self.complaints: deque[str] = deque(maxlen=30)

    def notice(self, words: str, raw: str = "") -> AgentEvent:
        if words not in self.notices:
            self.notices.append(words)
        return AgentEvent(kind="notice", text=words, raw=raw)

    def denied(self, tool: str, words: str, raw: str = "") -> AgentEvent:
        said = f"{tool}: {words}" if words else tool
        if said not in self.denials:
            self.denials.append(said)
        return AgentEvent(kind="denied", tool=tool, text=words, raw=raw)

    def failed(self, words: str, status: int | None = None, raw: str = "") -> AgentEvent:
        self.error, self.error_status = words, status
        return AgentEvent(kind="failed", text=words, ok=False, raw=raw)

    def stray(self, line: str, stream: Stream) -> list[AgentEvent]:
        """A line that is no event: kept from stderr as an explanation, else passed on."""
        line = _COLOURS.sub("", line)
        if stream == "stderr" and line.strip():
            self.complaints.append(line)
        return [AgentEvent(kind="unparsed", text=head(line), raw=line)] if line.strip() else []

    def outcome(self, exit_code: int | None, *, killed: bool, timed_out: bool) -> AgentOutcome:
        """Our own kill wins over anything that the agent wrote; then its error; then its code."""
        status, kind, message = self._verdict(exit_code, killed, timed_out)
        return AgentOutcome(
            status=status,
            failure=kind,
            message=message,
            retry_after_s=retry_after(message) if kind else None,
            session_id=self.session,
            usage=self.usage,
            denials=tuple(self.denials),
            final_text=self.final,
            exit_code=exit_code,
            notices=tuple(self.notices),
        )

    def _verdict(
        self, exit_code: int | None, killed: bool, timed_out: bool
    ) -> tuple[Literal["ok", "failed", "limit", "killed", "timeout"], FailureKind | None, str]:
        if timed_out:
            return "timeout", None, ""
        if killed:
            return "killed", None, ""
        if self.limit:
            return "limit", FailureKind.LIMIT, self.error
        if exit_code == 0 and not self.error:
            return "ok", None, ""
        complaint = "\n".join(self.complaints)
        kind = classify(self.error, self.error_status) or classify(complaint)
        code = 0 if exit_code is None else exit_code
        signalled = -code if code < 0 else code - 128 if code > 128 else 0
        if not self.error and not self.completed and (signalled or exit_code is None):
            said = f"ended by signal {signalled}" if signalled else "ended without an exit status"
            return "failed", kind or FailureKind.CRASH, said
        worded = [line for line in reversed(self.complaints) if _WORDS.search(line)]
        words = first_line(self.error) or first_line("\n".join(worded))
        kind = kind or FailureKind.UNKNOWN
        return "failed", kind, words or f"exit code {exit_code}"
