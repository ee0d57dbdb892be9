"""`wtrun state`."""

from __future__ import annotations

import click


@click.command("state")
@click.option("--rebuild", is_flag=True, help="Make the missing state file anew.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--dialect", metavar="NAME|FILE", help="Read as this dialect (default: detected).")
def command(rebuild: bool, as_json: bool, dialect: str | None) -> int:
    """Show the project's state: position, decisions, blockers, what the last run left open.

    This is what agents are told of it. With --rebuild a state file that is missing is made from
    the road map, the summaries, the verification reports and git; one that is there is never
    replaced, and nothing is committed.
    """
    import json
    from datetime import datetime
    from pathlib import Path

    from worktree_runner.errors import ExitCode
    from worktree_runner.operations import state_file
    from worktree_runner.operations.context.project import open_project

    project = open_project(Path.cwd(), {"dialect": dialect} if dialect else {})
    if rebuild:
        path = state_file.rebuild(project, datetime.now().astimezone())
        click.echo(f"rebuilt {path}", err=True)
        hint = state_file.commit_hint(project, path)
        if hint:
            click.echo(f"hint: {hint}", err=True)
    path, state = state_file.read_state(project)
    if as_json:
        click.echo(json.dumps(state_file.to_json(path, state), indent=1, ensure_ascii=False))
    else:
        click.echo(state_file.render(path, state, project.dialect))
    return int(ExitCode.DONE)
