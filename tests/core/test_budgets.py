"""Budgets of tokens and money."""

from __future__ import annotations

from worktree_runner.core.budgets import Budget, Spent, add_up, check_budget


def test_unknown_usage_is_not_zero() -> None:
    assert add_up([]) == Spent(None, None, 0)
    assert add_up([(None, None), (0.5, None), (0.25, 100)]) == Spent(0.75, 100, 1)
    assert check_budget(Spent(None, None, 3), max_cost=1, max_tokens=1) == Budget()


def test_a_budget_is_said_when_near_and_stops_when_over() -> None:
    assert check_budget(Spent(0.79, 10), max_cost=1, max_tokens=None) == Budget()
    assert check_budget(Spent(0.8, 10), max_cost=1, max_tokens=5) == Budget(
        over="10 of 5 tokens", near="0.80 of 1.00 USD"
    )
