"""Three-way merge of lines. Bytes in, bytes out; a line keeps its line end.

- A text is a tuple of lines; only `\\n` ends a line, so a lone `\\r` stays inside one.
- Merging gives segments: tuples of settled lines, and conflict hunks between them.
- A hunk holds no line that both sides agree on at its ends (git calls this zdiff3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from merge.diff import Block, changed_blocks
from merge.types import ConflictHunk

Lines = tuple[bytes, ...]
Segment = Lines | ConflictHunk
CONTEXT = 10


def split_lines(data: bytes) -> Lines:
    """Lines with their ends; joining them gives `data` back."""
    parts = data.split(b"\n")
    last = parts.pop()
    return (*(part + b"\n" for part in parts), *((last,) if last else ()))


def join_lines(pieces: Iterable[Sequence[bytes]]) -> bytes:
    """One text. A line without end that is no longer the last one gets the end it lacks."""
    lines = [line for piece in pieces for line in piece]
    end = line_end(lines)
    return b"".join(
        line if line.endswith(b"\n") or follower is None else line + end
        for line, follower in _with_follower(lines)
    )


def _with_follower(lines: Sequence[bytes]) -> Iterator[tuple[bytes, bytes | None]]:
    yield from pairwise(lines)
    if lines:
        yield lines[-1], None


def line_end(lines: Iterable[bytes]) -> bytes:
    """`\\r\\n` if the first ended line ends so, else `\\n`."""
    for line in lines:
        if line.endswith(b"\n"):
            return b"\r\n" if line.endswith(b"\r\n") else b"\n"
    return b"\n"


def merge_lines(
    base: Lines, ours: Lines, theirs: Lines, *, trim: bool = True, touching: bool = True
) -> tuple[Segment, ...]:
    """Settled lines and conflict hunks, in order.

    Changes of the two sides conflict if they overlap or touch, unless they are equal. Without
    `touching`, changes that only touch are both taken. Without `trim`, hunks keep the lines at
    their ends on which both sides agree; the number of hunks is the same.
    """
    changes = sorted(
        [(block, 0) for block in changed_blocks(base, ours)]
        + [(block, 1) for block in changed_blocks(base, theirs)],
        key=lambda change: (change[0].old_start, change[0].old_end, change[1]),
    )
    sides = (ours, theirs)
    segments: list[Segment] = []
    position = 0
    shift = [0, 0]
    at = 0
    while at < len(changes):
        group, low, high, at = _group(changes, at, touching)
        segments.append(base[position:low])
        part = []
        for side in (0, 1):
            start = low + shift[side]
            shift[side] += sum(_growth(block) for block, of in group if of == side)
            part.append(sides[side][start : high + shift[side]])
        owners = {of for _, of in group}
        if len(owners) == 1:
            segments.append(part[owners.pop()])
        else:
            line = low + shift[0] - (len(part[0]) - (high - low)) + 1
            hunk = ConflictHunk(base[low:high], part[0], part[1], ours_line=line)
            segments += trimmed(hunk) if trim or part[0] == part[1] else [hunk]
        position = high
    segments.append(base[position:])
    return with_context(segments)


def _group(
    changes: Sequence[tuple[Block, int]], at: int, touching: bool
) -> tuple[list[tuple[Block, int]], int, int, int]:
    """The changes from `at` that belong together, the base lines they span, the next index."""
    low, high = changes[at][0].old_start, changes[at][0].old_end
    group = [changes[at]]
    at += 1
    while at < len(changes) and _meets(changes[at][0], low, high, touching):
        group.append(changes[at])
        high = max(high, changes[at][0].old_end)
        at += 1
    return group, low, high, at


def _meets(block: Block, low: int, high: int, touching: bool) -> bool:
    if touching or block.old_start < high:
        return block.old_start <= high
    inserts = block.old_start == block.old_end
    return block.old_start == high and inserts and low == high


def _growth(block: Block) -> int:
    return (block.new_end - block.new_start) - (block.old_end - block.old_start)


def merge_lines_from_the_end(base: Lines, ours: Lines, theirs: Lines) -> tuple[Segment, ...]:
    """Like `merge_lines`, with repeated lines aligned as late as possible instead of early.

    Where both ways agree, the merge doesn't hang on how equal lines were paired.
    """
    turned = merge_lines(base[::-1], ours[::-1], theirs[::-1])
    return with_context(
        replace(
            segment,
            base=segment.base[::-1],
            ours=segment.ours[::-1],
            theirs=segment.theirs[::-1],
            ours_line=len(ours) - segment.ours_line - len(segment.ours) + 2,
        )
        if isinstance(segment, ConflictHunk)
        else segment[::-1]
        for segment in reversed(turned)
    )


def merge_two(ours: Lines, theirs: Lines) -> tuple[Segment, ...]:
    """Like `merge_lines` for two files that have no common ancestor: every difference conflicts."""
    segments: list[Segment] = []
    position = 0
    for block in changed_blocks(ours, theirs):
        segments.append(ours[position : block.old_start])
        hunk = ConflictHunk(
            (),
            ours[block.old_start : block.old_end],
            theirs[block.new_start : block.new_end],
            ours_line=block.old_start + 1,
        )
        segments.append(hunk)
        position = block.old_end
    segments.append(ours[position:])
    return with_context(segments)


def trimmed(hunk: ConflictHunk) -> list[Segment]:
    """The hunk without the lines on which both sides agree at its ends; those are settled."""
    ours, theirs = hunk.ours, hunk.theirs
    if ours == theirs:
        return [ours]
    most = min(len(ours), len(theirs))
    head = next((i for i in range(most) if ours[i] != theirs[i]), most)
    most -= head
    tail = next((i for i in range(most) if ours[-1 - i] != theirs[-1 - i]), most)
    core = replace(
        hunk,
        ours=ours[head : len(ours) - tail],
        theirs=theirs[head : len(theirs) - tail],
        ours_line=hunk.ours_line + head,
    )
    return [ours[:head], core, ours[len(ours) - tail :]]


def all_trimmed(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """The segments with every hunk trimmed."""
    parts = (trimmed(s) if isinstance(s, ConflictHunk) else [s] for s in segments)
    return with_context(piece for part in parts for piece in part)


def with_context(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Neighbouring settled lines joined, empty ones dropped, hunks given their surroundings."""
    joined: list[Segment] = []
    for segment in segments:
        if isinstance(segment, ConflictHunk):
            joined.append(segment)
        elif segment and joined and isinstance(joined[-1], tuple):
            joined[-1] = (*joined[-1], *segment)
        elif segment:
            joined.append(segment)
    out: list[Segment] = []
    for index, segment in enumerate(joined):
        if isinstance(segment, ConflictHunk):
            before = joined[index - 1] if index else ()
            after = joined[index + 1] if index + 1 < len(joined) else ()
            segment = replace(  # noqa: PLW2901
                segment,
                before=before[-CONTEXT:] if isinstance(before, tuple) else (),
                after=after[:CONTEXT] if isinstance(after, tuple) else (),
            )
        out.append(segment)
    return tuple(out)


def hunks_of(segments: Iterable[Segment]) -> tuple[ConflictHunk, ...]:
    return tuple(segment for segment in segments if isinstance(segment, ConflictHunk))


def composed(segments: Iterable[Segment], answer: Callable[[int, ConflictHunk], Lines]) -> bytes:
    """The whole text with `answer(index, hunk)` in the place of each hunk."""
    pieces: list[Lines] = []
    index = 0
    for segment in segments:
        if isinstance(segment, ConflictHunk):
            pieces.append(answer(index, segment))
            index += 1
        else:
            pieces.append(segment)
    return join_lines(pieces)
