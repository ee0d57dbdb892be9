"""`wtrun trust`."""

from __future__ import annotations

import click


@click.command("trust")
@click.argument("digest", required=False)
@click.option("-y", "--yes", is_flag=True, help="Trust what is there now without being asked.")
@click.option("--revoke", is_flag=True, help="Take back all trust in this repository.")
def command(digest: str | None, *, yes: bool, revoke: bool) -> int:
    """Let the commands run that this repository's own files bring along.

    Set-up commands, the gate, agents and their permissions in a .wtrun.toml or [tool.wtrun] that
    came with the repository run only after you trusted exactly this content. With DIGEST (as
    'wtrun execute' prints it) nothing is asked, and nothing else than what you read is trusted.
    """
    from pathlib import Path

    from worktree_runner.commands.terminal import open_terminal
    from worktree_runner.errors import ExitCode
    from worktree_runner.operations import trust
    from worktree_runner.operations.context.project import open_project

    screen, asker = open_terminal()
    project = open_project(Path.cwd(), {})
    if revoke:
        trust.revoke(project.repository.layout, screen)
        return int(ExitCode.DONE)
    done = trust.trust(project, digest, screen, asker, yes=yes)
    return int(ExitCode.DONE if done else ExitCode.PRECONDITION)
