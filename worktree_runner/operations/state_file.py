"""`wtrun state`, and the rebuilding of a state file that is missing.

A state file that is there is never rebuilt, whatever it holds.
"""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import Any

from merge.types import Entry
from worktree_runner.core.docs.rebuild import rebuild_inputs, rebuild_state
from worktree_runner.core.docs.state_read import StateContext, latest, state_context
from worktree_runner.core.docs.update import find_documents
from worktree_runner.core.texts import clean
from worktree_runner.dialects.schema import Dialect
from worktree_runner.errors import PreconditionError
from worktree_runner.operations.context.project import Project
from worktree_runner.operations.merging import branching
from worktree_runner.operations.merging.branching import Target
from worktree_runner.operations.preflight import commit_exactly
from worktree_runner.planning.reader import DiskFiles, PlanningFiles
from worktree_runner.planning.writer import Change, write_documents
from worktree_runner.ui.ask import Asker
from worktree_runner.ui.console import Screen

JSON_VERSION = 1
MOST_SHOWN = 10


def read_state(project: Project) -> tuple[str, StateContext]:
    """Path and contents of the state file on disk; PreconditionError if there is none."""
    files = _on_disk(project)
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
    files = _on_disk(project)
    there = find_documents(files.paths(), project.dialect).state
    if there is not None:
        raise PreconditionError(
            f"{there} is there; only a missing one is rebuilt.", hint=f"git mv {there} {there}.old"
        )
    path, text = _rebuilt(project, files, "HEAD", now)
    result = write_documents(project.repository.home, [Change(path, None, text)])
    if path in result.left:
        raise PreconditionError(f"{path} {result.left[path]}.", hint="wtrun state --rebuild")
    return path


def _on_disk(project: Project) -> DiskFiles:
    return DiskFiles(project.repository.home, project.dialect.roots)


def _rebuilt(
    project: Project, files: PlanningFiles, commit: str, now: datetime
) -> tuple[str, bytes]:
    """Path and text of a state file made from these files and the newest commit."""
    paths = files.paths()
    return rebuild_state(
        paths,
        files.read(rebuild_inputs(paths, project.dialect)),
        project.dialect,
        date=now.date().isoformat(),
        now=now.isoformat(timespec="seconds"),
        last_commit=project.repository.git.text("log", "-1", "--format=%cs %s", commit),
    )


def offer_rebuild(
    project: Project, target: Target, screen: Screen, asker: Asker, now: datetime
) -> Target:
    """The target, with a rebuilt state file committed to it where it had none and the user said so.

    Where the target isn't checked out in front of the user, nothing on disk changes.
    """
    places: list[PlanningFiles] = [project.files(target.commit)]
    if target.desk:
        desk = branching.desk_of(project, target).path
        places.append(DiskFiles(desk, project.dialect.roots))
    if any(find_documents(files.paths(), project.dialect).state for files in places):
        return target
    dialect = project.dialect
    path = _written_path(dialect)
    away = project.tracked and not target.home
    where = f" on {target.branch}" if away else ""
    by_hand = _by_hand(target) if away else "wtrun state --rebuild"
    text = f"{path} is missing{where}; without it, agents know no earlier decisions and blockers"
    screen.warn(text, hint=by_hand)
    question = f"Rebuild {path} from {_sources(dialect)} first?"
    if not asker.interactive or not asker.confirm(question):
        return target
    if away:
        target = branching.move_to(project, target, _commit_to(project, target, now), by_hand)
    else:
        path = rebuild(project, now)
        if project.tracked:
            commit_exactly(project.repository.git, (path,), _subject(path))
            target = branching.refresh(project, target)
    screen.say(f"rebuilt {path}{where}")
    return target


def _by_hand(target: Target) -> str:
    """How a user makes the file on a branch that is not checked out here."""
    way = "wtrun state --rebuild"
    if target.place is not None:
        return f"cd {shlex.quote(str(target.place))} && {way}"
    return way if target.new else f"git switch {target.branch} && {way}"


def _commit_to(project: Project, target: Target, now: datetime) -> str:
    """A commit on the target's tip that adds the rebuilt file; no branch moves."""
    objects = project.repository.objects
    path, text = _rebuilt(project, project.files(target.commit), target.commit, now)
    tree = objects.edit_tree(target.commit, {path: Entry("100644", objects.write_blob(text))})
    sign = bool(project.settings.merge.sign)
    return objects.commit_tree(tree, (target.commit,), f"{_subject(path)}\n", sign=sign)


def _subject(path: str) -> str:
    return f"docs: rebuild {path.rpartition('/')[2]}"


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
    return f"git add {path} && git commit -m '{_subject(path)}' -- {path}"
