"""Arguments and parameters that have their meaning by their position, in Python.

Where both sides put a further one at the same place, each side's callers know of their own only:
the second one is somewhere else than its author has it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from merge.languages import BROKEN, language_of, read_python

Rows = dict[tuple[str, str], list[tuple[str, ...]]]
"""By scope and name: what stands by position in each call or definition of it."""


@lru_cache(maxsize=8)
def by_position(path: str, data: bytes) -> Rows:
    """The arguments of every call, and the parameters without default of every function; none in
    what is no Python."""
    if language_of(path) != "python":
        return {}
    try:
        tree = read_python(data)
    except BROKEN:
        return {}
    found: Rows = {}
    for scope, name, row in _rows(tree, ""):
        found.setdefault((scope, name), []).append(row)
    return found


def both_extended(ours: Rows, theirs: Rows, result: Rows) -> str | None:
    """What has more by position in the result than on either side, or None."""
    for key, rows in result.items():
        known = ours.get(key, []), theirs.get(key, [])
        if not known[0] or not known[1]:
            continue
        longest = max(len(row) for side in known for row in side)
        for row in rows:
            if len(row) > longest and all(any(set(one) < set(row) for one in s) for s in known):
                return key[1]
    return None


def _rows(node: ast.AST, scope: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for child in ast.iter_child_nodes(node):
        inside = scope
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = f"{scope}{child.name}."
            every = (*child.args.posonlyargs, *child.args.args)
            bare = every[: len(every) - len(child.args.defaults)]
            yield scope, child.name, tuple(one.arg for one in bare)
        elif isinstance(child, ast.ClassDef):
            inside = f"{scope}{child.name}."
        elif isinstance(child, ast.Call) and len(child.args) > 1:
            yield scope, f"{ast.unparse(child.func)}()", tuple(map(ast.unparse, child.args))
        yield from _rows(child, inside)
