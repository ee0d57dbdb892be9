"""What came back from an editor: left-over markers, and the part that is the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from merge.types import ConflictHunk
from worktree_runner.core.patch import split_lines

_MARKER = re.compile(rb"(<{7,}|>{7,}|\|{7,})( .*)?|={7}")


def left_marker(edited: bytes, sides: Iterable[Sequence[bytes]]) -> int | None:
    """The number of the first line that looks like a conflict marker and that no side had."""
    known = {line.rstrip(b"\r\n") for side in sides for line in side}
    for number, line in enumerate(split_lines(edited), start=1):
        bare = line.rstrip(b"\r\n")
        if _MARKER.fullmatch(bare) and bare not in known:
            return number
    return None


def answer_in(edited: bytes, hunk: ConflictHunk) -> bytes | None:
    """The edited hunk without the context that it was shown in; None if the context changed.

    White space at the ends of context lines may differ: many editors strip it, and context is
    not part of the answer.
    """
    lines = split_lines(edited)
    first, last = len(hunk.before), len(lines) - len(hunk.after)
    if last < first:
        return None
    if not _same(lines[:first], hunk.before) or not _same(lines[last:], hunk.after):
        return None
    return b"".join(lines[first:last])


def _same(lines: Sequence[bytes], context: Sequence[bytes]) -> bool:
    return [line.rstrip() for line in lines] == [line.rstrip() for line in context]
