"""Merging import regions as sets of names.

Sound because an import brings a name and (nearly) nothing else: the union of what both sides
bring is what the union of their code needs. The exceptions are guarded: a name counts as removed
only if the merged text doesn't use it; one binding from two places, star imports, a module that
one side left while the other took more from it, and a changed order among imports made for their
effect are questions. What can be wrong at worst is an unused import, which a linter finds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from merge.import_canvas import Canvas
from merge.import_syntax import elements_outside, find_region
from merge.import_values import Element, Region
from merge.text import Lines, line_end, split_lines
from merge.types import ConflictHunk

_GROUP = {"go": (b"import (\n",)}
"""What makes the lines of a region readable outside their file."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Three texts whose import regions were made equal, so that only the rest is merged.

    `finish(rest)` puts the merged imports into the merged rest, or gives None.
    """

    base: bytes
    theirs: bytes
    finish: Callable[[bytes], bytes | None]


def fold(
    language: str, base: bytes, ours: bytes, theirs: bytes, hunks: Sequence[ConflictHunk]
) -> Fold | None:
    """The texts with our import region in each.

    None if the regions can't be told, if no hunk touches them, or if one is only partly inside.
    """
    texts = [split_lines(text) for text in (base, ours, theirs)]
    regions = tuple(r for lines in texts if (r := find_region(language, lines)))
    if len(regions) != 3 or len({region.comments for region in regions}) != 1:
        return None
    if not _only_inside(hunks, regions) or _scattered(language, texts, regions):
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


def _scattered(language: str, texts: Sequence[Lines], regions: Sequence[Region]) -> bool:
    """Whether a name of a region is imported again elsewhere in some version."""
    inside = {e for region in regions for s in region.statements for e in s.elements}
    return any(
        inside & elements_outside(language, lines, region)
        for lines, region in zip(texts, regions, strict=True)
    )


def _only_inside(hunks: Iterable[ConflictHunk], regions: Sequence[Region]) -> bool:
    """Whether some hunks lie wholly in the import regions, and the others wholly outside."""
    touched = False
    known = [{line.strip() for line in _lines_of(region)} for region in regions]
    for hunk in hunks:
        sides = (hunk.base, hunk.ours, hunk.theirs)
        inside = [
            line.strip() in lines
            for side, lines in zip(sides, known, strict=True)
            for line in side
            if line.strip()
        ]
        if any(inside) and not all(inside):
            return False
        touched = touched or any(inside)
    return touched


def _lines_of(region: Region) -> Iterable[bytes]:
    for item in region.items:
        yield from (item,) if isinstance(item, bytes) else item.lines


def merge_regions(language: str, regions: Sequence[Region], outside: bytes) -> Lines | None:
    """Our region with their additions and removals, or None where a person must look.

    `outside` is the merged text without its imports: what it uses can't have been removed.
    """
    base, ours, theirs = ([e for s in r.statements for e in s.elements] for r in regions)
    if any(len(set(side)) != len(side) for side in (base, ours, theirs)):
        return None
    wanted = _wanted(base, ours, theirs, _Use(outside))
    if wanted is None or not _order_kept(regions) or _moved_module(base, ours, theirs):
        return None
    canvas = Canvas(language, regions[1], line_end(_lines_of(regions[1])))
    if not canvas.drop([element for element in ours if element not in wanted]):
        return None
    for statement in regions[2].statements:
        missing = [e for e in statement.elements if e in wanted and e not in ours]
        if missing and not canvas.add(regions[2], statement, missing):
            return None
    lines = canvas.lines()
    again = find_region(language, (*_GROUP.get(language, ()), *lines))
    if again is None or {e for s in again.statements for e in s.elements} != wanted:
        return None
    return lines


class _Use:
    """Which names a text uses; asked by word, so a mention in a string counts as a use."""

    def __init__(self, text: bytes) -> None:
        self.words = set(re.findall(rb"(?<![\w$.])[\w$]+", text))

    def of(self, element: Element) -> bool | None:
        """Whether the element's binding is used; None if its binding is not known."""
        if element.kind == "go":
            return any(name.encode() in self.words for name in go_names(element))
        binding = element.binding
        if element.kind == "import":
            binding = element.alias or element.module.split(".")[0]
        return binding.encode() in self.words if binding else None


def go_names(element: Element) -> set[str]:
    """Names that a Go package may have in the code, by its path."""
    if element.alias:
        return {element.alias}
    parts = [part for part in element.module.split("/") if not re.fullmatch(r"v\d+", part)]
    last = re.sub(r"\.v\d+$", "", parts[-1]) if parts else element.module
    bare = re.sub(r"v?\d+$", "", last)
    return {last, bare, *re.split(r"[-.]", last), last.replace("-", "_"), last.replace("-", "")}


def _wanted(
    base: Sequence[Element], ours: Sequence[Element], theirs: Sequence[Element], used: _Use
) -> set[Element] | None:
    """The elements that the result must hold, or None where that is a question."""
    b, o, t = set(base), set(ours), set(theirs)
    added = (o | t) - b
    if any(e.name == "*" and not e.alias for e in added):
        return None
    if any(e.kind == "opaque" for e in (b | o | t) - (b & o & t)):
        return None  # a form that is not understood was touched
    wanted = (b & o & t) | added
    bound = {e.binding for e in wanted if e.binding}
    for element in sorted((b & o) ^ (b & t)):
        use = used.of(element)
        if use is None and element.kind != "effect":
            return None
        if use and not _replaced(element, added, bound):
            wanted.add(element)
    return wanted if _bindings_are_unique(wanted, o, t) else None


def _replaced(element: Element, added: set[Element], bound: set[str]) -> bool:
    """Whether the name comes from another place in the result."""
    if element.kind != "go":
        return element.binding in bound
    return any(go_names(element) & go_names(e) for e in added if e.kind == "go")


def _bindings_are_unique(wanted: set[Element], ours: set[Element], theirs: set[Element]) -> bool:
    """No name may mean two things, unless one side alone already had it so."""
    known: dict[str, Element] = {}
    for element in sorted(wanted):
        names = go_names(element) if element.kind == "go" else {element.binding} - {""}
        for name in names:
            other = known.setdefault(name, element)
            if other != element and not any({other, element} <= side for side in (ours, theirs)):
                return False
    return True


def _moved_module(
    base: Sequence[Element], ours: Sequence[Element], theirs: Sequence[Element]
) -> bool:
    """Whether one side stopped importing from a module from which the other now imports more.

    Its names have moved, and where the new one lives now is not to be seen here.
    """
    had, left, right = ({e.module for e in side if e.module} for side in (base, ours, theirs))
    return any(
        e.module in gone and e not in base
        for gone, stays in ((had - left, theirs), (had - right, ours))
        for e in stays
    )


def _order_kept(regions: Sequence[Region]) -> bool:
    """Imports for effect must be the same, in order, unless only one side added some."""
    base, ours, theirs = (
        [s.elements for s in region.statements if s.ordered] for region in regions
    )
    if theirs in (ours, base):
        return True
    return ours == base and set(base) <= set(theirs)
