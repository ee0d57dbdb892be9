"""A person's answers to conflicts, kept for the day when the same conflict comes back.

- An answer belongs to a hunk: its base and both sides, whichever of them is the target's. Where
  the file lies and what surrounds the hunk don't matter, as with git's rerere.
- Kept only where the setting `merge.remember` is on, and only ever offered, never applied.
- One small file an answer, written whole; a damaged one is as good as none.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass

from merge.text import split_lines
from merge.types import ConflictHunk
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


def key(hunk: ConflictHunk) -> str:
    """Equal exactly for hunks with the same base and the same two sides, in either order."""
    sides = sorted(_digest(side) for side in (hunk.ours, hunk.theirs))
    return hashlib.sha256("\n".join((_digest(hunk.base), *sides)).encode()).hexdigest()[:32]


def _digest(lines: tuple[bytes, ...]) -> str:
    return hashlib.sha256(b"\0".join(lines) + b"\1" * len(lines)).hexdigest()


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
