"""Versions that move together: packages that are released as one, chosen as one.

Two lines that the sides changed apart are still one decision where they name sisters. Text can't
show what is a sister, so the likely signs are enough to ask: the same version in the base.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from merge.resolvers.manifests import VERSION, needs_version
from merge.text import Lines

Steps = Counter[tuple[bytes, bytes]]
Pair = tuple[Lines, Lines]


def steps(pairs: Iterable[Pair]) -> Steps:
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


def rewritten_apart(path: str, above: Lines, ours: Sequence[Pair], theirs: Sequence[Pair]) -> bool:
    """Whether one side widened or narrowed a constraint while the other moved several packages.

    A number that gives way to another is an upgrade. A further alternative, or an end cut off
    (`1.6.*` to `1.*`), says with which of the others it was tried, and those have moved on. The
    pairs are old and new lines of what each side changed.
    """
    return any(
        sum(bool(steps((pair,))) for pair in moved if pair not in pairs) > 1
        and any(_written_anew(path, above, *pair) for pair in pairs if pair not in moved)
        for pairs, moved in ((ours, theirs), (theirs, ours))
    )


def _written_anew(path: str, above: Lines, old: Lines, new: Lines) -> bool:
    before, after = (len(VERSION.findall(b"".join(lines))) for lines in (old, new))
    return before != after and needs_version(path, above, old[-1])
