"""What must be right before any agent is started, checked in one go."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from worktree_runner.agents.protocol import Agent
from worktree_runner.core.ids import parse_token
from worktree_runner.core.texts import listing
from worktree_runner.errors import NoExecutorError, PreconditionError
from worktree_runner.git.gateway import Git, GitError
from worktree_runner.git.repository import Repository
from worktree_runner.models import Phase, Plan
from worktree_runner.operations.context import places
from worktree_runner.operations.context.project import Project
from worktree_runner.ui.ask import Asker
from worktree_runner.ui.console import Screen


def check_agents(agents: Iterable[Agent], screen: Screen) -> None:
    """`check_agent` for each that is different, in the order of their names."""
    for _, agent in sorted({agent.name: agent for agent in agents}.items()):
        check_agent(agent, screen)


def check_agent(agent: Agent, screen: Screen) -> None:
    """Refuses if the agent's program is not there; what else is odd about it is only said."""
    probe = agent.probe()
    if not probe.found:
        raise NoExecutorError(
            f"the agent {agent.name} can't be run: {listing(list(probe.problems))}",
            hint="install it, or choose another with --agent; 'wtrun agents' lists them",
        )
    for problem in probe.problems:
        screen.warn(f"agent {agent.name}: {problem}")


def check_plans(project: Project, phase: Phase) -> None:
    """Refuses a phase without any plan, with the files that only look like plans."""
    if phase.plans:
        return
    words, token = project.dialect.words, phase.dir.token
    odd = "".join(f"\n  {problem}" for problem in phase.problems)
    raise PreconditionError(
        f"{words.phase} {token} has no {words.plans} in {phase.dir.path}{odd}",
        hint=f"make them with {project.dialect.commands.plan_phase.format(phase=token)}",
    )


def check_names(project: Project, plans: Sequence[Plan]) -> None:
    """Refuses if a branch or folder that nobody but the user can have made is in the way.

    Asked for all plans before the first agent starts; `places.free_names` asks again later.
    """
    repository = project.repository
    taken = places.Taken.of(repository)
    found = []
    for plan in plans:
        branch, place = places.names(
            repository,
            project.dialect,
            project.settings.worktrees.root,
            plan.phase,
            plan.number,
            1,
        )
        found += taken.obstacles(branch, place)
    by_hint = {one.hint or "": one.message for one in reversed(found)}
    if len(by_hint) == 1:
        raise found[0]
    if by_hint:
        lines = "".join(f"\n  {text}" for text in reversed(by_hint.values()))
        raise PreconditionError(
            f"names that are needed are taken:{lines}", hint=" && ".join(reversed(by_hint))
        )


def check_signing(repository: Repository) -> None:
    """Refuses if commits are to be signed and that can't work: every agent would fail later."""
    git = repository.git
    if git.run("config", "--type=bool", "--get", "commit.gpgSign", check=False).text != "true":
        return
    try:
        git.run("commit-tree", "-S", "HEAD^{tree}", "-m", "wtrun tests signing", foreground=True)
    except GitError as error:
        lines = [line.strip() for line in error.stderr.splitlines() if line.strip()]
        raise PreconditionError(
            "commit.gpgSign is on, but a test commit could not be signed: "
            f"{'; '.join(lines[:3]) or 'no reason given'}",
            hint="repair the key, or sign nothing in this repository: "
            "git config commit.gpgSign false",
        ) from error


def check_identity(repository: Repository) -> None:
    """Refuses if git does not know who commits."""
    output = repository.git.run("var", "GIT_COMMITTER_IDENT", check=False)
    if output.code != 0:
        raise PreconditionError(
            "git does not know who commits here: no user.name and user.email are set",
            hint="git config --global user.name 'Your Name' && "
            "git config --global user.email you@example.com",
        )


def check_writable(repository: Repository, root: Path) -> None:
    """Refuses if worktrees or wtrun's own files can't be written."""
    there = next(place for place in (root, *root.parents) if place.exists())
    for place in (repository.common_dir, there):
        if not place.is_dir():
            raise PreconditionError(
                f"{place} is in the way: worktrees are made in a folder of that name",
                hint=f"mv {shlex.quote(str(place))} {shlex.quote(f'{place}.old')}",
            )
        if not os.access(place, os.W_OK | os.X_OK):
            raise PreconditionError(
                f"{place} can't be written",
                hint=f"see who may: ls -ld {shlex.quote(str(place))}; another place for worktrees "
                "is the setting worktrees.root in .wtrun.toml",
            )


def uncommitted_planning(project: Project, place: str, git: Git) -> tuple[str, ...]:
    """Files of the phase's directory `place` that are untracked or differ from HEAD in that
    checkout, and the project's planning documents that were never committed."""
    if not project.tracked:
        return ()
    try:
        fields = git.run(
            "--literal-pathspecs", "status", "--porcelain", "-z", "--untracked-files=all",
            "--no-renames", "--", place, *project.dialect.owned(), env={"GIT_OPTIONAL_LOCKS": "0"},
        ).fields  # fmt: skip
    except GitError as error:
        raise PreconditionError(
            f"git can't tell which files are changed: {error.stderr.strip()}", hint="git status"
        ) from error
    return tuple(
        field[3:] for field in fields if field[3:].startswith(f"{place}/") or field[:2] == "??"
    )


def settle_planning(
    project: Project,
    place: str,
    paths: tuple[str, ...],
    asker: Asker,
    screen: Screen,
    git: Git,
    *,
    yes: bool,
) -> None:
    """Commits exactly the given planning files after asking.

    Raises PreconditionError with the command if nobody says yes: a worktree is made from a
    commit and would lack them. Nothing else that is staged or edited goes into the commit.
    """
    word, token = project.dialect.words.phase, parse_token(place.rpartition("/")[2])
    screen.warn(
        f"{listing(list(paths), limit=8)} {'is' if len(paths) == 1 else 'are'} not committed; "
        "worktrees would lack these changes"
    )
    names = shlex.join(paths)
    subject = f"docs({token}): {word} {project.dialect.words.plans}"
    command = f"git add -A -- {names} && git commit -m '{subject}' -- {names}"
    if git.path.resolve() != project.repository.home.resolve():
        command = f"cd {shlex.quote(str(git.path))} && {command}"
    if not asker.confirm("Commit exactly these to go on?", yes=yes):
        raise PreconditionError(f"planning files of {word} {token} are not committed", hint=command)
    commit_exactly(git, paths, subject)


def commit_exactly(git: Git, paths: tuple[str, ...], subject: str) -> None:
    """Commits these paths and nothing else that is staged or edited."""
    git.run("--literal-pathspecs", "add", "-A", "--", *paths)
    git.run(
        "--literal-pathspecs", "commit", "--quiet", "--only", "-m", subject, "--", *paths,
        foreground=True,
    )  # fmt: skip
