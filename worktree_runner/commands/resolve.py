"""`wtrun resolve PLAN`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from worktree_runner.operations.session import Session


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
@click.option("--tool", is_flag=True, help="Open the files in git's merge tool (merge.tool).")
@click.option("--edit", is_flag=True, help="Put the merge into the plan's worktree, with markers.")
@click.option(
    "--continue", "go_on", is_flag=True, help="Take what was edited or committed there; check it."
)
@click.option(
    "--abort", is_flag=True, help="Put the worktree back after --edit; else leave the plan out."
)
@click.option("--rerun", is_flag=True, help="Have an agent do it again, on what has landed.")
@click.option("--accept-breach", "breach", flag_value="accept", help="Keep what its agent changed.")
@click.option("--drop", "breach", flag_value="drop", help="Merge it without the foreign files.")
@click.option("--fail", "breach", flag_value="fail", help="Fail the plan after a breach.")
@click.option("--put-back", "breach", flag_value="put-back", help="Put refs back that it moved.")
@click.option("--json", "as_json", is_flag=True, help="With --list: for programs.")
def command(
    plan: str,
    listing: bool,
    take: str | None,
    path: str | None,
    hunk: int | None,
    tool: bool,
    edit: bool,
    go_on: bool,
    abort: bool,
    rerun: bool,
    as_json: bool,
    breach: str | None,
) -> int:
    """Decide what PLAN waits for (a conflict, a check that is not green with it, a breach): at a
    terminal, else by the options.

    By hand: --edit sets the merge up in the plan's worktree; edit the files there, --continue.
    A plan that has nothing left to decide lands at once; 'wtrun execute' goes on with the rest.

    \b
    wtrun resolve 03-02                               at a terminal, hunk by hunk
    wtrun resolve 03-02 --list
    wtrun resolve 03-02 --take plan --path src/a.py
    wtrun resolve 03-02 --edit                        then edit, then --continue
    wtrun resolve 03-02 --put-back                    after its agent left its own ground
    """
    from pathlib import Path

    from merge.types import ChoiceKind
    from worktree_runner.commands.terminal import open_terminal
    from worktree_runner.errors import UsageError
    from worktree_runner.operations import resolve, resolve_breach, resolve_rejected
    from worktree_runner.operations.opening import open_run

    chosen = (listing, take is not None, tool, edit, go_on, abort, rerun, breach is not None)
    if sum(chosen) > 1:
        raise UsageError(
            "Only one of --list, --take, --tool, --edit, --continue, --abort and --rerun can be "
            "given."
        )
    if hunk is not None and path is None:
        raise UsageError("--hunk needs --path.", hint=f"wtrun resolve {plan} --list")
    screen, asker = open_terminal()
    with open_run(Path.cwd(), f"wtrun resolve {plan}", screen, asker, plan=plan) as session:
        if breach is not None or resolve_breach.concerns(session, plan):
            code = _breach(session, plan, breach, listing=listing)
        elif rerun:
            resolve.rerun(session, plan)
            code = _go_on(session)
        elif resolve_rejected.concerns(session, plan) and not (take or tool or edit):
            if listing and as_json:
                screen.answer(resolve_rejected.to_json(session, plan))
                return 0
            code = _rejected(session, plan, listing=listing, go_on=go_on, abort=abort)
        elif listing or not (any(chosen) or asker.interactive):
            code = _list(session, plan, as_json=as_json, wanted=listing)
        elif edit:
            resolve.edit(session, plan)
            code = 0
        elif abort:
            code = _end(session, plan, resolve.abort(session, plan))
        elif take is not None:
            code = _end(session, plan, resolve.take(session, plan, ChoiceKind(take), path, hunk))
        elif tool:
            code = _end(session, plan, resolve.with_tool(session, plan, path))
        elif go_on:
            code = _end(session, plan, resolve.go_on(session, plan))
        else:
            code = _end(session, plan, resolve.ask(session, plan))
    return code


def _list(session: Session, plan: str, *, as_json: bool, wanted: bool) -> int:
    """Lists what is open; an error where it was not `wanted` but nobody is there to answer."""
    from worktree_runner.errors import UsageError
    from worktree_runner.operations import resolve

    conflicts = resolve.open_conflicts(session, plan)
    render = resolve.list_json if as_json else resolve.render_list
    session.screen.answer(render(session, plan, conflicts))
    if not wanted:
        raise UsageError(
            "There is no terminal to ask at.",
            hint=f"wtrun resolve {plan} --take target|plan [--path PATH]",
        )
    return 0


def _breach(session: Session, plan: str, answer: str | None, *, listing: bool) -> int:
    from worktree_runner.core.schedule import exit_code
    from worktree_runner.errors import UsageError
    from worktree_runner.operations import resolve_breach

    if answer is not None:
        done = resolve_breach.settle(session, plan, answer)
    elif session.asker.interactive and not listing:
        done = resolve_breach.ask(session, plan)
    else:
        session.screen.answer(resolve_breach.render(session, plan))
        hint = resolve_breach.suggestion(session, plan)
        if not listing:
            raise UsageError("There is no terminal to ask at.", hint=hint)
        session.screen.command(hint)
        return 0
    return _go_on(session) if done else int(exit_code(session.state))


def _rejected(session: Session, plan: str, *, listing: bool, go_on: bool, abort: bool) -> int:
    from worktree_runner.core.schedule import exit_code
    from worktree_runner.errors import UsageError
    from worktree_runner.operations import resolve_rejected

    if go_on:
        done = resolve_rejected.check_again(session, plan)
    elif abort:
        done = resolve_rejected.leave_out(session, plan)
    elif session.asker.interactive and not listing:
        done = resolve_rejected.ask(session, plan)
    else:
        session.screen.answer(resolve_rejected.render(session, plan))
        if not listing:
            hint = f"wtrun resolve {plan} --continue|--rerun|--abort"
            raise UsageError("There is no terminal to ask at.", hint=hint)
        return 0
    return _go_on(session) if done else int(exit_code(session.state))


def _end(session: Session, plan: str, done: bool) -> int:
    """How to go on, or the code that says what the plan still lacks."""
    from worktree_runner.core.state import Status
    from worktree_runner.errors import ExitCode

    if done:
        return _go_on(session)
    rejected = session.of(plan).status is Status.REJECTED
    return int(ExitCode.FAILED if rejected else ExitCode.CONFLICT)


def _go_on(session: Session) -> int:
    session.screen.say("to go on with the rest:")
    session.screen.command(f"wtrun execute {session.state.call}")
    return 0
