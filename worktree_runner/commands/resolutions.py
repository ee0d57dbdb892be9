"""`wtrun resolutions [PLAN]`."""

from __future__ import annotations

import click


@click.command("resolutions")
@click.argument("plan", required=False)
@click.option("--phase", metavar="PHASE", help="Of the newest run of this phase.")
@click.option("--no-diff", is_flag=True, help="One entry a file, without the changes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(plan: str | None, phase: str | None, no_diff: bool, as_json: bool) -> int:
    """List every conflict that was settled in the newest run (of PLAN): by which rule, why that
    is safe, and the change; what you decided yourself too.

    Works while the run is at work; it changes nothing. 'wtrun unresolve PATH' undoes one.

    \b
    wtrun resolutions
    wtrun resolutions 03-02 --json
    """
    import json
    from pathlib import Path

    from worktree_runner.errors import ExitCode, PreconditionError
    from worktree_runner.operations import resolutions
    from worktree_runner.operations.context import runs
    from worktree_runner.operations.context.project import open_project

    project = open_project(Path.cwd(), {})
    found = runs.newest(project.repository.layout, phase=phase)
    if found is None:
        raise PreconditionError(runs.NOTHING_YET, hint="wtrun execute PHASE")
    state = found[1]
    listed = resolutions.collect(project, state, plan)
    told = resolutions.notices(state, plan)
    if as_json:
        document = resolutions.to_json(state, listed, told)
        click.echo(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        click.echo(resolutions.render(state, listed, told, diffs=not no_diff))
    return int(ExitCode.DONE)
