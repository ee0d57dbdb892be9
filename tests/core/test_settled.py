"""How a settled conflict is told in a commit, and read back from it."""

from __future__ import annotations

import pytest

from merge.types import Resolution
from worktree_runner.core.settled import TRAILER, parse_trailer, trailer


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
