"""Front matter: read with string scalars only, written one scalar line at a time.

- Values are strings, lists and mappings of strings: `08` stays `08`, a date stays a text.
- Invalid YAML gives what a line reader finds: top-level scalars, simple lists, one nested level.
- A write changes the value on its own line and keeps its quotes; nothing is ever re-serialised.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from worktree_runner.core.docs.page import Page

_PAIR = re.compile(r"^(\s*)([A-Za-z_][\w.-]*)(\s*:)(\s+|$)(.*?)(\s*)$")
_ITEM = re.compile(r"^(\s*)-\s+(.*?)\s*$")
_COMMENT = re.compile(r"\s+#.*$")
_UNSAFE = re.compile(r"^[\s>|&*!%@`'\"{}\[\],?#-]|: |:$| #|^$|^(?:true|false|null|~|yes|no)$", re.I)

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True, slots=True)
class Front:
    """The values of a front matter; `error` names the line where the YAML breaks."""

    values: dict[str, Any] = field(default_factory=dict)
    present: bool = False
    error: str | None = None
    error_line: int | None = None


def read_front(page: Page) -> Front:
    if not page.front:
        return Front()
    lines = [page.lines[n] for n in page.front]
    text = "\n".join(lines).encode("utf-8", "replace").decode()
    try:
        value = yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = page.front.start + mark.line if mark is not None else None
        problem = getattr(error, "problem", None) or str(error)
        return Front(_by_lines(lines), True, str(problem), line)
    if isinstance(value, dict):
        return Front({str(key): each for key, each in value.items()}, True)
    return Front(_by_lines(lines), True, "the front matter is no mapping", page.front.start)


def _by_lines(lines: list[str]) -> dict[str, Any]:
    """What can be read without YAML: two levels of keys, with scalars and lists of scalars."""
    values: dict[str, Any] = {}
    top = sub = ""
    for line in lines:
        pair, item = _PAIR.match(line), _ITEM.match(line)
        if item and top:
            _append(values, top, sub, unquote(item[2]))
        elif pair and not pair[1]:
            top, sub = pair[2], ""
            values[top] = _inline(pair[5])
        elif pair and top:
            if not isinstance(values[top], dict):
                if values[top] not in ("", []):
                    continue
                values[top] = {}
            sub = pair[2]
            values[top][sub] = _inline(pair[5])
    return values


def _append(values: dict[str, Any], top: str, sub: str, text: str) -> None:
    holder: Any = values[top] if sub and isinstance(values[top], dict) else values
    key = sub if holder is not values else top
    if holder.get(key) in ("", None):
        holder[key] = []
    if isinstance(holder.get(key), list):
        holder[key].append(text)


def _inline(text: str) -> Any:
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        return [unquote(part.strip()) for part in text[1:-1].split(",") if part.strip()]
    return unquote(text)


def unquote(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text


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
