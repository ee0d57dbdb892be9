"""Frozen values that more than one room of the house uses. No behaviour beyond tiny properties.

- Repository paths are `str` with `/`; places on disk are `pathlib.Path`; commit ids are full.
- Plans are named by `Plan.id` (`03-01`), which comes from the file name, never from YAML.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a problem in a planning file matters."""

    WARNING = "warning"
    """Said once; the run goes on."""
    ERROR = "error"
    """Identity, wave or dependencies are unclear: the run does not start."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a file, with the place and what would be right."""

    path: str
    line: int | None
    message: str
    severity: Severity = Severity.WARNING
    hint: str | None = None

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Task:
    """One `<task>` of a plan, as far as it could be read; `text` is what stands inside, raw."""

    number: int
    name: str
    type: str
    line: int
    files: tuple[str, ...] = ()
    text: str = ""

    @property
    def is_checkpoint(self) -> bool:
        return self.type.startswith(("checkpoint", "human-")) or self.type == "decision"


@dataclass(frozen=True, slots=True)
class PhaseDir:
    """A phase's directory: `token` as wtrun prints it (`03`, `02.1`, `04b`), `path` in the repo."""

    token: str
    slug: str
    name: str
    path: str
    twin: bool = False
    """Whether another directory has the same token."""

    @property
    def call(self) -> str:
        """What names exactly this phase in a command: its token, or else its directory."""
        return shlex.quote(self.path.rpartition("/")[2]) if self.twin else self.token


@dataclass(frozen=True, slots=True)
class Plan:
    """One work file. `wave` is the effective wave; `depends_on` holds ids of this phase only."""

    id: str
    phase: str
    number: str
    path: str
    summary_path: str
    title: str
    objective: str
    order: tuple[Any, ...]
    declared_wave: int | None
    wave: int
    depends_on: tuple[str, ...]
    files: tuple[str, ...]
    """Declared `files_modified` united with the tasks' `<files>`, planning files left out."""
    files_declared: tuple[str, ...]
    autonomous: bool
    gap_closure: bool
    has_checkpoint: bool
    done: bool
    tasks: tuple[Task, ...]
    text: bytes
    type: str = "execute"
    domain: str = "general"
    agent: str | None = None
    requirements: tuple[str, ...] = ()
    must_haves: Mapping[str, Any] = field(default_factory=dict)
    front: Mapping[str, Any] = field(default_factory=dict)
    """The whole front matter with string scalars, for keys that wtrun does not know."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase with all of its plans in plan order; `goal` and `name` from the road map if there."""

    dir: PhaseDir
    plans: tuple[Plan, ...]
    goal: str = ""
    problems: tuple[Problem, ...] = ()
    unwritten: tuple[str, ...] = ()
    """Numbers of plans that the road map lists as open and that have no file: not done yet."""
