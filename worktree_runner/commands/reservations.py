"""`wtrun reservations`: who holds which paths, since when, until when."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from worktree_runner.operations import reservations as operation
from worktree_runner.store import locate
from worktree_runner.store.registry import Registry


@click.command("reservations")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--json", "as_object", is_flag=True, help="Print JSON.")
def command(paths: tuple[str, ...], as_object: bool) -> None:
    """Lists the reservations that keep others away; with PATHs, those that cover them."""
    place = locate.here()
    wanted = [operation.pattern_of(path, Path.cwd(), place) for path in paths]
    held = operation.chosen(Registry(place.layout).active(), wanted)
    if as_object:
        click.echo(json.dumps([operation.as_json(one) for one in held]))
    elif held:
        click.echo("\n".join(operation.table(held, time.time())))
    else:
        about = f" for {', '.join(wanted)}" if wanted else ""
        click.echo(f"nothing is reserved{about}", err=True)
