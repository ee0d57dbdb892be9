"""What a rule sees of a file, and what it may answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from merge.hunk_kinds import kind_of
from merge.policy import Settings
from merge.text import (
    Lines,
    Segment,
    all_trimmed,
    composed,
    hunks_of,
    merge_lines,
    merge_lines_from_the_end,
    merge_two,
    split_lines,
)
from merge.types import ConflictHunk


@dataclass(frozen=True)
class FileView:
    """Three versions of one file and their line merge; `raw` hunks keep their equal ends."""

    path: str
    base: bytes
    ours: bytes
    theirs: bytes
    settings: Settings
    segments: tuple[Segment, ...]
    raw: tuple[ConflictHunk, ...]
    two_ways: bool = False
    """No hunk is left, but what the lines merge to hangs on how equal lines are paired."""
    hunks: tuple[ConflictHunk, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hunks", hunks_of(self.segments))

    def with_hunk(self, index: int, lines: Lines) -> bytes:
        """The whole text with these lines for one hunk, and our side of every other."""
        return composed(self.segments, lambda i, hunk: lines if i == index else hunk.ours)

    def above(self, index: int) -> Lines:
        """The lines before one hunk, with our side of every other."""
        lines: list[bytes] = []
        waiting = index
        for segment in self.segments:
            if isinstance(segment, ConflictHunk):
                if not waiting:
                    break
                waiting -= 1
                segment = segment.ours  # noqa: PLW2901
            lines += segment
        return tuple(lines)


def make_view(
    base: bytes | None, ours: bytes, theirs: bytes, path: str, settings: Settings
) -> FileView:
    """The view of three texts; without a base every difference is a hunk.

    A merge that is clean only because equal lines were paired one way and not the other shows
    the hunks of the other way: git may well have seen them. One that is clean both ways, with two
    results, is marked.
    """
    two_ways = False
    o, t = split_lines(ours), split_lines(theirs)
    if base is None:
        segments = merge_two(o, t)
        raw = hunks_of(segments)
    else:
        b = split_lines(base)
        whole = merge_lines(b, o, t, trim=False)
        if not (raw := hunks_of(whole)):
            other = merge_lines_from_the_end(b, o, t)
            raw = hunks_of(other)
            two_ways = not raw and other != whole
            whole = other if raw else whole
        segments = all_trimmed(whole)
    kinds = [kind_of(h, r) for h, r in zip(hunks_of(segments), raw, strict=True)]
    if base is None:
        kinds = ["overlap"] * len(raw)
    named = tuple(_named(segments, kinds))
    return FileView(path, base or b"", ours, theirs, settings, named, raw, two_ways)


def _named(segments: tuple[Segment, ...], kinds: list[str]) -> list[Segment]:
    waiting = iter(kinds)
    return [
        replace(segment, kind=next(waiting)) if isinstance(segment, ConflictHunk) else segment
        for segment in segments
    ]


@dataclass(frozen=True, slots=True)
class Answer:
    """Lines for one hunk; the rule accounts for lines in `explained` that are missing or new.

    With a `doubt` they are a proposal only, in every tier.
    """

    lines: Lines
    rule: str
    explained: frozenset[bytes] = frozenset()
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to settle a hunk.

    `settle` gives the lines or None; in the tier `proven`, what it gives must be right wherever
    it gives anything. `why` is the sentence that a person reads in the report.
    """

    name: str
    why: str
    settle: Callable[[FileView, int], Answer | None]
    tier: str = "proven"
