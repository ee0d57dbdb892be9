"""What a new worktree is given before an agent starts: decisions over names, pure.

- Git never brings ignored and untracked files into a worktree. `.worktreeinclude` (the form of a
  `.gitignore`) and the settings `worktrees.copy` and `worktrees.link` name those that it needs.
- A whole ignored folder (`node_modules/`) is one entry. It is looked into only by a pattern that
  names the folder: `.env` means the project's own, never one inside an installed package.
- Set-ups that write what all worktrees share (hooks, configuration) must not run side by side.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pathspec import GitIgnoreSpec


@dataclass(frozen=True, slots=True)
class Selection:
    """Entries to take whole, and folders of which only a part is meant. Folders end in `/`."""

    whole: tuple[str, ...]
    look_into: tuple[str, ...]


def read_patterns(text: str) -> tuple[str, ...]:
    """The patterns of a `.worktreeinclude`, comments and empty lines left out."""
    lines = (line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n"))
    return tuple(line for line in lines if line.strip() and not line.startswith("#"))


def select(entries: Iterable[str], patterns: Sequence[str]) -> Selection:
    """Which of these entries (repository paths, folders with a final `/`) the patterns mean."""
    spec = GitIgnoreSpec.from_lines(patterns)
    inner = tuple(_inner_folder(pattern) for pattern in patterns)
    whole, look_into = [], []
    for entry in sorted(set(entries)):
        if spec.match_file(entry):
            whole.append(entry)
        elif entry.endswith("/") and any(folder.startswith(entry) for folder in inner):
            look_into.append(entry)
    return Selection(tuple(whole), tuple(look_into))


def select_inside(paths: Iterable[str], patterns: Sequence[str]) -> tuple[str, ...]:
    """The files of a folder that was to be looked into that the patterns mean."""
    named = [pattern for pattern in patterns if _inner_folder(pattern) or pattern.startswith("!")]
    spec = GitIgnoreSpec.from_lines(named)
    return tuple(path for path in sorted(set(paths)) if spec.match_file(path))


def _inner_folder(pattern: str) -> str:
    """The folder that a pattern names before its first wildcard, with `/`; empty if none."""
    if pattern.startswith("!"):
        return ""
    literal = re.split(r"[*?\[\\]", pattern, maxsplit=1)[0]
    folder, slash, _ = literal.lstrip("/").rpartition("/")
    return folder + slash


# --- set-up commands -------------------------------------------------------------------------

_SHARED = re.compile(
    r"\bhusky\b|\blefthook\b|\bpre-commit\s+install\b|\bprek\s+install\b|\bsimple-git-hooks\b"
    r"|\bovercommit\b|\blfs\s+install\b|\bgit\s+config\b|\bgit\s+submodule\b|core\.hooksPath"
    r"|\bcommitizen\s+init\b|\bgit-cz\b",
    re.IGNORECASE,
)
_NODE = re.compile(r"\b(npm|pnpm|yarn|bun)\b(\s+(ci|i|install|add)\b|\s*$)", re.IGNORECASE)
_NODE_HOOKS = ("preinstall", "install", "postinstall", "prepare")
_BUSY = re.compile(r"could not lock config file|config\.lock|Unable to create '.*\.lock'")


def shares(commands: Sequence[Sequence[str]], package_json: str | None) -> str | None:
    """What makes these commands write hooks or configuration of all worktrees; None if nothing.

    An installation of node packages counts if the project's own scripts do it then.
    """
    for command in commands:
        text = " ".join(command)
        found = _SHARED.search(text)
        if found:
            return found[0]
        if _NODE.search(text):
            script = _node_script(package_json)
            if script:
                return script
    return None


def _node_script(package_json: str | None) -> str | None:
    try:
        package = json.loads(package_json or "{}")
    except ValueError:
        return None
    scripts = package.get("scripts") if isinstance(package, dict) else None
    if not isinstance(scripts, dict):
        return None
    for name in _NODE_HOOKS:
        if isinstance(scripts.get(name), str) and _SHARED.search(scripts[name]):
            return f"{name}: {scripts[name]}"
    return None


def met_another(output: str) -> bool:
    """Whether a failed set-up only met another process at git's shared configuration."""
    return _BUSY.search(output) is not None
