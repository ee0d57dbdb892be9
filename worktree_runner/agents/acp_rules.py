"""What an agent that asks by the Agent Client Protocol is allowed; pure.

- Reading, searching and thinking are allowed; edits inside the worktree, and not of paths that
  another plan holds; tools of MCP servers that the run handed out.
- A command line is allowed if each of its simple commands begins with an allowed one. What
  can hide a command (substitutions, redirections, a line that does not parse) is refused.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from worktree_runner.core.overlap import matches

HARMLESS = ("read", "search", "think", "fetch", "switch_mode")
EDITS = ("edit", "delete", "move")
_HIDDEN = re.compile(r"[`<>\n]|\$\(|\$\{")
_JOINTS = frozenset({"&&", "||", ";", "|", "&"})


def refusal(
    kind: str,
    paths: Sequence[str],
    command: str,
    *,
    worktree: Path,
    protected: Iterable[str],
    allowed: Iterable[str],
) -> str:
    """Why a tool call is refused, or an empty string if it may go on."""
    if kind in HARMLESS:
        return ""
    if kind in EDITS:
        return _edit_refusal(paths, worktree, tuple(protected))
    if kind == "execute" or command:
        ok = command_allowed(command, tuple(allowed))
        return "" if ok else f"the command is not allowed: {command}"
    return "" if kind == "other" else f"tools of the kind {kind} are not allowed"


def _edit_refusal(paths: Sequence[str], worktree: Path, protected: tuple[str, ...]) -> str:
    if not paths:
        return "the edit names no file"
    for name in paths:
        place = Path(name) if Path(name).is_absolute() else worktree / name
        try:
            path = place.resolve().relative_to(worktree.resolve()).as_posix()
        except ValueError:
            return f"{name} is outside of the worktree"
        held = next((pattern for pattern in protected if matches(pattern, path)), None)
        if held is not None:
            return f"{path} is reserved by somebody else ({held})"
    return ""


def command_allowed(line: str, allowed: Sequence[str]) -> bool:
    """Whether every simple command of a line begins with one of the allowed ones."""
    if not line.strip() or _HIDDEN.search(line):
        return False
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        return False
    simple: list[list[str]] = [[]]
    for word in words:
        if word in _JOINTS:
            simple.append([])
        else:
            simple[-1].append(word)
    beginnings = [entry.split() for entry in allowed]
    return all(
        any(command[: len(start)] == start for start in beginnings) for command in simple if command
    )
