"""Tasks and sections of a plan's body, by scanning lines.

- Three of four real bodies are no well-formed XML (`a < b`, `&`, JSX), so nothing is parsed as
  XML: a task begins at a line with `<task` and ends at `</task>`, the next task or `</tasks>`.
- What stands in a code fence is text, but an unclosed fence hides nothing.
- Plans without any `<task>` may have `## Task 1: Name` headings instead.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from worktree_runner.core.filelists import files_in_text
from worktree_runner.models import Task

_LONGEST_HEAD = 500
"""Characters in which a task's opening tag has to close."""
_DEEPEST_FENCE = 8
_BULLET = " \t-*+>[]0123456789."
"""What may stand before a task's tag on its line: tasks are written as list items too."""
_TAG = re.compile(r"</?tasks?(?![\w-])")
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_HEADING = re.compile(r"^(#{2,4})[ \t]*Task[ \t]*[0-9][^\n]*$", re.MULTILINE | re.IGNORECASE)
_ANY_HEADING = re.compile(r"^(#{1,4})[ \t]", re.MULTILINE)
_LABEL = re.compile(r"^#+[ \t]*Task[ \t]*[\w.]+[ \t]*[-:.–—)]*[ \t]*", re.IGNORECASE)
_FENCES = {
    "```": re.compile(r"(```+)([^\n]*)"),
    "~~~": re.compile(r"(~~~+)([^\n]*)"),
}
_ALONE = re.compile(r"^[ \t]*<[a-z_]+>[ \t]*$", re.MULTILINE)
_TAG_LINE = re.compile(r"^[ \t]*</?[a-z][\w-]*>", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Body:
    """A plan's body with the places of its marks: (position, mark, inside a fence)."""

    text: str
    first_line: int
    marks: tuple[tuple[int, str, bool], ...]

    def line(self, position: int) -> int:
        return self.first_line + self.text.count("\n", 0, position)


def scan(text: str, first_line: int = 1) -> Body:
    """The body with all task tags found; fences are followed unless they never close."""
    tags = [
        (found.start(), found[0])
        for found in _TAG.finditer(text)
        if text[found.start() + 1] == "/" or _begins_line(text, found.start(), _BULLET)
    ]
    if not tags:
        return Body(text, first_line, ())
    fences = _closed_fences(text, tags[-1][0])
    starts = [start for start, _ in fences]
    marks = []
    for at, tag in tags:
        index = bisect_right(starts, at) - 1
        marks.append((at, tag, index >= 0 and at < fences[index][1]))
    return Body(text, first_line, tuple(marks))


def _begins_line(text: str, at: int, blank: str = " \t") -> bool:
    """Whether nothing but `blank` characters stands before the place on its line."""
    return text[at - 1 : at] == "\n" or not text[text.rfind("\n", 0, at) + 1 : at].strip(blank)


def _fence_lines(text: str, last: int) -> list[tuple[int, int, str, bool]]:
    """Each line that begins with a fence: start, end, the fence, whether it stands alone."""
    lines = [
        (*found.span(), found[1], not found[2].strip())
        for mark, pattern in _FENCES.items()
        if text.find(mark, 0, last) >= 0
        for found in pattern.finditer(text)
        if _begins_line(text, found.start())
    ]
    lines.sort()
    return lines


def _closed_fences(text: str, last: int) -> list[tuple[int, int]]:
    """Start and end of each outermost code fence that closes, in order.

    Fences are taken as nested, though Markdown has no such thing: people put whole documents with
    fences of their own into a fence. One that never closes hides nothing. A kind of fence that
    first appears behind `last` doesn't matter.
    """
    lines = _fence_lines(text, last)
    spans: list[tuple[int, int]] = []
    opened: list[tuple[int, str]] = []
    for start, end, fence, alone in lines:
        closes = _innermost(opened, fence) if alone and opened else None
        if closes is None:
            opened.append((start, fence))
            continue
        first = opened[closes][0]
        del opened[closes:]
        while spans and spans[-1][0] > first:
            spans.pop()
        spans.append((first, end))
    return spans


def _innermost(opened: list[tuple[int, str]], fence: str) -> int | None:
    """The index of the last open fence that this one closes; only the last few are looked at."""
    for at in range(len(opened) - 1, max(-1, len(opened) - 1 - _DEEPEST_FENCE), -1):
        if fence.startswith(opened[at][1]):
            return at
    return None


def parse_tasks(body: Body) -> tuple[Task, ...]:
    """The tasks in order, numbered from 1; nothing is dropped because it looks odd."""
    starts = [at for at, tag, fenced in body.marks if tag == "<task" and not fenced]
    if not starts:  # the whole list may stand in a fence
        starts = [at for at, tag, _ in body.marks if tag == "<task"]
    if not starts:
        return tuple(_heading_tasks(body))
    ends = [at for at, tag, fenced in body.marks if tag[1] == "/" and not fenced]
    tasks = []
    line, counted = body.first_line, 0
    for number, start in enumerate(starts, 1):
        line += body.text.count("\n", counted, start)
        counted = start
        limit = starts[number] if number < len(starts) else len(body.text)
        index = bisect_right(ends, start)
        if index < len(ends):
            limit = min(limit, ends[index])
        tasks.append(_parse_task(body.text, start, limit, number, line))
    return tuple(tasks)


def _parse_task(text: str, start: int, end: int, number: int, line: int) -> Task:
    """The task whose tag stands at `start`; it goes up to `end`."""
    head_most = min(start + _LONGEST_HEAD, end)
    head_end = text.find(">", start, head_most)
    if head_end < 0:
        line_end = text.find("\n", start, head_most)
        head_end = line_end if line_end >= 0 else head_most
    attributes = {
        key: double or single
        for key, double, single in _ATTRIBUTE.findall(text, start + len("<task"), head_end)
    }
    inner = text[head_end + 1 : end]
    name = _field(inner, "name") or attributes.get("name") or _field(inner, "title")
    return Task(
        number=number,
        name=_one_line(name or _first_line(inner) or attributes.get("id", "")),
        type=attributes.get("type") or "auto",
        line=line,
        files=files_in_text(_field(inner, "files") or _field(inner, "file_paths")),
        text=inner,
    )


def action_of(task: Task) -> str:
    """What the task says to do: its `<action>`, else all of it where it has no other fields."""
    return _field(task.text, "action") or _without_fields(task.text)


def verify_of(task: Task) -> str:
    """How the task is checked: its `<verify>`, empty if it has none."""
    return _field(task.text, "verify")


def _field(text: str, tag: str) -> str:
    """The text of the first `<tag>`; an unclosed one ends at the next line that is a tag."""
    start = text.find(f"<{tag}>")
    if start < 0:
        return ""
    start += len(tag) + 2
    end = text.find(f"</{tag}>", start)
    if end < 0:
        found = _TAG_LINE.search(text, start)
        end = found.start() if found else len(text)
    return text[start:end].strip("\n").rstrip()


def _without_fields(text: str) -> str:
    return "" if re.search(r"^[ \t]*<(?:name|what-built|decision)>", text, re.M) else text.strip()


def _first_line(text: str) -> str:
    for line in text.splitlines():
        plain = line.strip()
        if plain and not plain.startswith("<"):
            return plain
    return ""


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]


def _heading_tasks(body: Body) -> Iterator[Task]:
    for number, found in enumerate(_HEADING.finditer(body.text), 1):
        end = len(body.text)
        for heading in _ANY_HEADING.finditer(body.text, found.end()):
            if len(heading[1]) <= len(found[1]):
                end = heading.start()
                break
        text = body.text[found.end() : end].strip("\n")
        yield Task(
            number=number,
            name=_one_line(_LABEL.sub("", found[0])) or f"Task {number}",
            type="auto",
            line=body.line(found.start()),
            text=text,
        )


def section(text: str, tag: str) -> str:
    """The text of the first `<tag>` at the start of a line; empty if there is none."""
    start = text.find(f"<{tag}>")
    while start >= 0 and not _begins_line(text, start):
        start = text.find(f"<{tag}>", start + 1)
    if start < 0:
        return ""
    start += len(tag) + 2
    end = text.find(f"</{tag}>", start)
    if end < 0:
        follow = _ALONE.search(text, start)
        end = follow.start() if follow else len(text)
    return text[start:end].strip()


def heading_section(text: str, names: str) -> str:
    """The text below the first heading whose words match `names` (a regular expression)."""
    found = re.search(rf"^(#{{1,4}})[ \t]*(?:{names})\b[^\n]*$", text, re.M | re.I)
    if found is None:
        return ""
    end = len(text)
    for heading in _ANY_HEADING.finditer(text, found.end()):
        if len(heading[1]) <= len(found[1]):
            end = heading.start()
            break
    return text[found.end() : end].strip()
