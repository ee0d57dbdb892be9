"""Which files a worktree is given, and which set-ups must not run side by side."""

from __future__ import annotations

import json

import pytest

from worktree_runner.core.provision import (
    Selection,
    met_another,
    read_patterns,
    select,
    select_inside,
    shares,
)

ENTRIES = (".env", ".env.local", "app/.env", "node_modules/", "secrets/", "dist/")


def test_an_include_file_has_the_form_of_a_gitignore() -> None:
    text = "\ufeff# comment\r\n\r\n.env*\r\n!.env.example\nconfig/*.json\n\n"
    assert read_patterns(text) == (".env*", "!.env.example", "config/*.json")


def test_an_unanchored_pattern_means_the_projects_own_files_at_any_depth() -> None:
    assert select(ENTRIES, [".env*"]) == Selection((".env", ".env.local", "app/.env"), ())


def test_a_wholly_ignored_folder_is_not_searched_for_an_unanchored_pattern() -> None:
    assert select(["node_modules/"], [".env", "*.json"]) == Selection((), ())


def test_a_folder_is_taken_whole_or_looked_into_if_a_pattern_names_it() -> None:
    assert select(ENTRIES, ["node_modules/"]) == Selection(("node_modules/",), ())
    assert select(ENTRIES, ["secrets/dev/*.pem"]) == Selection((), ("secrets/",))
    assert select(ENTRIES, ["/secrets/**"]) == Selection(("secrets/",), ())


def test_a_later_negation_takes_back() -> None:
    assert select(ENTRIES, [".env*", "!.env.local"]).whole == (".env", "app/.env")
    inside = ["secrets/dev/a.pem", "secrets/dev/b.pem", "secrets/prod/a.pem", "secrets/.env"]
    patterns = ["secrets/dev/*.pem", ".env", "!secrets/dev/b.pem"]
    assert select_inside(inside, patterns) == ("secrets/dev/a.pem",)


@pytest.mark.parametrize(
    "command",
    [
        ("sh", "-c", "npm ci && npx husky"),
        ("pre-commit", "install"),
        ("sh", "-c", "git lfs install --local"),
        ("sh", "-c", "git config core.hooksPath .hooks"),
    ],
)
def test_commands_that_write_hooks_or_configuration_are_known(command: tuple[str, ...]) -> None:
    assert shares([command], None) is not None


def test_an_installation_counts_if_the_project_hooks_into_it() -> None:
    husky = json.dumps({"scripts": {"prepare": "husky"}})
    plain = json.dumps({"scripts": {"prepare": "tsc", "lint": "husky"}})
    assert shares([("npm", "ci")], husky) == "prepare: husky"
    assert shares([("sh", "-c", "pnpm i --frozen-lockfile")], husky) is not None
    assert shares([("npm", "ci")], plain) is None
    assert shares([("npm", "test")], husky) is None
    assert shares([("uv", "sync")], husky) is None
    for broken in ("{", "[]", '{"scripts": 3}', '{"scripts": {"prepare": 1}}', None):
        assert shares([("npm", "ci")], broken) is None


def test_meeting_another_process_is_told_from_a_failure() -> None:
    assert met_another("error: could not lock config file .git/config: File exists")
    assert not met_another("npm ERR! missing script: ci")
