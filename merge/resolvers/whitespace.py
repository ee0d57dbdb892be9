"""Rules for changes of white space.

Safe where the language's own reading of the file (or a scanner that keeps strings, comments and
every line break that counts) gives the same value for both texts. Where white space may carry
meaning, nothing here says so, and the rules are silent.
"""

from __future__ import annotations

from collections.abc import Sequence

from merge.languages import same_meaning
from merge.text import Lines, hunks_of, merge_lines
from merge.types import ConflictHunk
from merge.view import Answer, FileView


def same_text(left: Sequence[bytes], right: Sequence[bytes]) -> bool:
    """Equal but for white space."""
    return b"".join(b"".join(left).split()) == b"".join(b"".join(right).split())


def _exchangeable(view: FileView, index: int, left: Lines, right: Lines) -> bool:
    return same_meaning(view.path, view.with_hunk(index, left), view.with_hunk(index, right))


def same_on_both_sides(view: FileView, index: int) -> Answer | None:
    """The target's lines, where both sides made the same change but for white space."""
    hunk = view.hunks[index]
    if not same_text(hunk.ours, hunk.theirs):
        return None
    if not _exchangeable(view, index, hunk.ours, hunk.theirs):
        return None
    return Answer(hunk.ours, "same-whitespace", frozenset((*hunk.theirs, *hunk.base)))


def only_one_side_changed_more(view: FileView, index: int) -> Answer | None:
    """The real change of one side, where the other only moved white space.

    The other's layout stays on lines that the real change did not touch.
    """
    hunk = view.hunks[index]
    if hunk.base and hunk.base in (hunk.ours, hunk.theirs):
        return None
    ours_same, theirs_same = same_text(hunk.base, hunk.ours), same_text(hunk.base, hunk.theirs)
    if ours_same == theirs_same:
        return None
    moved, real = (hunk.ours, hunk.theirs) if ours_same else (hunk.theirs, hunk.ours)
    deleted = not any(line.strip() for line in real)
    if deleted or not _exchangeable(view, index, hunk.base, moved):
        return None
    laid_out = _both(hunk)
    if laid_out and _exchangeable(view, index, real, laid_out):
        real = laid_out
    return Answer(real, "whitespace-one-side", frozenset((*moved, *hunk.base)))


def _both(hunk: ConflictHunk) -> Lines:
    """Both sides' changes where they only touch; nothing where they overlap."""
    merged = merge_lines(hunk.base, hunk.ours, hunk.theirs, touching=False)
    if hunks_of(merged):
        return ()
    return tuple(line for segment in merged if isinstance(segment, tuple) for line in segment)
