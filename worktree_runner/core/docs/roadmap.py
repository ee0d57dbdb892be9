"""The road map (ROADMAP, track), read: phases, goals, requirements, the current milestone.

- Only the current milestone's part counts: what is folded into `<details>` is archived, and so
  are phases below a heading that says shipped where the same number appears again.
- A phase is found by its exact token, with or without padding: 2.1 is not 2, 10 is not 100.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from worktree_runner.core.docs.markdown import Section, field, sections
from worktree_runner.core.docs.page import Page
from worktree_runner.core.docs.refs import (
    phase_heading,
    phases_in,
    plan_number,
    requirement_ids,
    same_phase,
    token_key,
)
from worktree_runner.core.ids import format_number, number_key
from worktree_runner.dialects.schema import Dialect

_BOX = re.compile(r"^(?P<lead>\s*(?:[-*+]|\d+[.)])\s+)\[(?P<mark>[ xX])\](?P<gap>\s+)(?P<text>.*)$")
_SHIPPED = re.compile(r"shipped|archived|✅|\bcompleted?\b|\bdone\b", re.I)
_VERSION = re.compile(r"\bv\d+(?:\.\d+)*(?![\w+.]*\w|\+)", re.I)
_MILESTONE_HEAD = re.compile(r"^\W*(?:(?:current|active) )?(?:milestone:?)?\W*(?=v\d)", re.I)
_RUNNING = re.compile(r"🚧|🔄|🟡|in progress|\bcurrent\b|\bactive\b", re.I)
_ENTRY = re.compile(r"^\s*(?:[:.)*_(–—-]|$)")
_SUFFIX = re.compile(
    r"\s*(?:\(inserted\)|\[ui\]|[-—–]+\s*complete\w*|[✅✓✔🚧🔄]|\(complete\w*[^)]*\))\s*$", re.I
)
_DECORATION = re.compile(r"[✅✓✔☑🚧🔄🟡⚪📋]\ufe0f?")


@dataclass(frozen=True, slots=True)
class RoadmapPhase:
    """One phase as the road map has it."""

    token: str
    name: str
    done: bool
    goal: str = ""
    depends_on: str = ""
    requirements: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()
    line: int = 0
    """Line of its heading, or of its check-box; from 1."""
    open_plans: tuple[str, ...] = ()
    """Numbers of the plans that are listed below it and not ticked, without padding."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """The current milestone; both empty where the road map names none."""

    version: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A check-box line that names a phase."""

    line: int
    checked: bool
    token: str
    rest: str


def roadmap_phases(data: bytes, dialect: Dialect) -> tuple[RoadmapPhase, ...]:
    """The phases of the current milestone in the order of their tokens."""
    page = Page(data, "")
    if not page.readable:
        return ()
    boxes = {token_key(each.token): each for each in reversed(phase_boxes(page, dialect))}
    details = {
        token_key(token): (token, sec) for token, sec in reversed(phase_sections(page, dialect))
    }
    found = []
    for key in sorted(boxes.keys() | details.keys(), key=lambda k: k or ()):
        box = boxes.get(key)
        token, section = details.get(key, (box.token if box else "", None))
        found.append(_phase(page, token, box, section, dialect))
    return tuple(found)


def roadmap_goal(data: bytes, token: str, dialect: Dialect) -> RoadmapPhase | None:
    """The phase with its goal, dependencies, requirements; None if the road map lacks it.

    An archived phase is found too where the current milestone has none of that token.
    """
    for each in roadmap_phases(data, dialect):
        if same_phase(each.token, token):
            return each
    page = Page(data, "")
    for found, section in phase_sections(page, dialect, archived=True) if page.readable else ():
        if same_phase(found, token):
            return _phase(page, found, None, section, dialect)
    return None


def next_phase(data: bytes, token: str, dialect: Dialect) -> RoadmapPhase | None:
    """The first phase of the current milestone after `token` that isn't done; None: none."""
    key = token_key(token)
    for each in roadmap_phases(data, dialect):
        other = token_key(each.token)
        if key is not None and other is not None and other > key and not each.done:
            return each
    return None


def milestone(data: bytes, dialect: Dialect) -> Milestone:
    """The milestone in work: the one marked so, else the last one that isn't shipped, else the
    version in the title."""
    page = Page(data, "")
    if not page.readable:
        return Milestone()
    named = []
    for each in sections(page):
        head = each.level > 1 and each.line not in page.archived
        if head and _VERSION.search(each.title) and _MILESTONE_HEAD.match(each.title):
            named.append(each.title)
    listed = [
        text
        for line in page.open_lines()
        if re.match(r"\s*[-*]\s", text := page.lines[line]) and re.search(r"\*\*[^*]*\bv\d", text)
    ]
    for titles in (named, listed):
        running = [t for t in titles if _RUNNING.search(t)]
        pending = [t for t in titles if not _SHIPPED.search(t) and not re.search(r"\[[xX]\]", t)]
        chosen = (running or pending)[:1]
        if chosen:
            return _milestone(chosen[0])
    title = next((each.title for each in sections(page) if each.level == 1), "")
    return _milestone(title) if _VERSION.search(title) else Milestone()


def _milestone(title: str) -> Milestone:
    plain = re.sub(r"^\s*[-*+]\s+(?:\[[ xX]\]\s+)?", "", title)
    plain = _DECORATION.sub("", plain).replace("*", "").strip()
    version = _VERSION.search(plain)
    if version is None:
        return Milestone()
    name = re.sub(r"^[\s:–—-]+", "", plain[version.end() :])
    name = re.split(r"\s+(?:-{1,2}|–|—)\s+|\(|\s{2,}", name)[0]
    name = name.strip(" :–—-")
    if not name:
        name = re.sub(r"^(?:roadmap|track|milestone)\b:?", "", plain[: version.start()], flags=re.I)
        name = name.strip(" :–—-")
    return Milestone(version[0], name)


def phase_boxes(page: Page, dialect: Dialect, *, archived: bool = False) -> list[Box]:
    """Check-boxes that name a phase, outside of the archived part.

    Where one phase has several, those that only mention it (`Phase 3 is deployed`) and those
    inside of a phase's details are left out.
    """
    words = (dialect.words.phase,)
    found = []
    for line in page.open_lines(archived=archived):
        m = _BOX.match(page.text(line))
        named = phase_heading(words).match(m["text"]) if m else None
        if m and named:
            found.append(Box(line, m["mark"] != " ", named["token"], named["rest"]))
    twins = {a.token for a in found for b in found if a is not b and same_phase(a.token, b.token)}
    if not twins:
        return found
    inside = {n for _, s in phase_sections(page, dialect, archived=True) for n in s.own}
    return [box for box in found if box.token not in twins or _is_entry(box, inside)]


def _is_entry(box: Box, inside: set[int]) -> bool:
    return box.line not in inside and bool(_ENTRY.match(box.rest))


def phase_sections(
    page: Page, dialect: Dialect, *, archived: bool = False
) -> list[tuple[str, Section]]:
    """Headings that open a phase's details; one per phase, the current milestone's first."""
    found: list[tuple[str, Section]] = []
    words = (dialect.words.phase,)
    for each in sections(page):
        if not archived and each.line in page.archived:
            continue
        named = phase_heading(words).match(each.title)
        if named and not any("backlog" in title.casefold() for title in each.parents):
            found.append((named["token"], each))
    return _without_shipped(found)


def _without_shipped(found: Sequence[tuple[str, Section]]) -> list[tuple[str, Section]]:
    """Where a number appears twice, those below a heading that says shipped are dropped."""
    kept = []
    for token, section in found:
        twins = [s for t, s in found if same_phase(t, token)]
        if len(twins) > 1 and is_shipped(section) and not all(is_shipped(s) for s in twins):
            continue
        kept.append((token, section))
    return kept


def is_shipped(section: Section) -> bool:
    """Whether a heading above says that its milestone is over."""
    above = [title for title in section.parents if _VERSION.search(title) or "ilestone" in title]
    return any(_SHIPPED.search(title) and not _RUNNING.search(title) for title in above)


def _phase(
    page: Page, token: str, box: Box | None, section: Section | None, dialect: Dialect
) -> RoadmapPhase:
    name = goal = depends = ""
    requirements: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()
    open_plans: tuple[str, ...] = ()
    done = box is not None and box.checked
    if section is not None:
        named = phase_heading((dialect.words.phase,)).match(section.title)
        name = _clean_name(named["rest"]) if named else ""
        done = done or (box is None and bool(re.search(r"[✅✓✔]|\bCOMPLETE\b", section.title)))
        whole = list(section.whole)
        goal = _paragraph(page, section, "goal")
        depends = _paragraph(page, section, "depends on", "dependencies")
        found = field(page, whole, dialect.words.requirements, "requirements", "requirement ids")
        requirements = requirement_ids(_with_list(page, section, found.line)) if found else ()
        criteria = _criteria(page, section)
        open_plans = _open_plans(page, section, token)
    if box is not None and not name:
        name = _clean_name(box.rest)
    if box is not None and not goal:
        goal = _described(box.rest)
    line = (section.line if section else box.line if box else 0) + 1
    return RoadmapPhase(token, name, done, goal, depends, requirements, criteria, line, open_plans)


def _open_plans(page: Page, section: Section, token: str) -> tuple[str, ...]:
    lines = (line for line in section.whole if line not in page.archived | page.quoted)
    boxes = (m for line in lines if (m := _BOX.match(page.text(line))) and m["mark"] == " ")
    numbers = (plan_number(m["text"], token) for m in boxes)
    return tuple(dict.fromkeys(number for number in numbers if number is not None))


def _clean_name(rest: str) -> str:
    """The name out of `: Name** (INSERTED) - description`."""
    text = re.sub(r"^[\s:.*_)–—-]+", "", rest)
    text = re.split(r"\*\*|__", text)[0] if "**" in text or "__" in text else text
    text = re.split(r"\s+(?:—|–|--|-)\s+(?!\d)", text)[0] if "**" not in rest else text
    text = re.sub(r"\s*\(\d+/\d+ (?:plans?|runs?)[^)]*\).*$", "", text)
    before = None
    while before != text:
        before, text = text, _SUFFIX.sub("", text)
    return _DECORATION.sub("", text).strip(" :*_")


def _described(rest: str) -> str:
    m = re.search(r"\*\*(?:\s*\([^)]*\))?\s*(?:—|–|--|-|:)\s+(.*)$", rest)
    return re.sub(r"\s*\(completed .*\)$", "", m[1]).strip() if m else ""


def _paragraph(page: Page, section: Section, *names: str) -> str:
    """A field's value with the lines that go on below it."""
    found = field(page, section.own, *names)
    if found is None:
        return ""
    parts = [found.value]
    for line in range(found.line + 1, section.own.stop):
        text = page.lines[line].strip()
        if not text or text.startswith(("**", "#", "- ", "* ", "|", "1.")) or line in page.quoted:
            break
        parts.append(text)
    return " ".join(part for part in parts if part)


def _with_list(page: Page, section: Section, line: int) -> str:
    """A field's line with the list right below it."""
    parts = [page.lines[line].partition(":")[2]]
    for following in range(line + 1, section.whole.stop):
        text = page.lines[following].strip()
        if not text and len(parts) == 1:
            continue
        if not text.startswith(("- ", "* ", "+ ")):
            break
        parts.append(text)
    return "\n".join(parts)


def _criteria(page: Page, section: Section) -> tuple[str, ...]:
    start = next(
        (n for n in section.whole if re.match(r"^[\s*#_]*success criteria\b", page.lines[n], re.I)),
        None,
    )
    if start is None:
        return ()
    found: list[str] = []
    for line in range(start + 1, section.whole.stop):
        text = page.lines[line]
        m = re.match(r"^\s*(?:\d+[.)]|[-*+](?:\s+\[[ xX]\])?)\s+(.*)$", text)
        if m:
            found.append(m[1].strip())
        elif found and not text[:1].isspace():
            break
    return tuple(found)


def unwritten_plans(phase: RoadmapPhase, there: Collection[tuple[Any, ...]]) -> tuple[str, ...]:
    """Numbers of the open plans without a file; `there` holds the keys of those that have one.

    Nothing where no plan has one yet, or where the phase is ticked.
    """
    if phase.done or not there:
        return ()
    return tuple(format_number(each) for each in phase.open_plans if number_key(each) not in there)


def depends_tokens(phase: RoadmapPhase) -> tuple[str, ...]:
    """The phases that `Depends on` names."""
    return tuple(dict.fromkeys(phases_in(phase.depends_on)))
