"""What front-matter strings mean: numbers, switches, lists. Pure, and never an exception."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_INT = re.compile(r"\s*(?:wave|batch)?\s*([0-9]{1,6})", re.IGNORECASE)
_REQUIREMENT = re.compile(r"(?<![\w-])[A-Z][A-Z0-9]*(?:-[A-Z][A-Z0-9]*)*-[0-9]+[a-z]?(?![\w])")
_NO = {"false", "no", "off", "0"}
_YES = {"true", "yes", "on", "1"}
_NOTHING = {"", "none", "null", "~", "[]", "-", "n/a", "na", "nothing"}


def fold_keys(front: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same with `Files-Modified` as `files_modified`; the first spelling of a key wins."""
    folded: dict[str, Any] = {}
    for key, value in front.items():
        folded.setdefault(key.strip().lower().replace("-", "_").replace(" ", "_"), value)
    return folded


def pick(front: Mapping[str, Any], keys: Iterable[str]) -> Any:
    """The value of the first of these keys that is there, or None."""
    return next((front[key] for key in keys if key in front), None)


def text(value: Any) -> str:
    """A scalar as one line; empty for lists, mappings and nothing."""
    if not isinstance(value, str) or value.strip().lower() in ("null", "~"):
        return ""
    return " ".join(value.split())


def leading_int(value: Any) -> int | None:
    """The number that a value begins with (`2`, `"2"`, `2 (after 1)`, `wave 2`), or None."""
    found = _INT.match(value) if isinstance(value, str) else None
    return int(found[1]) if found else None


def is_nothing(value: Any) -> bool:
    """Whether the value says that there is nothing."""
    return (
        value is None
        or value in ([], {})
        or (isinstance(value, str) and value.strip().lower() in _NOTHING)
    )


def switch(value: Any, default: bool) -> bool | None:
    """True or False; the default for nothing, None for what is neither."""
    if is_nothing(value):
        return default
    word = value.strip().lower() if isinstance(value, str) else ""
    return True if word in _YES else False if word in _NO else None


def strings(value: Any, keys: Iterable[str] = ("id", "plan", "path", "name")) -> tuple[str, ...]:
    """A list of strings out of a list, one string with commas, or mappings with such a key."""
    if is_nothing(value):
        return ()
    if isinstance(value, str):
        inner = value.strip()
        if inner.startswith("[") and inner.endswith("]"):
            inner = inner[1:-1]
        return tuple(part for part in map(_bare, re.split(r"[,;\n]", inner)) if part)
    if isinstance(value, Mapping):
        named = [value[key] for key in keys if isinstance(value.get(key), str)]
        return tuple(map(_bare, named or map(str, value)))
    found: list[str] = []
    for item in value[:500]:
        if isinstance(item, str):
            found += [_bare(item)] if not is_nothing(item) else []
        elif isinstance(item, list):
            found += [_bare(part) for part in item if isinstance(part, str)]
        elif isinstance(item, Mapping):
            found += strings(item, keys)
    return tuple(part for part in found if part)


def _bare(value: str) -> str:
    return value.strip().strip("'\"`").strip()


def requirement_ids(value: Any) -> tuple[str, ...]:
    """Only what looks like `AUTH-01`: the field also holds prose, `TBD` and ranges."""
    found: dict[str, None] = {}
    for part in strings(value):
        found.update(dict.fromkeys(_REQUIREMENT.findall(part)))
    return tuple(found)
