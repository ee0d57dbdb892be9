"""The schema of a dialect file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from worktree_runner.errors import UsageError

_HINT = "docs/dialects.md lists every key; copy a shipped dialect to start from"


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
    deviations: str = "deviations"
    """What a summary calls changes to the plan that the agent made on its way."""
    execution: str = "run"
    """One `wtrun execute`; another word where plans are called runs."""


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
    nested: str = "plans"
    """A folder inside a phase directory that may hold the plan and summary files."""


class Keys(_Part):
    """Front-matter keys, the written one first."""

    phase: tuple[str, ...]
    plan: tuple[str, ...]
    wave: tuple[str, ...]
    depends_on: tuple[str, ...] = ("depends_on", "dependencies", "depends")
    files: tuple[str, ...] = ("files_modified", "files_created", "files_to_modify", "files")
    domain: tuple[str, ...] = ("domain",)


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


class Detection(_Part):
    """How a dialect is told from another one that shares a root with it."""

    older_roots: tuple[str, ...] = ()
    """Roots of earlier versions, which may belong to another dialect today."""
    marks: tuple[str, ...] = ()
    """Regular expressions; one that matches a plan or the config at such a root decides."""
    workstreams: str = ""
    """A folder of the root that holds planning directories of their own, read one at a time."""
    workstream_variable: str = ""
    """What the tool itself names the wanted one in: an environment variable."""


class Config(_Part):
    """How the dialect's own config.json says what wtrun calls otherwise."""

    keys: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Setting -> places in the JSON (`a.b`), the first that holds a value wins."""
    values: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    """Setting -> what a value there means here."""


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
    detection: Detection = Detection()
    config: Config = Config()
    profiles: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    """Model profile -> role (`executor`, `verifier`) -> model; the dialect's own first."""
    profile_aliases: Mapping[str, str] = Field(default_factory=dict)
    """Other names for these profiles."""
    default_profile: str = "balanced"
    acceptance: bool = False
    """Whether a phase that passed is complete only once the user has accepted it."""
    paste: bool = False
    """Whether executors get plan, state and configuration as text, as the originals do."""
    agents: Mapping[str, str] = Field(default_factory=dict)
    """Agent names of the originals by role, and by `executor.<domain>`."""

    @property
    def roots(self) -> tuple[str, ...]:
        """Where this dialect's planning directory may be, today's place first."""
        return (self.root, *self.detection.older_roots)

    def profile_name(self, name: str) -> str | None:
        """The profile that is meant, or None if there is no such profile."""
        plain = name.strip().lower()
        plain = self.profile_aliases.get(plain, plain)
        return plain if plain in self.profiles else None

    def profile(self, name: str) -> Mapping[str, str]:
        """The models by role; those of the default profile for an unknown name."""
        known = self.profile_name(name) or self.default_profile
        return self.profiles.get(known, {})

    def owned(self) -> tuple[str, ...]:
        """Repository paths that only the run writes: state, road map, requirements, config."""
        names = (*self.files.state, *self.files.roadmap, *self.files.requirements)
        return tuple(f"{self.root}/{name}" for name in (*names, self.files.config))


def parse(data: bytes, source: str) -> Dialect:
    """The dialect in a TOML file; UsageError with file, key and what was expected."""
    try:
        return Dialect.model_validate(tomllib.loads(data.decode()))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{source}: is no valid TOML: {error}", hint=_HINT) from error
    except ValidationError as error:
        lines = "".join(
            f"\n  {'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors()
        )
        raise UsageError(f"{source}: is no dialect file:{lines}", hint=_HINT) from error


def load_file(path: Path) -> Dialect:
    """The dialect in a file of the user."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"can't read dialect file {path}: {error.strerror}") from error
    return parse(data, str(path))


def load_own(directory: Path) -> Mapping[str, Dialect]:
    """The project's own dialects by name, from every TOML file in `.wtrun/dialects`."""
    files = sorted(directory.glob("*.toml")) if directory.is_dir() else []
    found = [load_file(file) for file in files]
    return {dialect.name: dialect for dialect in found}


def names() -> tuple[str, ...]:
    """The names of the shipped dialects, sorted."""
    files = resources.files(__package__).iterdir()
    return tuple(sorted(file.name[:-5] for file in files if file.name.endswith(".toml")))


@cache
def load(name: str) -> Dialect:
    """The shipped dialect of that name; KeyError if there is none."""
    file = resources.files(__package__).joinpath(f"{name}.toml")
    if not file.is_file():
        raise KeyError(name)
    return parse(file.read_bytes(), f"{name}.toml")
