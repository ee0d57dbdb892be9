"""Front matter as strings, also where it is no valid YAML.

- Strings only: YAML's own typing turns `plan: 010` into 8, `phase: 2.10` into 2.1 and `12:30`
  into 750. What a value means is decided where it is used.
- It begins at byte 0 (after a BOM) with a line `---` and ends at the next such line; a rule
  in the body is not its end, and `a---b` in a value is not either.
- Invalid YAML (1-4 % of real files) still gives its scalar keys and simple lists, read line by
  line, and a problem that names the line. A broken file never raises.
- Read only: the text is never written back.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from worktree_runner.core.yamllines import Unsure, read_simple
from worktree_runner.core.yamltext import load_with_libyaml
from worktree_runner.models import Problem

_OPENING = re.compile(r"---[ \t]*\n")
_CLOSING = re.compile(r"\n---[ \t]*(?=\n|$)")
_COLON = re.compile(r"[ \t]*:")
_KEY = re.compile(r"([A-Za-z_][\w .-]*?)[ \t]*:(?:[ \t]+(.*)|$)")
_ITEM = re.compile(r"[ \t]*-[ \t]+(.*)")


@dataclass(frozen=True, slots=True)
class Document:
    """A Markdown file taken apart. `body` begins at line `body_line` (counted from 1)."""

    front: Mapping[str, Any]
    raw: str
    body: str
    body_line: int
    has_front: bool
    problems: tuple[Problem, ...] = ()
    valid: bool = True
    """False where the front matter is no valid YAML and was read line by line."""

    def line_of(self, key: str) -> int | None:
        """The line of a top-level key, counted from 1 in the whole file."""
        lines, start = f"\n{self.raw}", f"\n{key}"
        at = lines.find(start)
        while at >= 0:
            if _COLON.match(lines, at + len(start)):
                return lines.count("\n", 0, at) + 2
            at = lines.find(start, at + 1)
        return None


def decode(data: bytes) -> tuple[str, str | None]:
    """The text and, if it is not UTF-8, what is wrong with it. Line ends become LF."""
    problem = None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text, problem = data.decode("utf-16", "replace"), "is UTF-16, not UTF-8"
    else:
        data = data.removeprefix(codecs.BOM_UTF8)
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            text, problem = data.decode(errors="replace"), f"is not UTF-8 ({error.reason})"
    if b"\r" in data:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, problem


def parse_document(data: bytes, path: str) -> Document:
    """The file's front matter and body; every problem is a warning with its line."""
    text, wrong = decode(data)
    problems = [Problem(path, None, wrong)] if wrong else []
    opening = _OPENING.match(text)
    closing = _CLOSING.search(text, opening.end() - 1) if opening else None
    if opening is None or closing is None:
        if opening:
            message = "front matter begins but does not end: no second line '---'"
            problems.append(Problem(path, 1, message))
            return _unclosed(text, opening.end(), problems, path)
        return Document({}, "", text, 1, False, tuple(problems))
    raw = text[opening.end() : closing.start() + 1]
    front, valid = _load(raw, path, problems)
    end = closing.end()
    line = text.count("\n", 0, end) + 1
    return Document(front, raw, text[end:], line, True, tuple(problems), valid)


def _unclosed(text: str, start: int, problems: list[Problem], path: str) -> Document:
    """Keys up to the first blank line, heading or tag count as front matter."""
    end = re.compile(r"^(?:\s*$|#|<)", re.MULTILINE).search(text, start)
    stop = end.start() if end else len(text)
    raw = text[start:stop]
    front, valid = _load(raw, path, problems)
    line = text.count("\n", 0, stop) + 1
    return Document(front, raw, text[stop:], line, True, tuple(problems), valid)


def _load(raw: str, path: str, problems: list[Problem]) -> tuple[Mapping[str, Any], bool]:
    """The values, and whether they are what YAML says."""
    try:
        return read_simple(raw), True
    except Unsure:
        pass
    error: str
    line: int | None = None
    try:
        value = load_with_libyaml(raw)
        if isinstance(value, dict):
            _note_doubles(raw, value, path, problems)
            return value, True
        if value is None or value == "":
            return {}, True
        error = "front matter is no list of 'key: value' lines"
    except yaml.YAMLError as failure:
        mark = getattr(failure, "problem_mark", None)
        line = None if mark is None else mark.line + 2
        what = getattr(failure, "problem", None) or str(failure).partition("\n")[0]
        error = f"front matter is no valid YAML ({what}); read line by line"
    problems.append(Problem(path, line, error))
    return read_lines(raw), False


def _note_doubles(raw: str, value: Mapping[str, Any], path: str, problems: list[Problem]) -> None:
    lines = f"\n{raw}"
    for key in value:
        if lines.count(f"\n{key}:") > 1:
            message = f"key '{key}' stands more than once; the last one counts"
            problems.append(Problem(path, None, message))


def read_lines(raw: str) -> Mapping[str, Any]:
    """Scalar keys and lists of scalars, without YAML's rules; nested values are left out."""
    values: dict[str, Any] = {}
    lines = raw.split("\n")
    at = 0
    while at < len(lines):
        found = _KEY.match(lines[at])
        at += 1
        if found is None:
            continue
        key, rest = found[1], (found[2] or "").strip()
        if rest.startswith("["):
            rest, at = _until_closed(rest, lines, at)
            values[key] = split_flow(rest)
        elif rest and rest not in ("|", ">", "|-", ">-"):
            values[key] = scalar(rest)
        else:
            values[key], at = _block(lines, at)
    return values


def _until_closed(rest: str, lines: list[str], at: int) -> tuple[str, int]:
    """A list in brackets that goes on over lines, up to a line that ends with `]`."""
    parts, end = [rest], at
    while not _strip_remark(parts[-1]).endswith("]"):
        if end >= len(lines) or _KEY.match(lines[end]):
            return rest, at
        parts.append(lines[end].strip())
        end += 1
    return " ".join(map(_strip_remark, parts)), end


def _block(lines: list[str], at: int) -> tuple[Any, int]:
    items: list[str] = []
    text: list[str] = []
    while at < len(lines) and not _KEY.match(lines[at]):
        found = _ITEM.match(lines[at])
        if found:
            items.append(scalar(found[1]))
        elif lines[at].strip():
            text.append(lines[at].strip())
        at += 1
    return (items if items else " ".join(text)), at


def _strip_remark(text: str) -> str:
    return re.sub(r"(?:^|\s)#.*$", "", text).rstrip()


def scalar(text: str) -> str:
    """One value without its quotes, and without a remark if it has no quotes."""
    text = text.strip()
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        if end > 0:
            return text[1:end]
    return _strip_remark(text).strip("'\"")


def split_flow(text: str) -> list[str]:
    """The entries of `[a, "b", app/[id]/page.tsx]`; inner brackets belong to the entry."""
    text = _strip_remark(text).strip()
    text = text[1:-1] if text.endswith("]") else text[1:]
    entries, depth, quote, word = [], 0, "", ""
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"" and not word.strip():
            quote = char
        elif char == "," and depth <= 0:
            entries.append(word)
            word = ""
            continue
        else:
            depth += (char in "[{") - (char in "]}")
        word += char
    return [scalar(entry) for entry in (*entries, word) if entry.strip()]
