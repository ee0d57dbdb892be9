"""What must hold for every file, whatever the rules do with it."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from merge import FileMerge, Settings, merge_file
from merge.checks import stops_parsing
from merge.text import composed

PYTHON = ["import a", "import b as c", "from m import x", "from m import x, y", "", "v = 1",
          "v = 2", "w = (1,  2)", "def f():", "    return v", "# note"]  # fmt: skip
SCRIPT = ["import { a } from 'm';", "import { a, b } from 'm';", "import 'e';", "", "f(a, b);",
          "f(a,  b);", "const x = 1;", "}"]  # fmt: skip
JSON = ["{", "}", '  "a": 1,', '  "a": 2,', '  "b": [1],', '  "c": {}', '  "d": "x",']
LIST = ["a", "b", "!c", "", "# d", "e/"]
CHANGES = ["# 1.0", "- one thing", "- another matter", "  more of it", "", "- third"]
PINS = ["a==1.0", "a==1.2", "a==1.10", "b>=2.0", "b>=3.1rc1", "c"]
KINDS = {
    "a.py": PYTHON,
    "a.ts": SCRIPT,
    "a.json": JSON,
    ".gitignore": LIST,
    "CHANGES.md": CHANGES,
    "requirements.txt": PINS,
}


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[str], list[str], list[str]]:
    """A file's path and three versions of its lines, the sides made by a few edits."""
    path = draw(st.sampled_from(sorted(KINDS)))
    line = st.sampled_from(KINDS[path])
    base = draw(st.lists(line, min_size=1, max_size=10))
    return path, base, *(draw(edited(base, line)) for _ in range(2))


@st.composite
def edited(draw: st.DrawFn, base: list[str], line: st.SearchStrategy[str]) -> list[str]:
    out = list(base)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(out)))
        gone = draw(st.integers(0, 1))
        out[at : at + gone] = draw(st.lists(line, max_size=2))
    return out


def joined(lines: list[str], end: str = "\n") -> bytes:
    return "".join(line + end for line in lines).encode()


def run(case: tuple[str, list[str], list[str], list[str]], tier: str, end: str = "\n") -> FileMerge:
    path, base, ours, theirs = case
    texts = [joined(lines, end) for lines in (base, ours, theirs)]
    return merge_file(*texts, path, Settings(tier))  # type: ignore[arg-type]


def words(text: bytes) -> list[bytes]:
    return sorted(re.findall(rb"[^\s,]+", text))


@settings(max_examples=300)
@given(cases())
def test_swapping_the_sides_settles_the_same_files_with_the_same_words(
    case: tuple[str, list[str], list[str], list[str]],
) -> None:
    path, base, ours, theirs = case
    there, back = run(case, "proven"), run((path, base, theirs, ours), "proven")
    assert (there.data is None) == (back.data is None)
    if there.data is not None and back.data is not None:
        assert words(there.data) == words(back.data)


@settings(max_examples=300)
@given(cases(), st.sampled_from(["proven", "tested"]))
def test_settled_file_keeps_every_word_that_a_side_added_and_parses(
    case: tuple[str, list[str], list[str], list[str]], tier: str
) -> None:
    path, base, ours, theirs = case
    data = run(case, tier).data
    if data is None:
        return
    assert not stops_parsing(path, joined(ours), joined(theirs), data)
    held = Counter(re.findall(rb"[A-Za-z]+", data))
    known = Counter(re.findall(rb"[A-Za-z]+", joined(base)))
    sides = [Counter(re.findall(rb"[A-Za-z]+", joined(side))) for side in (ours, theirs)]
    for word in set(sides[0]) | set(sides[1]):
        if known[word] == 0:
            assert held[word] > 0
    for word in held:
        assert held[word] <= sides[0][word] + sides[1][word]


@settings(max_examples=150)
@given(cases())
def test_line_ends_and_a_missing_last_one_survive(
    case: tuple[str, list[str], list[str], list[str]],
) -> None:
    plain, windows = run(case, "proven"), run(case, "proven", "\r\n")
    if plain.data is not None:
        assert windows.data == plain.data.replace(b"\n", b"\r\n")
    else:
        assert windows.data is None


@settings(max_examples=150)
@given(cases())
def test_escalated_file_still_holds_both_sides_whole(
    case: tuple[str, list[str], list[str], list[str]],
) -> None:
    result = run(case, "none")
    if result.data is None:
        for side, own in (("ours", case[2]), ("theirs", case[3])):
            text = composed(result.segments, lambda _, hunk, s=side: getattr(hunk, s))  # type: ignore[misc]
            assert {line for line in own if line not in case[1]} <= set(text.decode().split("\n"))


@settings(max_examples=150)
@given(cases())
def test_merging_the_plan_again_changes_nothing(
    case: tuple[str, list[str], list[str], list[str]],
) -> None:
    path, base, _, theirs = case
    first = run(case, "proven").data
    if first is not None:
        again = merge_file(joined(theirs), first, joined(theirs), path)
        assert again.data == first
        twice = merge_file(joined(base), first, first, path)
        assert twice.data == first


@pytest.mark.parametrize(
    "text", [b"", b"\n", b"\r", b"\xff\xfe\x00", b"\xef\xbb\xbfa\r\n", b"a", b"a\n\n\nb"]
)
def test_odd_bytes_pass_through_unchanged(text: bytes) -> None:
    other = text + b"x"
    for base, ours, theirs, expected in (
        (text, text, other, other),
        (text, other, text, other),
        (text, other, other, other),
    ):
        assert merge_file(base, ours, theirs, "a.py").data == expected
