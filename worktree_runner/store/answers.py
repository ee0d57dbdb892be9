"""A person's answers to conflicts, kept for the day when the same conflict comes back.

- An answer belongs to a hunk: its base and both sides, whichever of them is the target's. Where
  the file lies and what surrounds the hunk don't matter, as with git's rerere.
- An answer for a whole file belongs to its kind of conflict, its base and both sides' entries.
- Kept only where the setting `merge.remember` is on, and only ever offered, never applied.
- One small file an answer, written whole; a damaged one is as good as none.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass

from merge.text import split_lines
from merge.types import ConflictHunk, Entry, FileConflict
from worktree_runner.store.atomic import save_text
from worktree_runner.store.paths import Layout

VERSION = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What was decided, where and when."""

    lines: tuple[bytes, ...]
    path: str
    run: str
    plan: str
    at: str


@dataclass(frozen=True, slots=True)
class WholeAnswer:
    """What a whole file became: one of its sides' entries, nothing, or a text of its own."""

    entry: Entry | None
    content: bytes | None
    path: str
    run: str
    plan: str
    at: str


def key(hunk: ConflictHunk) -> str:
    """Equal exactly for hunks with the same base and the same two sides, in either order."""
    sides = sorted(_digest(side) for side in (hunk.ours, hunk.theirs))
    return hashlib.sha256("\n".join((_digest(hunk.base), *sides)).encode()).hexdigest()[:32]


def _digest(lines: tuple[bytes, ...]) -> str:
    return hashlib.sha256(b"\0".join(lines) + b"\1" * len(lines)).hexdigest()


def whole_key(one: FileConflict) -> str:
    """As `key`, for a whole file."""
    base, *sides = (one.stages.get(stage) for stage in (1, 2, 3))
    parts = [f"{e.mode} {e.oid}" if e else "-" for e in (base, *sides)]
    text = "\n".join(("file", one.kind, parts[0], *sorted(parts[1:])))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def save_whole(layout: Layout, one: FileConflict, answer: WholeAnswer) -> None:
    """Keeps the answer for a whole file; it replaces an earlier one."""
    entry, content = answer.entry, answer.content
    document = {
        "v": VERSION,
        "entry": [entry.mode, entry.oid] if entry else None,
        "content": None if content is None else base64.b64encode(content).decode(),
        "path": answer.path,
        "run": answer.run,
        "plan": answer.plan,
        "at": answer.at,
    }
    save_text(layout.answers / f"{whole_key(one)}.json", json.dumps(document, indent=1) + "\n")


def load_whole(layout: Layout, one: FileConflict) -> WholeAnswer | None:
    """The answer given for this whole file before, if one is kept and readable."""
    try:
        document = json.loads((layout.answers / f"{whole_key(one)}.json").read_text())
        if document["v"] != VERSION:
            return None
        entry, text = document["entry"], document["content"]
        words = (str(document[name]) for name in ("path", "run", "plan", "at"))
        return WholeAnswer(
            None if entry is None else Entry(str(entry[0]), str(entry[1])),
            None if text is None else base64.b64decode(text),
            *words,
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def save(layout: Layout, hunk: ConflictHunk, answer: Answer) -> None:
    """Keeps the answer to a hunk; it replaces an earlier one."""
    document = {
        "v": VERSION,
        "lines": base64.b64encode(b"".join(answer.lines)).decode(),
        "path": answer.path,
        "run": answer.run,
        "plan": answer.plan,
        "at": answer.at,
    }
    save_text(layout.answers / f"{key(hunk)}.json", json.dumps(document, indent=1) + "\n")


def load(layout: Layout, hunk: ConflictHunk) -> Answer | None:
    """The answer given to this hunk before, if one is kept and readable."""
    try:
        document = json.loads((layout.answers / f"{key(hunk)}.json").read_text())
        if document["v"] != VERSION:
            return None
        data = base64.b64decode(document["lines"])
        words = (str(document[name]) for name in ("path", "run", "plan", "at"))
        return Answer(split_lines(data), *words)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget(layout: Layout, one: FileConflict, *, run: str, plan: str) -> None:
    """Drops what was kept of this file's hunks, and of the file, for a plan in a run."""
    kept = [(key(hunk), load(layout, hunk)) for hunk in one.hunks]
    for name, answer in (*kept, (whole_key(one), load_whole(layout, one))):
        if answer is not None and (answer.run, answer.plan) == (run, plan):
            (layout.answers / f"{name}.json").unlink(missing_ok=True)
