"""Writing an import statement anew with other names, in its own layout."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from merge.import_forms import path_tail
from merge.import_values import Element, Statement
from merge.text import Lines

WIDTHS = (88, 120)
"""A line of imports may be so long at the least, and at the most, however long others are."""


class Style(NamedTuple):
    """How a file lays out its imports."""

    indent: str
    """Of a name on a line of its own."""
    comma: bool
    """Whether one follows the last name."""
    width: int
    """How long a line may be before each name gets its own."""


def style_of(language: str, statements: Sequence[Statement], text: Lines) -> Style:
    """As the first statement with a name on each line has it, else as the text around is."""
    least, most = WIDTHS
    own = (line for statement in statements for line in statement.lines)
    width = min(most, max((least, *(len(line.rstrip()) for line in (*own, *text)))))
    for statement in statements:
        indent = _vertical_indent(statement, len(statement.elements))
        if len(statement.lines) > 2 and indent is not None:
            return Style(indent, statement.lines[-2].rstrip().endswith(b","), width)
    usual = "  " if language in ("js", "ts") else "    "
    tabs = any(line.startswith(b"\t") for line in text)
    return Style("\t" if tabs else usual, True, width)


def with_elements(
    language: str,
    statement: Statement,
    elements: tuple[Element, ...],
    end: bytes,
    style: Style,
) -> Lines | None:
    """The statement with these elements instead, in its own layout; None if that is unsure.

    A line that grows too long is laid out in `style`.
    """
    if elements == statement.elements:
        return statement.lines
    if not statement.opening:
        return None
    named = [e for e in elements if e.name != "default"]
    if language == "python" and statement.opening == "import ":
        words = [e.module + (f" as {e.alias}" if e.alias else "") for e in elements]
    elif language == "rust":
        module = statement.opening.rpartition("use ")[2].removesuffix("::{")
        words = [_use_word(e, module) for e in elements]
    else:
        inline = "" if re.match(r"\w+ type\b", statement.opening) else "type "
        words = [
            (inline if e.kind.endswith(" type") else "")
            + e.name
            + (f" as {e.alias}" if e.alias else "")
            for e in named
        ]
    if not words or len(elements) - len(named) != sum(
        e.name == "default" for e in statement.elements
    ):
        return None
    if len(statement.lines) == 1:
        line = _one_line(language, statement, words)
        longest = max(style.width, len(statement.lines[0].rstrip()))
        if len(line) <= longest:
            return (line.encode() + end,)
        return _one_each(language, statement, words, style, end)
    indent = _vertical_indent(statement, len(statement.elements))
    if indent is None:
        return None
    comma = len(statement.lines) < 3 or statement.lines[-2].rstrip().endswith(b",")
    return _one_each(language, statement, words, style._replace(indent=indent, comma=comma), end)


def _use_word(element: Element, module: str) -> str:
    path = element.name.removeprefix(module).removeprefix("::") or "self"
    return path if element.alias in ("", path_tail(element.name)) else f"{path} as {element.alias}"


def _one_line(language: str, statement: Statement, words: Sequence[str]) -> str:
    inner = ", ".join(words)
    if language == "rust" and len(words) == 1 and words[0] != "self":
        return f"{statement.opening.removesuffix('{')}{inner};"
    if language == "python":
        closing = ")" if statement.closing else ""
        return f"{statement.opening}{statement.closing}{inner}{closing}"
    tight = language == "rust" or b"{ " not in statement.lines[0]
    return f"{statement.opening}{inner if tight else f' {inner} '}{statement.closing}"


def _vertical_indent(statement: Statement, count: int) -> str | None:
    """The indent of one-name-a-line layout, None for another layout."""
    inner = statement.lines[1:-1]
    default = sum(e.name == "default" for e in statement.elements)
    if len(inner) != count - default:
        return None
    indents = {line[: len(line) - len(line.lstrip())] for line in inner}
    return indents.pop().decode() if len(indents) == 1 else None


def _one_each(
    language: str, statement: Statement, words: Sequence[str], style: Style, end: bytes
) -> Lines | None:
    if language == "python" and statement.opening == "import ":
        return None
    indent, comma = style.indent, style.comma
    opening = statement.opening + ("(" if language == "python" else "")
    closing = ")" if language == "python" else statement.closing
    last = len(words) - 1
    inner = [f"{indent}{w}{',' if i < last or comma else ''}" for i, w in enumerate(words)]
    return tuple(line.encode() + end for line in (opening, *inner, closing))
