"""Names that a module gives out: `__all__` in Python, named re-exports of a JS or TS barrel.

Safe because each entry stands for itself: the order of names in `__all__` and of `export { A }
from` lines changes nothing that a reader of the module can see, neither side changed or removed
an entry, and no name is given out by both sides. `export *` is left out: two of them may hold the
same name, which then silently disappears.
"""

from __future__ import annotations

import ast
import re

from merge.languages import language_of
from merge.resolvers.lists import both_insert
from merge.text import Lines
from merge.view import Answer, FileView

_ENTRY = re.compile(rb"\s*([\"'])(\w+)\1\s*,\s*")
_REEXPORT = re.compile(rb"\s*export\s+(?:type\s+)?\{([\w\s,$]+)\}\s+from\s+[\"'][^\"']+[\"'];?\s*")
_NAME = re.compile(rb"(?:[\w$]+\s+as\s+)?(?:type\s+)?([\w$]+)")


def names(view: FileView, index: int) -> Answer | None:
    """Ours, then theirs, where both sides only gave out further names at the same place."""
    found = both_insert(view.hunks[index])
    if found is None:
        return None
    language = language_of(view.path)
    if language == "python":
        listed = _all_names(view, index, found)
    elif language in ("js", "ts"):
        listed = _barrel_names(found)
    else:
        return None
    if listed is None or listed[0] & listed[1]:
        return None
    return Answer((*found[0], *found[1]), "exports", frozenset(view.hunks[index].base))


def _all_names(
    view: FileView, index: int, found: tuple[Lines, Lines]
) -> tuple[set[bytes], set[bytes]] | None:
    """The names of both sides if the lines are whole entries of `__all__`."""
    both = [[_ENTRY.fullmatch(line) for line in side] for side in found]
    if not all(match for side in both for match in side):
        return None
    if not _inside_all(view.with_hunk(index, (*found[0], *found[1])), found):
        return None
    first, second = ({match[2] for match in side if match} for side in both)
    return first, second


def _inside_all(text: bytes, found: tuple[Lines, Lines]) -> bool:
    """Whether every one of these lines lies between the brackets of `__all__`."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    held: set[str] = set()
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign | ast.AugAssign):
            targets = [node.target]
        value = getattr(node, "value", None)
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets) and (
            isinstance(value, ast.List | ast.Tuple | ast.Set)
        ):
            held |= {str(item.value) for item in value.elts if isinstance(item, ast.Constant)}
    wanted = {match[2].decode() for side in found for line in side if (match := _ENTRY.match(line))}
    return wanted <= held


def _barrel_names(found: tuple[Lines, Lines]) -> tuple[set[bytes], set[bytes]] | None:
    """The names of both sides if every line is a named re-export."""
    both: list[set[bytes]] = []
    for side in found:
        given: set[bytes] = set()
        for line in side:
            match = _REEXPORT.fullmatch(line)
            if match is None:
                return None
            for part in filter(None, (part.strip() for part in match[1].split(b","))):
                name = _NAME.fullmatch(part)
                if name is None or name[1] in given:
                    return None
                given.add(name[1])
        both.append(given)
    return both[0], both[1]
