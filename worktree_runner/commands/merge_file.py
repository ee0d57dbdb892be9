"""`wtrun merge-file`: the merge engine for one file, for git's merge driver setting."""

from __future__ import annotations

import click


@click.command(
    "merge-file",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> int:
    """Merge BASE OURS THEIRS into OUT; see --help for the options.

    The same as `python -P -m merge`, which stands alone: arguments and exit codes are its own.
    """
    from merge.command import main

    return main(arguments, "wtrun merge-file")
