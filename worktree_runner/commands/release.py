"""`wtrun release`: gives reservations back, or takes one from a holder that is gone."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from worktree_runner.errors import UsageError
from worktree_runner.operations import reservations as operation
from worktree_runner.store import locate
from worktree_runner.store.registry import Registry

if TYPE_CHECKING:
    from worktree_runner.core.reservations import Reservation


@click.command("release")
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@click.option(
    "--id", "ids", type=int, multiple=True, metavar="ID", help="This reservation (repeatable)."
)
@click.option(
    "--force",
    "forced",
    type=int,
    metavar="ID",
    help="Take this one from its holder, if that is dead, expired or long silent.",
)
@click.option("--as", "name", metavar="NAME", help="Release what this name reserved.")
@click.option("--json", "as_object", is_flag=True, help="Print JSON.")
def command(
    patterns: tuple[str, ...],
    ids: tuple[int, ...],
    forced: int | None,
    name: str | None,
    as_object: bool,
) -> None:
    """Releases your own reservations: those named, or all of them.

    What the run reserved for a plan is released by the run, when the plan has landed.
    """
    place = locate.here()
    registry = Registry(place.layout)
    who = operation.holder(os.environ, name)
    gone: tuple[Reservation, ...]
    reasons: tuple[str, ...] = ()
    if forced is not None:
        if patterns or ids:
            raise UsageError("--force takes one reservation and nothing else")
        record, reasons = operation.force(registry, forced, who, place)
        gone = (record,)
    else:
        wanted = [operation.pattern_of(text, Path.cwd(), place) for text in patterns]
        gone = registry.release(who, ids or None, wanted or None)
    if as_object:
        rows = [{"id": one.id, "pattern": one.pattern} for one in gone]
        click.echo(json.dumps({"released": rows, "reasons": list(reasons)}))
        return
    why = f": {', '.join(reasons)}" if reasons else ""
    for one in gone:
        click.echo(f"released {one.pattern} (id {one.id}){why}")
    if not gone:
        click.echo("nothing of yours to release; see 'wtrun reservations'", err=True)
