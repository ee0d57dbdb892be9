"""`wtrun status [PHASE]`."""

from __future__ import annotations

import click


@click.command("status")
@click.argument("phase", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(phase: str | None, as_json: bool) -> int:
    """Show where the newest run (of PHASE) stands: each plan, and what waits for you.

    Works while the run is at work, from any shell and any worktree of the repository; it changes
    nothing. With --json, names are only ever added.
    """
    import json

    from worktree_runner.errors import ExitCode
    from worktree_runner.operations import status
    from worktree_runner.operations.context import runs
    from worktree_runner.store.locate import here

    layout = here().layout
    found = runs.newest(layout, phase=phase)
    if found is None:
        click.echo("nothing has been executed yet; 'wtrun execute PHASE' starts it", err=True)
        if as_json:
            click.echo(json.dumps({"v": status.JSON_VERSION, "run": None}))
        return int(ExitCode.DONE)
    folder, state = found
    if as_json:
        click.echo(json.dumps(status.to_json(layout, folder, state), indent=1))
    else:
        click.echo(status.render(layout, folder, state))
    return int(ExitCode.DONE)
