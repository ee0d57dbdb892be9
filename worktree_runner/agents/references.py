"""What the `@` references of a plan come to on this machine.

- A path in the worktree is named and not pasted: the agent reads it there.
- A document in an agent's own folder of the home directory (`~/.claude/...`) is pasted, since
  agents must not read outside of the worktree. Anything else outside is only named: a plan
  must not be able to put a private file into a prompt.
- An absolute path of this repository's main worktree means the same path in the worktree.
"""

from __future__ import annotations

import re
from pathlib import Path

from worktree_runner.core.prompts import Document, References

HOME_FOLDERS = (".claude", ".codex", ".config/opencode", ".gemini", ".qwen", ".ace", ".renn")
"""Where the systems of this family install their own documents."""
PASTED = (".md", ".txt")
LONGEST = 100_000
_REFERENCE = re.compile(r"(?<![\w@./-])@((?:~|\$HOME|\.{1,2})?/?[\w.$~{}\[\]()+-][^\s`'\"<>,;]*)")
_HOME = re.compile(r"^(?:~|\$HOME|\$\{HOME\})/")


def references_in(text: str) -> tuple[str, ...]:
    """The references of a plan in order, each once; packages (`@scope/name`) are told apart by
    what is on disk, in `resolve`."""
    found = (match[1].rstrip(").:]") for match in _REFERENCE.finditer(text))
    return tuple(dict.fromkeys(name for name in found if "/" in name or "." in name))


def resolve(text: str, worktree: Path, main: Path, home: Path) -> References:
    """Every reference of a plan's text as present, absent or pasted document."""
    read: dict[str, None] = {}
    absent: dict[str, None] = {}
    documents: dict[str, Document] = {}
    room = LONGEST
    for name in references_in(text):
        inside = _inside(name, main)
        if inside is not None:
            if (worktree / inside).exists():
                read[inside] = None
            elif "." in inside.rpartition("/")[2] or inside.startswith("."):
                absent[inside] = None  # without a suffix it is rather a package's name
            continue
        document = _document(name, home, room)
        if document is None:
            absent[name] = None
        else:
            room -= len(document.text)
            documents[name] = document
    return References(tuple(read), tuple(absent), tuple(documents.values()))


def resolve_guide(name: str, worktree: Path, root: str, home: Path) -> References:
    """The guide for a plan's domain: in the planning directory, else a repository path, else among
    the agent's own."""
    if not name:
        return References()
    places = (
        f"{root}/guides/{name}",
        name if not name.startswith("/") and ".." not in name.split("/") else "",
    )
    for path in places:
        if path and not _HOME.match(path) and (worktree / path).is_file():
            return References(read=(path,))
    written = name if "/" in name else f"~/.claude/guides/{name}"
    document = _document(written, home, LONGEST)
    return References(absent=(written,)) if document is None else References(documents=(document,))


def _inside(name: str, main: Path) -> str | None:
    """The path within the repository, or None if the reference leads out of it."""
    if _HOME.match(name):
        return None
    path = Path(name)
    if path.is_absolute():
        if not path.is_relative_to(main):
            return None
        path = path.relative_to(main)
    if ".." in path.parts:
        return None
    return path.as_posix()


def _document(name: str, home: Path, room: int) -> Document | None:
    if not _HOME.match(name) or not name.endswith(PASTED):
        return None
    file = (home / _HOME.sub("", name)).resolve()
    allowed = any(file.is_relative_to((home / folder).resolve()) for folder in HOME_FOLDERS)
    if not allowed or not file.is_file() or file.stat().st_size > room:
        return None
    return Document(name, file.read_text(encoding="utf-8", errors="replace"))
