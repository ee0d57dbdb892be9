"""Path patterns, taken apart: names of character sets that `core.overlap` can compare.

A pattern is a repository path with `/`, anchored at the repository's root.

- `*` and `?` stay inside one name, `**` as a whole name is any number of names, none included.
- `{a,b}` is one pattern for each alternative; braces without a comma are literal.
- `[a-z]`, `[!x]`, `[0-9_]` are classes. A bracket that stands as a route parameter, such as
  `[id]`, `[...slug]`, `[[lang]].tsx`, `(.)[id]`, is literal, and so is `(group)`: it fills a
  name or the stem of one, isn't negated and isn't made of ranges alone. A pattern says
  otherwise by the prefix `glob:`, which makes every bracket a class, or by `{a,b}`.
- A backslash makes the next character literal. A trailing `/` means all below.
- `name://...` is no path: it is compared as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final

Ranges = tuple[tuple[int, int], ...]
"""A set of characters: sorted ranges of code points that neither touch nor overlap."""

STAR: Final[Ranges] = ()
"""Any number of characters; a class is never empty, so this value is free."""
LIMIT = 64
"""Patterns that the braces of one may stand for."""

_ALL: Final[Ranges] = ((1, ord("/") - 1), (ord("/") + 1, 0x10FFFF))
_ROUTE = re.compile(r"\[\[?(?:\.\.\.)?([\w$.=+@-]+)\]?\]")
_RANGES_ONLY = re.compile(r"(?:[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9]|[_.-])+")
_CLASS = re.compile(r"\[([!^]?)(\]?[^]/]*)\]")
_EXTENSION = re.compile(r".+\.(?=[^.]*[A-Za-z*?])[\w*?]+")
_VIRTUAL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SPECIAL = re.compile(r"[][*?{}\\]")


class PatternError(ValueError):
    """A pattern that can't name files of this repository."""


class Name:
    """One name of a pattern; `literal` is its text if it has no wildcard. `**` is `ANY`."""

    __slots__ = ("_regex", "_tokens", "literal")

    def __init__(self, literal: str | None, tokens: tuple[Ranges, ...] = ()) -> None:
        self.literal = literal
        self._tokens = tokens
        self._regex: re.Pattern[str] | None = None

    @property
    def tokens(self) -> tuple[Ranges, ...]:
        """Its characters as sets."""
        if not self._tokens and self.literal is not None:
            self._tokens = _characters(self.literal)
        return self._tokens

    def fits(self, name: str) -> bool:
        """True if this is a name that the pattern describes."""
        if self.literal is not None:
            return self.literal == name
        if self._regex is None:
            self._regex = re.compile("".join(map(_regex, self._tokens)), re.DOTALL)
        return self._regex.fullmatch(name) is not None


class Glob:
    """One pattern without braces, ready to be compared."""

    __slots__ = ("names", "plain", "prefix", "tree", "virtual")

    def __init__(self, names: tuple[Name, ...], *, tree: bool, virtual: bool = False) -> None:
        self.names = names
        self.tree = tree
        """It may name folders, so `overlap` looks below what it describes."""
        self.virtual = virtual
        literals: list[str] = []
        for name in names:
            if name.literal is None:
                break
            literals.append(name.literal)
        self.prefix = tuple(literals)
        self.plain = len(literals) == len(names)


def is_virtual(pattern: str) -> bool:
    """True for `tool://name` and the like, which are names rather than paths."""
    return _VIRTUAL.match(pattern) is not None


def escape(path: str) -> str:
    """A pattern that describes exactly this path; the path itself wherever that will do."""
    odd = path.startswith("glob:") or is_virtual(path) or not path.strip()
    literal = _SPECIAL.sub(r"\\\g<0>", path)
    return f"./{literal}" if odd else literal if _is_special(path) else path


def _is_special(path: str) -> bool:
    globs = compiled(path)
    return len(globs) > 1 or globs[0].prefix != tuple(path.split("/"))


@lru_cache(maxsize=8192)
def compiled(pattern: str, fold_case: bool = False) -> tuple[Glob, ...]:
    """The alternatives of a pattern; raises PatternError if it is empty or climbs out."""
    if is_virtual(pattern):
        return (Glob((Name(pattern),), tree=False, virtual=True),)
    classes = pattern.startswith("glob:")
    text = pattern.removeprefix("glob:")
    if not text.strip():
        raise PatternError("an empty pattern names no file")
    return tuple(_compile(one, classes, fold_case) for one in _alternatives(text))


def _compile(text: str, classes: bool, fold_case: bool) -> Glob:
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise PatternError(f"pattern {text} climbs out with '..'")
    if text.endswith("/") or not parts:
        parts.append("**")
    names = tuple(ANY if part == "**" else _name(part, classes, fold_case) for part in parts)
    return Glob(names, tree=not _EXTENSION.fullmatch(parts[-1]))


def _characters(text: str) -> tuple[Ranges, ...]:
    return tuple(((ord(char), ord(char)),) for char in text)


def _name(part: str, classes: bool, fold_case: bool) -> Name:
    if not _SPECIAL.search(part):
        return Name(part.lower() if fold_case else part)
    tokens: list[Ranges] = []
    at = 0
    while at < len(part):
        char = part[at]
        route = None if classes else _route_at(part, at)
        group = _CLASS.match(part, at) if route is None else None
        if route is not None:
            tokens += _characters(route.lower() if fold_case else route)
            at += len(route)
        elif group is not None:
            tokens.append(_class(group[2], bool(group[1]), fold_case))
            at = group.end()
        elif char == "*":
            if not tokens or tokens[-1] is not STAR:
                tokens.append(STAR)
            at += 1
        elif char == "?":
            tokens.append(_ALL)
            at += 1
        else:
            if char == "\\" and at + 1 < len(part):
                at += 1
                char = part[at]
            tokens += _characters(char.lower() if fold_case else char)
            at += 1
    plain = all(len(token) == 1 and token[0][0] == token[0][1] for token in tokens)
    literal = "".join(chr(token[0][0]) for token in tokens) if plain else None
    return Name(literal, tuple(tokens))


def _route_at(part: str, at: int) -> str | None:
    """The text of a route parameter that begins here, or None if there is none."""
    if at > 0 and part[at - 1] not in ")]":
        return None
    found = _ROUTE.match(part, at)
    if found is None or (found.end() < len(part) and part[found.end()] not in ".[("):
        return None
    text = found[0]
    whole = text.startswith("[[") == text.endswith("]]")
    return text if whole and not _RANGES_ONLY.fullmatch(found[1]) else None


def _alternatives(text: str) -> list[str]:
    """The patterns that the braces of one stand for, in the order they are written."""
    results: list[str] = []
    waiting = [text]
    while waiting:
        current = waiting.pop()
        group = _braces(current)
        if group is None:
            results.append(current)
        else:
            start, end, choices = group
            waiting += [current[:start] + choice + current[end:] for choice in reversed(choices)]
        if len(results) + len(waiting) > LIMIT:
            raise PatternError(f"the braces of {text} stand for more than {LIMIT} patterns")
    return results


def _braces(text: str) -> tuple[int, int, list[str]] | None:
    """The first outermost `{...,...}`: its place and its alternatives."""
    depth, start, skip = 0, 0, False
    commas: list[int] = []
    for at, char in enumerate(text):
        if skip or char == "\\":
            skip = not skip and char == "\\"
        elif char == "{":
            if depth == 0:
                start, commas = at, []
            depth += 1
        elif char == "," and depth == 1:
            commas.append(at)
        elif char == "}" and depth > 0:
            depth -= 1
            if depth == 0 and commas:
                edges = [start, *commas, at]
                pairs = pairwise(edges)
                return start, at + 1, [text[low + 1 : high] for low, high in pairs]
    return None


def _class(text: str, negated: bool, fold_case: bool) -> Ranges:
    ranges: list[tuple[int, int]] = []
    at = 0
    while at < len(text):
        low, high = text[at], text[at]
        if at + 2 < len(text) and text[at + 1] == "-":
            high = text[at + 2]
            at += 2
        at += 1
        if low <= high:
            ranges.append((ord(low), ord(high)))
    if fold_case:
        ranges += [pair for span in ranges for pair in _other_case(span)]
    wanted = _joined(ranges)
    result = meet(_ALL, _complement(wanted) if negated else wanted)
    if not result:
        raise PatternError(f"class [{text}] holds no character")
    return result


def _other_case(span: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The small letters for the capitals of a range and the other way round, ASCII only."""
    for first, last, shift in ((65, 90, 32), (97, 122, -32)):
        low, high = max(span[0], first), min(span[1], last)
        if low <= high:
            yield low + shift, high + shift


def _joined(ranges: list[tuple[int, int]]) -> Ranges:
    result: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return tuple(result)


def _complement(ranges: Ranges) -> Ranges:
    result: list[tuple[int, int]] = []
    start = 0
    for low, high in ranges:
        if start < low:
            result.append((start, low - 1))
        start = high + 1
    if start <= 0x10FFFF:
        result.append((start, 0x10FFFF))
    return tuple(result)


def meet(a: Ranges, b: Ranges) -> Ranges:
    shared = ((max(x[0], y[0]), min(x[1], y[1])) for x in a for y in b)
    return tuple(sorted(span for span in shared if span[0] <= span[1]))


def _regex(token: Ranges) -> str:
    if token is STAR:
        return "[^/]*"
    if token is _ALL:
        return "[^/]"
    if len(token) == 1 and token[0][0] == token[0][1]:
        return re.escape(chr(token[0][0]))
    return "[" + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in token) + "]"


ANY: Final = Name(None, (STAR, STAR))
