"""Merging import regions as sets of names.

Sound because an import brings a name and (nearly) nothing else: the union of what both sides
bring is what the union of their code needs. The exceptions are guarded: a name counts as removed
only if the merged text doesn't use it; one binding from two places, star imports, and a changed
order among imports made for their effect are questions. What can be wrong at worst is an unused
import, which a linter finds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from merge.import_syntax import Element, Region, Statement, find_region, with_elements
from merge.text import Lines, line_end, split_lines


@dataclass(frozen=True, slots=True)
class Fold:
    """Three texts whose import regions were made equal, so that only the rest is merged.

    `finish(rest)` puts the merged imports into the merged rest, or gives None.
    """

    base: bytes
    theirs: bytes
    finish: Callable[[bytes], bytes | None]


def fold(language: str, base: bytes, ours: bytes, theirs: bytes) -> Fold | None:
    """The texts with our import region in each, or None if the regions can't be told."""
    texts = [split_lines(text) for text in (base, ours, theirs)]
    found = [find_region(language, lines) for lines in texts]
    regions = [region for region in found if region]
    if len(regions) != 3 or len({region.comments for region in regions}) != 1:
        return None
    own = texts[1][regions[1].start : regions[1].end]
    folded = [
        b"".join((*lines[: region.start], *own, *lines[region.end :]))
        for lines, region in zip(texts, regions, strict=True)
    ]

    def finish(rest: bytes) -> bytes | None:
        lines = split_lines(rest)
        region = find_region(language, lines)
        if region is None or lines[region.start : region.end] != own:
            return None
        outside = b"".join((*lines[: region.start], *lines[region.end :]))
        merged = merge_regions(language, regions, outside)
        if merged is None:
            return None
        return b"".join((*lines[: region.start], *merged, *lines[region.end :]))

    return Fold(folded[0], folded[2], finish)


def merge_regions(language: str, regions: Sequence[Region], outside: bytes) -> Lines | None:
    """Our region with their additions and removals, or None where a person must look."""
    base, ours, theirs = ([e for s in r.statements for e in s.elements] for r in regions)
    if any(len(set(side)) != len(side) for side in (base, ours, theirs)):
        return None
    used = _Use(outside)
    wanted = _wanted(base, ours, theirs, used)
    if wanted is None or not _order_kept(regions, wanted):
        return None
    canvas = _Canvas(language, regions[1], line_end(split_lines(b"".join(_all_lines(regions)))))
    if not canvas.drop([element for element in ours if element not in wanted]):
        return None
    for statement in regions[2].statements:
        missing = [e for e in statement.elements if e in wanted and e not in ours]
        if missing and not canvas.add(regions[2], statement, missing):
            return None
    lines = canvas.lines()
    return lines if canvas.elements() == wanted else None


def _all_lines(regions: Iterable[Region]) -> Iterable[bytes]:
    for region in regions:
        for item in region.items:
            yield from (item,) if isinstance(item, bytes) else item.lines


class _Use:
    """Which names a text uses; asked by word, so a mention in a string counts as a use."""

    def __init__(self, text: bytes) -> None:
        self.words = set(re.findall(rb"[\w$]+", text))

    def of(self, element: Element) -> bool | None:
        """Whether the element's binding is used; None if its binding is not known."""
        if element.kind == "go":
            names = [element.alias] if element.alias else _go_names(element.module)
            return any(name.encode() in self.words for name in names)
        binding = element.module.split(".")[0] if element.kind == "import" else element.binding
        if element.kind == "import" and element.alias:
            binding = element.alias
        return binding.encode() in self.words if binding else None


def _go_names(module: str) -> list[str]:
    """Names that a Go package may have by its path."""
    parts = [part for part in module.split("/") if not re.fullmatch(r"v\d+", part)]
    last = re.sub(r"\.v\d+$", "", parts[-1]) if parts else module
    return [last, *re.split(r"[-.]", last), last.replace("-", "_"), last.replace("-", "")]


def _wanted(
    base: Sequence[Element], ours: Sequence[Element], theirs: Sequence[Element], used: _Use
) -> set[Element] | None:
    """The elements that the result must hold, or None where that is a question."""
    b, o, t = set(base), set(ours), set(theirs)
    added = (o | t) - b
    if any(e.name == "*" and not e.alias for e in added):
        return None
    wanted = (b & o & t) | added
    bound = {e.binding for e in wanted if e.binding}
    for element in b - (o & t):
        if element not in o and element not in t:
            continue  # both sides removed it
        use = used.of(element)
        if use is None and element.kind not in {"effect"}:
            return None
        if use and element.binding not in bound:
            wanted.add(element)
    return wanted if _bindings_are_unique(wanted, o, t) else None


def _bindings_are_unique(wanted: set[Element], ours: set[Element], theirs: set[Element]) -> bool:
    """No name may mean two things, unless one side alone already had it so."""
    known: dict[str, Element] = {}
    for element in sorted(wanted):
        other = known.setdefault(element.binding, element) if element.binding else element
        if other != element and not any({other, element} <= side for side in (ours, theirs)):
            return False
    modules: dict[tuple[str, str], Element] = {}
    for element in sorted(wanted):
        if element.kind.endswith("mod") or element.kind == "go":
            other = modules.setdefault((element.module, element.name), element)
            if other != element and not any({other, element} <= s for s in (ours, theirs)):
                return False
    return True


def _order_kept(regions: Sequence[Region], wanted: set[Element]) -> bool:
    """Imports for effect must be the same, in order, unless only one side changed them."""
    base, ours, theirs = (
        [s.elements for s in region.statements if s.ordered] for region in regions
    )
    if theirs in (ours, base):
        return True
    return ours == base and set(base) <= set(theirs)


class _Canvas:
    """Our region, being changed."""

    def __init__(self, language: str, region: Region, end: bytes) -> None:
        self.language = language
        self.items: list[Statement | bytes] = list(region.items)
        self.end = end

    def elements(self) -> set[Element]:
        return {e for s in self.items if isinstance(s, Statement) for e in s.elements}

    def lines(self) -> Lines:
        out: list[bytes] = []
        for item in self.items:
            out += [item] if isinstance(item, bytes) else item.lines
        return tuple(out)

    def _replace(self, index: int, elements: tuple[Element, ...]) -> bool:
        statement = self.items[index]
        assert isinstance(statement, Statement)
        lines = with_elements(self.language, statement, elements, self.end)
        if lines is None:
            return False
        self.items[index] = Statement(
            lines, elements, statement.opening, statement.closing, statement.ordered
        )
        return True

    def drop(self, gone: Sequence[Element]) -> bool:
        for index in range(len(self.items) - 1, -1, -1):
            item = self.items[index]
            if not isinstance(item, Statement) or not set(item.elements) & set(gone):
                continue
            left = tuple(e for e in item.elements if e not in gone)
            if not left:
                del self.items[index]
            elif not self._replace(index, left):
                return False
        return True

    def add(self, region: Region, source: Statement, missing: Sequence[Element]) -> bool:
        """Their elements, into a statement of the same module or as a statement of their own."""
        host = next(
            (
                i
                for i, item in enumerate(self.items)
                if isinstance(item, Statement)
                and item.opening
                and item.opening == source.opening
                and source.opening != "import "
            ),
            None,
        )
        if host is not None:
            present = self.items[host]
            assert isinstance(present, Statement)
            return self._replace(host, _joined(present.elements, source.elements, missing))
        lines: Lines | None = source.lines
        if len(missing) != len(source.elements):
            lines = with_elements(self.language, source, tuple(missing), self.end)
        if lines is None:
            return False
        ended = tuple(line if line.endswith(b"\n") else line + self.end for line in lines)
        new = Statement(ended, tuple(missing), source.opening, source.closing, source.ordered)
        self.items.insert(self._place(region, source, new), new)
        return True

    def _place(self, region: Region, source: Statement, new: Statement) -> int:
        """After its neighbour above in their region, or at its place in a sorted block."""
        theirs = list(region.statements)
        at = theirs.index(source)
        after = next((i for s in reversed(theirs[:at]) if (i := self._find(s)) is not None), None)
        if after is None:
            before = next((i for s in theirs[at + 1 :] if (i := self._find(s)) is not None), None)
            return before if before is not None else len(self.items)
        return self._sorted_place(region, source, new, after)

    def _find(self, statement: Statement) -> int | None:
        wanted = set(statement.elements)
        for index, item in enumerate(self.items):
            if isinstance(item, Statement) and (
                wanted & set(item.elements)
                or (item.opening and item.opening == statement.opening != "import ")
            ):
                return index
        return None

    def _sorted_place(self, region: Region, source: Statement, new: Statement, after: int) -> int:
        start = after
        while start > 0 and isinstance(self.items[start - 1], Statement):
            start -= 1
        stop = after + 1
        while stop < len(self.items) and isinstance(self.items[stop], Statement):
            stop += 1
        block = [item for item in self.items[start:stop] if isinstance(item, Statement)]
        for key in _SORT_KEYS:
            keys = [key(item) for item in block]
            if len(keys) > 1 and keys == sorted(keys) and _block_is_sorted(region, source, key):
                wanted = key(new)
                return start + sum(k <= wanted for k in keys)
        return after + 1


def _block_is_sorted(region: Region, source: Statement, key: Callable[[Statement], str]) -> bool:
    at = region.items.index(source)
    start, stop = at, at + 1
    while start > 0 and isinstance(region.items[start - 1], Statement):
        start -= 1
    while stop < len(region.items) and isinstance(region.items[stop], Statement):
        stop += 1
    keys = [key(item) for item in region.items[start:stop] if isinstance(item, Statement)]
    return keys == sorted(keys)


def _line_text(statement: Statement) -> str:
    return b" ".join(statement.lines).decode("utf-8", "replace").strip()


_SORT_KEYS: tuple[Callable[[Statement], str], ...] = (
    _line_text,
    lambda statement: _line_text(statement).lower(),
    lambda statement: statement.key,
    lambda statement: statement.key.lower(),
)


def _joined(
    present: Sequence[Element], theirs: Sequence[Element], missing: Sequence[Element]
) -> tuple[Element, ...]:
    """Present names and missing ones: sorted if both lists were, else after their neighbour."""
    for key in (lambda e: e.name, lambda e: e.name.lower()):
        if all(list(side) == sorted(side, key=key) for side in (present, theirs)):
            return tuple(sorted((*present, *missing), key=key))
    out = list(present)
    for element in missing:
        at = list(theirs).index(element)
        before = next((e for e in reversed(theirs[:at]) if e in out), None)
        out.insert(out.index(before) + 1 if before else len(out), element)
    return tuple(out)
