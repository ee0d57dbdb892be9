"""git for the process of the `shell` agent: its own command, in the attempt's worktree."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from worktree_runner.agents.common import UNSET
from worktree_runner.agents.shell_words import StopPlan

SAID_BYTES = 16_000


class Git:
    """git in one worktree, by its own command, away from variables that would redirect it."""

    def __init__(self, worktree: Path) -> None:
        self._worktree = worktree
        self._env = {key: value for key, value in os.environ.items() if key not in UNSET}
        self._env |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}

    def ask(self, *args: str, text: str | None = None) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", *args], cwd=self._worktree, env=self._env, check=False, capture_output=True,
            input=(text or "").encode(errors="surrogateescape"),
        )  # fmt: skip

    def run(self, *args: str, text: str | None = None) -> str:
        """What git printed; StopPlan with its own words if it failed."""
        done = self.ask(*args, text=text)
        if done.returncode != 0:
            said = (done.stderr + done.stdout).decode(errors="replace").strip()
            raise StopPlan(f"git {' '.join(args[:2])} exit {done.returncode}: {said[-SAID_BYTES:]}")
        return done.stdout.decode(errors="surrogateescape")

    def add(self, paths: Sequence[str]) -> None:
        """Stages exactly these paths, each by its own name."""
        if paths:
            names = "".join(f"{path}\0" for path in paths)
            self.run(
                "--literal-pathspecs", "add", "--pathspec-from-file=-", "--pathspec-file-nul",
                text=names,
            )  # fmt: skip

    def changes(self) -> dict[str, bool]:
        """Changed and untracked paths; True where the index does not hold all of it yet."""
        out = self.run("status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames")
        found: dict[str, bool] = {}
        for entry in out.split("\0"):
            if entry.startswith("? "):
                found[entry[2:]] = True
            elif entry.startswith("1 "):
                found[entry.split(" ", 8)[8]] = entry[3] != "."
            elif entry.startswith("u "):
                raise StopPlan(f"unmerged path {entry.split(' ', 10)[10]}")
        return found
