"""Which of two insertions at one place likely comes first. Never proven: for proposals, and for
the tier `tested`, which takes them.

- The target's, as it was there first; but
- in a list that is sorted around them, the one that keeps it sorted;
- in a change log, what has no release yet comes before a release.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from merge.paths import name_of
from merge.resolvers.lists import CHANGES
from merge.text import Lines
from merge.types import ConflictHunk

_RELEASE = re.compile(rb"(?:#+\s+)?(?:[A-Z]\w*\s+)?\[?v?\d+(?:\.\d+)+(?![\w.])")
_LEAST = 4
"""Entries, those around included, that show an order."""


def theirs_first(path: str, hunk: ConflictHunk, ours: Lines, theirs: Lines) -> bool:
    """Whether the plan's insertion likely comes before the target's."""
    if CHANGES.fullmatch(name_of(path)):
        return _names_release(ours) and not _names_release(theirs)
    return _sorts_before(hunk, ours, theirs)


def _sorts_before(hunk: ConflictHunk, ours: Lines, theirs: Lines) -> bool:
    """Whether a list of single lines is sorted with theirs first, and not with ours first."""
    entries = (*ours, *theirs)
    indent = _indent(entries[0])
    if any(not line.strip() or _indent(line) != indent for line in entries):
        return False
    above = _run(hunk.before[::-1], indent)[::-1]
    below = _run(hunk.after, indent)
    if len(above) + len(below) + len(entries) < _LEAST or not (above or below):
        return False
    ways = [(*above, *first, *second, *below) for first, second in ((ours, theirs), (theirs, ours))]
    return not _is_sorted(ways[0]) and _is_sorted(ways[1])


def _run(lines: Sequence[bytes], indent: bytes) -> Lines:
    """The nearest entries of the same list: up to three lines that are indented alike."""
    found: list[bytes] = []
    for line in lines[:3]:
        if not line.strip() or _indent(line) != indent or not re.search(rb"\w", line):
            break
        found.append(line)
    return tuple(found)


def _is_sorted(lines: Lines) -> bool:
    keys = [re.sub(rb"[^\w/.-]+", b" ", line).strip().lower() for line in lines]
    return keys == sorted(keys)


def _indent(line: bytes) -> bytes:
    return line[: len(line) - len(line.lstrip())]


def _names_release(lines: Lines) -> bool:
    """Whether these begin with the heading of a release."""
    first = next((line for line in lines if line.strip()), b"")
    return _RELEASE.match(first) is not None
