"""`wtrun publish`."""

from __future__ import annotations

import click


@click.command("publish")
def command() -> int:
    """Move your branch to what has landed, once nothing of yours is in the way any more.

    A run holds your branch back where moving it could lose something: local edits or untracked
    files of the same name, a rebase in progress. What has landed is safe meanwhile, on a ref of
    the run. Only ever a fast-forward: no reset, no stash, no switch.
    """
    from pathlib import Path

    from worktree_runner.commands.terminal import open_terminal
    from worktree_runner.errors import ExitCode
    from worktree_runner.operations.merging import cleanup
    from worktree_runner.operations.opening import open_run
    from worktree_runner.operations.run import checked

    screen, asker = open_terminal()
    with open_run(Path.cwd(), "wtrun publish", screen, asker) as session:
        if not checked.publish(session, asked=True):
            return int(ExitCode.PRECONDITION)
        cleanup.clean_landed(session)
        state = session.state
        screen.say(f"{state.target} is at {state.published[:10]}")
        screen.say(f"to finish the {session.words.execution}:")
        screen.command(f"wtrun execute {state.call}")
    return int(ExitCode.DONE)
