"""`wtrun report [PHASE]`."""

from __future__ import annotations

import click


@click.command("report")
@click.argument("phase", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "json", "junit"]),
    default="markdown",
    help="Markdown for people, JSON for programs, JUnit XML for CI.",
)
def command(phase: str | None, form: str) -> int:
    """Print the report of the newest run (of PHASE), as it was when the run last stopped.

    What landed and what did not, with the reasons, the conflicts that were settled by rule, and
    the next commands.

    \b
    wtrun report > report.md
    wtrun report 3 --format junit > wtrun.xml
    """
    from worktree_runner.errors import ExitCode, PreconditionError
    from worktree_runner.operations.context import runs
    from worktree_runner.operations.run.reporting import NAMES
    from worktree_runner.store.locate import here

    found = runs.newest(here().layout, phase=phase)
    if found is None:
        raise PreconditionError(runs.NOTHING_YET, hint="wtrun execute PHASE")
    file = found[0].path / NAMES[form]
    if not file.is_file():
        raise PreconditionError(
            f"{found[1].id} has not stopped yet, so it has no report.", hint="wtrun status"
        )
    click.echo(file.read_bytes(), nl=False)
    return int(ExitCode.DONE)
