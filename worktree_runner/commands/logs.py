"""`wtrun logs PLAN`: what a plan's agent said and did."""

from __future__ import annotations

import click


@click.command("logs", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("plan")
@click.option("-f", "--follow", is_flag=True, help="Go on until the attempt ends.")
@click.option("--raw", is_flag=True, help="The lines as the agent printed them.")
@click.option("--attempt", type=click.IntRange(min=1), help="An earlier attempt (default: last).")
@click.option("--run", metavar="ID", help="An earlier run (default: the newest with this plan).")
@click.option("--path", "only_path", is_flag=True, help="Print the attempt's folder only.")
def command(
    plan: str, *, follow: bool, raw: bool, attempt: int | None, run: str | None, only_path: bool
) -> None:
    """Shows what the agent of PLAN said and did, also while it works.

    \b
    wtrun logs 03-01 -f
    wtrun logs 03-01 --attempt 1 --raw
    """
    from worktree_runner.operations.context import logs
    from worktree_runner.store.locate import here

    chosen = logs.choose(here().layout, plan, attempt=attempt, run=run)
    if only_path:
        click.echo(str(chosen.folder))
        return
    click.echo(chosen.title, err=True)
    if follow:
        lines = logs.follow(chosen, as_raw=raw)
    else:
        lines = logs.raw(chosen) if raw else logs.render(chosen)
    for line in lines:
        click.echo(line)
