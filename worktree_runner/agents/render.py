"""An agent's events as lines for a person: what it said, what it did, what went wrong.

Everything that comes from a program is cleaned: no control sequence reaches the terminal.
"""

from __future__ import annotations

from worktree_runner.agents.protocol import AgentEvent, AgentOutcome, Usage
from worktree_runner.core.texts import clean, clean_line, money, tokens

WIDTH = 160
_MARKS = {"tool": "→", "denied": "✗ denied", "retry": "…", "notice": "!", "failed": "✗",
          "started": "·"}  # fmt: skip


def render_event(event: AgentEvent) -> str | None:
    """The event as one or more lines, or None where there is nothing worth a line."""
    if event.kind == "text":
        return clean(event.text.strip("\n")) or None
    if event.kind == "unparsed":  # a line that is no event of the stream: output of a command
        raw = event.raw.strip()
        return None if not raw or raw.startswith("{") else f"  | {clean_line(raw, WIDTH)}"
    if event.kind == "tool_ended":
        return None if event.ok is not False else f"  ✗ {clean_line(event.text, WIDTH)}"
    if event.kind in ("usage", "finished"):
        return None
    words = clean_line(f"{event.tool} {event.text}".strip(), WIDTH)
    if event.kind == "started":
        words = clean_line(f"{event.text} session {event.session_id or 'unknown'}", WIDTH)
    return f"{_MARKS[event.kind]} {words}".rstrip()


def render_usage(usage: Usage) -> str:
    """`in 8.0k tok, out 360 tok, $0.05`, or that it is unknown."""
    parts = [
        f"in {tokens(usage.input_tokens)}" if usage.input_tokens is not None else "",
        f"out {tokens(usage.output_tokens)}" if usage.output_tokens is not None else "",
        money(usage.cost_usd),
    ]
    return ", ".join(part for part in parts if part) or "usage unknown"


def render_outcome(outcome: AgentOutcome) -> str:
    """One line on how the process ended by its own account."""
    kind = f" ({outcome.failure.value})" if outcome.failure else ""
    words = clean_line(outcome.message, WIDTH)
    said = f": {words}" if words else ""
    return f"■ {outcome.status}{kind}{said}; {render_usage(outcome.usage)}"
