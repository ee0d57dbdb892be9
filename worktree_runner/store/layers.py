"""The sources of settings: each gives raw values by dotted key with their origin.

Nothing is judged here but what is no table at all; `worktree_runner.store.config` checks values.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from worktree_runner.dialects.schema import Dialect
from worktree_runner.errors import UsageError
from worktree_runner.models import Problem
from worktree_runner.store.settings import fields

Read = Callable[[Sequence[str]], Mapping[str, bytes]]


class Layer(StrEnum):
    """Where a value may come from, the strongest first."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    PROJECT = "project"
    PYPROJECT = "pyproject"
    DIALECT = "dialect"
    USER = "user"
    DETECTED = "detected"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one value came from: the layer, the file or variable, and the key in it."""

    layer: Layer
    source: str = ""
    key: str = ""

    def __str__(self) -> str:
        if self.layer is Layer.DEFAULT:
            return "default"
        return f"{self.source} {self.key}".strip()

    @property
    def from_repository(self) -> bool:
        """Whether whoever can push to the repository can set it, so that commands need trust."""
        return self.layer in (Layer.PROJECT, Layer.PYPROJECT, Layer.DIALECT)


@dataclass(frozen=True, slots=True)
class Found:
    """One raw value; a wrong one is an error if it is `strict`, else a warning."""

    value: Any
    origin: Origin
    path: str
    strict: bool


def disk(root: Path) -> Read:
    def read(paths: Sequence[str]) -> Mapping[str, bytes]:
        found = {}
        for path in paths:
            try:
                found[path] = (root / path).read_bytes()
            except OSError:
                continue
        return found

    return read


def from_flags(flags: Mapping[str, Any]) -> Mapping[str, Found]:
    """The values of a command's own options; a key that no setting has is an error of wtrun."""
    unknown = sorted(set(flags) - set(fields()))
    if unknown:
        raise KeyError(f"no setting has the key of this flag: {', '.join(unknown)}")
    return {
        key: Found(value, Origin(Layer.FLAG, f"--{key.rpartition('.')[2].replace('_', '-')}"),
                    "", True)
        for key, value in flags.items() if value is not None
    }  # fmt: skip


def variable(key: str) -> str:
    """The environment variable of a setting."""
    return "WTRUN_" + key.replace(".", "_").upper()


def from_environment(env: Mapping[str, str], problems: list[Problem]) -> Mapping[str, Found]:
    names = {variable(key): key for key in fields()}
    found = {}
    for name, value in env.items():
        if name in names:
            parsed = _json_table(value)
            found[names[name]] = Found(parsed, Origin(Layer.ENVIRONMENT, name), "", True)
        elif name.startswith("WTRUN_"):
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.88)
            if near:
                text = f"unknown environment variable {name}; meant is perhaps {near[0]}"
                problems.append(Problem("environment", None, text))
    return found


def _json_table(value: str) -> Any:
    """A table in an environment variable is written as JSON."""
    if value.lstrip().startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def from_toml(
    read: Read, path: str, layer: Layer, inside: Iterable[str], problems: list[Problem]
) -> Mapping[str, Found]:
    data = read([path]).get(path)
    if data is None:
        return {}
    return _toml(data, path, layer, tuple(inside), problems)


def _toml(
    data: bytes, path: str, layer: Layer, inside: tuple[str, ...], problems: list[Problem]
) -> Mapping[str, Found]:
    try:
        table: Any = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        if inside:  # another tool's file; it complains itself
            problems.append(Problem(path, None, f"is no valid TOML: {error}"))
            return {}
        raise UsageError(f"{path}: is no valid TOML: {error}") from error
    for name in inside:
        table = table.get(name, {}) if isinstance(table, dict) else {}
    if not isinstance(table, dict):
        raise UsageError(f"{path}: [{'.'.join(inside)}] must be a table")
    section = ".".join(inside)
    found: dict[str, Found] = {}
    for key, value, known in _flatten(table, ""):
        shown = f"{section}.{key}".strip(".")
        if known:
            found[key] = Found(value, Origin(layer, path, shown), path, True)
        else:
            near = _nearest(key)
            text = f"unknown setting '{shown}'" + (f"; meant is perhaps '{near}'" if near else "")
            problems.append(Problem(path, None, text))
    return found


def _flatten(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any, bool]]:
    """Dotted keys with their values, and whether there is such a setting."""
    known = fields()
    for name, value in table.items():
        key = prefix + name.replace("-", "_")
        inner = isinstance(value, dict) and any(other.startswith(f"{key}.") for other in known)
        if key in known or not inner:
            yield key, value, key in known
        else:
            yield from _flatten(value, f"{key}.")


def _nearest(key: str) -> str | None:
    """The most similar setting, also one whose last word is the same (`command` of the gate)."""
    names = list(fields())
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.6)
    near += [name for name in names if name.rpartition(".")[2] == key.rpartition(".")[2]]
    return near[0] if near else None


def from_git(dialect: Dialect | None, planning_ignored: bool) -> Mapping[str, Found]:
    if not planning_ignored or dialect is None:
        return {}
    origin = Origin(Layer.DETECTED, f"git ignores {dialect.root}")
    return {"commit_docs": Found(False, origin, "", True)}


def from_dialect(
    read: Read, dialect: Dialect | None, problems: list[Problem]
) -> Mapping[str, Found]:
    """The dialect's config.json, read by the paths that the dialect file gives for settings."""
    if dialect is None:
        return {}
    path = f"{dialect.root}/{dialect.files.config}"
    data = read([path]).get(path)
    if data is None:
        return {}
    try:
        config = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        problems.append(Problem(path, None, f"is no valid JSON ({error}); not used"))
        return {}
    if not isinstance(config, dict):
        problems.append(Problem(path, None, "holds no JSON object; not used"))
        return {}
    found = {}
    for setting, places in dialect.config.keys.items():
        hit = _first_place(config, places)
        if hit is None:
            continue
        place, value = hit
        text = str(value).lower() if isinstance(value, bool) else str(value)
        value = dialect.config.values.get(setting, {}).get(text, value)
        found[setting] = Found(value, Origin(Layer.DIALECT, path, place), path, False)
    return found


def _first_place(config: Mapping[str, Any], places: Iterable[str]) -> tuple[str, Any] | None:
    """The first place that holds something; `a & b` are switches that must all be on."""
    for place in places:
        hits = [(part, _at(config, part)) for part in place.split(" & ")]
        there = [(part, value) for part, value in hits if value is not None]
        if not there:
            continue
        off = [(part, value) for part, value in there if value is False]
        return off[0] if len(hits) > 1 and off else there[0]
    return None


def _at(config: Mapping[str, Any], place: str) -> Any:
    value: Any = config
    for name in place.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return None if isinstance(value, dict) else value


def from_user(path: Path | None, problems: list[Problem]) -> Mapping[str, Found]:
    if path is None:
        return {}
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        problems.append(Problem(str(path), None, f"can't be read: {error.strerror}"))
        return {}
    return _toml(data, str(path), Layer.USER, (), problems)
