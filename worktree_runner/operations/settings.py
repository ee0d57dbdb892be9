"""`wtrun config`: the settings around a folder as a table or JSON, and their JSON Schema."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worktree_runner.core.texts import clean_line
from worktree_runner.dialects import Dialect
from worktree_runner.errors import PreconditionError, UsageError
from worktree_runner.git.gateway import Git
from worktree_runner.models import Problem
from worktree_runner.operations.context.inventory import open_desk, project_root
from worktree_runner.store import locate
from worktree_runner.store.config import (
    Layer,
    Loaded,
    check_profile,
    load_settings,
    to_json,
    user_file,
)
from worktree_runner.store.settings import Settings, fields, value_of

SCHEMA_ID = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class Shown:
    """The settings that were asked for."""

    loaded: Loaded
    keys: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def values(self) -> Mapping[str, Any]:
        every = to_json(self.loaded)
        return {key: every[key] for key in self.keys}


def show_settings(
    folder: Path, keys: Iterable[str] = (), *, dialect: str | None = None, changed: bool = False
) -> Shown:
    """The settings that a run in `folder` would use; raises for a key that is none."""
    loaded, found = read_settings(folder, dialect)
    chosen = _chosen(tuple(keys))
    if changed:
        chosen = tuple(key for key in chosen if loaded.origins[key].layer is not Layer.DEFAULT)
    note = check_profile(loaded, found) if found else None
    return Shown(loaded, chosen, (*loaded.problems, *([note] if note else [])))


def read_settings(folder: Path, dialect: str | None) -> tuple[Loaded, Dialect | None]:
    """The settings around a folder; without a planning directory the dialect is None."""
    try:
        desk = open_desk(folder, dialect)
    except PreconditionError:
        root, found = project_root(folder), None
    else:
        root, found = desk.root, desk.dialect
    loaded = load_settings(
        root,
        found,
        flags={"dialect": dialect},
        env=os.environ,
        user_file=user_file(os.environ),
        planning_ignored=found is not None and _is_ignored(root, found.root),
    )
    return loaded, found


def _is_ignored(root: Path, directory: str) -> bool:
    """Whether git ignores the directory; nothing is ignored outside of a repository."""
    if locate.find(root) is None:
        return False
    return Git(root).ok("check-ignore", "--quiet", f"{directory}/x")


def _chosen(keys: tuple[str, ...]) -> tuple[str, ...]:
    known = tuple(fields())
    if not keys:
        return known
    chosen: dict[str, None] = {}
    for key in keys:
        plain = key.strip().replace("-", "_")
        found = [name for name in known if name == plain or name.startswith(f"{plain}.")]
        if not found:
            raise UsageError(f"there is no setting '{key}'", hint="wtrun config --explain")
        chosen.update(dict.fromkeys(found))
    return tuple(chosen)


def render_settings(shown: Shown, *, origin: bool = False, explain: bool = False) -> str:
    """One line for each setting, as it would stand in `.wtrun.toml`."""
    if not shown.keys:
        return "every setting is at its default"
    texts = {key: clean_line(as_toml(value_of(shown.loaded.settings, key))) for key in shown.keys}
    width = max(len(key) for key in shown.keys)
    room = min(40, max(len(text) for text in texts.values()))
    lines = []
    for key, text in texts.items():
        line = f"{key:<{width}} = {text:<{room}}" if origin else f"{key:<{width}} = {text}"
        if origin:
            line += f"  # {clean_line(str(shown.loaded.origins[key]))}"
        if explain:
            lines += textwrap.wrap(fields()[key], 92, initial_indent="# ", subsequent_indent="# ")
        lines.append(line.rstrip())
    return "\n".join(lines)


def as_toml(value: Any) -> str:
    """A value as one writes it in TOML; what is not set is shown as `unset`."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        inner = ", ".join(
            f"{json.dumps(str(key))} = {as_toml(part)}" for key, part in value.items()
        )
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, (list, tuple)):
        if len(value) == 3 and value[:2] == ("sh", "-c"):
            return json.dumps(value[2], ensure_ascii=False)
        return f"[{', '.join(map(as_toml, value))}]"
    return as_toml(value.model_dump())


def schema_text() -> str:
    """The JSON Schema of `.wtrun.toml`, as it is shipped."""
    schema = Settings.model_json_schema(by_alias=True)
    head = {"$schema": SCHEMA_ID, "title": "wtrun", "description": "Settings of wtrun"}
    schema = {**head, **{key: part for key, part in schema.items() if key not in head}}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
