"""Decisions and blockers: entries added to the list or table that a section already has.

An entry that the section holds already, in any wrapping, is not added again, and one that several
summaries give is added once. A placeholder
("None yet.") gives way to the first entry.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from worktree_runner.core.docs.facts import Decision
from worktree_runner.core.docs.markdown import (
    Bullet,
    Section,
    Table,
    bullets,
    cells,
    sections,
    tables,
)
from worktree_runner.core.docs.page import Page
from worktree_runner.core.docs.refs import plain_token, token_key

_NOTHING = re.compile(
    r"^\s*(?:[-*+]\s+)?[_*(\[]*(?:none(?: yet)?|nothing(?: yet)?|n/a|-|—)[.)_*\]]*\s*$", re.I
)
_NOTHING_LONGER = re.compile(r"^\s*(?:[-*+]\s+)?[_*(\[]+none\b.*[)_*\]]+\s*$", re.I)
_NUMBERED = re.compile(r"^\s*\d+[.)]\s")
_FAILED = re.compile(r"^(\S+) failed\b")
_TAG_PHASE = re.compile(r"^\[(phase|stage) [\w.]+\](:?) ", re.I)
_TAG_PLAN = re.compile(r"^\[(\d[\d.]*[A-Za-z]?)-(\d+)\](:?) ")
_TAG_BARE = re.compile(r"^(\d[\d.]*[A-Za-z]?)-(\d+): ")
DECISION_TITLES = re.compile(
    r"^(?:key |recent |accumulated )?decisions(?: made| log|,.*| / .*| & .*)?$|^decision log$", re.I
)
BLOCKER_TITLES = re.compile(r"^(?:active |current |known |open )?blockers\b", re.I)


def plain_title(title: str) -> str:
    """A heading's text without the signs in front of it."""
    return re.sub(r"^[^\w]+", "", title).strip(" *_:")


def find_section(page: Page, titles: re.Pattern[str]) -> Section | None:
    """The section of that name; the only one that resembles it, if no name fits exactly."""
    found = [each for each in sections(page) if titles.search(plain_title(each.title))]
    return found[0] if found else None


def is_nothing(text: str) -> bool:
    return bool(_NOTHING.match(text) or _NOTHING_LONGER.match(text))


def add_decisions(page: Page, token: str, word: str, new: Sequence[Decision], date: str) -> None:
    """Adds decisions to the section for them, tagged as the others are."""
    if not new:
        return
    section = find_section(page, DECISION_TITLES)
    if section is None:
        listed = "; ".join(_one_line(each.text) for each in new)
        page.note(None, f"no section for decisions; not recorded: {listed}")
        return
    once: dict[str, Decision] = {}
    for each in new:
        once.setdefault(_letters(each.text), each)
    fresh = [each for each in once.values() if not _holds(page, section, each.text)]
    table = next(iter(tables(page, section.own)), None)
    if table is not None and table.column("decision") is not None:
        _add_rows(page, table, token, fresh, date)
        return
    items = bullets(page, section.own)
    texts = [_tagged(items, token, word, each) for each in fresh]
    _add_items(page, section, items, texts)


def add_blockers(page: Page, new: Sequence[str], finished: Sequence[str] = ()) -> None:
    """Adds blockers and removes those that earlier runs wrote for plans that are finished now.

    Only entries of the form `03-02 failed: ...` on a single line are ever removed: what stands
    below one was added by somebody else.
    """
    section = find_section(page, BLOCKER_TITLES)
    if section is None:
        if new:
            listed = "; ".join(_one_line(each) for each in new)
            page.note(None, f"no section for blockers; not recorded: {listed}")
        return
    texts = [_one_line(each) for each in new]
    over = {*finished, *(m[1] for text in texts if (m := _FAILED.match(text)))}
    items = bullets(page, section.own)
    gone = [each for each in items if each.text not in texts and _is_over(each, over)]
    kept = [each for each in items if each not in gone]
    fresh = [text for text in texts if not _holds(page, section, text)]
    for each in gone[1:] if not kept else gone:
        page.drop(each.line)
    if gone and not kept:
        first, *rest = fresh or ["None"]
        page.put(gone[0].line, gone[0].sibling(first))
        page.add_after(gone[0].line, [gone[0].sibling(text) for text in rest])
    else:
        _add_items(page, section, kept, fresh)


def _is_over(item: Bullet, over: set[str]) -> bool:
    m = _FAILED.match(item.text)
    return m is not None and m[1] in over and item.line == item.last


def _add_items(page: Page, section: Section, items: Sequence[Bullet], texts: Sequence[str]) -> None:
    if not texts:
        return
    placeholder = next((n for n in section.own if is_nothing(page.text(n))), None)
    real = [each for each in items if not is_nothing(page.text(each.line))]
    if any(_NUMBERED.match(page.text(n)) for n in section.own) or (real and real[0].indent):
        page.note(section.line, f"no plain list here; not recorded: {'; '.join(texts)}")
        return
    if real:
        lines = [real[0].sibling(text) for text in texts]
        if newest_first([each.text for each in real]):
            page.add_after(real[0].line - 1, reversed(lines))
        else:
            page.add_after(real[-1].last, lines)
        if placeholder is not None:
            page.drop(placeholder)
    elif placeholder is not None:
        page.put(placeholder, f"- {texts[0]}")
        page.add_after(placeholder, [f"- {text}" for text in texts[1:]])
    else:
        filled = [n for n in section.own if page.text(n).strip()]
        last = filled[-1] if filled else section.line
        lines = ["", *(f"- {text}" for text in texts)]
        if last + 1 < len(page) and page.text(last + 1).strip():
            lines.append("")
        page.add_after(last, lines)


def newest_first(texts: Sequence[str]) -> bool:
    """Whether a list has its newest entry on top, by the tags of its first and last entry."""
    keys = [key for text in texts if (key := _order(text)) is not None]
    return len(keys) > 1 and keys[0] > keys[-1]


def _order(text: str) -> tuple[Any, ...] | None:
    m = _TAG_PLAN.match(text) or _TAG_BARE.match(text)
    if m is None:
        return None
    key = token_key(m[1])
    return (key, int(m[2])) if key else None


def _tagged(items: Sequence[Bullet], token: str, word: str, decision: Decision) -> str:
    """The decision behind the tag that the list uses; `[Phase 3]: ` where it uses none."""
    text = _one_line(decision.text)
    number = decision.plan.rpartition("-")[2]
    for each in reversed(items):
        if (m := _TAG_PLAN.match(each.text)) and number:
            return f"[{token}-{number}]{m[3]} {text}"
        if _TAG_BARE.match(each.text) and number:
            return f"{token}-{number}: {text}"
        if m := _TAG_PHASE.match(each.text):
            return f"[{m[1]} {plain_token(token)}]{m[2]} {text}"
    return f"[{word.capitalize()} {plain_token(token)}]: {text}"


def _add_rows(page: Page, table: Table, token: str, fresh: Sequence[Decision], date: str) -> None:
    """One row per decision: the columns that are understood are filled, the others hold a dash."""
    rows = []
    for each in fresh:
        values = []
        for name in table.header:
            column = name.casefold()
            if "decision" in column:
                values.append(_one_line(each.text).replace("|", "\\|"))
            elif column in ("date", "when", "made"):
                values.append(date)
            elif column in ("phase", "stage"):
                values.append(plain_token(token))
            elif column in ("plan", "run", "source"):
                values.append(each.plan or "—")
            else:
                values.append("—")
        rows.append(f"| {' | '.join(values)} |")
    at = table.rows[-1] if table.rows else table.line + 1
    if table.rows and is_nothing(" ".join(cells(page.text(at)))):
        page.drop(at)
    page.add_after(at, rows)


def _holds(page: Page, section: Section, text: str) -> bool:
    wanted = _letters(text)
    held = _letters(" ".join(page.text(n) for n in section.own))
    return not wanted or f" {wanted} " in f" {held} "


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.casefold()).strip()


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
