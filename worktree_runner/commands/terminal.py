"""The screen and the asker of a command, from what this process is connected to."""

from __future__ import annotations

import os
import sys
from datetime import datetime

from worktree_runner.ui.ask import Asker, NonInteractive, TerminalAsker
from worktree_runner.ui.console import Screen


def open_terminal(*, progress: str = "auto", no_input: bool = False) -> tuple[Screen, Asker]:
    """Narration goes to stderr, answers to stdout; questions only where both ends are a person."""
    screen = Screen(
        stdout=sys.stdout,
        stderr=sys.stderr,
        env=os.environ,
        now=lambda: datetime.now().astimezone(),
        progress=progress,
    )
    if no_input or not sys.stdin.isatty() or not sys.stderr.isatty():
        return screen, NonInteractive()
    return screen, TerminalAsker(screen)
