"""`wtrun reserve`: tells everyone else which paths are being edited."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import click

from worktree_runner.errors import ExitCode
from worktree_runner.operations import reservations as operation
from worktree_runner.store import locate
from worktree_runner.store.registry import Held, Registry
from worktree_runner.ui import reserved


@click.command("reserve")
@click.argument("patterns", nargs=-1, required=True, metavar="PATTERN...")
@click.option("--shared", is_flag=True, help="Others may reserve the paths as shared, too.")
@click.option("--ttl", default="1h", show_default=True, help="How long: 90s, 30m, 2h, 1d.")
@click.option("--reason", default="", help="Shown to whoever wants the same paths.")
@click.option("--as", "name", metavar="NAME", help="Reserve under this name.")
@click.option("--json", "as_object", is_flag=True, help="Print JSON.")
def command(
    *,
    patterns: tuple[str, ...],
    shared: bool,
    ttl: str,
    reason: str,
    name: str | None,
    as_object: bool,
) -> None:
    """Reserves paths for the plan of this environment, else for you: all of them or none.

    A PATTERN is a file, a folder or a glob (*, ?, **, [a-z], {a,b}), relative to the current
    folder. Folders such as [id] and (group) are taken literally.

    \b
    wtrun reserve src/auth/ --reason "by hand" --ttl 30m
    wtrun reserve 'src/**/*.css' --shared
    """
    place = locate.here()
    who = operation.holder(os.environ, name)
    registry = Registry(place.layout)
    try:
        got = operation.reserve(
            registry,
            who,
            patterns,
            place,
            Path.cwd(),
            exclusive=not shared,
            ttl=operation.lease(ttl),
            reason=reason,
        )
    except operation.ReservedError as error:
        if not as_object:
            raise
        rows = [
            {"wanted": one.pattern, **operation.as_json(Held(one.held, one.alive))}
            for one in error.conflicts
        ]
        click.echo(json.dumps({"granted": [], "conflicts": rows}))
        raise click.exceptions.Exit(int(ExitCode.FAILED)) from None
    life = {one.reservation.id: one.alive for one in registry.active()}
    held = [Held(one, life[one.id]) for one in got if one.id in life]
    if as_object:
        rows = [operation.as_json(one) for one in held]
        click.echo(json.dumps({"granted": rows, "conflicts": []}))
        return
    for one in held:
        until = reserved.end_of(one, time.time())
        click.echo(f"reserved {one.reservation.pattern} {until} (id {one.reservation.id})")
