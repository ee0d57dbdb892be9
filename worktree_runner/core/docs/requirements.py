"""The requirements (REQUIREMENTS, specs), written: boxes and the traceability table.

Only ids that the caller names, and of these only rows of this phase. A row for a range of ids is
set only if the whole range is met. Nothing that says complete, blocked or dropped is changed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from worktree_runner.core.docs.markdown import Table, cells, put_in_table, tables
from worktree_runner.core.docs.page import Edited, Page
from worktree_runner.core.docs.refs import (
    cell_token,
    phases_in,
    requirement_ids,
    same_phase,
)
from worktree_runner.dialects.schema import Dialect

_BOX = re.compile(r"^(?P<lead>\s*[-*+]\s+\[)(?P<mark>[ xX])(?P<rest>\]\s+(?P<text>.*))$")
_OPEN = re.compile(
    r"^\W*(?:pending|in progress|not started|planned|open|to ?do|active|tbd|mapped|partial|"
    r"(?:code |partially )?implemented|unverified)?\W*$",
    re.I,
)
_DONE = re.compile(r"complete|\bdone\b|validated|satisfied|verified|shipped|✅|✓", re.I)
_EMPTY = re.compile(r"^(?:-+|—|–|tbd|n/a|pending)?$", re.I)


def update_requirements(
    text: bytes,
    ids: Sequence[str],
    evidence: Mapping[str, str],
    dialect: Dialect,
    *,
    token: str = "",
    path: str | None = None,
) -> Edited:
    """The requirements with these ids ticked and their rows set to complete.

    `evidence` goes to the table's own column for it, or else behind the status; `token` is the
    phase: a row that names only other phases is left and reported.
    """
    page = Page(text, path or f"{dialect.root}/{dialect.files.requirements[0]}")
    if not page.readable:
        page.note(None, "not written: the file is not UTF-8 text")
        return page.edited()
    writer = _Writer(page, ids, evidence, dialect, token)
    writer.run()
    return page.edited()


class _Writer:
    def __init__(
        self,
        page: Page,
        ids: Sequence[str],
        evidence: Mapping[str, str],
        dialect: Dialect,
        token: str,
    ) -> None:
        self.page = page
        self.ids = {each.upper() for each in ids}
        self.evidence = {key.upper(): text for key, text in evidence.items()}
        self.dialect = dialect
        self.token = token
        self.seen: set[str] = set()

    def run(self) -> None:
        for line in self.page.open_lines():
            self._box(line)
        for table in tables(self.page, list(self.page.open_lines())):
            status = table.column(r"^status\b|^state\b")
            first = table.header[0].casefold() if table.header else ""
            if status and re.match(r"req|id\b|#$|spec", first):
                for row in table.rows:
                    self._row(table, row, status)
        for missing in sorted(self.ids - self.seen):
            self.page.note(None, f"{missing} is not listed here")

    def _box(self, line: int) -> None:
        m = _BOX.match(self.page.text(line))
        if m is None:
            return
        head = re.match(r"^[*_`\[]*([A-Z][A-Z0-9-]*-\d+[a-z]?)(?![\w-])", m["text"])
        if head is None or head[1].upper() not in self.ids:
            return
        self.seen.add(head[1].upper())
        if m["mark"] == " ":
            self.page.put(line, f"{m['lead']}x{m['rest']}")

    def _row(self, table: Table, row: int, status: int) -> None:
        values = cells(self.page.text(row))
        named = set(requirement_ids(values[0])) if values else set()
        mine = {each for each in named if each.upper() in self.ids}
        if not mine:
            return
        self.seen |= mine
        if len(values) != len(table.header):
            self.page.note(row, "the row has not as many cells as its table; not edited")
        elif mine != named:
            self.page.note(row, f"'{values[0]}' is not met as a whole; not edited")
        elif self._foreign(table, values):
            self.page.note(row, f"{values[0]} belongs to another {self.dialect.words.phase}; left")
        elif _OPEN.match(values[status]):
            self._complete(table, row, status, sorted(mine))
        elif not _DONE.search(values[status]):
            self.page.note(row, f"status '{values[status]}' is not known; left as it is")

    def _foreign(self, table: Table, values: Sequence[str]) -> bool:
        column = table.column(rf"^{self.dialect.words.phase}s?\b|^phases?\b|^stages?\b")
        if column is None or not self.token:
            return False
        text = values[column]
        tokens = phases_in(text) or [t for t in [cell_token(text)] if t]
        listed = re.findall(r"(?<=[,&/+] )\d+[A-Za-z]?(?:\.\d+)*", text)
        return bool(tokens) and not any(same_phase(t, self.token) for t in [*tokens, *listed])

    def _complete(self, table: Table, row: int, status: int, ids: Sequence[str]) -> None:
        proof = "; ".join(t for each in ids if (t := self._proof(each)))
        word = self._word(table, status)
        column = table.column(r"^evidence\b|^proof\b|^verified by\b")
        if proof and column is None:
            word = f"{word} ({proof})"
        put_in_table(self.page, table, row, status, word)
        if proof and column is not None and _EMPTY.match(cells(self.page.text(row))[column]):
            put_in_table(self.page, table, row, column, proof)

    def _proof(self, each: str) -> str:
        text = re.sub(r"\s+", " ", self.evidence.get(each.upper(), "")).strip()
        return re.sub(r"(?<!\\)\|", r"\\|", text)

    def _word(self, table: Table, status: int) -> str:
        """The word for it in this table: `Complete`, `Completed`, `✅ Complete`."""
        rows = (cells(self.page.lines[row]) for row in table.rows)
        used = [row[status] for row in rows if len(row) > status]
        short = Counter(word for word in used if len(word) < 16 and _DONE.search(word))
        return short.most_common(1)[0][0] if short else "Complete"
