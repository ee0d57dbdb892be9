"""The parser for programs without an event stream: every line is text, the last ones are kept."""

from __future__ import annotations

from collections import deque
from typing import Literal

from worktree_runner.agents.common import first_line
from worktree_runner.agents.failures import classify, retry_after
from worktree_runner.agents.protocol import AgentEvent, AgentOutcome, FailureKind

FINAL_LINES = 200


class PlainParser:
    """Text in, text out; the end of stderr (else of stdout) explains a failure."""

    def __init__(self, success: tuple[int, ...] = (0,)) -> None:
        self._success = success
        self._said: deque[str] = deque(maxlen=FINAL_LINES)
        self._complaints: deque[str] = deque(maxlen=20)

    def feed(self, line: str, stream: Literal["stdout", "stderr"]) -> list[AgentEvent]:
        text = line.rstrip("\n")
        (self._said if stream == "stdout" else self._complaints).append(text)
        if not text.strip():
            return []
        return [AgentEvent(kind="text" if stream == "stdout" else "notice", text=text, raw=text)]

    def end(self, exit_code: int | None, *, killed: bool, timed_out: bool) -> AgentOutcome:
        final = "\n".join(self._said).strip()
        if timed_out or killed:
            status: Literal["timeout", "killed"] = "timeout" if timed_out else "killed"
            return AgentOutcome(status=status, final_text=final, exit_code=exit_code)
        if exit_code is not None and exit_code in self._success:
            return AgentOutcome(status="ok", final_text=final, exit_code=exit_code)
        complaint = "\n".join(self._complaints)
        kind = classify(complaint)
        if kind is None:
            signalled = exit_code is None or exit_code < 0 or exit_code > 128
            kind = FailureKind.CRASH if signalled else FailureKind.UNKNOWN
        last = first_line("\n".join([*reversed(self._complaints), *reversed(self._said)]))
        message = f"exit code {exit_code}" + (f": {last}" if last else "")
        return AgentOutcome(
            status="failed",
            failure=kind,
            message=message,
            retry_after_s=retry_after(complaint),
            final_text=final,
            exit_code=exit_code,
        )
