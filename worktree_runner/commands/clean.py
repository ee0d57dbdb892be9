"""`wtrun clean`."""

from __future__ import annotations

import click


@click.command("clean")
@click.option("-n", "--dry-run", is_flag=True, help="List and judge; remove nothing.")
@click.option("--force", is_flag=True, help="Also what is not safe; its work is kept under a ref.")
def command(dry_run: bool, force: bool) -> int:
    """List left-over worktrees and branches that wtrun made, and remove the safe ones.

    Says for each one why it is safe or not. With --force the others go too, but every stray
    commit and uncommitted file is first kept under refs/wtrun/salvage/. Worktrees and branches
    that wtrun did not make are never touched, nor what an unfinished run still needs.
    """
    from pathlib import Path

    from worktree_runner.commands.terminal import open_terminal
    from worktree_runner.core.texts import listing
    from worktree_runner.errors import ExitCode
    from worktree_runner.git.repository import open_repository
    from worktree_runner.operations.clean import clean, leftovers
    from worktree_runner.store.runlock import run_lock

    screen, _ = open_terminal()
    repository = open_repository(Path.cwd())
    found = leftovers(repository)
    if not found:
        screen.answer("nothing is left over")
        return int(ExitCode.DONE)
    for item in found:
        screen.answer(f"{item.belongings.place} ({item.belongings.branch}): {item.verdict}")
    if dry_run:
        return int(ExitCode.DONE)
    with run_lock(repository.layout, "wtrun clean"):
        removed = clean(repository, leftovers(repository), force=force)
    for item, refs in removed:
        kept = f"; its work is kept in {listing(list(refs))}" if refs else ""
        screen.answer(f"removed {item.belongings.place}{kept}")
    unsafe = [item for item in found if not item.needed and not item.belongings.safe]
    if unsafe and not force:
        screen.say("the others stay; to remove them too, with their work kept under a ref:")
        screen.command("wtrun clean --force")
    return int(ExitCode.DONE)
