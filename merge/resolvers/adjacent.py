"""Changes of neighbouring lines that do not touch the same line.

Safe as text: each side replaced lines of the base one for one, and no base line was replaced by
both, so both replacements fit together without a choice. An insertion or deletion at the border
is no such case: what belongs together is then a guess. Left out, since two lines are one thing:

- prose and comments: their lines are read together, and neither a parser nor a test would notice
  that they don't fit;
- sides that bring the same new word or number into different lines: likely one thing, done in two
  ways, or one name given twice; and a side that brings what the other side's lines held before,
  since something moved then;
- a line that uses a name which the other side's line, above it, gives: `for x in`, `x =`, `as x`,
  an import; and the first line of a function with a line of its body;
- a comment or an annotation with the line below it, of which it speaks;
- versions that the base had equal and the sides moved apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from merge.diff import Block, changed_blocks
from merge.imports import moves_modules
from merge.languages import language_of
from merge.resolvers import families
from merge.resolvers.manifests import VERSION
from merge.resolvers.names import gives_what_is_used
from merge.resolvers.versions import version_of_a_fork
from merge.text import Lines
from merge.types import ConflictHunk
from merge.view import Answer, FileView

_WORD = re.compile(VERSION.pattern + rb"|\w+", re.S)
_ANNOTATION = re.compile(rb"\s*(?:@[\w.]+|#!?\[)")
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
    if touched & _lines_of(theirs) or _shares_words(hunk):
        return None
    if _says_what_the_other_does(hunk, touched):
        return None
    if gives_what_is_used(language_of(view.path), hunk, touched):
        return None
    if _versions_part(view.path, view.above(index), hunk):
        return None
    lines: Lines = tuple(
        hunk.ours[i] if i in touched else line for i, line in enumerate(hunk.theirs)
    )
    return Answer(lines, "adjacent")


def _says_what_the_other_does(hunk: ConflictHunk, touched: set[int]) -> bool:
    """Whether a comment or annotation of one side is of the line that the other changed below."""
    rows = list(zip(hunk.base, hunk.ours, hunk.theirs, strict=True))
    changed = [len(set(row)) > 1 for row in rows]
    return any(
        changed[at]
        and changed[at + 1]
        and (at in touched) != (at + 1 in touched)
        and any(_is_comment(line) or _ANNOTATION.match(line) for line in rows[at])
        and len({tuple(_WORD.findall(line)) for line in rows[at]}) > 1
        for at in range(len(rows) - 1)
    )


def _is_comment(line: bytes) -> bool:
    return line.strip()[:2] in _COMMENTS or line.strip()[:1] in (b"#", b"*", b"")


def _is_prose(path: str, lines: Lines) -> bool:
    return language_of(path) in {"prose", ""} or all(map(_is_comment, lines))


def _shares_words(hunk: ConflictHunk) -> bool:
    """Whether a side brings words that the other brings too, or that the other's lines held."""
    known = _words(hunk.base)
    new: list[set[bytes]] = []
    held: list[set[bytes]] = []
    for side in (hunk.ours, hunk.theirs):
        changed = [(b, s) for b, s in zip(hunk.base, side, strict=True) if b != s]
        before = _words([b for b, _ in changed])
        new.append(_words([s for _, s in changed]) - before)
        held.append(before)
    return bool((new[0] & new[1]) - known or new[0] & held[1] or new[1] & held[0])


def _words(lines: Iterable[bytes]) -> set[bytes]:
    return set(_WORD.findall(b"".join(lines)))


def _versions_part(path: str, above: Lines, hunk: ConflictHunk) -> bool:
    """Whether versions that belong together would part."""
    ours, theirs = (
        [((old,), (new,)) for old, new in zip(hunk.base, side, strict=True) if old != new]
        for side in (hunk.ours, hunk.theirs)
    )
    parted = families.parted(families.steps(ours), families.steps(theirs))
    return parted or families.rewritten_apart(path, above, ours, theirs)


def _replaces(block: Block) -> bool:
    return block.old_end - block.old_start == block.new_end - block.new_start


def _lines_of(blocks: list[Block]) -> set[int]:
    return {i for block in blocks for i in range(block.old_start, block.old_end)}
