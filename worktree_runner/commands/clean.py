"""`wtrun clean`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from worktree_runner.core.state import RunState
    from worktree_runner.operations.clean import Removal
    from worktree_runner.ui.console import Screen


@click.command("clean")
@click.option("-n", "--dry-run", is_flag=True, help="List and judge; remove nothing.")
@click.option("--force", is_flag=True, help="Also what is not safe; its work is kept under a ref.")
@click.option(
    "--give-up", "run", metavar="RUN", help="Finish this unfinished run as it stands, then clean."
)
def command(dry_run: bool, force: bool, run: str | None) -> int:
    """List left-over worktrees and branches that wtrun made, and remove the safe ones.

    Says for each one why it is safe or not. With --force the others go too, but every stray
    commit and uncommitted file is first kept under refs/wtrun/salvage/. Worktrees and branches
    that wtrun did not make are never touched, nor what an unfinished run still needs.

    \b
    wtrun clean --dry-run
    wtrun clean --force
    git log --oneline --all --glob=refs/wtrun/salvage     what was kept
    """
    from pathlib import Path

    from worktree_runner.commands.terminal import open_terminal
    from worktree_runner.errors import ExitCode, UsageError
    from worktree_runner.git.repository import open_repository
    from worktree_runner.operations.clean import clean, give_up, leftovers
    from worktree_runner.operations.context.project import refuse_inside_attempt
    from worktree_runner.operations.merging.cleanup import give_back_space
    from worktree_runner.store.runlock import run_lock

    if dry_run and run is not None:
        raise UsageError("--dry-run and --give-up exclude each other")
    screen, _ = open_terminal()
    repository = open_repository(Path.cwd())
    refuse_inside_attempt(repository)
    if dry_run:
        for item in leftovers(repository):
            screen.answer(f"{item.name}\n  {item.verdict}")
        screen.say("nothing was removed")
        return int(ExitCode.DONE)
    with run_lock(repository.layout, "wtrun clean"):
        if run is not None:
            _tell_given_up(screen, give_up(repository, run))
        found = leftovers(repository)
        done = {}
        for removal in clean(repository, found, force=force):
            done[removal.item] = removal
            _tell(screen, removal)
        for item in found:
            if item not in done:
                screen.answer(f"{item.name}\n  {item.verdict}")
        problem = give_back_space(repository)
    if not found:
        screen.answer("nothing is left over")
    if problem:
        screen.warn(problem)
    if not force and any(item.removable and not item.belongings.safe for item in found):
        screen.say("to remove also what is not safe, with its work kept under a ref:")
        screen.command("wtrun clean --force")
    failed = any(removal.problem for removal in done.values())
    return int(ExitCode.FAILED if failed else ExitCode.DONE)


def _tell_given_up(screen: Screen, state: RunState) -> None:
    from worktree_runner.operations.context.runs import words_of

    word = words_of(state).execution
    screen.answer(f"gave up {word} {state.id}; 'wtrun execute {state.call}' starts a new one")
    if state.tip not in (state.base, state.published):
        screen.answer(f"  landed and not published: refs/wtrun/runs/{state.id}/tip")


def _tell(screen: Screen, removal: Removal) -> None:
    """One removal: what went, why that was safe, and where its work is kept."""
    item = removal.item
    if removal.problem:
        screen.answer(f"{item.name}\n  could not be removed: {removal.problem}")
    elif item.belongings.safe:
        screen.answer(f"removed {item.name}\n  {item.verdict}")
    else:
        screen.answer(f"removed {item.name}\n  {item.belongings.why_not}")
    for ref in removal.salvaged:
        screen.answer(f"  kept in {ref}")
