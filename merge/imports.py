"""Merging import regions as sets of names.

Sound because an import brings a name and (nearly) nothing else: the union of what both sides
bring is what the union of their code needs. The exceptions are guarded:

- a name counts as removed only if the merged text doesn't use it in a line that the removing side
  did not have (`import_uses`);
- one binding from two places, star imports, and a changed order among imports made for their
  effect are questions;
- so is a new import from a place from which the other side moved things away (`import_moves`).

What can be wrong at worst is an unused import, which a linter finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from merge.import_canvas import Canvas
from merge.import_includes import order_tells_nothing
from merge.import_moves import moved_from
from merge.import_syntax import elements_outside, find_region
from merge.import_uses import Use
from merge.import_values import (
    Element,
    Region,
    bound_names,
    clashing_names,
    go_names,
    is_package,
)
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
        around = [_outside(*pair) for pair in zip(texts[1:], regions[1:], strict=True)]
        merged = merge_regions(language, regions, _outside(lines, region), around[0], around[1])
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


def moves_modules(language: str, hunk: ConflictHunk) -> bool:
    """Whether a hunk of imports changes where a name comes from while the other side wants more."""
    group = _GROUP.get(language, ())
    regions = [
        find_region(language, (*group, *lines)) for lines in (hunk.base, hunk.ours, hunk.theirs)
    ]
    found = [[e for s in region.statements for e in s.elements] for region in regions if region]
    return len(found) == 3 and moved_from(*found)


def _outside(lines: Lines, region: Region) -> Lines:
    return (*lines[: region.start], *lines[region.end :])


def merge_regions(
    language: str, regions: Sequence[Region], merged: Lines, ours_rest: Lines, theirs_rest: Lines
) -> Lines | None:
    """Our region with their additions and removals, or None where a person must look.

    `merged`, `ours_rest` and `theirs_rest` are the texts around the region: what the merged one
    uses can't have been removed.
    """
    base, ours, theirs = ([e for s in r.statements for e in s.elements] for r in regions)
    if any(len(set(side)) != len(side) for side in (base, ours, theirs)):
        return None
    wanted = _wanted(base, ours, theirs, (Use(merged, ours_rest), Use(merged, theirs_rest)))
    if wanted is None or not _order_kept(regions) or moved_from(base, ours, theirs):
        return None
    canvas = Canvas(language, regions[1], merged, line_end(_lines_of(regions[1])))
    taken = canvas.take_theirs(regions[0], regions[2], wanted)
    gone = [element for element in ours if element not in wanted]
    missing = [e for e in theirs if e in wanted and e not in ours and e not in taken]
    swapped = canvas.swap(gone, regions[2], missing)
    if not canvas.drop([element for element in gone if element not in swapped]):
        return None
    for statement in regions[2].statements:
        left = [e for e in statement.elements if e in missing and e not in swapped]
        if left and not canvas.add(regions[2], statement, left):
            return None
    lines = canvas.lines()
    again = find_region(language, (*_GROUP.get(language, ()), *lines))
    held = [e for s in again.statements for e in s.elements] if again else []
    if again is None or sorted(held) != sorted(wanted):
        return None
    return lines if order_tells_nothing(regions, again) else None


def _wanted(
    base: Sequence[Element], ours: Sequence[Element], theirs: Sequence[Element],
    uses: tuple[Use, Use],
) -> set[Element] | None:  # fmt: skip
    """The elements that the result must hold, or None where that is a question.

    `uses` tell what the merged text uses in lines that ours, and theirs, did not have.
    """
    b, o, t = set(base), set(ours), set(theirs)
    added = (o | t) - b
    if any(_takes_everything(e) for e in added) or _for_effect_too(added, b | o | t):
        return None
    if any(e.kind == "opaque" for e in (b | o | t) - (b & o & t)):
        return None  # a form that is not understood was touched
    if _means_another_thing(o - b, t, uses[0]) or _means_another_thing(t - b, o, uses[1]):
        return None
    wanted = (b & o & t) | added
    bound = {e.binding for e in wanted if e.binding}
    for element in sorted((b & o) ^ (b & t)):
        own = uses[0] if element in t else uses[1]  # of the side that took the import out
        used = own.of(element)
        if used is None and element.kind != "effect":
            return None
        if used and own.narrowed(element, added):
            return None  # only the type, or another alias, is left of what is used
        if used and not own.defines(element) and not _replaced(element, added, bound):
            wanted.add(element)
    resourced = _removed_and_moved(b, o, t, uses)
    if resourced is None:
        return None
    wanted -= resourced
    return wanted if _bindings_are_unique(wanted, o, t) else None


def _removed_and_moved(
    base: set[Element], ours: set[Element], theirs: set[Element], uses: tuple[Use, Use]
) -> set[Element] | None:
    """What one side took from another place, while the other took it out, and nothing uses it.

    None where the merged text uses it in lines of the removing side, which has the name from
    elsewhere then; a use in other lines needs the import, so that one stays.
    """
    gone: set[Element] = set()
    for remover, mover, use in ((ours, theirs, uses[0]), (theirs, ours, uses[1])):
        kept = {name for e in remover for name in bound_names(e)}
        lost = {name for e in base - ours - theirs for name in bound_names(e)} - kept
        for element in sorted(mover - base):
            if not bound_names(element) & lost or use.of(element):
                continue
            if use.mentions(element):
                return None
            gone.add(element)
    return gone


def _means_another_thing(new: set[Element], other: set[Element], use: Use) -> bool:
    """Whether the other side's own lines use a name that it has from elsewhere than an import.

    It may be a class beside the file's, or what the file itself defines.
    """
    known = set[str]().union(*map(clashing_names, other))
    return any(not clashing_names(e) & known and use.takes_from_beside(e) for e in new - other)


def _takes_everything(element: Element) -> bool:
    """Whether this brings names that it doesn't name: stars of any language, Go's dot."""
    star = element.name.endswith("*") and not element.alias
    return star or element.kind == "go ."


def _for_effect_too(added: set[Element], known: set[Element]) -> bool:
    """Whether a Go package would be imported both for its effect and for its names."""
    modules = {e.module for e in known if e.kind == "go"}
    return any(e.kind == "go _" and e.module in modules for e in known) and any(
        e.kind.startswith("go") for e in added
    )


def _replaced(element: Element, added: set[Element], bound: set[str]) -> bool:
    """Whether the name comes from another place in the result."""
    if element.kind != "go":
        return element.binding in bound
    return any(
        go_names(element) & go_names(e) or e.module == element.module
        for e in added
        if e.kind == "go"
    )


def _bindings_are_unique(wanted: set[Element], ours: set[Element], theirs: set[Element]) -> bool:
    """No name may mean two things, unless one side alone already had it so."""
    known: dict[str, Element] = {}
    for element in sorted(wanted):
        for name in clashing_names(element):
            other = known.setdefault(name, element)
            if other == element or (is_package(other) and is_package(element)):
                continue
            if not any({other, element} <= side for side in (ours, theirs)):
                return False
    return True


def _order_kept(regions: Sequence[Region]) -> bool:
    """Imports for effect must be the same, in order, unless only one side added or removed some."""
    base, ours, theirs = (
        [s.elements for s in region.statements if s.ordered] for region in regions
    )
    if ours == theirs:
        return True
    changed = theirs if ours == base else ours
    return base in (ours, theirs) and (_runs_through(base, changed) or _runs_through(changed, base))


def _runs_through(some: Sequence[object], many: Sequence[object]) -> bool:
    """Whether `many` holds all of `some`, in their order."""
    rest = iter(many)
    return all(item in rest for item in some)
