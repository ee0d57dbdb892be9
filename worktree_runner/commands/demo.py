"""`wtrun demo [DIR]`."""

from __future__ import annotations

import click


@click.command("demo")
@click.argument("directory", required=False, type=click.Path())
@click.option("--keep", is_flag=True, help="Leave the project for playing.")
@click.option("--no-input", is_flag=True, help="Do not ask at the conflict; end with code 3.")
def command(directory: str | None, keep: bool, no_input: bool) -> int:
    """Make a small project with seven plans (in DIR or a temporary folder) and execute them.

    Two plans are independent, two share a file and run one after another, two add an import at the
    same place, and one conflicts for real, so that the prompt can be seen. Nothing is sent
    anywhere and no model is needed.
    """
    from pathlib import Path

    from worktree_runner.commands.terminal import open_terminal
    from worktree_runner.operations.demo import demo

    screen, asker = open_terminal(no_input=no_input)
    return int(demo(Path(directory) if directory else None, screen, asker, keep=keep))
