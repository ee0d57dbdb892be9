"""Texts for an editor and what comes back: markers, left-over markers, the part that counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from merge.markers import SIZE, marker_size, render
from merge.text import Lines, Segment, hunks_of, merge_lines, merge_two, split_lines
from merge.types import ConflictHunk, FileConflict
from worktree_runner.core.conflicts import COMMANDS, ConflictFacts
from worktree_runner.core.patch import is_binary

_SIDED = ("content", "add/add", "duplicate", "rename/rename", COMMANDS)


def hunk_text(facts: ConflictFacts, hunk: ConflictHunk) -> bytes:
    """The hunk with its context and its base between markers, sides called by their names."""
    return render(
        _around(hunk), labels=(facts.target, facts.plan.id), base_label="base", style="diff3"
    )


def file_text(
    facts: ConflictFacts, one: FileConflict, answered: Mapping[int, Lines] | None = None
) -> bytes | None:
    """The whole file as merged, markers round what is open; None if it is no text to edit.

    Where git merged it cleanly that is its result, without markers.

    `answered` are lines for hunks that have an answer, by number.
    """
    content = facts.content(one.path)
    if content.merged is not None:
        return content.merged
    if one.kind not in _SIDED or content.ours is None or content.theirs is None:
        return None
    if any(is_binary(side or b"") for side in (content.base, content.ours, content.theirs)):
        return None
    ours, theirs = split_lines(content.ours), split_lines(content.theirs)
    if content.base is None:
        segments = merge_two(ours, theirs)
    else:
        segments = merge_lines(split_lines(content.base), ours, theirs)
    if answered and _sides(hunks_of(segments)) == _sides(one.hunks):
        segments = _filled(segments, answered)
    return render(segments, labels=(facts.target, facts.plan.id), style="diff3")


def left_marker(edited: bytes, sides: Iterable[Lines], size: int = SIZE) -> int | None:
    """The number of the first line that looks like a conflict marker and that no side had."""
    known = {line.rstrip(b"\r\n") for side in sides for line in side}
    pattern = re.compile(rb"(<{%d}|>{%d}|\|{%d})( .*)?|={%d}" % (size, size, size, size), re.S)
    for number, line in enumerate(split_lines(edited), start=1):
        bare = line.rstrip(b"\r\n")
        if pattern.fullmatch(bare) and bare not in known:
            return number
    return None


def size_of(hunks: Sequence[ConflictHunk]) -> int:
    """The length of the markers that these hunks are written with."""
    return marker_size(hunks)


def answer_in(edited: bytes, hunk: ConflictHunk) -> bytes | None:
    """The edited hunk without the context that it was shown in; None if the context changed.

    White space at the ends of context lines may differ: many editors strip it, and context is
    not part of the answer. The line end that an editor puts at the end of a file is no part of
    it either where neither side has one.
    """
    lines = split_lines(edited)
    first, last = len(hunk.before), len(lines) - len(hunk.after)
    if last < first:
        return None
    if not _same(lines[:first], hunk.before) or not _same(lines[last:], hunk.after):
        return None
    answer = b"".join(lines[first:last])
    ends = [side[-1] for side in (hunk.ours, hunk.theirs) if side]
    if not hunk.after and ends and not any(end.endswith(b"\n") for end in ends):
        return answer.removesuffix(b"\n").removesuffix(b"\r")
    return answer


def _around(hunk: ConflictHunk) -> list[Segment]:
    return [hunk.before, replace(hunk, before=(), after=()), hunk.after]


def _sides(hunks: Sequence[ConflictHunk]) -> list[tuple[Lines, Lines, Lines]]:
    return [(hunk.base, hunk.ours, hunk.theirs) for hunk in hunks]


def _filled(segments: Sequence[Segment], answered: Mapping[int, Lines]) -> tuple[Segment, ...]:
    out: list[Segment] = []
    number = 0
    for segment in segments:
        if isinstance(segment, ConflictHunk):
            out.append(answered.get(number, segment))
            number += 1
        else:
            out.append(segment)
    return tuple(out)


def _same(lines: Sequence[bytes], context: Sequence[bytes]) -> bool:
    return [line.rstrip() for line in lines] == [line.rstrip() for line in context]
