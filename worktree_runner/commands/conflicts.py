"""`wtrun conflicts`."""

from __future__ import annotations

import click


@click.command("conflicts")
@click.argument("phase", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(phase: str | None, as_json: bool) -> int:
    """Show the conflicts that wait for you, and those that plans at work are heading for.

    Compares the branches of the newest run (of PHASE) as they stand now, with each other and with
    what has landed. Works while the run is at work; it changes nothing.
    """
    import json
    from pathlib import Path

    from worktree_runner.errors import ExitCode, PreconditionError
    from worktree_runner.operations.context import runs
    from worktree_runner.operations.context.project import open_project
    from worktree_runner.operations.merging import forecast

    project = open_project(Path.cwd(), {})
    run = runs.newest(project.repository.layout, phase=phase)
    if run is None:
        raise PreconditionError(runs.NOTHING_YET, hint="wtrun execute PHASE")
    scanner = forecast.Scanner(project.repository, project.settings, project.dialect)
    found = scanner.scan(run[1])
    if as_json:
        click.echo(json.dumps(forecast.to_json(run[1], found), indent=1, ensure_ascii=False))
    else:
        click.echo(forecast.render(run[1], found))
    return int(ExitCode.DONE)
