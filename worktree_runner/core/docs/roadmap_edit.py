"""The road map (ROADMAP, track), written: boxes of plans, counts, the progress table, the phase.

- Only in the current milestone's part. Two places that fit equally well are reported, not
  chosen between.
- Boxes are only ever ticked. What already says complete is never set back.
- The phase's own box, status and date are written only when the facts say it is complete.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

from worktree_runner.core.docs.facts import RoadmapFacts
from worktree_runner.core.docs.markdown import (
    Section,
    Table,
    cells,
    field,
    fields,
    put_in_table,
    tables,
)
from worktree_runner.core.docs.page import Edited, Page
from worktree_runner.core.docs.refs import (
    bare_number,
    cell_token,
    phase_heading,
    plain_token,
    plan_number,
    same_phase,
)
from worktree_runner.core.docs.roadmap import Box, phase_boxes, phase_sections
from worktree_runner.dialects.schema import Dialect

_BOX = re.compile(
    r"^(?P<lead>\s*(?:[-*+]|\d+[.)])\s+\[)(?P<mark>[ xX])(?P<rest>\]\s+(?P<text>.*))$"
)
_COUNT = re.compile(r"^(?P<done>\d+)\s*/\s*(?P<total>\d+|TBD|\?)(?P<rest>.*)$", re.I)
_TOTAL = re.compile(r"^(?:\d+|TBD|\?)(?:\s+(?P<word>[a-z]+))?(?P<rest>.*)$", re.I)
_STATED = re.compile(r"^ (?P<word>plans?|runs?) (?P<verb>executed|complete[d]?)(?P<rest>.*)$", re.I)
_DATE = r"\d{4}-\d\d-\d\d"
_DATED = re.compile(
    rf"(?P<form>(?P<before>\s*(?:—|–|--|-)\s*|\s*[_*]*\()(?P<verb>completed?:?) )"
    rf"{_DATE}(?P<after>\)?[_*]*)",
    re.I,
)
_DONE_WORD = re.compile(r"complete|shipped|\bdone\b|validated|verified", re.I)
_OPEN_STATUS = re.compile(
    r"^\W*(?:not started(?:\b.*)?|"
    r"todo|to do|open|pending|planned|planning|in planning|ready(?: to \w+)?|"
    r"in progress|executing|executed|active|current|gaps found|tbd|verifying|upcoming)?\W*$",
    re.I,
)
_Place = TypeVar("_Place", Section, Box)
_EMPTY = re.compile(r"^(?:-+|—|–|tbd|n/a|\?)?$", re.I)


def update_roadmap(
    text: bytes, facts: RoadmapFacts, dialect: Dialect, *, path: str | None = None
) -> Edited:
    """The road map after the run; every line that isn't about this phase is untouched."""
    page = Page(text, path or f"{dialect.root}/{dialect.files.roadmap[0]}")
    if not page.readable:
        page.note(None, "not written: the file is not UTF-8 text")
        return page.edited()
    writer = _Writer(page, facts, dialect)
    writer.run()
    return page.edited()


class _Writer:
    def __init__(self, page: Page, facts: RoadmapFacts, dialect: Dialect) -> None:
        self.page = page
        self.facts = facts
        self.dialect = dialect
        self.title = f"{dialect.words.phase.capitalize()} {plain_token(facts.token)}"
        self.done = {bare_number(number) for number in facts.done}

    def run(self) -> None:
        section = self._section()
        box = self._box()
        if section is not None:
            self._plan_boxes(section)
            self._count(section)
        elif self.done:
            self._loose_plan_boxes()
        placed = self._rows()
        if self.facts.phase_complete:
            placed = self._complete(section, box) or placed
        if section is None and box is None and not placed:
            self.page.note(None, f"{self.title} is not in the current milestone's part")
        elif self.facts.phase_complete and not placed:
            where = section.line if section else None
            self.page.note(where, f"no check-box, status or table row of {self.title} to complete")

    # --- where the phase is

    def _section(self) -> Section | None:
        found = [s for t, s in phase_sections(self.page, self.dialect) if self._mine(t)]
        if len(found) > 1:
            deepest = [s for s in found if self._has_plans(s)]
            found = deepest if len(deepest) == 1 else found
        return self._only(found, "headings")

    def _has_plans(self, section: Section) -> bool:
        word = self.dialect.words.plans
        return field(self.page, section.own, word) is not None

    def _box(self) -> Box | None:
        return self._only(
            [b for b in phase_boxes(self.page, self.dialect) if self._mine(b.token)], "check-boxes"
        )

    def _only(self, found: Sequence[_Place], what: str) -> _Place | None:
        if len(found) > 1:
            lines = ", ".join(str(each.line + 1) for each in found)
            self.page.note(
                found[1].line, f"{self.title} has {len(found)} {what} (lines {lines}); not edited"
            )
            return None
        return found[0] if found else None

    def _mine(self, token: str) -> bool:
        return same_phase(token, self.facts.token)

    # --- plans

    def _plan_boxes(self, section: Section) -> None:
        seen = self._tick(n for n in section.whole if n not in self.page.archived)
        missing = sorted(self.done - seen)
        if seen and missing:
            names = ", ".join(number.zfill(2) for number in missing)
            words = self.dialect.words
            word = words.plan if len(missing) == 1 else words.plans
            self.page.note(section.line, f"no line for {word} {names} of {self.title}")

    def _loose_plan_boxes(self) -> None:
        """Plans that stand outside of a phase's section: only by their full id."""
        self._tick(self.page.open_lines(), full_id=True)

    def _tick(self, lines: Iterable[int], *, full_id: bool = False) -> set[str]:
        seen = set()
        for line in lines:
            m = None if line in self.page.quoted else _BOX.match(self.page.text(line))
            number = plan_number(m["text"], self.facts.token) if m else None
            if m is None or number is None:
                continue
            if full_id and re.match(
                r"[\s*_`\[]*(?:plan|run)\s+\d+[a-z]?(?![-.\d])", m["text"], re.I
            ):
                continue
            seen.add(number)
            if number in self.done and m["mark"] == " ":
                self.page.put(line, f"{m['lead']}x{m['rest']}")
        return seen

    def _count(self, section: Section) -> None:
        """`**Plans**: 3 plans` becomes `2/3 plans executed`; other texts keep their tail."""
        word = self.dialect.words.plans
        found = next(
            (f for f in fields(self.page, section.own) if f.name.casefold() == word and f.value),
            None,
        )
        if found is None:
            return
        value = count_value(found.value, self.facts, word)
        if value is None:
            self.page.note(found.line, f"'{found.name}' holds no count; left as it is")
        else:
            self.page.put(found.line, found.with_value(value))

    # --- progress table

    def _rows(self) -> bool:
        """Writes the phase's row in every progress table; whether there is one."""
        placed = False
        for table in tables(self.page, list(self.page.open_lines())):
            if not _is_progress(table):
                continue
            found = [row for row in table.rows if self._is_my_row(row)]
            if len(found) > 1 and self.facts.milestone:
                mine = [r for r in found if self.facts.milestone in cells(self.page.text(r))]
                found = mine or found
            if len(found) > 1:
                lines = ", ".join(str(row + 1) for row in found)
                message = f"{self.title} has several rows (lines {lines}); not edited"
                self.page.note(found[1], message)
            elif found and len(cells(self.page.text(found[0]))) != len(table.header):
                self.page.note(found[0], "the row has not as many cells as its table; not edited")
            elif found:
                self._put_row(table, found[0])
                placed = True
        return placed

    def _is_my_row(self, row: int) -> bool:
        token = cell_token(cells(self.page.text(row))[0])
        return token is not None and self._mine(token)

    def _put_row(self, table: Table, row: int) -> None:
        facts = self.facts
        plans = table.column(rf"^{self.dialect.words.plans}\b|plans|runs")
        if plans is not None:
            old = cells(self.page.text(row))[plans]
            if re.match(r"^\d+\s*/\s*(\d+|\?|TBD)$|^\d*$", old, re.I) or _EMPTY.match(old):
                put_in_table(
                    self.page, table, row, plans, f"{facts.plans_done}/{facts.plans_total}"
                )
            else:
                self.page.note(row, f"'{old}' is no count of {self.dialect.words.plans}; left")
        status = table.column(r"^status|^state$")
        if status is not None:
            self._put_status(table, row, status)
        dated = table.column(r"^(?:completed?|date|done|finished)\b")
        if facts.phase_complete and dated is not None and dated != status:
            old = cells(self.page.text(row))[dated]
            if _EMPTY.match(old):
                put_in_table(self.page, table, row, dated, facts.date)
            elif not re.search(_DATE, old):
                self.page.note(row, f"'{old}' is no date; left as it is")

    def _put_status(self, table: Table, row: int, column: int) -> None:
        facts = self.facts
        old = cells(self.page.text(row))[column]
        if _DONE_WORD.search(old) and not _OPEN_STATUS.match(old):
            if not facts.phase_complete and facts.plans_done < facts.plans_total:
                self.page.note(row, f"'{old}' stays, though {self._open_text()}")
            return
        if not _OPEN_STATUS.match(old):
            self.page.note(row, f"status '{old}' is not known; left as it is")
            return
        if facts.phase_complete:
            put_in_table(self.page, table, row, column, self._complete_word(table, column))
        elif facts.plans_done:
            put_in_table(self.page, table, row, column, self._progress_word(table, column))

    def _open_text(self) -> str:
        open_plans = self.facts.plans_total - self.facts.plans_done
        words = self.dialect.words
        return f"{open_plans} {words.plan if open_plans == 1 else words.plans} of {self.title} open"

    def _statuses(self, table: Table, column: int) -> list[str]:
        rows = (cells(self.page.lines[row]) for row in table.rows)
        return [row[column] for row in rows if len(row) > column]

    def _complete_word(self, table: Table, column: int) -> str:
        """The word that the table has for it: `Complete`, `✅ Complete`, `Completed`."""
        short = [s for s in self._statuses(table, column) if len(s) < 16 and _DONE_WORD.search(s)]
        common = Counter(short).most_common(1)
        return common[0][0] if common else "Complete"

    def _progress_word(self, table: Table, column: int) -> str:
        used = [s for s in self._statuses(table, column) if re.match(r"^\W*in progress$", s, re.I)]
        return used[0] if used else "In Progress"

    # --- the phase itself

    def _complete(self, section: Section | None, box: Box | None) -> bool:
        placed = False
        if box is not None:
            self._tick_phase(box)
            placed = True
        if section is not None:
            placed = self._complete_fields(section) or placed
            placed = self._mark_heading(section) or placed
        return placed

    def _tick_phase(self, box: Box) -> None:
        text = self.page.text(box.line)
        m = _BOX.match(text)
        if m is None or box.checked:
            return
        text = f"{m['lead']}x{m['rest']}"
        if not re.search(rf"complete[d:]* {_DATE}", text, re.I):
            text = text.rstrip() + self._date_form() + text[len(text.rstrip()) :]
        self.page.put(box.line, text)

    def _date_form(self) -> str:
        """The date behind a finished phase in the form that its neighbours have; nothing where
        finished neighbours have none."""
        every = phase_boxes(self.page, self.dialect, archived=True)
        here = {b.line for b in phase_boxes(self.page, self.dialect)}
        for boxes in (
            [b for b in every if b.line in here and b.checked],
            [b for b in every if b.checked],
        ):
            forms = [m for b in boxes if (m := _DATED.search(self.page.lines[b.line]))]
            if forms:
                form = forms[-1]
                before = re.sub(r"^\s*", " ", form["before"])
                return f"{before}{form['verb']} {self.facts.date}{form['after']}"
            if boxes:
                return ""
        return f" (completed {self.facts.date})"

    def _complete_fields(self, section: Section) -> bool:
        placed = False
        status = field(self.page, section.own, "status")
        if status is not None:
            if _OPEN_STATUS.match(status.value):
                self.page.put(status.line, status.with_value("Complete"))
                placed = True
            elif _DONE_WORD.search(status.value):
                placed = True
            else:
                self.page.note(status.line, f"status '{status.value[:40]}' is not known; left")
        completed = field(self.page, section.own, "completed", "completed on")
        if completed is not None and _EMPTY.match(completed.value):
            self.page.put(completed.line, completed.with_value(self.facts.date))
            placed = True
        return placed

    def _mark_heading(self, section: Section) -> bool:
        """A mark on the heading where most finished neighbours have the same one."""
        if re.search(r"[✅✓✔☑]|\bCOMPLETED?\b", section.title):
            return True
        marks: Counter[tuple[str, str]] = Counter()
        words = (self.dialect.words.phase,)
        for _, each in phase_sections(self.page, self.dialect):
            if m := re.search(r"( (?:[✅✓✔☑]\ufe0f?|[-—–]+ COMPLETED?))\s*$", each.title):
                marks["", m[1]] += 1
            elif m := re.match(r"([✅✓✔☑]\ufe0f? +)", each.title):
                marks[m[1], ""] += 1
        if not marks:
            return False
        (before, after), _ = marks.most_common(1)[0]
        text = self.page.text(section.line)
        named = phase_heading(words).match(section.title)
        if named is None or (before and named["before"].strip()):
            return False
        start = text.index(section.title)
        end = start + len(section.title)
        self.page.put(section.line, f"{text[:start]}{before}{section.title}{after}{text[end:]}")
        return True


def count_value(old: str, facts: RoadmapFacts, word: str) -> str | None:
    """The new text of a plan count, in the old one's form; None if it holds no count."""
    done, total = facts.plans_done, facts.plans_total
    verb = "complete" if facts.phase_complete else "executed"
    if m := _COUNT.match(old):
        stated = _STATED.match(m["rest"])
        rest = f" {stated['word']} {verb}{stated['rest']}" if stated else m["rest"]
        return f"{done}/{total}{rest}"
    m = _TOTAL.match(old)
    known = m is not None and (m["word"] or "").lower() in ("", word, word.rstrip("s"))
    if m is None or not known or (not m["word"] and m["rest"]):
        return None
    rest = re.sub(r"^ \((?:complete|all done|superseded)\)$", "", m["rest"])
    return f"{done}/{total} {word} {verb}{rest}"


def counted_plans(data: bytes, token: str, dialect: Dialect) -> tuple[int, int] | None:
    """What the progress table says of a phase: plans done and all; None if it says no numbers."""
    page = Page(data, "")
    for table in tables(page, list(page.open_lines())):
        column = table.column(rf"^{dialect.words.plans}\b|plans|runs")
        if column is None or not _is_progress(table):
            continue
        for row in (cells(page.lines[number]) for number in table.rows):
            found = cell_token(row[0])
            m = _COUNT.match(row[column]) if len(row) == len(table.header) else None
            if found and same_phase(found, token) and m and m["total"].isdigit():
                return int(m["done"]), int(m["total"])
    return None


def _is_progress(table: Table) -> bool:
    """A table of phases with a status, and not one of requirements that names phases."""
    first = table.header[0].casefold() if table.header else ""
    return first in ("phase", "stage", "#", "phases", "stages") and (
        table.column(r"^status|^state$") is not None or table.column("plans|runs") is not None
    )
