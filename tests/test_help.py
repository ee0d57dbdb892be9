"""Help that one can learn the tool from, without waiting for it."""

from __future__ import annotations

import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from tests.support.project import ROOT
from worktree_runner.cli import COMMANDS, group
from worktree_runner.errors import ExitCode

HEAVY = {"git", "pydantic", "yaml", "filelock", "rich", "frontmatter", "jinja2", "psutil"}


def all_commands() -> list[tuple[str, ...]]:
    """Every command and sub-command, as it is typed."""
    context = click.Context(group)
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        found.append((name,))
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            found += [(name, sub) for sub in command.list_commands(context)]
    return found


def test_help_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "worktree_runner", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    imported = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "click" in imported
    assert imported & HEAVY == set()


def test_help_shows_every_command_once_with_examples_and_exit_codes() -> None:
    text = CliRunner().invoke(group, ["--help"]).output
    for name, (_, line) in COMMANDS.items():
        assert text.count(f"\n  {name} ") == 1, name
        assert " ".join(line.split()) in " ".join(text.split())
    assert "wtrun execute 3 --dry-run" in text
    assert "Exit codes:" in text
    for code in ExitCode:
        assert f"{code.value} " in text or code is ExitCode.READER_GONE
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("name", all_commands(), ids=" ".join)
def test_every_command_says_what_it_does_and_what_each_option_means(name: tuple[str, ...]) -> None:
    command: click.Command | None = group
    context = click.Context(group)
    for part in name:
        assert isinstance(command, click.Group)
        command = command.get_command(context, part)
    assert command is not None
    assert command.help
    assert len(command.help.split()) > 5
    if command.context_settings.get("ignore_unknown_options"):
        return  # hands everything on to a program with a help of its own
    result = CliRunner().invoke(group, [*name, "--help"])
    assert result.exit_code == 0
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{' '.join(name)} {option.opts[0]} has no help"


def test_help_names_only_commands_that_exist() -> None:
    for name in [(), *all_commands()]:
        text = CliRunner().invoke(group, [*name, "--help"]).output
        for word in re.findall(r"(?:'|^ {4,})wtrun\s+([a-z][a-z-]*)", text, re.MULTILINE):
            assert word in COMMANDS, f"{' '.join(name)}: wtrun {word}"
