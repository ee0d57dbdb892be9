"""Names of runs."""

from __future__ import annotations

from worktree_runner.operations.context import runs


def test_runs_that_begin_within_one_second_sort_by_when_they_began() -> None:
    made = [runs.new_id("03") for _ in range(2000)]
    assert made == sorted(made)
    assert len(set(made)) > 1
    assert len({len(name) for name in made}) == 1
