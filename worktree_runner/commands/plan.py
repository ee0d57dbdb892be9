"""`wtrun plan`: what a phase's plans are, in which order they would run, and what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from worktree_runner.core.inventory import Inventory
    from worktree_runner.dialects.schema import Words


@click.command("plan", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("phase", required=False)
@click.option("--all", "every", is_flag=True, help="Go over every phase.")
@click.option("--check", is_flag=True, help="Exit with 1 if there is any problem (for CI).")
@click.option("--json", "as_object", is_flag=True, help="Print the inventory as JSON.")
@click.option("--dialect", metavar="NAME|FILE", help="Read as this dialect (default: detected).")
def command(
    phase: str | None, *, every: bool, check: bool, as_object: bool, dialect: str | None
) -> int:
    """Shows the plans of PHASE: waves, lanes, shared files, what is done, and problems.

    PHASE is a number such as 3, 2.1 or 04b, or the name of its directory. The files are read
    as they lie on disk; nothing is changed.

    \b
    wtrun plan 3            the execution table and everything that is wrong
    wtrun plan 3 --json     the same for a program
    wtrun plan --all --check
    """
    from worktree_runner.core.inventory import as_json, render
    from worktree_runner.errors import UsageError
    from worktree_runner.operations.context.inventory import open_desk, read_all, read_inventory

    if every == (phase is not None):
        raise UsageError("name one phase, or give --all", hint="wtrun plan --all, or wtrun plan 3")
    desk = open_desk(Path.cwd(), dialect)
    found = read_all(desk) if phase is None else [read_inventory(desk, phase)]
    if as_object:
        objects = [as_json(inventory) for inventory in found]
        value = {"version": 1, "phases": objects} if every else objects[0]
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))
    elif every:
        _print_all(found, desk.dialect.words)
    else:
        click.echo(render(found[0]))
    return 1 if check and any(inventory.problems for inventory in found) else 0


def _print_all(found: list[Inventory], words: Words) -> None:
    from worktree_runner.core.inventory import heading, render_problems
    from worktree_runner.core.texts import count

    for inventory in found:
        click.echo(heading(inventory))
        for line in render_problems(inventory.problems)[2:]:
            click.echo(line)
    problems = sum(len(inventory.problems) for inventory in found)
    phases = count(len(found), words.phase, words.phases)
    click.echo(f"{phases}, {count(problems, 'problem')}", err=True)
