"""Lists that only grow: ignore files, author lists, change logs.

Safe because an entry stands for itself: neither side changed or removed one, no entry is shared,
and the place is the same. Entries that say nearly the same are left out, and so are ignore files
with `!` lines, since their order matters.
"""

from __future__ import annotations

import re

from merge.hunk_kinds import alike, base_lines
from merge.paths import name_of
from merge.text import Lines, line_end
from merge.types import ConflictHunk
from merge.view import Answer, FileView

_IGNORE = re.compile(r"\.\w*ignore")
_PEOPLE = re.compile(r"(?:AUTHORS|CONTRIBUTORS|THANKS|CREDITS)(?:\.(?:md|rst|txt))?", re.I)
CHANGES = re.compile(r"(?:CHANGES|CHANGELOG|HISTORY|NEWS|RELEASES?)(?:\.(?:md|rst|txt))?", re.I)
BULLET = re.compile(rb"( {0,3}[-*+])[ \t]+\S")
_HEADING = re.compile(rb"#|=+\s*$|-{3,}\s*$|~+\s*$|\^+\s*$|\.\. ")
_RELEASE = re.compile(rb"^\W*v?\d+\.\d+(?:\.\d+)*\W|\d{4}-\d\d-\d\d|unreleased", re.I)


def both_insert(hunk: ConflictHunk) -> tuple[Lines, Lines] | None:
    """What each side inserted at the same place, if that is all that happened.

    A last line that only got the line end it lacked is no change.
    """
    if base_lines(hunk) or not hunk.ours or not hunk.theirs:
        return None
    return _ended(hunk.ours), hunk.theirs


def _ended(lines: Lines) -> Lines:
    if lines[-1].endswith(b"\n"):
        return lines
    return (*lines[:-1], lines[-1] + line_end(lines))


def _shares_a_line(left: Lines, right: Lines) -> bool:
    """Whether both name one thing; to a reader, `build`, `/build` and `build/` are one, and
    `build/a` is a part of it."""
    sides = [{line.strip().strip(b"/") for line in side} - {b""} for side in (left, right)]
    return any(
        (a + b"/").startswith(b + b"/") or (b + b"/").startswith(a + b"/")
        for a in sides[0]
        for b in sides[1]
    )


def entries(view: FileView, index: int) -> Answer | None:
    """Ours, then theirs, where both sides added entries to an ignore or author list."""
    name = name_of(view.path)
    ignore = _IGNORE.fullmatch(name) is not None
    if not ignore and not _PEOPLE.fullmatch(name):
        return None
    found = both_insert(view.hunks[index])
    if found is None or _shares_a_line(*found):
        return None
    if not ignore and len(set(map(_person, (*found[0], *found[1])))) < len((*found[0], *found[1])):
        return None
    if ignore and any(line.startswith(b"!") for text in (view.ours, view.theirs)
                      for line in text.split(b"\n")):  # fmt: skip
        return None
    return Answer((*found[0], *found[1]), "list", frozenset(view.hunks[index].base))


def _person(line: bytes) -> bytes:
    """What a line of an author list says before an address."""
    return re.split(rb"[<(@]|https?:", line, maxsplit=1)[0].strip().lower() or line


def changelog(view: FileView, index: int) -> Answer | None:
    """Ours, then theirs, where both sides added bullets below the same heading."""
    if not CHANGES.fullmatch(name_of(view.path)):
        return None
    hunk = view.hunks[index]
    found = both_insert(hunk)
    if found is None or alike(*found) or not all(map(_only_bullets, found)):
        return None
    marks = [_mark(side) for side in found]
    if marks[0] != marks[1] or bool(found[0][0].strip()) != bool(found[1][0].strip()):
        return None  # other marks make two lists, and so does another indentation
    after = next(iter(hunk.after), b"")
    if after.strip() and after[len(marks[0]) - 1 :][:1] in b" \t":
        return None  # the next line goes on with a bullet that one side cut in two
    ours, theirs = found
    if not ours[-1].strip() and theirs[-1:] and theirs[-1].strip() and not after.strip():
        theirs, ours = (*theirs, ours[-1]), ours[:-1]
    return Answer((*ours, *theirs), "changelog", frozenset(hunk.base))


def _mark(lines: Lines) -> bytes:
    """The sign of the first bullet, with its indentation."""
    found = BULLET.match(next((line for line in lines if line.strip()), b""))
    return found[1] if found else b""


def _only_bullets(lines: Lines) -> bool:
    mark = _mark(lines)
    indent = mark[:-1]
    return bool(mark) and all(
        line.startswith((mark + b" ", mark + b"\t", indent + b" ", indent + b"\t"))
        and not _HEADING.match(line)
        and not _RELEASE.search(line)
        for line in lines
        if line.strip()
    )
