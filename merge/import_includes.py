"""Includes of C and `require` of Ruby: lines that run what they name, so that order may count.

Two that were added apart did without one another: neither needs the other above it. What is left
is that one may change what the other does. Where somebody keeps the lines sorted, in all three
versions, it doesn't: such a list is ordered by name, not by need. Only there, and only where both
sides added lines and took none out, are they merged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from merge.import_values import Element, Reader, Region, Statement

KINDS = frozenset({"include", "load"})
SHORTEST = 3
"""Lines that a list must have in the base: fewer may stand in order by chance."""


def _c(lines: Sequence[bytes], at: int) -> tuple[Statement, int] | None:
    found = re.fullmatch(rb"#[ \t]*include[ \t]*(<[^<>\n]+>|\"[^\"\n]+\")\s*", lines[at])
    return _statement("include", lines[at], at, found)


def _ruby(lines: Sequence[bytes], at: int) -> tuple[Statement, int] | None:
    found = re.fullmatch(rb"(require(?:_relative)? (?:\"[\w./-]+\"|'[\w./-]+'))\s*", lines[at])
    return _statement("load", lines[at], at, found)


def _statement(
    kind: str, line: bytes, at: int, found: re.Match[bytes] | None
) -> tuple[Statement, int] | None:
    if not found:
        return None
    name = found[1].decode("utf-8", "surrogateescape")
    return Statement((line,), (Element(kind, name, "", ""),)), at + 1


READERS: dict[str, Reader] = {"c": _c, "ruby": _ruby}


def order_tells_nothing(regions: Sequence[Region], merged: Region) -> bool:
    """Whether every list to which something was added is sorted by name in every version."""
    base, ours, theirs = regions
    known = {e for s in base.statements for e in s.elements}
    if not any(e.kind in KINDS for e in known):
        return all(e.kind not in KINDS for s in merged.statements for e in s.elements)
    lists = [block for region in (ours, theirs, merged) for block in _blocks(region)]
    grown = [block for block in lists if not set(block) <= known]
    for key in (_as_written, _by_path):
        if all(_is_sorted(block, key) for block in grown) and all(
            any(
                len(old) >= SHORTEST and set(old) <= set(block) and _is_sorted(old, key)
                for old in _blocks(base)
            )
            for block in grown
        ):
            return True
    return False


def _blocks(region: Region) -> Iterator[list[Element]]:
    """Runs of statements without a line between them."""
    run: list[Element] = []
    for item in region.items:
        if isinstance(item, Statement):
            run += item.elements
        elif run:
            yield run
            run = []
    if run:
        yield run


def _is_sorted(block: Sequence[Element], key: Callable[[Element], str]) -> bool:
    names = [key(element) for element in block]
    return names == sorted(names)


def _as_written(element: Element) -> str:
    return element.module


def _by_path(element: Element) -> str:
    return re.sub(r"[<>\"']", "", element.module).lower()
