"""Versions that move together: packages that are released as one, chosen as one.

Two lines that the sides changed apart are still one decision where they name sisters. Text can't
show what is a sister, so the likely signs are enough to ask: the same version in the base.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from merge.resolvers.manifests import VERSION
from merge.text import Lines

Steps = Counter[tuple[bytes, bytes]]


def steps(pairs: Iterable[tuple[Lines, Lines]]) -> Steps:
    """How often each version was replaced by which, in these old and new lines."""
    found: Steps = Counter()
    for old, new in pairs:
        before, after = (VERSION.findall(b"".join(lines)) for lines in (old, new))
        if len(before) == len(after):
            found.update((b, a) for b, a in zip(before, after, strict=True) if b != a)
    return found


def parted(ours: Steps, theirs: Steps) -> bool:
    """Whether the sides moved one version of the base to two different ones."""
    return any(old == other and new != to for old, new in ours for other, to in theirs)


def joins_a_moved_row(moved: Steps, lines: Lines) -> bool:
    """Whether these new lines bring a version into a row whose versions the other side moved.

    Which one they should have then, the old or the new or neither, these lines don't tell.
    """
    brought = set(VERSION.findall(b"".join(lines)))
    row = any(count > 1 for count in moved.values())
    return bool(brought) and (row or any(old in brought for old, _ in moved))
