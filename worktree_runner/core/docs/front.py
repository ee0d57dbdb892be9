"""Front matter of the planning documents: read as texts, written one scalar line at a time.

Reading is `worktree_runner.core.frontmatter`, with one level of nesting where the YAML is broken.
A write changes the value on its own line and keeps its quotes; nothing is re-serialised.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

from worktree_runner.core.docs.page import Page
from worktree_runner.core.frontmatter import parse_document, read_lines

_PAIR = re.compile(r"^(\s*)([A-Za-z_][\w.-]*)(\s*:)(\s+|$)(.*?)(\s*)$")
_NESTED = re.compile(
    r"^(?P<key>[A-Za-z_][\w.-]*)[ \t]*:[ \t]*\n(?P<block>(?:[ \t]+[\w.-]+[ \t]*:.*\n?"
    r"(?:[ \t]+.*\n?|[ \t]*\n)*)+)",
    re.MULTILINE,
)
_COMMENT = re.compile(r"\s+#.*$")
_UNSAFE = re.compile(r"^[\s>|&*!%@`'\"{}\[\],?#-]|: |:$| #|^$|^(?:true|false|null|~|yes|no)$", re.I)


@dataclass(frozen=True, slots=True)
class Front:
    """The values of a front matter; `error` says why it is no valid YAML, if it is not."""

    values: Mapping[str, Any] = field(default_factory=dict)
    present: bool = False
    error: str | None = None
    error_line: int | None = None
    """From 0, as a page counts."""


def read_front(page: Page) -> Front:
    document = parse_document(page.data, page.path)
    if not document.has_front or not page.front:
        return Front()
    if document.valid:
        return Front(document.front, True)
    broken = next((p for p in document.problems if "YAML" in p.message), None)
    message = broken.message if broken else "front matter is no valid YAML"
    line = None if broken is None or broken.line is None else broken.line - 1
    return Front({**document.front, **_nested(document.raw)}, True, message, line)


def _nested(raw: str) -> dict[str, Any]:
    """The mappings one level down, read line by line as the top level is."""
    return {m["key"]: read_lines(dedent(m["block"])) for m in _NESTED.finditer(raw)}


def put_scalar(page: Page, key: str, value: str, *, under: str = "") -> bool:
    """Writes one scalar that is already there; False if the front matter has no such line.

    `under` names the mapping that the key is indented below.
    """
    inside = not under
    for number in page.front:
        m = _PAIR.match(page.text(number))
        if m is None:
            continue
        if under and not m[1]:
            inside = m[2] == under
        elif inside and m[2] == key and bool(m[1]) == bool(under):
            old, comment = _split_comment(m[5])
            if old[:1] in ("|", ">", "[", "{", "&", "*") or (not old and _has_block(page, number)):
                page.note(number, f"'{key}' holds more than one value; it is left as it is")
                return True
            head = f"{m[1]}{m[2]}{m[3]}{m[4] or ' '}"
            page.put(number, f"{head}{_quoted_like(value, old)}{comment}{m[6]}")
            return True
    return False


def _split_comment(text: str) -> tuple[str, str]:
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        if end != -1 and text[end + 1 :].lstrip().startswith("#"):
            return text[: end + 1], text[end + 1 :]
        return text, ""
    m = _COMMENT.search(text)
    return (text[: m.start()], m[0]) if m else (text, "")


def _has_block(page: Page, number: int) -> bool:
    if number + 1 not in page.front:
        return False
    following = page.lines[number + 1]
    return bool(following[:1] in (" ", "-") and following.strip())


def plain_scalar(value: str) -> str:
    """The text as a YAML scalar on one line, quoted only where it has to be."""
    return _quoted_like(" ".join(value.split()), "")


def _quoted_like(value: str, old: str) -> str:
    """The value in the quotes of the old one; in double quotes where plain YAML would break."""
    if old[:1] == "'":
        return "'" + value.replace("'", "''") + "'"
    if old[:1] == '"' or _UNSAFE.search(value):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return value


def texts(value: Any) -> tuple[str, ...]:
    """A list of strings from whatever stands there: a list, a comma list, one word, a mapping."""
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        stripped = value.strip()
        if stripped.lower() in ("none", "null", "~", "[]", "n/a", "-"):
            return ()
        return (stripped,)
    if isinstance(value, dict):
        return tuple(text for text in (_one_line(k, v) for k, v in value.items()) if text)
    if isinstance(value, list):
        return tuple(text for each in value for text in _flat(each))
    return (str(value),)


def _flat(value: Any) -> tuple[str, ...]:
    if isinstance(value, dict):
        for key in ("decision", "path", "file", "text", "id", "summary", "title", "description"):
            if isinstance(value.get(key), str):
                return (value[key].strip(),)
        return (", ".join(text for text in (_one_line(k, v) for k, v in value.items()) if text),)
    return texts(value)


def _one_line(key: str, value: Any) -> str:
    inner = ", ".join(texts(value))
    return f"{key}: {inner}" if inner else str(key)
