"""Settings out of flags, environment and files, each with where it came from.

- Order: flags, `WTRUN_*`, `.wtrun.toml`, `[tool.wtrun]` of pyproject.toml, the dialect's own
  config.json (read only), the user's file, defaults. The first that has a value wins.
- A wrong value in something that was written for wtrun is an error, and all of them are told at
  once. A wrong value in config.json, which belongs to another tool, is reported with file, key,
  value and what was expected, and the next layer counts.
- An unknown key is a warning with the nearest known one; nothing is dropped in silence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from worktree_runner.dialects.schema import Dialect
from worktree_runner.errors import UsageError
from worktree_runner.models import Problem, Severity
from worktree_runner.store.layers import (
    Found,
    Layer,
    Origin,
    Read,
    disk,
    from_dialect,
    from_environment,
    from_flags,
    from_git,
    from_toml,
    from_user,
    variable,
)
from worktree_runner.store.settings import Settings, fields, value_of

__all__ = [
    "COMMAND_KEYS", "Layer", "Loaded", "Origin", "Supplied", "check_profile",
    "choose_model", "load_settings", "to_json", "user_file", "variable",
]  # fmt: skip

FILE = ".wtrun.toml"
PYPROJECT = "pyproject.toml"
_EXPECTED = {
    "float_type": "a number or a duration such as '90s' or '1h30m'",
    "float_parsing": "a number or a duration such as '90s' or '1h30m'",
    "tuple_type": "text or a list of texts",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text",
    "mapping_type": "a table",
    "dict_type": "a table",
    "extra_forbidden": "only keys that are known",
    "missing": "a value",
}


COMMAND_KEYS = (
    "agents", "allow_commands", "extra_args", "gate.command", "permissions", "sandbox",
    "worktrees.setup",
)  # fmt: skip
"""Settings by which a repository decides what is started, or what an agent may do unasked."""


@dataclass(frozen=True, slots=True)
class Supplied:
    """A value of a repository's own file, as plain JSON, and where it stands."""

    value: Any
    origin: Origin


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, each one's origin by its dotted key, and what was odd on the way."""

    settings: Settings
    origins: Mapping[str, Origin]
    problems: tuple[Problem, ...]
    supplied: Mapping[str, Supplied] = field(default_factory=dict)
    """What the repository's own files say about `COMMAND_KEYS`, also where a flag overrides it."""


def load_settings(
    root: Path | Read,
    dialect: Dialect | None,
    *,
    flags: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    user_file: Path | None = None,
    planning_ignored: bool = False,
) -> Loaded:
    """The settings of one command. Raises UsageError that names every wrong value.

    `root` is the repository on disk, or a function that reads repository paths (of the run's
    base commit). Flags that are None are not set. `planning_ignored` says that git ignores the
    planning directory: then nothing there is committed unless wtrun's own settings say so.
    """
    read = root if callable(root) else disk(root)
    problems: list[Problem] = []
    layers = [
        from_flags(flags or {}),
        from_environment(env or {}, problems),
        from_toml(read, FILE, Layer.PROJECT, (), problems),
        from_toml(read, PYPROJECT, Layer.PYPROJECT, ("tool", "wtrun"), problems),
        from_git(dialect, planning_ignored),
        from_dialect(read, dialect, problems),
        from_user(user_file, problems),
    ]
    chosen: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    wrong: list[str] = []
    for key in fields():
        origins[key] = Origin(Layer.DEFAULT)
        for layer in layers:
            found = layer.get(key)
            if found is None:
                continue
            value, expected = check(key, found.value)
            if expected is None:
                chosen[key], origins[key] = value, found.origin
                break
            text = f"{found.origin}: {_shown(found.value)} is not allowed; expected {expected}"
            if found.strict:
                wrong.append(text)
                break
            problems.append(
                Problem(found.path, None, f"{found.origin.key}: {_shown(found.value)} is not "
                        f"allowed, expected {expected}; not used")
            )  # fmt: skip
    if wrong:
        lines = "\n  ".join(wrong)
        raise UsageError(f"settings that can't be used:\n  {lines}", hint="see 'wtrun config'")
    return Loaded(build(chosen), origins, tuple(problems), _supplied(layers))


def _supplied(layers: Iterable[Mapping[str, Found]]) -> dict[str, Supplied]:
    """The strongest value of the repository's own files for each command key, defaults left out."""
    found: dict[str, Supplied] = {}
    for key in COMMAND_KEYS:
        hits = (layer[key] for layer in layers if key in layer)
        hit = next((hit for hit in hits if hit.origin.from_repository), None)
        if hit is None:
            continue
        value, expected = check(key, hit.value)
        if expected is None and value != value_of(Settings(), key):
            plain = _adapter(key).dump_python(value, mode="json", exclude_unset=True)
            found[key] = Supplied(plain, hit.origin)
    return found


def build(values: Mapping[str, Any]) -> Settings:
    """Settings out of checked values by dotted key; the rest are defaults."""
    tables: dict[str, Any] = {}
    for key, value in values.items():
        table, _, name = key.rpartition(".")
        place = tables.setdefault(table, {}) if table else tables
        place[name] = value
    return Settings.model_validate(tables)


@cache
def _adapter(key: str) -> TypeAdapter[Any]:
    model: Any = Settings
    *tables, name = key.split(".")
    for table in tables:
        model = model.model_fields[table].annotation
    field = model.model_fields["copy_files" if name == "copy" else name]
    return TypeAdapter(field.rebuild_annotation())


def check(key: str, value: Any) -> tuple[Any, str | None]:
    """The value as the setting holds it, or what was expected instead."""
    adapter = _adapter(key)
    try:
        return adapter.validate_python(value), None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if not str(part).startswith("float"))
        text = _EXPECTED.get(first["type"]) or first["msg"]
        text = text.replace("Input should be ", "")
        return None, f"{text} at '{place}'" if place else text


def _shown(value: Any) -> str:
    text = json.dumps(to_jsonable_python(value, fallback=str), ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def user_file(env: Mapping[str, str]) -> Path | None:
    """The user's settings: `$XDG_CONFIG_HOME/wtrun/config.toml`, else below `~/.config`."""
    base = env.get("XDG_CONFIG_HOME") or (f"{env['HOME']}/.config" if env.get("HOME") else "")
    return Path(base) / "wtrun" / "config.toml" if base else None


def choose_model(settings: Settings, dialect: Dialect, role: str, agent: str) -> str | None:
    """The model for a role: `model`, the role's own, or the profile's, as the agent calls it."""
    profile = dialect.profile(settings.model_profile)
    base = "executor" if role in ("executor", "continuation", "conflict") else role
    own = settings.role_models
    name = settings.model or own.get(role) or own.get(base) or profile.get(base)  # type: ignore[call-overload]
    if not name or name == "inherit":
        return None
    return settings.models.get(agent, {}).get(name, name)


def check_profile(loaded: Loaded, dialect: Dialect) -> Problem | None:
    """A warning if the chosen profile is none of the dialect's; then the default one counts."""
    name = loaded.settings.model_profile
    if dialect.profile_name(name) is not None:
        return None
    origin = loaded.origins["model_profile"]
    known = ", ".join(dialect.profiles)
    return Problem(
        str(origin), None, f"profile '{name}' is unknown, expected {known}; "
        f"'{dialect.default_profile}' is used", Severity.WARNING,
    )  # fmt: skip


def to_json(loaded: Loaded) -> Mapping[str, Any]:
    """Every setting with value and origin, for `wtrun config --json`."""
    return {
        key: {
            "value": to_jsonable_python(value_of(loaded.settings, key)),
            "origin": {
                "layer": loaded.origins[key].layer.value,
                "source": loaded.origins[key].source or None,
                "key": loaded.origins[key].key or None,
            },
        }
        for key in fields()
    }
