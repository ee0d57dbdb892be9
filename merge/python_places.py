"""Where each statement of a Python file stands: in which function, branch and loop.

Lines that are put together may all be there and still stand wrongly: an `else` that now belongs
to another `if`, a decorator above another function, a statement in the wrong branch. So every
statement of the result has to stand where the side that wrote it has it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import lru_cache

from merge.languages import BROKEN, language_of, read_python

Block = tuple[str, str]
"""The first line of a compound statement, and which of its arms."""
Place = tuple[Block, ...]
Placed = dict[bytes, set[Place]]
"""Statements by their text; each with the places where it stands, outermost block first."""
_ARMS = (("orelse", "else"), ("finalbody", "finally"))


def misplaced(ours: Placed, theirs: Placed, result: Placed) -> str | None:
    """A statement that stands in the result where no side has it, or None.

    A statement that neither side has was combined, and a block that the other side changed may
    be called otherwise now; both are no reason.
    """
    blocks = (_blocks_of(ours), _blocks_of(theirs))
    heads = {head for side in blocks for head, _ in side}
    for text, places in result.items():
        known = (ours.get(text, set()), theirs.get(text, set()))
        if not (known[0] or known[1]):
            continue
        for place in sorted(places - known[0] - known[1]):
            if not any(
                _renamed(old, place, blocks[other], heads)
                for other, side in ((1, known[0]), (0, known[1]))
                for old in side
            ):
                return text.split(b"\n")[0].decode("utf-8", "replace")[:60]
    return None


def _blocks_of(side: Placed) -> set[Block]:
    return {block for places in side.values() for place in places for block in place}


def _renamed(old: Place, new: Place, others: set[Block], heads: set[str]) -> bool:
    """Whether a place differs only in what the other side, or both together, made of the blocks
    around it."""
    return len(old) == len(new) and all(
        a == b or (a not in others and (b in others or b[0] not in heads))
        for a, b in zip(old, new, strict=True)
    )


@lru_cache(maxsize=8)
def placed(path: str, data: bytes) -> Placed | None:
    """Every statement, decorator and comment above a definition, with its places; None for what
    is no Python."""
    if language_of(path) != "python":
        return None
    try:
        tree = read_python(data)
    except BROKEN:
        return None
    lines = [line.strip() for line in data.split(b"\n")]
    found: Placed = {}
    for text, place in _statements(tree.body, (), lines):
        found.setdefault(text, set()).add(place)
    return found


def _statements(
    body: Sequence[ast.stmt], place: Place, lines: list[bytes]
) -> Iterator[tuple[bytes, Place]]:
    for number, one in enumerate(body):
        head = lines[one.lineno - 1]
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            kind = "class" if isinstance(one, ast.ClassDef) else "def"
            inside = (*place, (f"{kind} {one.name}", ""))
            yield from ((text, inside) for text in _above(one, lines))
            yield from _statements(one.body, inside, lines)
        elif isinstance(one, ast.If):
            yield head, place
            yield from _chain(one, place, lines)
        elif isinstance(one, ast.Match):
            yield head, place
            for case in one.cases:
                arm = (_text(head), ast.unparse(case.pattern))
                yield from _statements(case.body, (*place, arm), lines)
        elif getattr(one, "body", None):
            yield head, place
            yield from _blocks(one, place, lines)
        else:
            first = not number and isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
            own = (*place, ("docstring", "")) if first else place
            yield b"\n".join(lines[one.lineno - 1 : one.end_lineno]), own


def _above(
    one: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, lines: list[bytes]
) -> Iterator[bytes]:
    """The decorators of a definition, and the comment lines that touch it from above."""
    first = min([one.lineno, *(mark.lineno for mark in one.decorator_list)])
    for mark in one.decorator_list:
        yield b"\n".join(lines[mark.lineno - 1 : mark.end_lineno])
    at = first - 2
    while at >= 0 and lines[at].startswith(b"#"):
        yield lines[at]
        at -= 1


def _chain(one: ast.If, place: Place, lines: list[bytes]) -> Iterator[tuple[bytes, Place]]:
    """The arms of an `if` with its `elif`s, each by its condition: a further arm moves none."""
    head = _text(lines[one.lineno - 1])
    while True:
        yield from _statements(one.body, (*place, (head, ast.unparse(one.test))), lines)
        rest = one.orelse
        if len(rest) == 1 and isinstance(rest[0], ast.If) and _is_elif(rest[0], lines):
            one = rest[0]
            continue
        yield from _statements(rest, (*place, (head, "else")), lines)
        return


def _is_elif(one: ast.If, lines: list[bytes]) -> bool:
    return lines[one.lineno - 1].startswith(b"elif")


def _blocks(one: ast.stmt, place: Place, lines: list[bytes]) -> Iterator[tuple[bytes, Place]]:
    """The blocks of a loop, `with` or `try`."""
    head = _text(lines[one.lineno - 1])
    yield from _statements(getattr(one, "body"), (*place, (head, "")), lines)  # noqa: B009
    for handler in getattr(one, "handlers", ()):
        kind = ast.unparse(handler.type) if handler.type else ""
        yield from _statements(handler.body, (*place, (head, f"except {kind}")), lines)
    for name, word in _ARMS:
        rest = getattr(one, name, None)
        if rest:
            yield from _statements(rest, (*place, (head, word)), lines)


def _text(head: bytes) -> str:
    return head.decode("utf-8", "replace")
