"""`wtrun agents`: which coding agents can be used here."""

from __future__ import annotations

import click


@click.command("agents", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--check", is_flag=True, help="Also ask each program for its version and login.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(*, check: bool, as_json: bool) -> None:
    """Lists the coding agents that `--agent` accepts, with what each can do.

    The one that a run would take is marked with a star. --check starts each program once to
    ask for its version and looks for a login; no token is spent.
    """
    import json
    from pathlib import Path

    from worktree_runner.operations import agent_list

    rows = agent_list.list_agents(Path.cwd(), check=check)
    if as_json:
        click.echo(json.dumps(agent_list.to_json(rows), indent=1))
    else:
        click.echo(agent_list.render(rows))
