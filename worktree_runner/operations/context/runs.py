"""The runs of a repository, found in its journals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from worktree_runner.core.events import Type
from worktree_runner.core.fold import fold
from worktree_runner.core.goal import VERIFIER
from worktree_runner.core.ids import parse_directory, parse_token
from worktree_runner.core.state import RunState
from worktree_runner.dialects.schema import Words
from worktree_runner.dialects.schema import load as load_dialect
from worktree_runner.git.listing import Mark
from worktree_runner.store import journal
from worktree_runner.store.paths import Layout, RunFolder

NOTHING_YET = "Nothing has been executed yet."
"""What commands say that show a run where there is none."""


def run_folders(layout: Layout) -> tuple[RunFolder, ...]:
    """All run folders, oldest first."""
    if not layout.runs.is_dir():
        return ()
    return tuple(RunFolder(path) for path in sorted(layout.runs.iterdir()) if path.is_dir())


def load(folder: RunFolder) -> RunState:
    """The state that a run's journal tells."""
    return fold(journal.read(folder.journal).events)


def unfinished(layout: Layout, *, phase: str | None = None) -> Iterator[tuple[RunFolder, RunState]]:
    """Runs that are neither finished nor empty, newest first; of one phase if given."""
    for folder in reversed(run_folders(layout)):
        state = load(folder)
        if state.id and state.finished is None and _is_phase(state, phase):
            yield folder, state


def newest(layout: Layout, *, phase: str | None = None) -> tuple[RunFolder, RunState] | None:
    """The run that was started last; of one phase if given."""
    for folder in reversed(run_folders(layout)):
        state = load(folder)
        if state.id and _is_phase(state, phase):
            return folder, state
    return None


def words_of(state: RunState) -> Words:
    """The words of the dialect that a run was made with, as its journal holds them."""
    return Words(**{**load_dialect("gsd").words.model_dump(), **state.facts.get("words", {})})


def _is_phase(state: RunState, phase: str | None) -> bool:
    """Whether the run is of that phase, however the token is padded; None is any phase.

    A name after the token has to be the directory's: two phases may have one number.
    """
    if phase is None:
        return True
    wanted, own = parse_directory(phase), parse_directory(state.facts.get("directory", ""))
    named = not wanted.slug or not own.slug or wanted.slug.lower() == own.slug.lower()
    return named and parse_token(phase) == parse_token(state.phase)


def new_id(phase: str) -> str:
    """A run id that sorts by time: `20261121-034500-03-9f2c`.

    Its end is the part of the second, in steps of 16 microseconds.
    """
    now = datetime.now(UTC)
    return f"{now:%Y%m%d-%H%M%S}-{phase}-{now.microsecond >> 4:04x}"


def made_by_wtrun(layout: Layout) -> dict[str, tuple[str, str, str]]:
    """Every worktree path that a journal names -> (run, plan, branch); later runs win."""
    found: dict[str, tuple[str, str, str]] = {}
    for folder in run_folders(layout):
        for event in journal.read(folder.journal).events:
            if event.type in (Type.ATTEMPT_PLANNED, Type.VERIFY_STARTED):
                owner = event.plan or VERIFIER
                found[event.data["worktree"]] = (folder.id, owner, event.data["branch"])
    return found


def attempts_planned(layout: Layout) -> dict[str, Mark]:
    """Every branch that a journal names and that no journal says was removed -> whose it is."""
    found: dict[str, Mark] = {}
    for folder in run_folders(layout):
        for event in journal.read(folder.journal).events:
            if event.type == Type.ATTEMPT_PLANNED and event.plan and event.data.get("fresh", True):
                found[event.data["branch"]] = Mark(folder.id, event.plan, event.data["n"])
            elif event.type == Type.VERIFY_STARTED:
                found[event.data["branch"]] = Mark(folder.id, VERIFIER, event.data["n"])
            elif event.type == Type.WORKTREE_REMOVED:
                found.pop(event.data["branch"], None)
    return found
