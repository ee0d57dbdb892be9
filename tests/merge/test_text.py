"""Line merging and conflict markers, compared with git and with themselves."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merge.diff import changed_blocks
from merge.markers import holds_markers, marker_size, parse, render
from merge.text import (
    Lines,
    Segment,
    composed,
    hunks_of,
    join_lines,
    merge_lines,
    merge_two,
    split_lines,
    trimmed,
)
from merge.types import ConflictHunk

LINE = st.sampled_from([b"a", b"b", b"c", b"", b"\xff\xfe", b"======= x", b"<<<<<<< y", b"a\rb"])
END = st.sampled_from([b"\n", b"\n", b"\r\n"])
TEXT = st.builds(
    lambda lines, last: b"".join(line + end for line, end in lines) + last,
    st.lists(st.tuples(LINE, END), max_size=12),
    st.sampled_from([b"", b"", b"tail", b"\xef\xbb\xbf"]),
)


@given(TEXT)
def test_lines_join_to_the_text_they_came_from(data: bytes) -> None:
    assert b"".join(split_lines(data)) == data == join_lines([split_lines(data)])


@given(TEXT, TEXT)
def test_blocks_turn_the_old_text_into_the_new_one(old: bytes, new: bytes) -> None:
    a, b = split_lines(old), split_lines(new)
    out: list[bytes] = []
    i = j = 0
    for block in changed_blocks(a, b):
        assert a[i : block.old_start] == b[j : block.new_start]
        out += [*a[i : block.old_start], *b[block.new_start : block.new_end]]
        i, j = block.old_end, block.new_end
    assert (*out, *a[i:]) == b


@given(TEXT, TEXT)
def test_unchanged_side_gives_the_other_and_equal_sides_give_that_side(
    base: bytes, side: bytes
) -> None:
    b, s = split_lines(base), split_lines(side)
    for ours, theirs in ((b, s), (s, b), (s, s)):
        segments = merge_lines(b, ours, theirs)
        assert hunks_of(segments) == ()
        assert composed(segments, lambda _, hunk: hunk.ours) == side


@given(TEXT, TEXT, TEXT)
def test_swapping_the_sides_swaps_only_the_sides(base: bytes, ours: bytes, theirs: bytes) -> None:
    b, o, t = map(split_lines, (base, ours, theirs))

    def shape(segments: tuple[Segment, ...], swap: bool) -> list[object]:
        return [
            (s.base, *((s.theirs, s.ours) if swap else (s.ours, s.theirs)))
            if isinstance(s, ConflictHunk)
            else s
            for s in segments
        ]

    assert shape(merge_lines(b, o, t), False) == shape(merge_lines(b, t, o), True)


@given(TEXT, TEXT, TEXT)
def test_taking_one_side_of_every_hunk_loses_no_line_of_it(
    base: bytes, ours: bytes, theirs: bytes
) -> None:
    b, o, t = map(split_lines, (base, ours, theirs))
    segments = merge_lines(b, o, t)
    for side in ("ours", "theirs"):
        taken = [s if isinstance(s, tuple) else getattr(s, side) for s in segments]
        lines = [line for part in taken for line in part]
        own = o if side == "ours" else t
        assert {line for line in own if line not in b} <= set(lines)


@given(TEXT, TEXT)
def test_two_texts_without_a_base_differ_hunk_by_hunk(ours: bytes, theirs: bytes) -> None:
    segments = merge_two(split_lines(ours), split_lines(theirs))
    assert composed(segments, lambda _, hunk: hunk.ours) == ours
    assert composed(segments, lambda _, hunk: hunk.theirs) == theirs


@given(TEXT, TEXT, TEXT, st.sampled_from(["diff3", "zdiff3"]))
def test_reading_rendered_markers_gives_the_conflict_back(
    base: bytes, ours: bytes, theirs: bytes, style: str
) -> None:
    segments = merge_lines(*map(split_lines, (base, ours, theirs)))
    size = marker_size(segments)
    again = parse(render(segments, style=style), size)
    assert _bare(again) == _bare(segments)


@given(TEXT, TEXT)
def test_markers_without_base_read_back_too(ours: bytes, theirs: bytes) -> None:
    segments = merge_two(split_lines(ours), split_lines(theirs))
    assert _bare(parse(render(segments, style="merge"), marker_size(segments))) == _bare(segments)


def _bare(segments: tuple[Segment, ...]) -> list[object]:
    return [(s.base, s.ours, s.theirs) if isinstance(s, ConflictHunk) else s for s in segments]


def test_diff3_keeps_equal_ends_inside_and_zdiff3_moves_them_out() -> None:
    hunk = ConflictHunk((), (b"same\n", b"x\n"), (b"same\n", b"y\n"))
    assert parse(render((hunk,), style="diff3"))[0] == hunk
    assert next(s for s in trimmed(hunk) if s) == (b"same\n",)
    assert render((hunk,), style="zdiff3").startswith(b"same\n<<<<<<< ours\nx\n||||||| base\n")


def test_prose_with_an_underline_holds_no_markers() -> None:
    assert not holds_markers(b"Title\n=======\n<<<<<<< is how it starts\n")
    assert holds_markers(b"<<<<<<< a\n1\n=======\n2\n>>>>>>> b\n")


EDITS = st.lists(
    st.tuples(st.integers(0, 29), st.sampled_from(["replace", "insert", "delete"])), max_size=6
)


def _edited(edits: list[tuple[int, str]], name: str) -> Lines:
    out: list[bytes] = []
    wanted = dict(edits)
    for n in range(30):
        what = wanted.get(n)
        if what in ("insert", "replace"):
            out.append(f"{name} {n}\n".encode())
        if what in (None, "insert"):
            out.append(f"line {n}\n".encode())
    return tuple(out)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EDITS, EDITS)
def test_merge_of_random_edits_is_the_one_git_makes(
    tmp_path: Path, ours: list[tuple[int, str]], theirs: list[tuple[int, str]]
) -> None:
    base = _edited([], "")
    sides = (_edited(ours, "ours"), base, _edited(theirs, "theirs"))
    for name, lines in zip("obt", sides, strict=True):
        (tmp_path / name).write_bytes(b"".join(lines))
    command = ["git", "merge-file", "-p", "--zdiff3", "-L", "ours", "-L", "base", "-L", "theirs"]
    done = subprocess.run([*command, "o", "b", "t"], cwd=tmp_path, capture_output=True, check=False)
    segments = merge_lines(base, sides[0], sides[2])
    assert render(segments) == done.stdout
    assert len(hunks_of(segments)) == done.returncode


def test_two_long_texts_without_likeness_are_compared_in_a_moment() -> None:
    left = tuple(b"%d\n" % (n * 7919 % 1000) for n in range(20_000))
    right = tuple(b"%d\n" % (n * 104729 % 1000) for n in range(20_000))
    started = time.perf_counter()
    assert merge_lines(left, right, left) == (right,)
    assert time.perf_counter() - started < 3
