"""`wtrun resolve PLAN`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from worktree_runner.operations.context.session import Session


@click.command("resolve")
@click.argument("plan")
@click.option("--list", "listing", is_flag=True, help="List what is open; change nothing.")
@click.option(
    "--take",
    type=click.Choice(["target", "plan", "both", "both-reversed", "proposal"]),
    help="Answer the open hunks by one side, both in an order, or the proposal.",
)
@click.option(
    "--path", "paths", metavar="PATH", multiple=True, help="Only in this file; may be repeated."
)
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
def command(plan: str, **options: Any) -> int:
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

    from worktree_runner.commands.terminal import open_terminal
    from worktree_runner.operations.opening import open_run

    wanted = _Wanted(**options)
    _check(plan, wanted)
    screen, asker = open_terminal()
    doing = f"wtrun resolve {plan}"
    meanwhile = "wtrun conflicts" if wanted.listing else "wtrun status"
    with open_run(Path.cwd(), doing, screen, asker, plan=plan, meanwhile=meanwhile) as session:
        return _decide(session, plan, wanted)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the options say; without any of `ways` somebody is asked."""

    listing: bool
    take: str | None
    paths: tuple[str, ...]
    hunk: int | None
    tool: bool
    edit: bool
    go_on: bool
    abort: bool
    rerun: bool
    breach: str | None
    as_json: bool

    @property
    def ways(self) -> int:
        """How many ways to decide were named."""
        named = (self.listing, self.tool, self.edit, self.go_on, self.abort, self.rerun)
        return sum(named) + (self.take is not None) + (self.breach is not None)


def _check(plan: str, wanted: _Wanted) -> None:
    """Raises UsageError for options that don't go together, before anything is opened."""
    from worktree_runner.errors import UsageError

    if wanted.ways > 1:
        raise UsageError(
            "Only one of --list, --take, --tool, --edit, --continue, --abort and --rerun can be "
            "given."
        )
    if wanted.hunk is not None and (wanted.take is None or len(wanted.paths) != 1):
        raise UsageError("--hunk needs --take and one --path.", hint=f"wtrun resolve {plan} --list")
    if wanted.paths and not (wanted.take or wanted.tool):
        raise UsageError(
            "--path needs --take or --tool.",
            hint=f"wtrun resolve {plan} asks about every open file",
        )


def _decide(session: Session, plan: str, wanted: _Wanted) -> int:
    from merge.types import ChoiceKind
    from worktree_runner.operations import resolve, resolve_breach, resolve_rejected

    if wanted.breach is not None or resolve_breach.concerns(session, plan):
        return _breach(session, plan, wanted.breach, listing=wanted.listing)
    if wanted.rerun:
        resolve.rerun(session, plan)
        return _go_on(session)
    by_conflict = wanted.take or wanted.tool or wanted.edit
    if resolve_rejected.concerns(session, plan) and not by_conflict:
        return _rejected(session, plan, wanted)
    if wanted.listing or not (wanted.ways or session.asker.interactive):
        return _list(session, plan, as_json=wanted.as_json, wanted=wanted.listing)
    if wanted.edit:
        resolve.edit(session, plan)
        return 0
    if wanted.abort:
        done = resolve.abort(session, plan)
    elif wanted.take is not None:
        kind = ChoiceKind(wanted.take)
        done = resolve.take(session, plan, kind, wanted.paths, wanted.hunk)
    elif wanted.tool:
        done = resolve.with_tool(session, plan, wanted.paths)
    elif wanted.go_on:
        done = resolve.go_on(session, plan)
    else:
        done = resolve.ask(session, plan)
    return _end(session, plan, done)


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
            hint=f"wtrun resolve {plan} --take target, or --take plan; with --path for one file",
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


def _rejected(session: Session, plan: str, wanted: _Wanted) -> int:
    from worktree_runner.core.schedule import exit_code
    from worktree_runner.errors import UsageError
    from worktree_runner.operations import resolve_rejected

    if wanted.go_on:
        done = resolve_rejected.check_again(session, plan)
    elif wanted.abort:
        done = resolve_rejected.leave_out(session, plan)
    elif session.asker.interactive and not wanted.listing:
        done = resolve_rejected.ask(session, plan)
    else:
        as_json = wanted.listing and wanted.as_json
        render = resolve_rejected.to_json if as_json else resolve_rejected.render
        session.screen.answer(render(session, plan))
        if not wanted.listing:
            hint = f"wtrun resolve {plan} --continue, or --rerun, or --abort"
            raise UsageError("There is no terminal to ask at.", hint=hint)
        return 0
    return _go_on(session) if done else int(exit_code(session.state))


def _end(session: Session, plan: str, done: bool) -> int:
    """How to go on, or the code that says what the plan still lacks."""
    from worktree_runner.core.state import Status
    from worktree_runner.errors import ExitCode

    if done:
        return _go_on(session)
    if session.of(plan).status is Status.REJECTED:
        return int(ExitCode.FAILED)
    session.screen.say("to go on with what is open:")
    session.screen.command(f"wtrun resolve {plan}")
    return int(ExitCode.CONFLICT)


def _go_on(session: Session) -> int:
    session.screen.say("to go on with the rest:")
    session.screen.command(f"wtrun execute {session.state.call}")
    return 0
