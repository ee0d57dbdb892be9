"""Neighbouring changes of TOML and YAML that reach different keys, at any depth.

Safe because keys are names, as for members (`members`): the text that holds both sides' changes
is read, and holds at every key what the one side that touched it gave it, and nothing else. Here
the lines need not be whole members of one table. A list is one value; so is a key that both sides
added. Each side must change a value: a comment beside the other's change may be about it.
"""

from __future__ import annotations

from collections.abc import Iterator

from merge.diff import changed_blocks
from merge.hunk_kinds import base_lines
from merge.languages import language_of
from merge.mappings import keeps_apart, reader_for
from merge.resolvers import families
from merge.resolvers.versions import version_of_a_fork
from merge.text import Lines, hunks_of, line_end, merge_lines
from merge.types import ConflictHunk
from merge.view import Answer, FileView

TOO_MUCH = 60_000
"""Bytes to read for all hunks of a file: each is read for itself, in four versions."""


def by_value(view: FileView, index: int) -> Answer | None:
    """Both sides' lines, where they change the values of different keys."""
    hunk = view.hunks[index]
    if language_of(view.path) not in ("toml", "yaml") or reader_for(view.path) is None:
        return None
    if len(view.ours) * len(view.hunks) > TOO_MUCH:
        return None
    if version_of_a_fork(view, hunk) or _splits_a_family(view, index):
        return None
    base, ours, theirs = (
        view.with_hunk(index, side) for side in (hunk.base, hunk.ours, hunk.theirs)
    )
    for lines in _ways(hunk):
        if keeps_apart(view.path, base, ours, theirs, view.with_hunk(index, lines)):
            return Answer(lines, "values")
    return None


def _ways(hunk: ConflictHunk) -> Iterator[Lines]:
    """Both sides' lines: two insertions in either order, since a key may belong above a table."""
    if not base_lines(hunk):
        yield _joined(hunk, hunk.ours, hunk.theirs)
        yield _joined(hunk, hunk.theirs, hunk.ours)
        return
    merged = merge_lines(hunk.base, hunk.ours, hunk.theirs, touching=False)
    if not hunks_of(merged):
        yield tuple(line for segment in merged if isinstance(segment, tuple) for line in segment)


def _joined(hunk: ConflictHunk, first: Lines, second: Lines) -> Lines:
    """One insertion after the other; between blank lines they get one between them."""
    end = line_end((*first, *second))
    if first and not first[-1].endswith(b"\n"):
        first = (*first[:-1], first[-1] + end)
    around = (hunk.before[-1:], hunk.after[:1])
    apart = all(line.strip() for line in (*first[-1:], *second[:1]))
    if apart and all(lines and not lines[0].strip() for lines in around):
        first = (*first, end)
    return (*first, *second)


def _splits_a_family(view: FileView, index: int) -> bool:
    """Whether versions that may belong together would part."""
    hunk = view.hunks[index]
    changed = [
        [
            (hunk.base[b.old_start : b.old_end], side[b.new_start : b.new_end])
            for b in changed_blocks(hunk.base, side)
        ]
        for side in (hunk.ours, hunk.theirs)
    ]
    moved = [families.steps(pairs) for pairs in changed]
    new = [
        tuple(line for old, lines in pairs if not old for line in lines)
        for pairs in reversed(changed)
    ]
    if families.parted(*moved) or any(map(families.joins_a_moved_row, moved, new)):
        return True
    rows = [[pair for pair in pairs if pair[0]] for pairs in changed]
    return families.rewritten_apart(view.path, view.above(index), *rows)
