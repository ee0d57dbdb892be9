"""JSON, TOML and YAML as values: what merging their keys must give.

Used as a check on text that other rules made: whatever they did with lines, the file must mean
what merging key by key means. Lists and scalars are opaque; order of keys means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from merge.languages import (
    DuplicateKeyError,
    language_of,
    loose_yaml_reader,
    read_json,
    read_toml,
    read_yaml,
)

_MISSING = object()
_REQUIREMENT = re.compile(r"[\w.@/-]+(?:\[[\w,. -]*\])?(?:$|\s*[<>=!~^;@])")


def reader_for(path: str, *sides: bytes) -> Callable[[bytes], Any] | None:
    """What reads files of this kind, or None; YAML with a key twice, if a side has it so."""
    readers: dict[str, Callable[[bytes], Any] | None] = {
        "json": read_json,
        "toml": read_toml,
        "yaml": read_yaml,
    }
    read = readers.get(language_of(path))
    if read is read_yaml and any(map(_holds_a_key_twice, sides)):
        return loose_yaml_reader()
    return read


@lru_cache(maxsize=8)
def _holds_a_key_twice(text: bytes) -> bool:
    try:
        if read_yaml:
            read_yaml(text)
    except DuplicateKeyError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


@lru_cache(maxsize=4)
def is_read(path: str, *sides: bytes) -> bool:
    """Whether all of these can be read as values here."""
    read = reader_for(path, *sides)
    try:
        return read is not None and all(read(text) is not None for text in sides)
    except (ValueError, RecursionError):
        return False


def means_the_merge(path: str, base: bytes, ours: bytes, theirs: bytes, result: bytes) -> bool:
    """Whether the result holds every key as three-way merging of values gives it.

    True for files that no reader here knows, or that a side had already broken. Where both sides
    changed a value differently, the result must have one of the two.
    """
    read = reader_for(path, base, ours, theirs)
    if read is None:
        return True
    values = []
    for text in (base, ours, theirs, result):
        try:
            values.append(read(text))
        except (ValueError, RecursionError):
            return text is not result
    return _agrees(*values)


def keeps_apart(path: str, base: bytes, ours: bytes, theirs: bytes, result: bytes) -> bool:
    """Whether both sides changed values, of different keys, and the result holds just these.

    Lists are one value each. False also for what can't be read, and for several documents.
    """
    read = reader_for(path, base, ours, theirs)
    if read is None:
        return False
    try:
        values = [read(text) for text in (base, ours, theirs, result)]
    except (ValueError, RecursionError):
        return False
    if all(isinstance(value, list) and len(value) == 1 for value in values):
        values = [value[0] for value in values]  # YAML, as a list of documents
    if values[0] in values[1:3] or not all(isinstance(value, dict) for value in values):
        return False
    return _apart(*values)


def _apart(base: Any, ours: Any, theirs: Any, result: Any) -> bool:
    if base in (ours, theirs):
        return bool(result == (theirs if ours == base else ours))
    sides = (base, ours, theirs, result)
    if not all(isinstance(side, dict) for side in sides):
        return bool(ours == theirs == result)
    added = [[key for key in side if key not in base] for side in (ours, theirs)]
    if one_thing_twice(*added):
        return False
    keys = {key for side in sides for key in side}
    return all(_apart(*(side.get(key, _MISSING) for side in sides)) for key in keys)


def one_thing_twice(ours: Iterable[str], theirs: Iterable[str]) -> bool:
    """Whether the sides added keys that are likely one thing under two names."""
    names = [
        ["".join(re.findall(r"[^\W_]+", key.lower())) for key in side if key not in other]
        for side, other in ((list(ours), list(theirs)), (list(theirs), list(ours)))
    ]
    return any(a.startswith(b) or b.startswith(a) for a in names[0] for b in names[1])


def _agrees(base: Any, ours: Any, theirs: Any, result: Any) -> bool:
    if theirs in (ours, base):
        return bool(result == ours)
    if ours == base:
        return bool(result == theirs)
    sides = [base if base is not _MISSING else {}, ours, theirs, result]
    if all(isinstance(side, dict) for side in sides):
        keys = {key for side in sides for key in side}
        return all(_agrees(*(side.get(key, _MISSING) for side in sides)) for key in keys)
    if all(isinstance(side, list) and len(side) == len(ours) for side in sides) and all(
        _counts_for_itself(item) for side in sides for item in side
    ):
        return all(_agrees(*parts) for parts in zip(*sides, strict=True))
    return any(result == side for side in (ours, theirs))


def _counts_for_itself(item: Any) -> bool:
    """Whether an item of a list is no part of one value, as those of a range or a command are."""
    if isinstance(item, str):
        return _REQUIREMENT.match(item) is not None
    return isinstance(item, dict | list)
