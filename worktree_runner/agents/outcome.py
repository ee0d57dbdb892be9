"""What an ended attempt said: its logs read through its agent's parser.

The logs are files in the attempt's folder, so the same words come back after a crash of wtrun.
`events.jsonl` is written beside them; it can be made again from the logs at any time.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from worktree_runner.agents.common import CHECKPOINT
from worktree_runner.agents.protocol import Agent, AgentEvent, AgentOutcome, EventParser
from worktree_runner.core import checkpoints
from worktree_runner.core.checkpoints import Checkpoint

EVENTS = "events.jsonl"
LONGEST_LINE = 8_000_000
"""A line longer than this is cut: an agent that prints a file without newlines is no event."""
LOGS: tuple[tuple[str, Literal["stdout", "stderr"]], ...] = (
    ("stderr.log", "stderr"),
    ("stdout.log", "stdout"),
)


def read_outcome(
    agent: Agent, folder: Path, exit_code: int | None, killed: bool, timed_out: bool
) -> AgentOutcome:
    """The outcome of the attempt in `folder`; a missing log counts as an empty one."""
    parser = agent.parser()
    fd, name = tempfile.mkstemp(prefix=".events.", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as out:
            for event in replay(parser, folder):
                out.write(event.model_dump_json(exclude={"raw"}, exclude_defaults=True) + "\n")
        os.replace(name, folder / EVENTS)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return parser.end(exit_code, killed=killed, timed_out=timed_out)


def replay(parser: EventParser, folder: Path) -> Iterator[AgentEvent]:
    """The events of both logs, stderr first so that the last words come last."""
    for name, stream in LOGS:
        for line in log_lines(folder / name):
            yield from parser.feed(line, stream)


def log_lines(file: Path) -> Iterator[str]:
    """The lines of a log, decoded with replacement, each cut at `LONGEST_LINE`."""
    try:
        opened = file.open("rb")
    except FileNotFoundError:
        return
    with opened:
        while chunk := opened.readline(LONGEST_LINE):
            yield chunk.decode(errors="replace").rstrip("\r\n")


def read_checkpoint(folder: Path, outcome: AgentOutcome) -> Checkpoint | None:
    """The checkpoint that the attempt stopped at: from its file, else from its last words."""
    file = folder / "outbox" / CHECKPOINT
    text = file.read_text(errors="replace") if file.is_file() else None
    return checkpoints.read(outcome.final_text, text)


def read_session(events: str, folder: Path) -> str | None:
    """The id of the session that an attempt began, as its output names it."""
    from worktree_runner.agents.registry import parser_for

    parser = parser_for(events)
    found = [event.session_id for event in replay(parser, folder) if event.session_id]
    return found[-1] if found else parser.end(None, killed=True, timed_out=False).session_id
