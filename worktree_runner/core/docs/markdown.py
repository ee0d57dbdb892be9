"""Headings, sections, `Field: value` lines, lists and tables of a page.

Only as much Markdown as the planning documents use, found line by line. A label may be plain
(`Status: x`), bold with the colon inside (`**Status:** x`) or outside (`**Status**: x`), and
may stand behind a bullet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from worktree_runner.core.docs.page import Page

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_FIELD = re.compile(
    r"^(?P<lead>\s*(?:[-*+]\s+)?)"
    r"(?:(?P<open>\*\*|__)(?P<bold>[^*_:\n][^*:\n]*?)(?P<close>:(?:\*\*|__)|(?:\*\*|__)\s*:)"
    r"|(?P<plain>[A-Za-z][A-Za-z0-9 /()_.-]*?):)"
    r"(?P<gap>[ \t]*)(?P<value>.*?)(?P<tail>[ \t]*)$"
)
_BULLET = re.compile(r"^(\s*)([-*+])(\s+)(?!\[[ xX]\]\s)(.*)$")
_CELL_BREAK = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what belongs to it: `own` up to the next heading of any level, `whole` up
    to the next heading of the same or a higher level."""

    line: int
    level: int
    title: str
    own: range
    whole: range
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One `Label: value` line."""

    line: int
    name: str
    value: str
    before: str
    gap: str
    tail: str
    lead: str
    bold: str
    """`""`, `inside` or `outside`: where the colon stands."""

    def with_value(self, value: str) -> str:
        return f"{self.before}{self.gap or ' '}{value}{self.tail}".rstrip("\r")

    def sibling(self, name: str, value: str) -> str:
        """A line for another field in the form of this one."""
        label = {"": f"{name}:", "inside": f"**{name}:**", "outside": f"**{name}**:"}[self.bold]
        return f"{self.lead}{label} {value}{self.tail}"


@dataclass(frozen=True, slots=True)
class Table:
    """A pipe table: `header` holds the trimmed column names, `rows` the lines below the rule."""

    line: int
    header: tuple[str, ...]
    rows: tuple[int, ...]

    def column(self, pattern: str) -> int | None:
        """The first column whose name matches."""
        return next((i for i, h in enumerate(self.header) if re.search(pattern, h, re.I)), None)


def sections(page: Page) -> tuple[Section, ...]:
    heads = [
        (line, len(m[1]), m[2])
        for line in page.open_lines(archived=True)
        if (m := _HEADING.match(page.lines[line]))
    ]
    found: list[Section] = []
    trail: list[tuple[int, str]] = []
    for index, (line, level, title) in enumerate(heads):
        later = heads[index + 1 :]
        own_end = later[0][0] if later else len(page)
        whole_end = next((n for n, deep, _ in later if deep <= level), len(page))
        trail = [(deep, name) for deep, name in trail if deep < level]
        parents = tuple(name for _, name in trail)
        trail.append((level, title))
        own, whole = range(line + 1, own_end), range(line + 1, whole_end)
        found.append(Section(line, level, title, own, whole, parents))
    return tuple(found)


def fields(page: Page, lines: Iterable[int]) -> Iterator[Field]:
    """All labelled lines among `lines`, as they stand after the edits so far."""
    for line in lines:
        if line in page.quoted:
            continue
        found = read_field(line, page.text(line))
        if found is not None:
            yield found


def read_field(line: int, text: str) -> Field | None:
    m = _FIELD.match(text)
    if m is None:
        return None
    name = (m["bold"] or m["plain"]).strip()
    close = m["close"] or ""
    bold = "" if not m["open"] else "inside" if close.startswith(":") else "outside"
    before = text[: m.start("gap")]
    return Field(line, name, m["value"], before, m["gap"], m["tail"], m["lead"], bold)


def field(page: Page, lines: Iterable[int], *names: str) -> Field | None:
    """The first field of one of these names, in the order of the names."""
    known = list(fields(page, lines))
    for name in names:
        for found in known:
            if found.name.casefold() == name.casefold():
                return found
    return None


@dataclass(frozen=True, slots=True)
class Bullet:
    """A list item with its continuation lines."""

    line: int
    last: int
    indent: str
    mark: str
    text: str

    def sibling(self, text: str) -> str:
        return f"{self.indent}{self.mark} {text}"


def bullets(page: Page, lines: Sequence[int]) -> tuple[Bullet, ...]:
    """Top-level list items of a section, each with the deeper or lazy lines that belong to it."""
    found: list[Bullet] = []
    for line in lines:
        if line in page.quoted:
            continue
        text = page.text(line)
        m = _BULLET.match(text)
        if m and (not found or len(m[1]) <= len(found[0].indent)):
            found.append(Bullet(line, line, m[1], m[2], m[4]))
        elif found and text.strip() and found[-1].last == line - 1:
            item = found[-1]
            found[-1] = Bullet(item.line, line, item.indent, item.mark, item.text)
    return tuple(found)


def tables(page: Page, lines: Sequence[int]) -> tuple[Table, ...]:
    wanted = [n for n in lines if n not in page.quoted]
    found: list[Table] = []
    index = 0
    while index + 1 < len(wanted):
        head, rule = wanted[index], wanted[index + 1]
        if rule == head + 1 and "|" in page.lines[head] and _is_rule(page.lines[rule]):
            rows: list[int] = []
            index += 2
            while index < len(wanted) and wanted[index] == rule + 1 + len(rows):
                if "|" not in page.lines[wanted[index]] or not page.lines[wanted[index]].strip():
                    break
                rows.append(wanted[index])
                index += 1
            header = tuple(cell.strip(" *_") for cell in cells(page.lines[head]))
            found.append(Table(head, header, tuple(rows)))
        else:
            index += 1
    return tuple(found)


def _is_rule(text: str) -> bool:
    return "-" in text and "|" in text and bool(_RULE.match(text))


def cells(text: str) -> list[str]:
    """The trimmed cells of a table row."""
    return [part.strip() for part in _parts(text)[1]]


def put_cell(text: str, column: int, value: str, *, keep_width: bool = False) -> str:
    """The row with one cell replaced; with `keep_width` a shorter value is filled up."""
    first, parts, last = _parts(text)
    old = parts[column]
    if old.strip() == value:
        return text
    lead = old[: len(old) - len(old.lstrip())] if old.strip() else " "
    trail = " " if old[-1:] == " " or not old.strip() else ""
    cell = f"{lead or ' '}{value}{trail}"
    parts[column] = cell.ljust(len(old)) if keep_width else cell
    return first + "|".join(parts) + last


def put_in_table(page: Page, table: Table, row: int, column: int, value: str) -> None:
    """Replaces one cell; its width stays where row or cell are drawn as wide as the header's."""
    old, head = page.lines[row], page.lines[table.line]
    cell, over = (_parts(text)[1][column : column + 1] for text in (old, head))
    straight = len(old.rstrip()) == len(head.rstrip()) or list(map(len, cell)) == [*map(len, over)]
    page.put(row, put_cell(page.text(row), column, value, keep_width=straight))


def _parts(text: str) -> tuple[str, list[str], str]:
    """What stands before the first cell, the raw cells, what stands after the last."""
    body = text.rstrip()
    after = text[len(body) :]
    lead = len(body) - len(body.lstrip())
    before, body = body[:lead], body[lead:]
    if body.startswith("|"):
        before, body = before + "|", body[1:]
    if body.endswith("|") and not body.endswith("\\|"):
        body, after = body[:-1], "|" + after
    return before, _CELL_BREAK.split(body), after
