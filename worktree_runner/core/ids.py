"""Tokens of phases and ids of plans, read from directory and file names and nothing else.

- A token is `03`, `02.1`, `04b`, `12A.1`; a project code before it (`CK-01-name`) is set apart.
  Order: number, then letter (none first), then decimals one by one: 2 < 2.1 < 2.10 < 3.
- A directory name without a number is its own token and sorts last.
- A plan's number is what its file name says after the directory's token, so `02.1.01-run.md` is
  plan 01 of phase 02.1 and plan 01 of nothing else. YAML is never asked: `010` is 8 there.
- The id is `<token>-<number>` with a dash in every dialect, safe as part of a branch name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

_TOKEN = r"([0-9]+)([A-Za-z])?((?:\.[0-9]+)*)"
_DIRECTORY = re.compile(rf"(?:([A-Za-z]{{1,6}})-(?=[0-9]))?{_TOKEN}(?:[-_ ]+(.*))?", re.DOTALL)
_PREFIX = re.compile(rf"{_TOKEN}(?=[-._]|$)")
_PHASE_WORD = re.compile(r"^(?:stage|phase)-(?=[0-9])", re.IGNORECASE)
_NUMBER = re.compile(r"(?:p|plan-?|run-?)?([0-9]+)([A-Za-z]?)((?:\.[0-9]+)*)(?=[-._]|$)", re.I)
_GAP = re.compile(r"gap-?[0-9]+[A-Za-z]?(?=[-._]|$)", re.I)
_PAIR_AFTER_DOT = re.compile(r"([0-9]+)[-.]([0-9]+[A-Za-z]?)(?=[-._]|$)")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+|\.(?=\.)|(?<=\.)\.|\.lock$")
LONGEST_TEXT = 40


@dataclass(frozen=True, slots=True, order=True)
class PhaseToken:
    """A phase's token; two are equal if they mean the same phase (`2.1` and `02.01`)."""

    key: tuple[Any, ...]
    text: str = field(compare=False)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class PhaseName:
    """What a phase directory's name says."""

    token: PhaseToken
    slug: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class PlanName:
    """What a plan's or summary's file name says, in the light of its directory."""

    number: str
    order: tuple[Any, ...]
    stem: str
    """The name without its suffix, lower case: `03-01-auth`; empty for a bare `PLAN.md`."""
    implicit: bool = False
    """The name holds no plan number; it was given one."""
    foreign: str = ""
    """The token in front, where it is not the directory's."""
    slug: str = ""


@lru_cache(maxsize=1024)
def _token(number: str, letter: str | None, decimals: str) -> PhaseToken:
    parts = tuple(int(part) for part in decimals.split(".")[1:])
    key = (0, int(number), (letter or "").lower(), parts, "")
    return PhaseToken(key, f"{int(number):02d}{letter or ''}{decimals}")


def safe_text(text: str) -> str:
    """The text as it may stand in an id, a branch name and a directory name."""
    plain = _UNSAFE.sub("-", text.strip()).strip("-.")
    return plain[:LONGEST_TEXT].rstrip("-.") or "x"


def parse_token(text: str) -> PhaseToken:
    """The token a user typed: `3`, `03`, `2.1`, `04b`, `CK-01`, or a whole directory name."""
    return parse_directory(text.strip()).token


@lru_cache(maxsize=1024)
def parse_directory(name: str) -> PhaseName:
    """Token, slug and project code of a phase directory; every name has a token."""
    found = _DIRECTORY.fullmatch(name)
    if found is None:
        text = safe_text(name)
        return PhaseName(PhaseToken((1, 0, "", (), name.lower()), text), text)
    code, number, letter, decimals, slug = found.groups()
    return PhaseName(_token(number, letter, decimals), slug or "", code or "")


def is_number(token: PhaseToken) -> bool:
    """Whether the directory's name begins with a number, as the originals ask for."""
    return bool(token.key[0] == 0)


@lru_cache(maxsize=1024)
def number_key(number: str) -> tuple[Any, ...]:
    """The sort key of a plan number: `02` < `02a` < `02.1` < `10` < words."""
    found = _NUMBER.fullmatch(number)
    if found is None:
        return (1, 0, number.lower(), ())
    digits, letter, decimals = found.groups()
    parts = tuple(int(part) for part in decimals.split(".")[1:])
    return (0, int(digits), letter.lower(), parts)


def format_number(text: str) -> str:
    """A plan number with at least two digits; words stay words."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return safe_text(text)
    digits, letter, decimals = found.groups()
    return f"{int(digits):02d}{letter}{decimals}"


@dataclass(frozen=True, slots=True)
class _Parts:
    """One stem taken apart: its own number, or else the only number in front of it."""

    number: str = ""
    front: str = ""
    foreign: str = ""
    slug: str = ""


def _after(text: str, end: int) -> str:
    return text[end:].lstrip("-._")


def _split_number(text: str, front: str, foreign: str) -> _Parts:
    found = _NUMBER.match(text) or _GAP.match(text)
    if found is None:
        return _Parts(front=front, foreign=foreign, slug=text)
    number = "".join(found.groups()) or found[0]
    return _Parts(number, front, foreign, _after(text, found.end()))


def _take_apart(stem: str, phase: PhaseName) -> _Parts:
    text = stem
    if phase.code and text.lower().startswith(phase.code.lower() + "-"):
        text = text[len(phase.code) + 1 :]
    whole = phase.slug if not is_number(phase.token) else ""
    if whole and text.lower().startswith(whole.lower()):
        return _split_number(_after(text, len(whole)), "", "")
    return _take_token(_PHASE_WORD.sub("", text, count=1), phase.token)


def _take_token(text: str, token: PhaseToken) -> _Parts:
    """The token is tried at its full length and shorter, so that `02.01-run` is plan 01 of 02."""
    found = _PREFIX.match(text)
    if found is None:
        return _Parts(slug=text)
    number, letter, decimals = found.groups()
    dots = decimals.split(".")[1:]
    for count in range(len(dots), -1, -1):
        taken = "".join(f".{part}" for part in dots[:count])
        if _token(number, letter, taken) != token:
            continue
        end = found.start(3) + len(taken)
        rest = text[end:]
        pair = _PAIR_AFTER_DOT.match(rest[1:]) if rest.startswith(".") else None
        if pair:  # `02.1-01` in the directory of phase 02: the name belongs to phase 02.1
            other = f"{number}{letter or ''}{taken}.{pair[1]}"
            return _Parts(pair[2], "", other, _after(rest[1:], pair.end()))
        return _split_number(_after(rest, 0), number, "")
    rest = _after(text, found.end())
    second = _NUMBER.match(rest)
    if second:
        return _Parts("".join(second.groups()), "", found[0], _after(rest, second.end()))
    if dots and not rest:  # `01.02-run` in the directory of phase 03
        return _Parts(dots[-1], "", found[0].rpartition(".")[0], "")
    return _Parts(front=f"{number}{letter or ''}", slug=rest)


def _implied(part: _Parts, alike: int, alone: bool, token: PhaseToken) -> str:
    """The number of a name that holds none of its own; `alike` names have the same front."""
    if not part.front or alike > 1:
        return part.slug or "01"
    own = parse_token(part.front).key[:3] == token.key[:3]
    return "01" if own and alone else part.front


def name_plans(stems: Iterable[str], phase: PhaseName) -> Mapping[str, PlanName]:
    """What each stem of one directory means; stems are file names without suffix and `.md`.

    Names with a single number depend on their neighbours: `03-PLAN.md` alone is the only plan
    of phase 3, but beside `01-PLAN.md` and `02-PLAN.md` it is the third one.
    """
    parts = {stem: _take_apart(stem, phase) for stem in stems}
    fronts = Counter(
        number_key(part.front) for part in parts.values() if part.front and not part.number
    )
    alone = len(fronts) < 2 or any(part.number for part in parts.values())
    names = {}
    for stem, part in parts.items():
        alike = fronts[number_key(part.front)]
        number = format_number(part.number or _implied(part, alike, alone, phase.token))
        names[stem] = PlanName(
            number=number,
            order=(*number_key(number), part.slug.lower()),
            stem=stem.lower(),
            implicit=not part.number,
            foreign=part.foreign,
            slug=part.slug,
        )
    return names
