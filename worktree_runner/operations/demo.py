"""`wtrun demo`: makes a small project with a planned phase, and executes it."""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from worktree_runner.errors import ExitCode, PreconditionError
from worktree_runner.git.gateway import Git
from worktree_runner.operations.execute import Options, execute
from worktree_runner.ui.ask import Asker
from worktree_runner.ui.console import Screen

PHASE = "3"
IDENTITY = {"user.name": "wtrun demo", "user.email": "demo@example.com", "commit.gpgSign": "false"}


def demo(place: Path | None, screen: Screen, asker: Asker, *, keep: bool) -> ExitCode:
    """Makes the project, executes phase 3, and removes the project unless it is wanted.

    A project in a folder that the user named, or one in which something waits for the user,
    is always kept.
    """
    folder = make_project(place)
    screen.say(f"made a project with seven planned changes in {folder}")
    screen.say("its agent is 'shell': the commands stand in the plans, no model is asked")
    code = execute(
        folder, Options(PHASE, yes=True), {"agent": "shell", "max_parallel": 3}, screen, asker
    )
    if place is None and not keep and code is ExitCode.DONE:
        shutil.rmtree(folder)
        screen.say("the project was removed again; 'wtrun demo --keep' leaves it for playing")
        return code
    say_where(folder, screen)
    return code


def say_where(folder: Path, screen: Screen) -> None:
    """Where the project is, and how the commands above are typed where wtrun is not on PATH."""
    program = Path(sys.argv[0]).absolute()
    screen.say("The project stays here; this makes the commands work:")
    screen.command(f"cd {shlex.quote(str(folder))}")
    if shutil.which("wtrun") is None and program.name == "wtrun":
        screen.command(f"alias wtrun={shlex.quote(str(program))}")
    screen.say("What came of it:")
    screen.command("git log --graph --oneline")


def make_project(place: Path | None) -> Path:
    """A committed repository with the demo's files; `place` must not exist or be empty."""
    if place is None:
        place = Path(tempfile.mkdtemp(prefix="wtrun-demo-"))
    elif place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise PreconditionError(
            f"{place} is not empty.", hint=f"wtrun demo {place}/demo, or no folder at all"
        )
    place = place.absolute()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise PreconditionError(
            f"{place} can't be made: {why}.", hint="wtrun demo, or another folder"
        ) from error
    source = resources.files("worktree_runner.demo")
    _copy(source / "project", place)
    _copy(source / "planning", place / ".planning")
    git = Git(place)
    git.run("init", "--quiet", "--initial-branch=main")
    for key, value in IDENTITY.items():
        git.run("config", key, value)
    git.run("add", "--all")
    git.run("commit", "--quiet", "-m", "Plan phase 3: reports and export")
    return place


def _copy(source: Traversable, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for item in source.iterdir():
        if item.name == "__pycache__":
            continue
        if item.is_dir():
            _copy(item, target / item.name)
        else:
            (target / item.name).write_bytes(item.read_bytes())
