"""`wtrun renew`: keeps reservations for longer."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from worktree_runner.operations import reservations as operation
from worktree_runner.store import locate
from worktree_runner.store.registry import Registry
from worktree_runner.ui import reserved


@click.command("renew")
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@click.option(
    "--id", "ids", type=int, multiple=True, metavar="ID", help="This reservation (repeatable)."
)
@click.option("--ttl", default="30m", show_default=True, help="How much longer: 30m, 2h.")
@click.option("--as", "name", metavar="NAME", help="Renew what this name reserved.")
@click.option("--json", "as_object", is_flag=True, help="Print JSON.")
def command(
    patterns: tuple[str, ...], ids: tuple[int, ...], ttl: str, name: str | None, as_object: bool
) -> None:
    """Extends your own leases: those named, or all of them."""
    place = locate.here()
    wanted = [operation.pattern_of(text, Path.cwd(), place) for text in patterns]
    pairs = Registry(place.layout).renew(
        operation.holder(os.environ, name), operation.lease(ttl), ids or None, wanted or None
    )
    if as_object:
        rows = [
            {"id": new.id, "pattern": new.pattern, "until": operation.iso(new.until)}
            for _, new in pairs
        ]
        click.echo(json.dumps({"renewed": rows}))
        return
    for old, new in pairs:
        until = reserved.time_of_day(new.until, old.until)
        click.echo(f"renewed {new.pattern} until {until} (id {new.id})")
    if not pairs:
        click.echo("nothing of yours to renew; see 'wtrun reservations'", err=True)
