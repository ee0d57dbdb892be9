"""The schema of a dialect file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(_Part):
    """The dialect's own words, lower case, as they are printed."""

    phase: str
    phases: str
    plan: str
    plans: str
    wave: str
    waves: str
    summary: str
    checkpoint: str
    state: str
    roadmap: str
    requirements: str
    verification: str


class Files(_Part):
    """Names below the root; the first of each list is the one that is written."""

    phases: str
    plan: tuple[str, ...]
    summary: tuple[str, ...]
    verification: tuple[str, ...]
    state: tuple[str, ...]
    roadmap: tuple[str, ...]
    requirements: tuple[str, ...]
    project: tuple[str, ...] = ()
    config: str = "config.json"


class Keys(_Part):
    """Front-matter keys, the written one first."""

    phase: tuple[str, ...]
    plan: tuple[str, ...]
    wave: tuple[str, ...]


class Branches(_Part):
    """`{phase}`, `{plan}` are tokens as in file names; see `worktree_runner.git.worktrees`."""

    plan: str
    worktree: str = "wt-{phase}-{plan}"
    phase: str
    milestone: str


class Commits(_Part):
    """Message templates."""

    task: str
    plan: str
    phase: str
    corrections: str
    merge: str = "Merge {branch}: {name}"


class Commands(_Part):
    """What the originals call the next step, for printed hints. `{phase}` is filled in."""

    plan_gaps: str
    plan_phase: str
    complete_milestone: str
    verify_work: str = ""


class Dialect(_Part):
    """One member of the family."""

    name: str
    title: str
    root: str
    words: Words
    files: Files
    keys: Keys
    branches: Branches
    commits: Commits
    commands: Commands
    agents: Mapping[str, str] = Field(default_factory=dict)
    """Agent names of the originals by role, and by `executor.<domain>`."""

    def owned(self) -> tuple[str, ...]:
        """Repository paths that only the run writes: state, road map, requirements, config."""
        names = (*self.files.state, *self.files.roadmap, *self.files.requirements)
        return tuple(f"{self.root}/{name}" for name in (*names, self.files.config))


@cache
def load(name: str) -> Dialect:
    """The shipped dialect of that name; KeyError if there is none."""
    file = resources.files(__package__).joinpath(f"{name}.toml")
    if not file.is_file():
        raise KeyError(name)
    return Dialect.model_validate(tomllib.loads(file.read_text()))
