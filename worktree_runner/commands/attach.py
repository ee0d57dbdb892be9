"""`wtrun attach PLAN`."""

from __future__ import annotations

import click


@click.command(
    "attach",
    epilog="""\b
Examples:
  wtrun attach 03-01            the agent's session, where its program has one
  wtrun attach 03-01 --shell    a shell in the plan's worktree""",
)
@click.argument("plan")
@click.option("--shell", "only_shell", is_flag=True, help="A shell, not the agent's session.")
@click.option("--attempt", type=click.IntRange(min=1), help="An earlier attempt (default: last).")
def command(plan: str, *, only_shell: bool, attempt: int | None) -> int:
    """Go where the agent of PLAN worked: into its session, or a shell in its worktree.

    claude, codex, opencode and qwen open the session of the attempt with all that was said; other
    agents, and one that is still at work, a shell.
    """
    from pathlib import Path

    from worktree_runner.commands.terminal import open_terminal
    from worktree_runner.operations.attaching import attach

    screen, asker = open_terminal()
    return attach(Path.cwd(), plan, screen, asker, only_shell=only_shell, attempt=attempt)
