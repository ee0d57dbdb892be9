"""`wtrun state`, and the rebuilding of a state file that is missing.

A state file that is there is never rebuilt, whatever it holds.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from worktree_runner.core.docs.rebuild import rebuild_inputs, rebuild_state
from worktree_runner.core.docs.state_read import StateContext, latest, state_context
from worktree_runner.core.docs.update import find_documents
from worktree_runner.core.texts import clean
from worktree_runner.dialects.schema import Dialect
from worktree_runner.errors import PreconditionError
from worktree_runner.operations.preflight import commit_exactly
from worktree_runner.operations.project import Project
from worktree_runner.planning.reader import DiskFiles
from worktree_runner.planning.writer import Change, write_documents
from worktree_runner.ui.ask import Asker
from worktree_runner.ui.console import Screen

JSON_VERSION = 1
MOST_SHOWN = 10


def read_state(project: Project) -> tuple[str, StateContext]:
    """Path and contents of the state file on disk; PreconditionError if there is none."""
    files = DiskFiles(project.repository.home)
    path = find_documents(files.paths(), project.dialect).state
    if path is None:
        raise PreconditionError(
            f"There is no {_written_path(project.dialect)}.",
            hint=f"wtrun state --rebuild makes one from {_sources(project.dialect)}",
        )
    return path, state_context(files.read([path]).get(path, b""), project.dialect)


def rebuild(project: Project, now: datetime) -> str:
    """Writes the missing state file on disk and gives its path; nothing is committed.

    PreconditionError if there is one already, or if it can't be written.
    """
    files, dialect = DiskFiles(project.repository.home), project.dialect
    paths = files.paths()
    there = find_documents(paths, dialect).state
    if there is not None:
        raise PreconditionError(
            f"{there} is there; only a missing one is rebuilt.", hint=f"git mv {there} {there}.old"
        )
    path, text = rebuild_state(
        paths,
        files.read(rebuild_inputs(paths, dialect)),
        dialect,
        date=now.date().isoformat(),
        now=now.isoformat(timespec="seconds"),
        last_commit=project.repository.git.text("log", "-1", "--format=%cs %s", "HEAD"),
    )
    result = write_documents(project.repository.home, [Change(path, None, text)])
    if path in result.left:
        raise PreconditionError(f"{path} {result.left[path]}.", hint="wtrun state --rebuild")
    return path


def offer_rebuild(project: Project, screen: Screen, asker: Asker, now: datetime) -> None:
    """Before a run without a state file: rebuilds and commits it if the user says so."""
    dialect, disk = project.dialect, DiskFiles(project.repository.home)
    committed = project.files(project.repository.git.text("rev-parse", "HEAD"))
    if any(find_documents(files.paths(), dialect).state for files in (disk, committed)):
        return
    path = _written_path(dialect)
    text = f"{path} is missing; without it, agents know no earlier decisions and blockers"
    screen.warn(text, hint="wtrun state --rebuild")
    question = f"Rebuild {path} from {_sources(dialect)} first?"
    if not asker.interactive or not asker.confirm(question):
        return
    path = rebuild(project, now)
    if project.tracked:
        commit_exactly(project.repository.git, (path,), f"docs: rebuild {path.rpartition('/')[2]}")
    screen.say(f"rebuilt {path}")


def _sources(dialect: Dialect) -> str:
    return f"{dialect.files.roadmap[0]}, {dialect.words.summary} files and git"


def _written_path(dialect: Dialect) -> str:
    return f"{dialect.root}/{dialect.files.state[0]}"


def render(path: str, state: StateContext, dialect: Dialect) -> str:
    """The state as people read it: position first, then what binds."""
    words = dialect.words
    shown = (
        (words.phase.capitalize(), state.phase),
        (words.plan.capitalize(), state.plan),
        ("Status", state.status),
        ("Last activity", state.last_activity),
        ("Stopped at", state.stopped_at),
    )
    lines = [path, *(f"  {name}: {value}" for name, value in shown if value)]
    if len(lines) == 1:
        lines.append("  no position is written there")
    decisions = latest(state.decisions, MOST_SHOWN)
    for title, entries in (("Decisions", decisions), ("Blockers and concerns", state.blockers)):
        if entries:
            lines += ["", f"{title}:", *(f"  - {entry}" for entry in entries)]
    left_out = len(state.decisions) - len(decisions)
    if left_out:
        lines.append(f"({left_out} older decisions are left out; --json has all)")
    if state.pending:
        lines += ["", *state.pending]
    return clean("\n".join(lines))


def to_json(path: str, state: StateContext) -> dict[str, Any]:
    """The state for scripts; keys are only ever added."""
    return {
        "v": JSON_VERSION,
        "path": path,
        "phase": state.phase,
        "plan": state.plan,
        "status": state.status,
        "last_activity": state.last_activity,
        "stopped_at": state.stopped_at,
        "core_value": state.core_value,
        "decisions": list(state.decisions),
        "blockers": list(state.blockers),
        "pending": list(state.pending),
    }


def commit_hint(project: Project, path: str) -> str:
    """The command that commits the rebuilt file; empty where planning files aren't committed."""
    if not project.tracked:
        return ""
    return f"git add {path} && git commit -m 'docs: rebuild {Path(path).name}' -- {path}"
