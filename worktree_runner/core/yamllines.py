"""The YAML that nearly all front matter is written in, read line by line.

- Block mappings and lists, plain and quoted scalars on one line, lists in brackets on one line
  or with whole entries on each of several lines. A key that stands twice is left to libyaml.
- What stands in a line is certain, or `Unsure` is raised and libyaml reads the whole text: this
  reader never guesses, never repairs, and never disagrees (a property test compares the two).
- It takes half the time of libyaml with a Python object for every node.
"""

from __future__ import annotations

import re
import string
from typing import Any

_DEEPEST = 8
_LONGEST = 900
"""Characters of a line; a little beyond, YAML does not look for a key's colon any more."""
_ODD = re.compile(
    r"[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""Tabs, control characters, line breaks of other kinds, and what YAML does not allow."""
_PLAIN = r"[\w./(][\w./() +=@*-]*"
_QUOTED = r"\"[^\"\\]*\"|'[^']*'"
_FLOW_ITEM = rf"(?:{_QUOTED}|{_PLAIN})"
_FLOW = re.compile(rf"\[ *{_FLOW_ITEM} *(?:, *{_FLOW_ITEM} *)*\]", re.ASCII)
_ITEM = re.compile(_FLOW_ITEM, re.ASCII)
_ESCAPED = re.compile(r"(?:[^\"\\]|\\[\"\\])*+")
_ESCAPE = re.compile(r"\\([\"\\])")
_FIRST = frozenset(f"{string.ascii_letters}{string.digits}_./(~$+<=^;")
"""How a plain scalar may begin without meaning anything else, as may all behind ASCII."""
_QUOTES = frozenset("\"'")

Line = tuple[int, str]


class Unsure(Exception):
    """The text is not of the simple kind; it may be valid YAML all the same."""


def read_simple(raw: str) -> dict[str, Any]:
    """The top-level mapping with strings, lists and dicts; Unsure where libyaml has to look."""
    if not raw.replace("\n", " ").isprintable() and _ODD.search(raw):
        raise Unsure
    rows = raw.split("\n")
    if len(max(rows, key=len)) > _LONGEST:
        raise Unsure
    lines = [
        (len(row) - len(text), text.rstrip(" "))
        for row in rows
        if (text := row.lstrip(" ")) and text[0] != "#"
    ]
    if not lines or lines[0][0]:
        raise Unsure
    table, end = _mapping(lines, 0, 0, 0)
    if end != len(lines):
        raise Unsure
    return table


def _mapping(lines: list[Line], at: int, indent: int, depth: int) -> tuple[dict[str, Any], int]:
    """The mapping whose keys stand at `indent`, and the index of the first line behind it."""
    if depth > _DEEPEST:
        raise Unsure
    table: dict[str, Any] = {}
    total = len(lines)
    while at < total:
        place, text = lines[at]
        if place != indent:
            if place > indent:
                raise Unsure
            break
        key, colon, rest = text.partition(":")
        if not colon or not _is_key(key) or (rest and rest[0] != " "):
            if text[:2] == "- " or text == "-":
                break  # a list at the indent of its key's parent, or a mistake: told above
            raise Unsure
        if key in table:
            raise Unsure
        at += 1
        value = rest.lstrip(" ")
        if value == "[":
            table[key], at = _long_flow(lines, at)
        elif value and value[0] != "#":
            table[key] = _scalar(value)
        elif at < total and (lines[at][0] > indent or _is_item(lines[at], indent)):
            table[key], at = _block(lines, at, depth + 1)
        else:
            table[key] = ""
    return table, at


def _is_key(text: str) -> bool:
    return text.isidentifier() or text.replace("-", "_").isidentifier()


def _is_item(line: Line, indent: int) -> bool:
    return line[0] == indent and (line[1][:2] == "- " or line[1] == "-")


def _block(lines: list[Line], at: int, depth: int) -> tuple[Any, int]:
    """The list or mapping that begins at a line."""
    indent, text = lines[at]
    if text[:2] == "- ":
        return _sequence(lines, at, indent, depth)
    return _mapping(lines, at, indent, depth)


def _sequence(lines: list[Line], at: int, indent: int, depth: int) -> tuple[list[Any], int]:
    if depth > _DEEPEST:
        raise Unsure
    items: list[Any] = []
    total = len(lines)
    while at < total:
        place, text = lines[at]
        if place != indent:
            if place > indent:
                raise Unsure
            break
        if text[:2] != "- ":
            if text == "-":
                raise Unsure
            break
        inner = text[2:].lstrip(" ")
        key, colon, rest = inner.partition(":")
        if colon and (not rest or rest[0] == " ") and _is_key(key):
            # the mapping goes on where its first key stands
            place = indent + len(text) - len(inner)
            lines[at] = (place, inner)
            item, at = _mapping(lines, at, place, depth + 1)
            items.append(item)
        else:
            items.append(_scalar(inner))
            at += 1
    return items, at


def _scalar(text: str) -> Any:
    first = text[0]
    if first in _QUOTES:
        if text[-1] == first and len(text) > 1:
            inner = text[1:-1]
            if first not in inner and (first == "'" or "\\" not in inner):
                return inner
            if first == '"' and _ESCAPED.fullmatch(inner):
                return _ESCAPE.sub(r"\1", inner)
        raise Unsure
    if first == "[":
        return _flow(text)
    if first not in _FIRST and first < "\xa0":
        if text == "{}":
            return {}
        raise Unsure
    if "#" in text:
        text = text.partition(" #")[0].rstrip(" ")
    if ":" in text and (": " in text or text[-1] == ":"):
        raise Unsure
    return text


def _flow(text: str) -> list[str]:
    if text == "[]":
        return []
    if _FLOW.fullmatch(text) is None:
        text = text.partition(" #")[0].rstrip(" ")
        if text == "[]":
            return []
        if _FLOW.fullmatch(text) is None:
            raise Unsure
    found = (item.rstrip(" ") for item in _ITEM.findall(text))
    return [item[1:-1] if item[0] in "\"'" else item for item in found]


def _long_flow(lines: list[Line], at: int) -> tuple[list[str], int]:
    """The list whose `[` ended the line above, each line of it whole entries, and its `]` alone."""
    items: list[str] = []
    goes_on = True
    while at < len(lines):
        indent, text = lines[at]
        at += 1
        if text == "]":
            return items, at
        if not indent or not goes_on:
            raise Unsure
        goes_on = text[-1] == ","
        items += _flow(f"[ {text.removesuffix(',')} ]")
    raise Unsure
