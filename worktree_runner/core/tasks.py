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

_MARK = re.compile(r"^[ \t]*(?:(`{3,}|~{3,})([^\n]*)$|(</?tasks?\b))|(</tasks?>)", re.MULTILINE)
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_HEADING = re.compile(r"^(#{2,4})[ \t]*Task[ \t]*[0-9][^\n]*$", re.MULTILINE | re.IGNORECASE)
_ANY_HEADING = re.compile(r"^(#{1,4})[ \t]", re.MULTILINE)
_LABEL = re.compile(r"^#+[ \t]*Task[ \t]*[\w.]+[ \t]*[-:.–—)]*[ \t]*", re.IGNORECASE)
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
    marks: list[tuple[int, str, bool]] = []
    found = list(_MARK.finditer(text))
    bare = [i for i, mark in enumerate(found) if mark[1] and not mark[2].strip()]
    until = -1
    hopeless: dict[str, int] = {}
    for index, mark in enumerate(found):
        if mark[1]:
            if index > until:
                until = max(until, _closing(found, bare, index, hopeless))
            continue
        marks.append((mark.start(), (mark[3] or mark[4]).rstrip(">"), index < until))
    return Body(text, first_line, tuple(marks))


def _closing(
    found: list[re.Match[str]], bare: list[int], index: int, hopeless: dict[str, int]
) -> int:
    """The index of the mark that closes the fence at `index`, or -1."""
    fence = found[index][1]
    if len(fence) >= hopeless.get(fence[0], len(fence) + 1):
        return -1
    for candidate in bare[bisect_right(bare, index) :]:
        if found[candidate][1].startswith(fence):
            return candidate
    hopeless[fence[0]] = len(fence)
    return -1


def parse_tasks(body: Body) -> tuple[Task, ...]:
    """The tasks in order, numbered from 1; nothing is dropped because it looks odd."""
    starts = [at for at, tag, fenced in body.marks if tag == "<task" and not fenced]
    if not starts:  # the whole list may stand in a fence
        starts = [at for at, tag, _ in body.marks if tag == "<task"]
    if not starts:
        return tuple(_heading_tasks(body))
    tasks = []
    for number, start in enumerate(starts, 1):
        limit = starts[number] if number < len(starts) else len(body.text)
        tasks.append(_parse_task(body, number, start, limit))
    return tuple(tasks)


def _parse_task(body: Body, number: int, start: int, limit: int) -> Task:
    first = bisect_right(body.marks, (start, "~", True))
    for at, tag, fenced in body.marks[first:]:
        if at >= limit:
            break
        if not fenced and tag in ("</task", "</tasks"):
            limit = at
            break
    text = body.text[start:limit]
    head_end = text.find(">")
    if head_end < 0 or head_end > 500:
        head_end = text.find("\n") if "\n" in text else len(text)
    attributes = {found[1]: found[2] or found[3] or "" for found in _ATTRIBUTE.finditer(
        text, text.index("<"), head_end
    )}  # fmt: skip
    inner = text[head_end + 1 :]
    name = _field(inner, "name") or attributes.get("name", "") or _field(inner, "title")
    return Task(
        number=number,
        name=_one_line(name or attributes.get("id", "") or _first_line(inner)),
        type=attributes.get("type", "") or "auto",
        line=body.line(start + len(text) - len(text.lstrip())),
        files=files_in_text(_field(inner, "files") or _field(inner, "file_paths")),
        action=_field(inner, "action") or _without_fields(inner),
        verify=_field(inner, "verify"),
        done=_field(inner, "done"),
    )


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
            action=text,
        )


def section(text: str, tag: str) -> str:
    """The text of `<tag>` at the start of a line, outside of tasks or not; empty if none."""
    found = re.search(rf"^[ \t]*<{tag}>", text, re.MULTILINE)
    if found is None:
        return ""
    end = text.find(f"</{tag}>", found.end())
    if end < 0:
        follow = re.compile(r"^[ \t]*<[a-z_]+>[ \t]*$", re.MULTILINE).search(text, found.end())
        end = follow.start() if follow else len(text)
    return text[found.end() : end].strip()


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
