"""Which names a line gives and another uses, told from the look of the lines alone.

Two changes that don't touch may still be one thing: `for x in` above `f(x)`, a function's first
line above its body. What is said here errs on the side of asking: a name found too many costs an
answer that would have been right, a name missed costs a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from merge.types import ConflictHunk

_DATA = frozenset({"json", "toml", "yaml", "plain", "gomod", "css"})
"""Languages in which a line's name is a key, which no other line uses."""
_FUNCTION = re.compile(
    rb"\b(?:def|func|fn|fun|function)\b|(?:[\w>\]?]\s+)[\w.]+\([^()]*\)[^(){};=]*\{\s*$|=>\s*\{\s*$"
)
_TESTS = re.compile(
    rb"\s*(?:\}\s*)?(?:else\s+)?(?:if|elif|for|while|switch|match|with|catch|return)\b"
)
_IMPORTS = re.compile(rb"\s*(?:import|from|use|using|require|#include)\b")
_ASSIGNED = re.compile(rb"[^=()]*(?:\([^()]*\)[^=()]*)*?(?=:=|(?<![=<>!])=(?![=>]))")
_PARAMETERS = re.compile(rb"\(([^()]*)\)[^()]*(?:[{:(]|=>|->)\s*$")
_OTHERS = (
    re.compile(rb"\bfor\b\s*\(?([^()=;]*?)\b(?:in|of)\b"),
    re.compile(rb"\b(?:as\s+(?=[\w$])|catch\s*\()([\w.$|\\\s]+)"),
    re.compile(rb"\bfunction\b[^()]*\(([^()]*)\)"),
    re.compile(rb"=>\s*(\$\w+)"),
    re.compile(rb"\|([^|]*)\|"),
    re.compile(rb"(\w+)\s*=>"),
)
_NAME = re.compile(rb"[^\W\d]\w*")
_KEYWORDS = frozenset(b"var let const mut val final static auto for if while".split())


def gives_what_is_used(language: str, hunk: ConflictHunk, touched: set[int]) -> bool:
    """Whether a line of one side uses a name that a line above it, of the other side, gives.

    `touched` are the numbers of the lines that ours changed; both sides have as many as the base.
    """
    if language in _DATA:
        return False
    rows = list(zip(hunk.base, hunk.ours, hunk.theirs, strict=True))
    given: dict[bool, set[bytes]] = {True: set(), False: set()}  # by whether ours changed it
    for number, row in enumerate(rows):
        if len(set(row)) == 1:
            continue
        ours = number in touched
        if given[not ours] & _names_used(row):
            return True
        other = number and len(set(rows[number - 1])) > 1 and (number - 1 in touched) != ours
        if other and _is_body(rows[number - 1], row):
            return True
        given[ours] |= _names_given(language, row)
    return False


def _names_used(row: Iterable[bytes]) -> set[bytes]:
    return {n for line in row if not _IMPORTS.match(line) for n in _NAME.findall(line)}


def _is_body(head: Sequence[bytes], line: Sequence[bytes]) -> bool:
    """Whether a function starts at `head`, and `line` lies in it."""
    starts = any(_FUNCTION.search(text) and not _TESTS.match(text) for text in head)
    return starts and _depth(line[0]) > _depth(head[0])


def _depth(line: bytes) -> int:
    return len(line.expandtabs(8)) - len(line.expandtabs(8).lstrip())


def _names_given(language: str, row: Iterable[bytes]) -> set[bytes]:
    """Names that a line assigns, loops over or takes as parameters."""
    given: set[bytes] = set()
    parts: list[bytes] = []
    for line in row:
        if _IMPORTS.match(line):
            given |= set(_NAME.findall(line))
        if found := _ASSIGNED.match(line):
            parts += found.group().split(b",")
        if (found := _PARAMETERS.search(line)) and not _TESTS.match(line):
            parts += found[1].split(b",")
        parts += (part for form in _OTHERS for f in form.findall(line) for part in f.split(b","))
    for part in parts:
        names = [n for n in _NAME.findall(re.split(rb"[:=]", part)[0]) if n not in _KEYWORDS]
        given |= {names[0 if language == "go" else -1]} if names else set()
    return given
