"""Whether a new import may come from a place that the other side has moved.

Where one side takes a name from another module than before, a package was moved or renamed. A
further import that the other side takes from the old place may be gone there, and where its new
place is can't be told from one file: a question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from merge.import_values import Element, go_names


def moved_from(base: Sequence[Element], ours: Sequence[Element], theirs: Sequence[Element]) -> bool:
    """Whether one side imports something new from a place that the other side left.

    A path relative to the file that changed is a question too: it says where two files lie, and
    the other side may have moved either.
    """
    if any(_relative_path_changed(base, side) for side in (ours, theirs)):
        return True
    return any(
        _left(base, mover) & {part for e in other if e not in base for part in _places(e)}
        for mover, other in ((ours, theirs), (theirs, ours))
    )


def _relative_path_changed(base: Sequence[Element], side: Sequence[Element]) -> bool:
    gone, new = ([e for e in base if e not in side], [e for e in side if e not in base])
    return any(
        _same_name(e, f) and e.module != f.module and (e.module + f.module).startswith(".")
        for e in gone
        for f in new
    )


def _left(base: Sequence[Element], side: Sequence[Element]) -> set[str]:
    """The modules that a side no longer imports from, and the roots of what it moved."""
    gone, new = ([e for e in base if e not in side], [e for e in side if e not in base])
    modules = {e.module for e in base if e.module} - {e.module for e in side}
    moved = [e for e in gone if any(_same_name(e, f) and e.module != f.module for f in new)]
    return modules | {_root(e) for e in moved}


def _places(element: Element) -> set[str]:
    return {element.module, _root(element)} - {""}


def _same_name(left: Element, right: Element) -> bool:
    if left.kind == "go":
        return right.kind == "go" and bool(go_names(left) & go_names(right))
    return bool(left.name or left.binding) and (left.binding or left.name) == (
        right.binding or right.name
    )


def _root(element: Element) -> str:
    """The part of a module's name that moves as a whole: a repository, a package, an alias."""
    module = element.module
    if element.kind == "go":
        return "/".join(module.split("/")[:3]) + "/*"
    if module.startswith("."):
        return "./*"
    if element.kind.startswith("php"):
        return "\\".join(module.split("\\")[:2]) + "/*"
    if "::" in module or element.kind.endswith("use"):
        return module.split("::")[0] + "/*"
    if "/" in module:
        return module.split("/")[0] + "/*"
    if "." in module:
        return ".".join(re.split(r"\.", module)[:2]) + "/*"
    return ""
