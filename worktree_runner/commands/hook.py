"""`wtrun hook`: what coding agents and git ask during an attempt."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click


@click.group("hook", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Answers the hooks of coding agents. For their configuration, not for typing."""


@command.command("pre-tool")
def pre_tool() -> None:
    """Denies an edit outside of the plan's worktree, or of a path that others have reserved.

    Reads the PreToolUse JSON of Claude Code or Codex from standard input and prints a denial,
    or nothing. Outside of an attempt it says nothing.
    """
    from worktree_runner.git import guard_hook

    place = os.environ.get("WTRUN_GUARD")
    if not place or not Path(place).is_file():
        return
    guard_hook.pre_tool(json.loads(Path(place).read_text()), sys.stdin.read())
