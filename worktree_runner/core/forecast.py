"""Which plans at work begin to conflict, as values: what to look at, and what is new.

- Two branches can only conflict where both changed something: the same path, a file against a
  folder, or a folder that one side emptied (renamed, perhaps) while the other added to it. Every
  other pair is left out without a merge, so a scan of many branches costs one listing.
- What git says of a pair holds for its two commits for ever, so nothing is merged twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from worktree_runner.core.texts import clean_line, listing


@dataclass(frozen=True, slots=True)
class Touched:
    """What one branch changed since it began: every path, and those it added or removed."""

    paths: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two parties that conflict as they stand: plans, or a plan and the target."""

    one: str
    other: str
    paths: tuple[str, ...]
    """Paths that would be a question."""
    settled: tuple[str, ...] = ()
    """Paths in conflict that rules would settle."""

    @property
    def key(self) -> tuple[str, str]:
        return self.one, self.other


def candidates(touched: Mapping[str, Touched]) -> tuple[tuple[str, str], ...]:
    """The pairs that can conflict at all, in the order of the parties."""
    order = {name: at for at, name in enumerate(touched)}
    found: set[tuple[str, str]] = set()
    by_place: dict[str, set[str]] = {}
    for name, one in touched.items():
        for path in one.paths:
            by_place.setdefault(path, set()).add(name)
    for sharing in by_place.values():
        if len(sharing) > 1:
            found |= set(combinations(sorted(sharing, key=order.__getitem__), 2))
    for name, one in touched.items():
        for folder in _folders(one.added):
            # a file of another branch where this one needs a folder
            others = by_place.get(folder, set())
            found |= {_ordered(order, name, other) for other in others - {name}}
    emptied: dict[str, set[str]] = {}
    for name, one in touched.items():
        for folder in _folders(one.removed):
            emptied.setdefault(folder, set()).add(name)
    if emptied:
        for name, one in touched.items():
            for folder in _folders(one.added):
                others = emptied.get(folder, set())
                found |= {_ordered(order, name, other) for other in others - {name}}
    return tuple(sorted(found, key=lambda pair: (order[pair[0]], order[pair[1]])))


def _folders(paths: Iterable[str]) -> set[str]:
    """Every folder above these paths, the top one left out."""
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


def _ordered(order: Mapping[str, int], one: str, other: str) -> tuple[str, str]:
    return (one, other) if order[one] < order[other] else (other, one)


def begun(
    before: Iterable[Mapping[str, Any]], now: Sequence[Pair], target: str
) -> tuple[Pair, ...]:
    """The pairs of now with a path that was no question before, with just these paths.

    What a plan conflicts with does not become news by landing: its pair with the target counts
    as known where the plan had the path in any pair.
    """
    known: dict[tuple[str, str], set[str]] = {}
    for item in before:
        one, other = item["plans"]
        for key in ((one, other), (target, one), (target, other)):
            known.setdefault(key, set()).update(item["paths"])
    new = []
    for pair in now:
        fresh = tuple(path for path in pair.paths if path not in known.get(pair.key, set()))
        if fresh:
            new.append(Pair(pair.one, pair.other, fresh, pair.settled))
    return tuple(new)


def to_json(pair: Pair) -> dict[str, Any]:
    """A pair as it stands in the journal and in `wtrun conflicts --json`."""
    return {
        "plans": [pair.one, pair.other],
        "paths": list(pair.paths),
        "settled": list(pair.settled),
    }


def in_words(item: Mapping[str, Any]) -> str:
    """`03-01 and 03-02 in src/a.py; 1 more would be settled by rule`."""
    one, other = item["plans"]
    paths, settled = list(item["paths"]), list(item.get("settled", ()))
    if not paths:
        return f"{one} and {other}: {listing(_clean(settled), limit=3)} (settled by rule)"
    more = f"; {len(settled)} more would be settled by rule" if settled else ""
    return f"{one} and {other} in {listing(_clean(paths), limit=3)}{more}"


def _clean(paths: Iterable[str]) -> list[str]:
    return [clean_line(path) for path in paths]
