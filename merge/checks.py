"""Checks that a settled file must pass, whichever rules settled it.

- Conservation: no line that a side added is lost, no line that a side deleted comes back,
  none is doubled, none is invented, unless the rule named it.
- The result parses if both sides did, and Python compiles it if it compiled both.
- Nothing is defined twice that neither side defined twice; also asked of clean merges.
- Python holds no oddity that neither side held (one key twice, code after a `return`); also asked
  of clean merges.
- Every statement of Python stands in the function, branch and loop in which a side has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from merge.definitions import DECORATED, definitions, shown
from merge.languages import compiles, parses
from merge.markers import holds_markers
from merge.python_calls import both_extended, by_position
from merge.python_oddities import oddities
from merge.python_places import misplaced, placed
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
    for reads in (parses, compiles):
        if reads(path, result) is False:
            return reads(path, ours) is True and reads(path, theirs) is True
    return False


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
        repeated = {
            name: count
            for name, count in repeated.items()
            if count > known[name] and (known[name] < 2 or not name.startswith(DECORATED))
        }
    found = min(repeated, default=None)
    return None if found is None else shown(found)


def oddity(path: str, sides: Iterable[bytes], result: bytes) -> str | None:
    """Something in the result that nobody writes on purpose and that no side has as often, in
    words."""
    found = oddities(path, result)
    for side in sides if found else ():
        known = oddities(path, side)
        found = Counter({what: n for what, n in found.items() if n > known[what]})
    return min(found, default=None)


def moved_statement(path: str, ours: bytes, theirs: bytes, result: bytes) -> str | None:
    """A statement that stands in the result where no side has it, or None."""
    sides = placed(path, ours), placed(path, theirs), placed(path, result)
    if sides[0] is None or sides[1] is None or sides[2] is None:
        return None
    return misplaced(sides[0], sides[1], sides[2])


def left_markers(sides: Iterable[bytes], result: bytes) -> bool:
    """Whether the result holds conflict markers, and no side did."""
    return holds_markers(result) and not any(holds_markers(side) for side in sides)


def lengthened(path: str, ours: bytes, theirs: bytes, result: bytes) -> str | None:
    """A function or call to which both sides added something by position, or None."""
    return both_extended(*(by_position(path, data) for data in (ours, theirs, result)))
