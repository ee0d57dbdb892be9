"""What the tool calls of an agent say that it did: evidence for the audit, by its own words.

Nothing here proves that a command ran or what it changed. It only says whose word names a ref, a
path or a setting as written; what only looks is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

READERS = frozenset({"read", "grep", "glob", "ls", "list", "notebookread", "websearch", "webfetch"})
"""Tools of agents that change nothing, in lower case."""
_COMMANDS = re.compile(r"[;\n|&]+|\bthen\b|\bdo\b")
_LOOKS = re.compile(
    r"\s(?:--(?:contains|no-contains|merged|no-merged|list|points-at|show-current|sort|format)\b|-l\b)"
)
"""What makes `git branch` and `git tag` only look."""
_READS = re.compile(r"\s(?:--get\S*|--list|-l|--global|--system|get|list)(?:\s|\Z)")
"""What makes `git config` only look, or write elsewhere."""
_SWEEPS = re.compile(
    r"\bgit\b[^\n]*\b(?:reset|clean|checkout|restore|switch|stash|apply|am|merge)\b"
)
"""Git commands that change files without naming them."""
_ENTERED = re.compile(r"(?:\bcd|-C)\s+['\"]?(/[^\s'\";&|]+)")


@dataclass(frozen=True, slots=True)
class Mention:
    """A tool call out of the agent's event stream; paths are real and absolute."""

    tool: str
    text: str = ""
    paths: tuple[str, ...] = ()


def commands(text: str) -> list[str]:
    """The single commands of a shell's text, roughly."""
    return _COMMANDS.split(text)


def moves_ref(command: str, ref: str) -> bool:
    """Whether a command's own words say that it moves this ref."""
    if ref == "refs/stash" and re.search(r"\bgit\b.*\bstash\b", command):
        return True
    bare = re.escape(re.sub(r"\Arefs/(?:heads|tags|remotes)?/?", "", ref))
    name = rf"(?:{re.escape(ref)}|(?<![\w/.:-]){bare})(?![\w/.-])"
    verb = re.search(r"\bgit\b(?:\s+-[cC]\s+\S+|\s+--?[\w=./-]+)*\s+([a-z-]+)", command)
    match verb[1] if verb else "":
        case "":
            return re.search(rf"{re.escape(ref)}(?![\w/.-])", command) is not None
        case "branch" | "tag" | "update-ref" | "symbolic-ref":
            return not _LOOKS.search(command) and re.search(name, command) is not None
        case "checkout" | "switch" | "worktree":
            return re.search(rf"\s-[BC]\s+{name}", command) is not None
        case "push" | "fetch" | "pull":
            return re.search(rf":(?:{re.escape(ref)}|{bare})(?![\w/.-])", command) is not None
    return False


def sets_config(command: str, key: str) -> bool:
    """Whether a command's own words say that it writes this setting."""
    writes = re.search(r"\bgit\b.*\bconfig\b", command) and not _READS.search(command)
    return bool(writes) and key.casefold() in command.casefold()


def names_path(text: str, path: str) -> bool:
    """True if the text holds the path, or works on it from a folder above that it enters."""
    if re.search(rf"(?<![\w/.-]){re.escape(path)}(?![\w/-])", text):
        return True
    return any(
        path.startswith(f"{folder}/") and (path[len(folder) + 1 :] in text or _SWEEPS.search(text))
        for folder in (found[1].rstrip("/") for found in _ENTERED.finditer(text))
    )


def writing(mentions: Sequence[Mention]) -> Iterator[Mention]:
    return (one for one in mentions if one.tool.casefold() not in READERS)


def short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else line[:99] + "…"
