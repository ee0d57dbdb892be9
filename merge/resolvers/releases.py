"""Releases in a change log that both sides added at the same place.

Safe because a release's section stands for itself, and its number says where it belongs: both
sides' sections are kept whole, the greatest first, as the file has them. So it makes no
difference which side is the target. Asked about are:

- a side that added anything but whole sections: what it added, and what follows in the file, must
  begin with headings of one form that hold a number, and the numbers must go down all the way;
- a number that both sides have, a pre-release's, and a section without one (`Unreleased`): what
  goes into which is a decision about a release;
- sections that name one issue or say nearly the same: one of them may have to go.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from merge.hunk_kinds import alike, ends_cut_off, name_one_issue
from merge.paths import name_of
from merge.resolvers.lists import BULLET, CHANGES
from merge.resolvers.versions import Rank, parse_version, rank
from merge.text import Lines
from merge.view import Answer, FileView

_HEADING = re.compile(
    rb"(?P<mark>#{1,4}[ \t]+)?\[?(?:Version[ \t]+|Release[ \t]+)?"
    rb"(?P<number>v?\d+(?:\.\d+)+[\w.+-]*)(?![\w.])[^\n]*\n?",
    re.I,
)
_LINE_BELOW = re.compile(rb"([-=~^.])\1{2,}\s*")


class _Heading(NamedTuple):
    form: bytes
    number: Rank


def added_releases(view: FileView, index: int) -> Answer | None:
    """Both sides' sections, by their numbers."""
    hunk, raw = view.hunks[index], view.raw[index]
    if raw.base or not CHANGES.fullmatch(name_of(view.path)):
        return None
    blank = _blank_lines(raw.after)
    below = _heading(raw.after, blank)
    ours, theirs = (_sections(lines, blank) for lines in (raw.ours, raw.theirs))
    if below is None or not ours or not theirs or _say_the_same(raw.ours, raw.theirs):
        return None
    found = sorted((*ours.items(), *theirs.items()), key=lambda s: s[0].number, reverse=True)
    above = _last_heading(view.above(index), below.form)
    headings = [*((above,) if above else ()), *(heading for heading, _ in found), below]
    if not _go_down(headings) or not all(heading.number[1] for heading, _ in found):
        return None
    lines = tuple(line for _, section in found for line in section)
    lead, tail = ends_cut_off(hunk, raw)
    end = len(lines) - tail
    if (lines[:lead], lines[end:]) != (raw.ours[:lead], raw.ours[len(raw.ours) - tail :]):
        return None
    return Answer(lines[lead:end], "releases", frozenset(lines[end:]))


def _say_the_same(ours: Lines, theirs: Lines) -> bool:
    """Whether both name one issue, or have bullets alike; headings and dates are alike anyway."""
    bullets = (
        tuple(line for line in side if BULLET.match(line.lstrip())) for side in (ours, theirs)
    )
    return name_one_issue(ours, theirs) or alike(*bullets)


def _sections(lines: Lines, blank: int) -> dict[_Heading, Lines]:
    """Whole sections, each with the `blank` lines above its heading; none if they are not whole."""
    starts = [
        (at - blank, heading)
        for at in range(len(lines))
        if (heading := _heading(lines, at)) and _blank_lines(lines[max(0, at - blank) :]) == blank
    ]
    if not starts or starts[0][0] != 0:
        return {}
    ends = (*(at for at, _ in starts[1:]), len(lines))
    found = {heading: lines[at:end] for (at, heading), end in zip(starts, ends, strict=True)}
    return found if len(found) == len(starts) and _go_down(list(found)) else {}


def _go_down(headings: list[_Heading]) -> bool:
    """Whether all are of one form, and each number is less than the one before."""
    return all(a.form == b.form and a.number > b.number for a, b in pairwise(headings))


def _heading(lines: Lines, at: int) -> _Heading | None:
    found = _HEADING.fullmatch(lines[at]) if at < len(lines) else None
    version = parse_version(found["number"]) if found else None
    if found is None or version is None:
        return None
    below = _LINE_BELOW.fullmatch(lines[at + 1]) if at + 1 < len(lines) else None
    form = (found["mark"] or b"").strip() or (below[1] if below else b"")
    return _Heading(form, rank(version)) if form else None


def _last_heading(lines: Lines, form: bytes) -> _Heading | None:
    found = (_heading(lines, at) for at in range(len(lines) - 1, -1, -1))
    return next((heading for heading in found if heading and heading.form == form), None)


def _blank_lines(lines: Lines) -> int:
    """How many blank lines these begin with."""
    return next((at for at, line in enumerate(lines) if line.strip()), len(lines))
