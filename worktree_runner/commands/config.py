"""`wtrun config`: every setting, its value, and where the value comes from."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("config", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--origin", is_flag=True, help="Also say where each value comes from.")
@click.option("--changed", is_flag=True, help="Only settings that are not at their default.")
@click.option("--json", "as_object", is_flag=True, help="Print values and origins as JSON.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of .wtrun.toml.")
@click.option("--explain", is_flag=True, help="Also print what each setting does.")
@click.option("--dialect", metavar="NAME|FILE", help="Read as this dialect (default: detected).")
def command(
    keys: tuple[str, ...],
    *,
    origin: bool,
    changed: bool,
    as_object: bool,
    schema: bool,
    explain: bool,
    dialect: str | None,
) -> None:
    """Shows the settings that a run would use here; KEY is one setting or a table.

    Flags go before WTRUN_* variables, .wtrun.toml, [tool.wtrun] in pyproject.toml, the planning
    directory's config.json, your own file and the defaults.

    \b
    wtrun config --origin
    wtrun config gate limits.timeout
    """
    from worktree_runner.operations.settings import render_settings, schema_text, show_settings

    if schema:
        click.echo(schema_text(), nl=False)
        return
    found = show_settings(Path.cwd(), keys, dialect=dialect, changed=changed)
    for note in found.problems:
        click.echo(f"warning: {note}", err=True)
    if as_object:
        click.echo(json.dumps(found.values, indent=2, ensure_ascii=False))
    else:
        click.echo(render_settings(found, origin=origin, explain=explain))
