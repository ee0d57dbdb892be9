"""Changes of neighbouring lines that do not touch the same line.

Safe as text: each side replaced lines of the base one for one, and no base line was replaced by
both, so both replacements fit together without a choice. An insertion or deletion at the border
is no such case: what belongs together is then a guess. Prose and comments are left out: their
lines are read together, and neither a parser nor a test would notice that they don't fit. So are
sides that bring the same new word into different lines: likely one thing, done in two ways.
"""

from __future__ import annotations

import re

from merge.diff import Block, changed_blocks
from merge.imports import moves_modules
from merge.languages import language_of
from merge.resolvers.versions import version_of_a_fork
from merge.text import Lines
from merge.types import ConflictHunk
from merge.view import Answer, FileView

_WORD = re.compile(rb"[^\W\d]\w{2,}")
_COMMENTS = (b"//", b"--", b"/*", b"<!", b";;")


def one_for_one(view: FileView, index: int) -> Answer | None:
    """Both sides' replacements, where they replace different lines by as many."""
    hunk = view.hunks[index]
    if not hunk.base or len(hunk.ours) != len(hunk.base) or len(hunk.theirs) != len(hunk.base):
        return None
    ours, theirs = (changed_blocks(hunk.base, side) for side in (hunk.ours, hunk.theirs))
    if _is_prose(view.path, (*hunk.ours, *hunk.theirs)) or version_of_a_fork(view, hunk):
        return None
    if moves_modules(language_of(view.path), hunk):
        return None
    if not ours or not theirs or not all(map(_replaces, (*ours, *theirs))):
        return None
    touched = _lines_of(ours)
    if touched & _lines_of(theirs) or _new_words(hunk.ours, hunk) & _new_words(hunk.theirs, hunk):
        return None
    lines: Lines = tuple(
        hunk.ours[i] if i in touched else line for i, line in enumerate(hunk.theirs)
    )
    return Answer(lines, "adjacent")


def _is_prose(path: str, lines: Lines) -> bool:
    return language_of(path) in {"prose", ""} or all(
        line.strip()[:2] in _COMMENTS or line.strip()[:1] in (b"#", b"*", b"") for line in lines
    )


def _new_words(lines: Lines, hunk: ConflictHunk) -> set[bytes]:
    found, known = (set(_WORD.findall(b"".join(side))) for side in (lines, hunk.base))
    return found - known


def _replaces(block: Block) -> bool:
    return block.old_end - block.old_start == block.new_end - block.new_start


def _lines_of(blocks: list[Block]) -> set[int]:
    return {i for block in blocks for i in range(block.old_start, block.old_end)}
