"""`wtrun unresolve PATH`."""

from __future__ import annotations

import click


@click.command("unresolve")
@click.argument("path")
@click.option("--plan", metavar="PLAN", help="Of this plan, where several settled the file.")
@click.option(
    "--take",
    type=click.Choice(["target", "plan", "both", "both-reversed", "proposal"]),
    help="Decide it at once, without a prompt.",
)
@click.option("--hunk", type=int, metavar="N", help="Only this hunk; the others stay settled.")
def command(path: str, plan: str | None, take: str | None, hunk: int | None) -> int:
    """Undo how the conflict in PATH was settled in the newest run, and decide it yourself.

    Before its plan has landed, the file becomes a question of 'wtrun resolve'. Afterwards it is
    asked here, and your answer is one more commit on the target; later changes to it stay.

    \b
    wtrun unresolve src/app.py                   at a terminal, hunk by hunk
    wtrun unresolve src/app.py --take target
    """
    import shlex
    from pathlib import Path

    from merge.types import ChoiceKind
    from worktree_runner.commands.terminal import open_terminal
    from worktree_runner.core.state import Status
    from worktree_runner.errors import ExitCode, UsageError
    from worktree_runner.operations import unresolve
    from worktree_runner.operations.opening import open_newest
    from worktree_runner.operations.resolve import render_conflicts

    if hunk is not None and take is None:
        raise UsageError(
            "--hunk needs --take.", hint=f"wtrun unresolve {shlex.quote(path)} --take plan"
        )
    screen, asker = open_terminal()
    with open_newest(Path.cwd(), f"wtrun unresolve {path}", screen, asker) as session:
        found = unresolve.plan_with(session, path, plan)
        if found.status is Status.CONFLICTED:
            unresolve.reopen(session, found, path)
            screen.say("Next:")
            given = f" --take {take} --path {shlex.quote(path)}" if take else ""
            screen.command(f"wtrun resolve {found.id}{given}{f' --hunk {hunk}' if hunk else ''}")
            return int(ExitCode.CONFLICT)
        landed = unresolve.landed(session, found, path)
        if take is None and not asker.interactive:
            screen.answer(render_conflicts(found.id, (landed.conflict,)))
            raise UsageError(
                "There is no terminal to ask at.",
                hint=f"wtrun unresolve {shlex.quote(path)} --take target, or --take plan",
            )
        if take is not None:
            choices = unresolve.chosen(session, landed, ChoiceKind(take), hunk)
        else:
            choices = unresolve.ask(session, landed)
        if not choices:
            return int(ExitCode.CONFLICT)
        published = unresolve.decide(session, landed, choices)
    return int(ExitCode.DONE if published else ExitCode.PRECONDITION)
