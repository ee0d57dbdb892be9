"""What a rule sees of a file, and what it may answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from merge.policy import Settings
from merge.text import Lines, Segment, composed, hunks_of
from merge.types import ConflictHunk


@dataclass(frozen=True, slots=True)
class FileView:
    """Three versions of one file and their line merge."""

    path: str
    base: bytes
    ours: bytes
    theirs: bytes
    segments: tuple[Segment, ...]
    settings: Settings

    @property
    def hunks(self) -> tuple[ConflictHunk, ...]:
        return hunks_of(self.segments)

    def with_hunk(self, index: int, lines: Lines) -> bytes:
        """The whole text with these lines for one hunk, and our side of every other."""
        return composed(self.segments, lambda i, hunk: lines if i == index else hunk.ours)


@dataclass(frozen=True, slots=True)
class Answer:
    """Lines for one hunk; the rule accounts for lines in `explained` that are missing or new."""

    lines: Lines
    rule: str
    explained: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to settle a hunk.

    `settle` gives the lines or None; what it gives must be right wherever it gives anything.
    `why` is the sentence that a person reads in the report.
    """

    name: str
    why: str
    settle: Callable[[FileView, int], Answer | None]
    tier: str = "proven"
