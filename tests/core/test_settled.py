"""How a settled conflict is told in a commit, and read back from it."""

from __future__ import annotations

import pytest

from merge.types import Resolution
from worktree_runner.core.settled import TRAILER, forced, parse_trailer, sentence, trailer


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (Resolution("a b.py", "imports", ""), "a b.py (imports)"),
        (Resolution("a.py", "both-inserted", "", tier="tested"), "a.py (both-inserted, tested)"),
        (Resolution("a.py", "person", "", tier="manual"), "a.py (by hand)"),
        (Resolution("a.py", "on-conflict-ours", "", tier="forced"), "a.py (on-conflict-ours)"),
    ],
)
def test_a_trailer_reads_back_as_what_was_settled(one: Resolution, told: str) -> None:
    assert trailer(one) == f"{TRAILER}: {told}"
    assert parse_trailer(told) == one


def test_a_side_taken_by_a_flag_names_the_flag_once() -> None:
    one = forced(
        Resolution("a.py", "person", "", tier="manual"),
        {"forced": "ours", "dropped": "4 lines of the plan in 2 hunks"},
    )
    assert sentence(one) == (
        "settled a.py by --on-conflict ours: dropped 4 lines of the plan in 2 hunks"
    )
