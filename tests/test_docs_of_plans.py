"""The documents of dialects and settings say what is really there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from worktree_runner.dialects.schema import Dialect
from worktree_runner.operations.settings import as_toml
from worktree_runner.store.settings import Settings, fields, value_of

DOCS = Path(__file__).parents[1] / "docs"


def blocks(name: str) -> list[str]:
    return re.findall(r"```toml\n(.*?)```", (DOCS / name).read_text(), re.DOTALL)


def test_every_setting_stands_in_the_documents_with_default_and_text() -> None:
    text = (DOCS / "configuration.md").read_text()
    missing = [
        key
        for key, about in fields().items()
        if f"| `{key.rpartition('.')[2]}` | `{as_toml(value_of(Settings(), key))}` | {about} |"
        not in text
    ]
    assert missing == []


def test_the_example_of_settings_is_valid() -> None:
    (example,) = blocks("configuration.md")
    assert Settings.model_validate(tomllib.loads(example)).limits.timeout == 5400


def test_the_example_of_a_dialect_is_valid_and_names_every_table() -> None:
    (example,) = blocks("dialects.md")
    table = tomllib.loads(example)
    assert Dialect.model_validate(table).name == "mine"
    tables = {"name", "title", "root", "paste", "words", "files", "keys", "branches", "commits"}
    assert tables | {"commands", "agents", "detection", "profiles", "config"} == set(table)
