"""Small texts: cleaned, counted, and unknown is never zero."""

from __future__ import annotations

import pytest

from worktree_runner.core import texts


def test_what_could_steer_a_terminal_is_written_out() -> None:
    assert texts.clean("a\x1b[2Jb\x07\r\u202ec\u200d\n\td\udcff") == (
        "a\\x1b[2Jb\\x07\\r\\u202ec\\u200d\n\td\\udcff"
    )


def test_letters_of_every_script_stay() -> None:
    assert texts.clean("Grüße, 統合, مرحبا ✓") == "Grüße, 統合, مرحبا ✓"


def test_a_line_is_one_line_and_can_be_cut() -> None:
    assert texts.clean_line("  one\n two\tthree ") == "one two three"
    assert texts.clean_line("abcdefgh", 5) == "abcd…"


@pytest.mark.parametrize(
    ("seconds", "long", "short"),
    [(8.9, "8 s", "00:08"), (372, "6 min 12 s", "06:12"), (7500, "2 h 5 min", "2:05:00"),
     (60, "1 min", "01:00"), (7200, "2 h", "2:00:00")],
)  # fmt: skip
def test_durations(seconds: float, long: str, short: str) -> None:
    assert texts.duration(seconds) == long
    assert texts.clock(seconds) == short


def test_numbers_that_nobody_reported_are_not_zero() -> None:
    assert (texts.tokens(None), texts.money(None)) == ("", "")
    assert (texts.tokens(0), texts.money(0)) == ("0 tok", "$0.00")
    assert (texts.tokens(18_240), texts.tokens(999_999)) == ("18.2k tok", "1.0M tok")


def test_lists_and_counts() -> None:
    assert [texts.listing(("a", "b", "c")[:n]) for n in range(4)] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert texts.listing(("a", "b", "c"), limit=2) == "a, b and 1 more"
    assert texts.count(1, "hunk") == "1 hunk"
    assert texts.count(2, "batch", "batches") == "2 batches"
