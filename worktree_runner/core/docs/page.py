"""One document as lines that can be edited without touching any other byte.

Line numbers are those of the original (from 0) for as long as the page lives, so an edit never
moves the ground under the next one; `edited` puts everything together at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from worktree_runner.models import Problem

_LINE = re.compile(r"([^\n]*?)(\r*\n|\Z)")
_FENCE = re.compile(r"^ {0,3}(?:[-*+] +)?(`{3,}|~{3,})")
_DETAILS = re.compile(r"<details\b[^>]*>|</details\s*>", re.IGNORECASE)
_CURRENT = re.compile(r"🚧|in progress|current|active", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Edited:
    """A document after a write, and what could not be placed."""

    text: bytes
    notes: tuple[Problem, ...] = ()
    changed: bool = False


class Page:
    """The lines of a document, where its parts lie, and the edits made so far."""

    def __init__(self, data: bytes, path: str) -> None:
        self.data = data
        self.path = path
        self.notes: list[Problem] = []
        self._put: dict[int, str] = {}
        self._added: dict[int, list[str]] = {}
        self._dropped: set[int] = set()
        text = data.decode("utf-8", "surrogateescape")
        self.bom = "\ufeff" if text.startswith("\ufeff") else ""
        pieces = [(m[1], m[2]) for m in _LINE.finditer(text[len(self.bom) :]) if m[0]]
        self.lines: tuple[str, ...] = tuple(line for line, _ in pieces)
        self._ends = [end for _, end in pieces]
        self.newline = next((end for end in self._ends if end), "\n")
        self.front = _front_range(self.lines)
        self.body = self.front.stop + 1 if self.front else 0
        self.quoted = _quoted(self.lines, self.body)
        self.archived = _archived(self.lines, self.quoted)

    @property
    def readable(self) -> bool:
        """False for UTF-16 and other encodings in which no line can be recognised."""
        return not (b"\0" in self.data or self.data[:2] in (b"\xff\xfe", b"\xfe\xff"))

    def __len__(self) -> int:
        return len(self.lines)

    def text(self, line: int) -> str:
        """The line as it stands after the edits so far."""
        return self._put.get(line, self.lines[line])

    def open_lines(self, *, archived: bool = False) -> Iterator[int]:
        """Body lines outside of code and comments, and outside of archived milestones."""
        for line in range(self.body, len(self.lines)):
            if line not in self.quoted and (archived or line not in self.archived):
                yield line

    def put(self, line: int, text: str) -> None:
        """Replaces one line; its ending stays."""
        if text == self.lines[line]:
            self._put.pop(line, None)
        else:
            self._put[line] = text

    def add_after(self, line: int, texts: Iterable[str]) -> None:
        """Adds lines below `line` (-1: at the very top), below those added there before."""
        self._added.setdefault(line, []).extend(texts)

    def drop(self, line: int) -> None:
        self._dropped.add(line)

    def note(self, line: int | None, message: str) -> None:
        problem = Problem(self.path, None if line is None else line + 1, message)
        if problem not in self.notes:
            self.notes.append(problem)

    def edited(self) -> Edited:
        """The document with all edits; the original object's bytes where nothing changed."""
        if not (self._put or self._added or self._dropped):
            return Edited(self.data, tuple(self.notes))
        out: list[tuple[str, str]] = [(text, self.newline) for text in self._added.get(-1, ())]
        for line, end in enumerate(self._ends):
            if line not in self._dropped:
                out.append((self.text(line), end))
            out.extend((text, self.newline) for text in self._added.get(line, ()))
        if out and self._ends and not self._ends[-1]:
            out = [(text, end or self.newline) for text, end in out[:-1]] + [(out[-1][0], "")]
        joined = self.bom + "".join(text + end for text, end in out)
        data = joined.encode("utf-8", "surrogateescape")
        return Edited(data, tuple(self.notes), changed=data != self.data)


def _front_range(lines: tuple[str, ...]) -> range:
    """The lines between the two `---`; empty where the document has no front matter."""
    if not lines or lines[0].rstrip() != "---":
        return range(0)
    for number in range(1, len(lines)):
        if lines[number].rstrip() == "---":
            return range(1, number)
    return range(0)


def _quoted(lines: tuple[str, ...], start: int) -> frozenset[int]:
    """Lines in fenced code or HTML comments; an unclosed fence or comment quotes nothing."""
    quoted: set[int] = set()
    line = start
    while line < len(lines):
        fence = _FENCE.match(lines[line])
        if fence:
            mark = fence[1]
            closing = re.compile(rf"^ *{re.escape(mark[0])}{{{len(mark)},}}\s*$")
            end = next((n for n in range(line + 1, len(lines)) if closing.match(lines[n])), None)
        elif "<!--" in lines[line] and "-->" not in lines[line].rpartition("<!--")[2]:
            end = next((n for n in range(line + 1, len(lines)) if "-->" in lines[n]), None)
        else:
            end = None
        if end is not None:
            quoted.update(range(line, end + 1))
            line = end
        line += 1
    return frozenset(quoted)


def _archived(lines: tuple[str, ...], quoted: frozenset[int]) -> frozenset[int]:
    """Lines in `<details>`, where finished milestones are folded away; one that says it is the
    current milestone is not archived."""
    archived: set[int] = set()
    depth = 0
    current = False
    for number, line in enumerate(lines):
        if number in quoted:
            continue
        before = depth
        for mark in _DETAILS.finditer(line):
            depth = max(0, depth - 1) if mark[0].startswith("</") else depth + 1
            if depth == 1 and not mark[0].startswith("</"):
                head = " ".join(lines[number : number + 2]).partition("</summary>")[0]
                current = bool(_CURRENT.search(head))
        if (depth or before) and not current:
            archived.add(number)
    return frozenset(archived)
