"""What was spent on agents, where they report it, and whether that is still allowed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

NEARLY = 0.8


@dataclass(frozen=True, slots=True)
class Spent:
    """Sums over attempts; None where no agent reported any, which is not zero.

    `unknown` counts attempts that reported nothing: the true sum is higher then.
    """

    cost: float | None = None
    tokens: int | None = None
    unknown: int = 0


def add_up(usages: Iterable[tuple[float | None, int | None]]) -> Spent:
    """The sum of (cost, tokens) of attempts, each of which may be unknown."""
    found = list(usages)
    costs = [cost for cost, _ in found if cost is not None]
    tokens = [count for _, count in found if count is not None]
    return Spent(
        cost=sum(costs) if costs else None,
        tokens=sum(tokens) if tokens else None,
        unknown=sum(cost is None and count is None for cost, count in found),
    )


@dataclass(frozen=True, slots=True)
class Budget:
    """How far a budget is used: `over` starts nothing more, `near` is said once."""

    over: str | None = None
    near: str | None = None


def check_budget(spent: Spent, *, max_cost: float | None, max_tokens: int | None) -> Budget:
    """Whether what was spent is over or near what may be spent."""
    over: list[str] = []
    near: list[str] = []
    if max_cost is not None and spent.cost is not None:
        text = f"{spent.cost:.2f} of {max_cost:.2f} USD"
        _file(spent.cost / max_cost, text, over, near)
    if max_tokens is not None and spent.tokens is not None:
        _file(spent.tokens / max_tokens, f"{spent.tokens} of {max_tokens} tokens", over, near)
    return Budget(" and ".join(over) or None, " and ".join(near) or None)


def _file(share: float, text: str, over: list[str], near: list[str]) -> None:
    if share >= 1:
        over.append(text)
    elif share >= NEARLY:
        near.append(text)
