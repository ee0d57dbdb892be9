"""Which lines of two texts correspond: the ground under every three-way merge.

- The result is a list of changed blocks; between them the texts are equal, line for line.
- Any answer is correct as a diff; a better one only makes smaller blocks. So every bound on
  time may give up on a stretch by calling it one changed block, and nothing can go wrong.
- Steps: equal ends off, lines that the other text doesn't have off, then Myers' greedy search;
  where that finds too many differences, lines that occur once on both sides split the work.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

SEARCH_LIMIT = 120
"""Differences that Myers' search may walk before the stretch is split or given up."""


class Block(NamedTuple):
    """Lines `old_start:old_end` became `new_start:new_end`; one of the two may be empty."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def changed_blocks(old: Sequence[bytes], new: Sequence[bytes]) -> list[Block]:
    """The changed blocks in order; two of them always have an equal line between them.

    A pure insertion or deletion that could stand in several places stands in the last one,
    as git has it.
    """
    pairs = _pairs(old, new)
    blocks: list[Block] = []
    i = j = 0
    for a, b in [*pairs, (len(old), len(new))]:
        if i < a or j < b:
            blocks.append(Block(i, a, j, b))
        i, j = a + 1, b + 1
    return _slid_down(blocks, old, new)


def _pairs(old: Sequence[bytes], new: Sequence[bytes]) -> list[tuple[int, int]]:
    """Indices of equal lines, rising on both sides."""
    head = 0
    most = min(len(old), len(new))
    while head < most and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < most - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    inner_old = old[head : len(old) - tail]
    inner_new = new[head : len(new) - tail]
    pairs = [(k, k) for k in range(head)]
    pairs += [(a + head, b + head) for a, b in _inner_pairs(inner_old, inner_new)]
    pairs += [(len(old) - tail + k, len(new) - tail + k) for k in range(tail)]
    return pairs


def _inner_pairs(old: Sequence[bytes], new: Sequence[bytes]) -> list[tuple[int, int]]:
    shared = set(old) & set(new)
    if not shared:
        return []
    kept_old = [i for i, line in enumerate(old) if line in shared]
    kept_new = [j for j, line in enumerate(new) if line in shared]
    a = [old[i] for i in kept_old]
    b = [new[j] for j in kept_new]
    found = _search(a, b)
    if found is None:
        found = _split_at_unique_lines(a, b)
    return [(kept_old[i], kept_new[j]) for i, j in found]


def _search(a: Sequence[bytes], b: Sequence[bytes]) -> list[tuple[int, int]] | None:
    """Myers' shortest edit script as equal pairs, or None beyond SEARCH_LIMIT differences."""
    n, m = len(a), len(b)
    reach: dict[int, int] = {1: 0}
    steps: list[dict[int, int]] = []
    for cost in range(min(n + m, SEARCH_LIMIT) + 1):
        row: dict[int, int] = {}
        for k in range(-cost, cost + 1, 2):
            down = k == -cost or (k != cost and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            y = x - k
            while x < n and y < m and a[x] == b[y]:
                x += 1
                y += 1
            row[k] = x
            if k == n - m and x >= n:
                steps.append(row)
                return _walk_back(steps, n, m)
        steps.append(row)
        reach = {**reach, **row}
    return None


def _walk_back(steps: Sequence[dict[int, int]], n: int, m: int) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    x, y = n, m
    for cost in range(len(steps) - 1, 0, -1):
        before = steps[cost - 1]
        k = x - y
        down = k == -cost or (k != cost and before.get(k - 1, -1) < before.get(k + 1, -1))
        start_x = before[k + 1] if down else before[k - 1] + 1
        while x > start_x:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = (x, y - 1) if down else (x - 1, y)
    while x > 0 and y > 0:
        x, y = x - 1, y - 1
        pairs.append((x, y))
    pairs.reverse()
    return pairs


def _split_at_unique_lines(a: Sequence[bytes], b: Sequence[bytes]) -> list[tuple[int, int]]:
    """Pairs by way of lines that occur once on both sides; a stretch without any is given up."""
    anchors = _rising(_unique_pairs(a, b))
    pairs: list[tuple[int, int]] = []
    i = j = 0
    for x, y in [*anchors, (len(a), len(b))]:
        inside = _search(a[i:x], b[j:y]) if i < x and j < y else []
        pairs += [(i + p, j + q) for p, q in inside or []]
        if x < len(a):
            pairs.append((x, y))
        i, j = x + 1, y + 1
    return pairs


def _unique_pairs(a: Sequence[bytes], b: Sequence[bytes]) -> list[tuple[int, int]]:
    in_a, in_b = Counter(a), Counter(b)
    where = {line: j for j, line in enumerate(b) if in_b[line] == 1}
    return [(i, where[line]) for i, line in enumerate(a) if in_a[line] == 1 and line in where]


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of these pairs whose second members rise (patience sorting)."""
    tops: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for index, (_, y) in enumerate(pairs):
        place = bisect_left(tops, y)
        previous.append(ends[place - 1] if place else -1)
        if place == len(tops):
            tops.append(y)
            ends.append(index)
        else:
            tops[place], ends[place] = y, index
    chosen: list[tuple[int, int]] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        chosen.append(pairs[at])
        at = previous[at]
    return chosen[::-1]


def _slid_down(blocks: list[Block], old: Sequence[bytes], new: Sequence[bytes]) -> list[Block]:
    out: list[Block] = []
    for index, block in enumerate(blocks):
        limit = blocks[index + 1].old_start if index + 1 < len(blocks) else len(old)
        i, i_end, j, j_end = block
        if out and out[-1].old_end >= i:  # the one before slid into this one
            before = out.pop()
            i, j = before.old_start, before.new_start
        if j == j_end:
            while i_end < limit and old[i] == old[i_end]:
                i, i_end, j, j_end = i + 1, i_end + 1, j + 1, j_end + 1
        elif i == i_end:
            while i_end < limit and new[j] == new[j_end]:
                i, i_end, j, j_end = i + 1, i_end + 1, j + 1, j_end + 1
        out.append(Block(i, i_end, j, j_end))
    return out
