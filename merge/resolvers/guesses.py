"""What a person most likely wants where nothing can be proven or tested: proposals only."""

from __future__ import annotations

from merge.resolvers.versions import likely_version
from merge.resolvers.whitespace import same_text
from merge.view import Answer, FileView


def greater_version(view: FileView, index: int) -> Answer | None:
    """The greater of two versions, where even that is a decision."""
    lines = likely_version(view, index)
    if lines is None:
        return None
    hunk = view.hunks[index]
    return Answer(lines, "greater-version", frozenset((*hunk.ours, *hunk.theirs)))


def larger_side(view: FileView, index: int) -> Answer | None:
    """The side whose lines hold all of the other's."""
    hunk = view.hunks[index]
    ours, theirs = (b"".join(b"".join(side).split()) for side in (hunk.ours, hunk.theirs))
    if ours == theirs or not (ours in theirs or theirs in ours):
        return None
    if hunk.base and not (ours and theirs):
        return None
    return Answer(hunk.ours if theirs in ours else hunk.theirs, "larger-side")


def real_change(view: FileView, index: int) -> Answer | None:
    """The other side's deletion or change, where one side only moved white space."""
    hunk = view.hunks[index]
    ours_same, theirs_same = same_text(hunk.base, hunk.ours), same_text(hunk.base, hunk.theirs)
    if not hunk.base or ours_same == theirs_same:
        return None
    return Answer(hunk.theirs if ours_same else hunk.ours, "real-change")


def same_words(view: FileView, index: int) -> Answer | None:
    """The target's lines, where both sides are equal but for white space."""
    hunk = view.hunks[index]
    return Answer(hunk.ours, "same-words") if same_text(hunk.ours, hunk.theirs) else None
