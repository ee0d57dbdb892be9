"""How the planning documents mention phases, plans and requirements, in any of their forms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from worktree_runner.core.ids import parse_token

TOKEN = r"(?:[A-Za-z]{1,6}-(?=\d))?\d+[A-Za-z]?(?:\.\d+)*"
_WHOLE_TOKEN = re.compile(rf"{TOKEN}$")
_REQUIREMENT = re.compile(r"(?<![A-Za-z0-9-])([A-Z][A-Z0-9]*(?:-[A-Z][A-Z0-9]*)*)-(\d+)([a-z]?)")
_RANGE = re.compile(r"\s*(?:\.\.+|…|–|—|to|through|bis)\s*(?:[A-Z][A-Z0-9-]*-)?(\d+)(?![\d-])")
_CELL_TOKEN = re.compile(
    rf"^\W*(?:(?:phase|stage)\s+)?({TOKEN})(?=$|[\s:)\]|*–—-]|\.(?:\s|$))", re.I
)
_IN_TEXT = re.compile(rf"\b(?:phases?|stages?)\s+({TOKEN})", re.I)

Key = tuple[Any, ...]


@cache
def token_key(text: str) -> Key | None:
    """A value that is equal for `2.1` and `02.01`; None where the text is no token."""
    text = text.strip()
    return parse_token(text).key if _WHOLE_TOKEN.match(text) else None


def same_phase(one: str, other: str) -> bool:
    return one == other or (token_key(one) is not None and token_key(one) == token_key(other))


def plain_token(text: str) -> str:
    """The token as running text has it: `03` is Phase 3, `02.1` is Phase 2.1."""
    return re.sub(r"^((?:[A-Za-z]{1,6}-)?)0+(?=\d)", r"\1", text)


def styled_token(token: str, like: str) -> str:
    """The token, padded where `like` is padded."""
    plain = plain_token(token)
    return plain.rjust(len(plain) + 1, "0") if _pads(like) and _one_digit(plain) else plain


def _pads(text: str) -> bool:
    return bool(re.match(r"0\d", text.strip()))


def _one_digit(text: str) -> bool:
    return bool(re.match(r"\d(?!\d)", text))


def cell_token(text: str) -> str | None:
    """The phase at the start of a table cell: `3. Name`, `Phase 3`, `**3: Name**`, `03-name`."""
    m = _CELL_TOKEN.match(text)
    return m[1] if m else None


def phases_in(text: str) -> list[str]:
    """Every phase that a text names as `Phase 3`."""
    return _IN_TEXT.findall(text)


@cache
def phase_heading(words: tuple[str, ...]) -> re.Pattern[str]:
    """Matches `Phase 3: Name` at the start of a heading's or an item's text; groups are what
    stands before, the token, and the rest."""
    word = "|".join(re.escape(w) for w in dict.fromkeys((*words, "phase", "stage")))
    return re.compile(
        rf"^(?P<before>[^\w#]*)(?:{word})\s+(?P<token>{TOKEN})(?P<rest>(?:[\s:.()*_–—-].*)?)$", re.I
    )


@cache
def plan_reference(token: str) -> re.Pattern[str]:
    """Finds a plan of this phase at the start of a list item's text: `03-01-PLAN.md`, `03-01:`,
    `[03-01-PLAN.md](path)`, `**03.01**`, `Plan 03-01`, `Plan 01`; group `number`."""
    key = token_key(token)
    if key is None:
        front = re.escape(token)
    else:
        _, number, letter, parts, _ = key
        front = rf"0*{number}{letter}" + "".join(rf"\.0*{part}" for part in parts)
    return re.compile(
        r"^[\s*_`\[]*(?:(?:plan|run)\s+(?=\w))?"
        rf"(?:(?:[A-Za-z]{{1,6}}-)?{front}(?:-|\.(?!\d+-\d))(?:p|plan-|run-)?(?P<number>\d+[A-Za-z]?)"
        r"|(?<=plan )(?P<plan>\d+[A-Za-z]?)|(?<=run )(?P<run>\d+[A-Za-z]?))"
        r"(?![\d.]*\d)(?=$|[\s:*_`\])–—.,(-])",
        re.I,
    )


def plan_number(text: str, token: str) -> str | None:
    """The number of the plan that a list item is about, without padding; None if of no plan."""
    m = plan_reference(token).match(text)
    if m is None:
        return None
    return bare_number(m["number"] or m["plan"] or m["run"])


def bare_number(text: str) -> str:
    """A plan number as it is compared: `01` and `1` are the same."""
    return text.lstrip("0").lower() or "0"


def requirement_ids(text: str) -> tuple[str, ...]:
    """Ids such as `AUTH-01` in a text, in order, ranges (`AUTH-01..03`) written out; prose and
    `TBD` give nothing."""
    found: list[str] = []
    position = 0
    while m := _REQUIREMENT.search(text, position):
        prefix, number, letter = m[1], m[2], m[3]
        position = m.end()
        numbers: Sequence[str] = [number + letter]
        span = None if letter else _RANGE.match(text, position)
        if span and int(number) < int(span[1]) < int(number) + 100:
            numbers = [str(n).zfill(len(number)) for n in range(int(number), int(span[1]) + 1)]
            position = span.end()
        found.extend(f"{prefix}-{each}" for each in numbers)
    return tuple(dict.fromkeys(found))
