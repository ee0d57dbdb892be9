"""Answers while they are given: the same steps in any order of answering, undoing and skipping."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from merge.types import Choice, ChoiceKind
from tests.support.conflicts import guard_file, picture, removed_file
from worktree_runner.core.worksheet import Worksheet

FILES = (guard_file(), removed_file(), picture())
MOVES = st.lists(st.sampled_from(["answer", "whole", "skip", "undo"]), max_size=30)


def play(moves: list[str]) -> tuple[Worksheet, list[tuple[object, object]]]:
    """Plays moves on the first open step; keeps what a plain stack of states would hold."""
    sheet = Worksheet(FILES)
    stack: list[tuple[object, object]] = [(sheet.choices, sheet.skipped)]
    for move in moves:
        step = sheet.next_open()
        if move == "undo":
            sheet.undo()
            stack = stack[:-1] or stack
            assert (sheet.choices, sheet.skipped) == stack[-1]
            continue
        if step is None:
            continue
        one = step.file
        if move == "skip":
            sheet.skip(one.path)
        else:
            hunk = None if move == "whole" else step.hunk
            sheet.answer(Choice(one.path, ChoiceKind.OURS, one.fingerprint, hunk, hunk is None))
        stack.append((sheet.choices, sheet.skipped))
    return sheet, stack


@given(MOVES)
def test_undo_brings_back_exactly_the_state_before(moves: list[str]) -> None:
    sheet, stack = play(moves)
    while sheet.can_undo:
        sheet.undo()
    assert (sheet.choices, sheet.skipped) == stack[0] == ((), ())


@given(MOVES)
def test_every_step_is_answered_once_or_open_or_skipped(moves: list[str]) -> None:
    sheet, _ = play(moves)
    for step in sheet.steps:
        fitting = [
            choice
            for choice in sheet.choices
            if choice.path == step.file.path and choice.hunk in (None, step.hunk)
        ]
        assert len(fitting) <= 1
    if sheet.next_open() is None:
        assert all(sheet.answer_of(step) or step.file.path in sheet.skipped for step in sheet.steps)


def test_an_answer_for_the_file_replaces_those_for_its_hunks_and_back() -> None:
    one = FILES[0]
    sheet = Worksheet((one,))
    sheet.answer(Choice(one.path, ChoiceKind.OURS, "f1", 0))
    whole = Choice(one.path, ChoiceKind.THEIRS, "f1", whole=True)
    sheet.answer(whole)
    assert sheet.choices == (whole,)
    hunk = Choice(one.path, ChoiceKind.BOTH, "f1", 1)
    sheet.answer(hunk)
    assert sheet.choices == (hunk,)


def test_a_draft_for_a_hunk_that_is_no_longer_there_is_dropped() -> None:
    one = FILES[0]
    assert Worksheet((one,), [Choice(one.path, ChoiceKind.OURS, "f1", 2)]).choices == ()
    assert Worksheet((one,), [Choice("gone", ChoiceKind.OURS, "f1", 0)]).choices == ()
