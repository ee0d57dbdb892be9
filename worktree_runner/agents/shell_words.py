"""What the process of the `shell` agent says: lines for its log, and why it stops."""

from __future__ import annotations

from worktree_runner.agents.shell import SAY


class StopPlan(Exception):
    """The plan can't go on; the message is what the user reads."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def say(text: str) -> None:
    """One line of the agent's own words, at once in the log."""
    print(f"{SAY}{text}", flush=True)  # noqa: T201 - this process's output is its log
