"""What must be right before any agent is started, checked in one go."""

from __future__ import annotations

import os
from pathlib import Path

from worktree_runner.core.texts import listing
from worktree_runner.errors import PreconditionError
from worktree_runner.git.gateway import GitError
from worktree_runner.git.repository import Repository
from worktree_runner.models import Phase
from worktree_runner.operations.project import Project
from worktree_runner.ui.ask import Asker
from worktree_runner.ui.console import Screen


def check_signing(repository: Repository) -> None:
    """Refuses if commits are to be signed and that can't work: every agent would fail later."""
    git = repository.git
    if git.run("config", "--type=bool", "--get", "commit.gpgSign", check=False).text != "true":
        return
    try:
        git.run("commit-tree", "-S", "HEAD^{tree}", "-m", "wtrun tests signing", foreground=True)
    except GitError as error:
        reason = error.stderr.strip().splitlines()
        raise PreconditionError(
            "commit.gpgSign is on, but a test commit could not be signed: "
            f"{reason[-1] if reason else 'no reason given'}",
            hint="git config commit.gpgSign false (for this repository), or repair the key",
        ) from error


def check_identity(repository: Repository) -> None:
    """Refuses if git does not know who commits."""
    output = repository.git.run("var", "GIT_COMMITTER_IDENT", check=False)
    if output.code != 0:
        raise PreconditionError(
            "Git does not know who you are, so nothing could be committed.",
            hint="git config --global user.name 'Your Name' && "
            "git config --global user.email you@example.com",
        )


def check_writable(repository: Repository, root: Path) -> None:
    """Refuses if worktrees or wtrun's own files can't be written."""
    for place in (repository.common_dir, root if root.exists() else root.parent):
        if not os.access(place, os.W_OK | os.X_OK):
            raise PreconditionError(
                f"{place} can't be written.",
                hint=f"ls -ld {place}; set another place in .wtrun.toml",
            )


def uncommitted_planning(project: Project, phase: Phase) -> tuple[str, ...]:
    """Files of the phase's directory that are untracked or differ from HEAD."""
    if not project.tracked:
        return ()
    fields = project.repository.git.run(
        "--literal-pathspecs", "status", "--porcelain", "-z", "--untracked-files=all",
        "--no-renames", "--", phase.dir.path, env={"GIT_OPTIONAL_LOCKS": "0"},
    ).fields  # fmt: skip
    return tuple(field[3:] for field in fields)


def settle_planning(
    project: Project,
    phase: Phase,
    paths: tuple[str, ...],
    asker: Asker,
    screen: Screen,
    *,
    yes: bool,
) -> bool:
    """Offers to commit exactly the given planning files; True if it did.

    Raises PreconditionError with the command if nobody says yes: a worktree is made from a
    commit and would lack them. Nothing else that is staged or edited goes into the commit.
    """
    word = project.dialect.words.phase
    screen.warn(
        f"{listing(list(paths), limit=8)} {'is' if len(paths) == 1 else 'are'} not committed; "
        "worktrees would lack these changes"
    )
    names = " ".join(f"'{path}'" for path in paths)
    subject = f"docs({phase.dir.token}): {word} plans"
    command = f"git add -A -- {names} && git commit -m '{subject}' -- {names}"
    if not asker.confirm("Commit exactly these to go on?", yes=yes):
        raise PreconditionError(
            f"Planning files of {word} {phase.dir.token} are not committed.", hint=command
        )
    commit_exactly(project.repository, paths, subject)
    return True


def commit_exactly(repository: Repository, paths: tuple[str, ...], subject: str) -> None:
    """Commits these paths and nothing else that is staged or edited."""
    repository.git.run("--literal-pathspecs", "add", "-A", "--", *paths)
    repository.git.run(
        "--literal-pathspecs", "commit", "--quiet", "--only", "-m", subject, "--", *paths,
        foreground=True,
    )  # fmt: skip
