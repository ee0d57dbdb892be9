"""What nobody writes on purpose in Python, but two changes that were put together may hold.

Each oddity parses, runs and passes most tests: of two equal keys, flags or branches only one
counts, and of code after a `return` nothing does. A merged file that holds one which neither
side held is a question, also where git merged it cleanly.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from merge.languages import BROKEN, language_of, read_python

_JUMPS = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_WIDE = {"", "Exception", "BaseException"}
_ENUMS = ("Enum", "Flag", "Choices")
_ROUTES = {"route", "get", "post", "put", "delete", "patch", "command", "websocket", "add_url_rule"}


@lru_cache(maxsize=8)
def oddities(path: str, data: bytes) -> Counter[str]:
    """Every oddity, in words, and how often it is there; none in what is no Python."""
    if language_of(path) != "python":
        return Counter()
    try:
        return Counter(_oddities(read_python(data)))
    except BROKEN:
        return Counter()


def _oddities(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block:
                yield from _of_block(block)
        reader = _READERS.get(type(node))
        if reader is not None:
            yield from reader(node)


def _of_block(block: Sequence[ast.stmt]) -> Iterator[str]:
    for one, _ in pairwise(block):
        if isinstance(one, _JUMPS):
            yield f"nothing after '{ast.unparse(one)}' is ever run"
    yield from _overwritten(block)
    calls = (one.value for one in block if isinstance(one, ast.Expr))
    yield from _twice("'{}' is there twice", (_registration(call) for call in calls))
    yield from _twice(
        "'{}' is there twice",
        (_route(mark) for one in block for mark in getattr(one, "decorator_list", ())),
    )


def _overwritten(block: Sequence[ast.stmt]) -> Iterator[str]:
    """Values that are set again before anything could read them."""
    places: dict[str, list[int]] = {}
    for at, one in enumerate(block):
        if (target := _target(one)) is not None:
            places.setdefault(target, []).append(at)
    for target, found in places.items():
        for first, second in pairwise(found):
            if not any(_may_read(one, target) for one in block[first + 1 : second + 1]):
                yield f"{target} is set twice, and its first value is never read"


def _target(one: ast.stmt) -> str | None:
    """What a statement does nothing but set: `name` or `self.name`."""
    if isinstance(one, ast.Assign) and len(one.targets) == 1:
        target = one.targets[0]
    elif isinstance(one, ast.AnnAssign) and one.value is not None:
        target = one.target
    else:
        return None
    if isinstance(target, ast.Name) and target.id != "_":
        return target.id
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
        return f"{target.value.id}.{target.attr}"
    return None


def _may_read(one: ast.stmt, target: str) -> bool:
    """Whether a statement may read the target; a call may read any attribute."""
    owner, _, attribute = target.rpartition(".")
    for node in ast.walk(one):
        if isinstance(node, ast.Name) and node.id == target and isinstance(node.ctx, ast.Load):
            return True
        if not owner:
            continue
        if isinstance(node, ast.Attribute) and node.attr == attribute:
            if isinstance(node.ctx, ast.Load):
                return True
        elif isinstance(node, ast.Call) and owner in ast.unparse(node):
            return True
    return False


def _registration(node: ast.expr) -> str | None:
    """`parser.add_argument('--name')`, `register('name')`: one name is for one thing."""
    if not isinstance(node, ast.Call):
        return None
    called = ast.unparse(node.func)
    last = called.rpartition(".")[2]
    return _with_first(called, node) if last.startswith(("add_", "register")) else None


def _route(node: ast.expr) -> str | None:
    """`app.get('/path')` above a function, with the methods if it names them."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    if node.func.attr not in _ROUTES:
        return None
    methods = [ast.unparse(word.value) for word in node.keywords if word.arg == "methods"]
    shown = _with_first(ast.unparse(node.func), node)
    return None if shown is None else " ".join((shown, *methods))


def _with_first(called: str, node: ast.Call) -> str | None:
    """`called('first')`, where the first argument is written out."""
    if not node.args or not isinstance(node.args[0], ast.Constant):
        return None
    return f"{called}({node.args[0].value!r})"


def _of_function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    marks = (mark for mark in node.decorator_list if isinstance(mark, ast.Call))
    found = (_with_first(ast.unparse(mark.func), mark) for mark in marks)
    yield from _twice(f"'{{}}' is there twice for {node.name}", found)


def _of_class(node: ast.ClassDef) -> Iterator[str]:
    if any(ast.unparse(base).endswith(_ENUMS) for base in node.bases):
        values = (one.value for one in node.body if isinstance(one, ast.Assign))
        written = (ast.unparse(v) for v in values if isinstance(v, ast.Constant))
        yield from _twice(f"two members of {node.name} have the value {{}}", written)


def _of_dict(node: ast.Dict) -> Iterator[str]:
    keys = (key for key in node.keys if isinstance(key, ast.Constant | ast.Name | ast.Attribute))
    yield from _twice("the key {} is in one mapping twice", map(ast.unparse, keys))


def _of_row(node: ast.List | ast.Tuple | ast.Set) -> Iterator[str]:
    yield from _twice("'{}' is in one list twice", map(_entry, node.elts))
    firsts = [_number(entry) for entry in node.elts]
    if len(firsts) > 1 and None not in firsts and firsts == sorted(firsts, key=lambda n: n or 0):
        yield from _twice("two entries of one list have the number {}", map(str, firsts))


def _entry(node: ast.expr) -> str | None:
    """What an entry names: a text with a word in it, or the first thing that a call is given."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value if any(map(str.isalnum, node.value)) else None
    if isinstance(node, ast.Call):
        return _with_first(ast.unparse(node.func), node)
    return None


def _number(node: ast.expr) -> int | None:
    """The number that an entry such as `(2, "name")` begins with."""
    if not isinstance(node, ast.Tuple) or not node.elts:
        return None
    first = node.elts[0]
    is_number = isinstance(first, ast.Constant) and type(first.value) is int
    return first.value if is_number else None  # type: ignore[attr-defined]


def _of_if(node: ast.If) -> Iterator[str]:
    tests = [ast.unparse(node.test)]
    while len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        node = node.orelse[0]
        tests.append(ast.unparse(node.test))
    if len(tests) > 1 and tests[0] in tests[1:]:
        yield f"the condition '{tests[0]}' is asked twice in one chain"


def _of_try(node: ast.Try) -> Iterator[str]:
    names = [ast.unparse(handler.type) if handler.type else "" for handler in node.handlers]
    yield from _twice("'except {}' is there twice for one try", names)
    for name, later in pairwise(names):
        if name in _WIDE and later not in _WIDE:
            yield f"'except {later}' comes after a wider one and is never run"


def _of_match(node: ast.Match) -> Iterator[str]:
    plain = (ast.unparse(case.pattern) for case in node.cases if case.guard is None)
    yield from _twice("'case {}' is there twice in one match", plain)


def _twice(words: str, found: Iterator[str | None] | Sequence[str] | map[str]) -> Iterator[str]:
    seen = Counter(one for one in found if one is not None)
    yield from (words.format(one) for one, count in seen.items() if count > 1)


_READERS: dict[type[ast.AST], Callable[..., Iterator[str]]] = {
    ast.FunctionDef: _of_function,
    ast.AsyncFunctionDef: _of_function,
    ast.ClassDef: _of_class,
    ast.Dict: _of_dict,
    ast.List: _of_row,
    ast.Tuple: _of_row,
    ast.Set: _of_row,
    ast.If: _of_if,
    ast.Try: _of_try,
    ast.TryStar: _of_try,
    ast.Match: _of_match,
}
