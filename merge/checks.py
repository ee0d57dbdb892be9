"""Checks that a settled file must pass, whichever rules settled it.

- Conservation: no line that a side added is lost, no line that a side deleted comes back,
  none is doubled, none is invented, unless the rule named it.
- The result parses if both sides did.
- Nothing is defined twice that neither side defined twice; also asked of clean merges.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from merge.definitions import definitions
from merge.languages import parses
from merge.markers import holds_markers
from merge.text import Lines
from merge.types import ConflictHunk


def unaccounted_line(
    hunk: ConflictHunk, result: Lines, explained: Iterable[bytes] = ()
) -> bytes | None:
    """A line that the result holds too rarely or too often, or None if all is accounted for.

    What three-way merging of counts gives is right where one side left the count alone; where
    both changed it, anything between the two sides and the sum of their changes is.
    """
    base, ours, theirs, found = (
        Counter(line.rstrip() for line in lines)
        for lines in (hunk.base, hunk.ours, hunk.theirs, result)
    )
    skip = {line.rstrip() for line in explained}
    for line in {*base, *ours, *theirs, *found} - skip - {b""}:
        b, o, t = base[line], ours[line], theirs[line]
        both = max(0, o + t - b)
        low, high = (both, both) if b in (o, t) else (min(o, t, both), max(o, t, both))
        if not low <= found[line] <= high:
            return line
    return None


def stops_parsing(path: str, ours: bytes, theirs: bytes, result: bytes) -> bool:
    """Whether the result can't be read although both sides could."""
    if parses(path, result) is not False:
        return False
    return parses(path, ours) is True and parses(path, theirs) is True


def doubled_definition(path: str, sides: Iterable[bytes], result: bytes) -> str | None:
    """A name that the result defines more often than each side, at least twice."""
    merged = definitions(path, result)
    if not merged:
        return None
    repeated = {name: count for name, count in merged.items() if count > 1}
    for side in sides if repeated else ():
        known = definitions(path, side)
        if known is None:
            return None
        repeated = {name: count for name, count in repeated.items() if count > known[name]}
    return min(repeated, default=None)


def left_markers(sides: Iterable[bytes], result: bytes) -> bool:
    """Whether the result holds conflict markers, and no side did."""
    return holds_markers(result) and not any(holds_markers(side) for side in sides)
