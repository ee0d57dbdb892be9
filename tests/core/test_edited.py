"""Texts for an editor, and which part of what comes back is the answer."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from merge.types import ConflictHunk
from tests.support.conflicts import facts, guard_file, picture, removed_file
from worktree_runner.core.conflicts import FileContents
from worktree_runner.core.edited import answer_in, file_text, hunk_text, left_marker, size_of

LINES = st.lists(
    st.sampled_from([b"a\n", b"b\r\n", b"<<<<<<< x\n", b"=======\n", b"\n"]), max_size=4
)


@given(before=LINES, ours=LINES, base=LINES, theirs=LINES, after=LINES)
def test_replacing_the_marked_part_gives_just_the_answer(
    before: list[bytes],
    ours: list[bytes],
    base: list[bytes],
    theirs: list[bytes],
    after: list[bytes],
) -> None:
    hunk = ConflictHunk(*map(tuple, (base, ours, theirs, before, after)))
    text = hunk_text(facts(), hunk)
    start, end = len(b"".join(before)), len(text) - len(b"".join(after))
    assert left_marker(text, [hunk.ours, hunk.theirs, hunk.base], size_of([hunk])) is not None
    edited = text[:start] + b"mine\n" + text[end:]
    assert answer_in(edited, hunk) == b"mine\n"
    assert answer_in(text[:start] + text[end:], hunk) == b""


def test_a_file_without_a_last_line_end_does_not_get_one_from_the_editor() -> None:
    hunk = ConflictHunk((b"a",), (b"b",), (b"c",), before=(b"x\n",))
    assert answer_in(b"x\nmine\n", hunk) == b"mine"
    assert answer_in(b"x\nmine\n", replace(hunk, ours=(b"b\n",))) == b"mine\n"


def test_context_that_was_cut_off_is_no_answer() -> None:
    hunk = ConflictHunk((), (b"o\n",), (b"t\n",), before=(b"x\n",), after=(b"y\n",))
    assert answer_in(b"x\n", hunk) is None
    assert answer_in(b"", hunk) is None
    assert answer_in(b"x\nmine\ny\nmore\n", hunk) is None


def test_only_text_with_two_sides_can_be_edited_as_a_file() -> None:
    assert file_text(facts(), removed_file()) is None
    assert file_text(facts(), picture()) is None
    binary = facts(contents={guard_file().path: FileContents(b"a\0", b"b", b"c")})
    assert file_text(binary, guard_file()) is None


def test_a_file_added_by_both_sides_has_no_base_to_show() -> None:
    content = FileContents(None, b"one\nsame\n", b"two\nsame\n")
    text = file_text(
        facts(contents={"f": content}), replace(guard_file(), path="f", kind="add/add")
    )
    assert text == b"<<<<<<< main\none\n||||||| base\n=======\ntwo\n>>>>>>> 03-02\nsame\n"


def test_answers_are_not_filled_in_where_the_hunks_are_cut_otherwise() -> None:
    one = replace(guard_file(), hunks=(guard_file().hunks[0],))
    text = file_text(facts(), one, {0: (b"filled\n",)})
    assert text is not None and b"filled" not in text and text.count(b"<<<<<<< main") == 2
