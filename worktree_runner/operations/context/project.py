"""Opens the project around a folder: repository, dialect, settings, and a phase's plans.

- Where planning files are committed, plans are read from the commit that worktrees start from,
  so wtrun and the agents see the same text. Where the planning directory is ignored, they are
  read from disk and handed to the agents.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from worktree_runner.core.listing import find_phase, phase_paths
from worktree_runner.core.plans import read_phase
from worktree_runner.dialects.schema import Dialect, load, names
from worktree_runner.errors import PreconditionError
from worktree_runner.git.files import TreeFiles, read_tree
from worktree_runner.git.repository import Repository, open_repository
from worktree_runner.models import Phase
from worktree_runner.operations.context.inventory import chosen_dialect
from worktree_runner.operations.context.runs import newest
from worktree_runner.planning.reader import DiskFiles, PlanningFiles, find_dialect
from worktree_runner.store.config import Supplied, check_profile, load_settings, user_file
from worktree_runner.store.layers import Read
from worktree_runner.store.locate import main_worktree
from worktree_runner.store.settings import Settings


@dataclass(frozen=True, slots=True)
class Project:
    """What every command about a phase starts from."""

    repository: Repository
    dialect: Dialect
    settings: Settings
    tracked: bool
    """Whether the planning files are committed to git."""
    problems: tuple[str, ...] = ()
    """What is wrong with the settings, in words."""
    supplied: Mapping[str, Supplied] = field(default_factory=dict)
    """Commands of the repository's own files; they need the user's trust before anything runs."""
    one_agent: bool = False
    """Whether `--agent` names the program for every plan, whatever the settings say of domains."""

    def files(self, commit: str) -> PlanningFiles:
        """The planning files that a run from this commit works with."""
        if self.tracked:
            return TreeFiles(self.repository.objects, commit, self.dialect.root)
        return DiskFiles(self.repository.home, self.dialect.roots)


def open_project(folder: Path, flags: Mapping[str, Any]) -> Project:
    """The project around `folder`; raises with the reason where there is none."""
    repository = open_repository(folder)
    refuse_inside_attempt(repository)
    dialect, read = _dialect(repository, chosen_dialect(repository.home, flags))
    ignored = repository.git.ok("check-ignore", "--quiet", f"{dialect.root}/x")
    loaded = load_settings(
        read,
        dialect,
        flags=flags,
        env=os.environ,
        user_file=user_file(os.environ),
        planning_ignored=ignored,
    )
    tracked = loaded.settings.commit_docs and not ignored
    odd = (*loaded.problems, check_profile(loaded, dialect))
    problems = tuple(str(problem) for problem in odd if problem is not None)
    return Project(
        repository,
        dialect,
        loaded.settings,
        tracked,
        problems,
        loaded.supplied,
        one_agent=flags.get("agent") is not None,
    )


def _dialect(repository: Repository, chosen: str | None) -> tuple[Dialect, Path | Read]:
    """The project's dialect, and where its settings are read.

    A checkout without a planning directory still answers for the newest run, which lands on
    another branch: its dialect, and the settings as its base has them.
    """
    try:
        return find_dialect(repository.home, chosen)[0], repository.home
    except PreconditionError as error:
        found = None if chosen else newest(repository.layout)
        if found is None or found[1].dialect not in names():
            raise _elsewhere(repository, error) from error
    state, shipped = found[1], load(found[1].dialect)
    root = state.facts.get("root", shipped.root)
    return shipped.model_copy(update={"root": root}), partial(
        read_tree, repository.objects, state.base
    )


def _elsewhere(repository: Repository, error: PreconditionError) -> PreconditionError:
    """The error with the folder that was looked at, and where planning files are instead."""
    message, home = f"{error.message}, in {repository.home}", repository.home
    roots = sorted({root for name in names() for root in load(name).roots})
    for folder in home.parents:
        if (folder / ".git").exists() and any((folder / root).is_dir() for root in roots):
            around = f"the repository around it has one: cd {shlex.quote(str(folder))}"
            return PreconditionError(message, hint=around)
    patterns = [f":(glob)*/**/{root}/**" for root in roots]
    deeper = repository.git.run("ls-files", "-z", "--", *patterns, check=False).fields
    if deeper:
        hint = f"only the top of a repository is looked at, and {deeper[0]} is deeper"
        return PreconditionError(message, hint=hint)
    return PreconditionError(message, hint=error.hint)


def refuse_inside_attempt(repository: Repository) -> None:
    """An agent must not run the runner on its own project, nor a user in a plan's worktree."""
    from worktree_runner.operations.context.places import is_attempt

    if is_attempt(repository):
        main = main_worktree(repository.common_dir) or repository.common_dir.parent
        raise PreconditionError(
            f"{repository.home} is a worktree that wtrun made for an agent; "
            f"this is for the project",
            hint=f"cd {shlex.quote(str(main))}",
        )


def load_phase(project: Project, commit: str, token: str, *, disk: Path | None = None) -> Phase:
    """The phase with all of its plans; raises if it is not there or its plans are unclear.

    With `disk`, a checkout, as the files lie there, committed or not.
    """
    files = DiskFiles(disk, project.dialect.roots) if disk else project.files(commit)
    paths = files.paths()
    found = find_phase(paths, project.dialect, token)
    roadmaps = [f"{project.dialect.root}/{name}" for name in project.dialect.files.roadmap]
    known = {path.lower(): path for path in paths}
    roadmap = next((known[name.lower()] for name in roadmaps if name.lower() in known), None)
    contents = files.read(phase_paths(paths, found, project.dialect))
    text = files.read([roadmap]).get(roadmap) if roadmap else None
    return read_phase(found, contents, project.dialect, roadmap=text, paths=paths)
