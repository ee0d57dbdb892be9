"""`wtrun resolve PLAN`."""

from __future__ import annotations

import click


@click.command("resolve")
@click.argument("plan")
@click.option("--list", "listing", is_flag=True, help="List what is open; change nothing.")
@click.option(
    "--take",
    type=click.Choice(["target", "plan", "both", "both-reversed", "proposal"]),
    help="Answer the open hunks by one side, both in an order, or the proposal.",
)
@click.option("--path", metavar="PATH", help="Only in this file.")
@click.option("--hunk", type=int, metavar="N", help="Only this hunk of the file (with --path).")
@click.option("--continue", "go_on", is_flag=True, help="Go on after an edit in its worktree.")
@click.option("--abort", is_flag=True, help="Leave the plan out; branch and worktree stay.")
def command(
    plan: str,
    listing: bool,
    take: str | None,
    path: str | None,
    hunk: int | None,
    go_on: bool,
    abort: bool,
) -> int:
    """Decide the conflict of PLAN: at a terminal hunk by hunk, else by the options.

    By hand: merge the target in the plan's worktree with git, edit, commit, then --continue.
    A plan that has nothing left to decide lands at once; 'wtrun execute' goes on with the rest.

    \b
    wtrun resolve 03-02                               at a terminal, hunk by hunk
    wtrun resolve 03-02 --list
    wtrun resolve 03-02 --take plan --path src/a.py
    """
    from pathlib import Path

    from merge.types import ChoiceKind
    from worktree_runner.commands.terminal import open_terminal
    from worktree_runner.errors import ExitCode, UsageError
    from worktree_runner.operations import resolve
    from worktree_runner.operations.opening import open_run

    if sum((listing, take is not None, go_on, abort)) > 1:
        raise UsageError("Only one of --list, --take, --continue and --abort can be given.")
    if hunk is not None and path is None:
        raise UsageError("--hunk needs --path.", hint=f"wtrun resolve {plan} --list")
    screen, asker = open_terminal()
    with open_run(Path.cwd(), f"wtrun resolve {plan}", screen, asker, plan=plan) as session:
        if listing:
            conflicts = resolve.open_conflicts(session, plan).conflicts
            screen.answer(resolve.render_list(plan, conflicts))
            return int(ExitCode.DONE)
        if abort:
            resolve.abort(session, plan)
            landed = True
        elif take is not None:
            landed = resolve.take(session, plan, ChoiceKind(take), path, hunk)
        elif go_on:
            landed = resolve.go_on(session, plan)
        elif asker.interactive:
            landed = resolve.ask(session, plan)
        else:
            conflicts = resolve.open_conflicts(session, plan).conflicts
            screen.answer(resolve.render_list(plan, conflicts))
            raise UsageError(
                "There is no terminal to ask at.",
                hint=f"wtrun resolve {plan} --take target|plan [--path PATH]",
            )
        if not landed:
            return int(ExitCode.CONFLICT)
        screen.say("to go on with the rest:")
        screen.command(f"wtrun execute {session.state.phase}")
    return int(ExitCode.DONE)
