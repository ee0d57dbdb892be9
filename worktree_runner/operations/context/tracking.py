"""Writes the run's progress into the project's own planning files: one writer, at the end.

- The commit is built like a candidate: blobs and a tree on the run's tip, never through the
  user's index, so nothing that the user has staged or edited can slip in.
- A file with local edits of the user stays out of the commit; the change that wtrun would have
  made is saved as a patch in the run's folder and named.
- Where planning files are not committed, they are edited on disk, whole file or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from merge.types import Entry
from worktree_runner.core.docs.commits import phase_message, tracking_message
from worktree_runner.core.docs.facts import Position
from worktree_runner.core.docs.update import RunFacts, plan_updates, update_inputs
from worktree_runner.core.events import Type
from worktree_runner.core.patch import unified
from worktree_runner.core.state import PlanState, Status
from worktree_runner.core.texts import clean_line, count
from worktree_runner.git.files import TreeFiles
from worktree_runner.git.gateway import Git
from worktree_runner.operations.context.session import Session
from worktree_runner.planning.reader import DiskFiles, PlanningFiles
from worktree_runner.planning.writer import Change, write_documents
from worktree_runner.store.atomic import save_bytes

Report = tuple[str, bytes | None, bytes]
"""The verification report: its path, its content now (None: there is no such file) and then."""


@dataclass
class Edits:
    """Old and new contents by path, and what could not be placed."""

    old: Mapping[str, bytes]
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def update(
    session: Session,
    now: datetime,
    position: Position = Position.PARTIAL,
    *,
    report: Report | None = None,
) -> None:
    """Records the landed plans in the planning files, if any landed since the last time.

    With another `position` (the phase was verified, gaps were found) it always writes, and with
    it the phase's verification report. Done twice, the second time has nothing to change.
    """
    state = session.state
    landed = state.with_status(Status.LANDED)
    if position is Position.PARTIAL and (not landed or state.planning_commit == state.tip):
        return
    edits = _edits(session, planning_files(session), _facts(session, landed, now, position))
    if report is not None:
        path, before, edits.files[path] = report
        if before is not None:
            edits.old = {**edits.old, path: before}
    if state.planning_tracked:
        _commit(session, edits, complete=position is Position.COMPLETE)
    else:
        _write_on_disk(session, edits)


def planning_files(session: Session) -> PlanningFiles:
    if session.state.planning_tracked:
        root = session.dialect.root
        return TreeFiles(session.repository.objects, session.state.tip, root)
    return DiskFiles(session.repository.home, session.dialect.roots)


def _edits(session: Session, files: PlanningFiles, facts: RunFacts) -> Edits:
    """The new text of each planning file that changes."""
    paths, phase, dialect = files.paths(), session.phase, session.dialect
    old = files.read(update_inputs(paths, phase, dialect))
    updates = plan_updates(paths, old, phase, facts, dialect)
    notes = [str(note) for note in updates.notes]
    notes += [f"there is no {path}; nothing was recorded there" for path in updates.missing]
    if updates.open_requirements:
        named = ", ".join(updates.open_requirements)
        notes.append(f"covered by no {dialect.words.summary}: {named}")
    return Edits(old, dict(updates.files), notes)


def _facts(
    session: Session, landed: tuple[PlanState, ...], now: datetime, position: Position
) -> RunFacts:
    state = session.state
    waiting = state.with_status(Status.ASKING, Status.CONFLICTED)
    return RunFacts(
        position=position,
        date=now.date().isoformat(),
        now=now.isoformat(timespec="seconds"),
        landed=tuple(plan.id for plan in landed),
        blockers=tuple(
            f"{plan.id} failed: {clean_line(plan.reason, 200)}"
            for plan in state.with_status(Status.FAILED)
        )
        + ((clean_line(state.goal.text, 300),) if state.goal.accepted == "issues" else ()),
        checkpoints=tuple(_waiting(plan) for plan in waiting),
        worktrees=tuple(
            os.path.relpath(plan.worktree, session.repository.home)
            for plan in state.with_status(Status.FAILED)
            if plan.worktree
        ),
    )


def _waiting(plan: PlanState) -> str:
    kind = str(plan.checkpoint.get("type", ""))
    if plan.status is Status.CONFLICTED:
        kind = "conflict"
    return f"{plan.id} ({clean_line(kind, 40)})" if kind else plan.id


def _commit(session: Session, edits: Edits, *, complete: bool) -> None:
    """The edits as one commit on the tip; files with the user's own edits left out."""
    objects, tip = session.repository.objects, session.state.tip
    mine = _locally_edited(session, list(edits.files))
    for path in mine:
        patch = unified(path, edits.old.get(path, b""), edits.files.pop(path))
        place = session.folder.path / "patches" / f"{path.rsplit('/', 1)[-1]}.patch"
        save_bytes(place, patch)
        edits.notes.append(f"{path} has local edits and was left alone; the change is in {place}")
    if not edits.files:
        for note in edits.notes:
            session.record(Type.NOTICE, text=note)
        return
    old_entries = objects.entries(tip, edits.files)
    changes = {
        path: Entry(_mode(old_entries.get(path)), objects.write_blob(data))
        for path, data in edits.files.items()
    }
    tree = objects.edit_tree(tip, changes)
    commit = objects.commit_tree(
        tree, (tip,), _message(session, complete), sign=bool(session.settings.merge.sign)
    )
    if not objects.move_ref(session.tip_ref, commit, tip):
        raise session.narrator.tip_was_moved(session.tip_ref, tip)
    session.record(
        Type.PLANNING_COMMITTED, commit=commit, files=sorted(edits.files), notes=edits.notes
    )


def _mode(entry: Entry | None) -> str:
    return "100644" if entry is None else entry.mode


def _message(session: Session, complete: bool) -> str:
    """`docs(phase-3): record 5 plans as executed`, in the dialect's form of scope."""
    dialect, phase = session.dialect, session.phase.dir
    if complete:
        subject = phase_message(dialect, phase.token, phase.name)
    else:
        landed = len(session.state.with_status(Status.LANDED))
        plans = count(landed, dialect.words.plan, dialect.words.plans)
        text = f"record {plans} as executed" if landed else "record the verification"
        subject = tracking_message(dialect, phase.token, text)
    return f"{subject}\n\nWtrun-Run: {session.state.id}\n"


def _locally_edited(session: Session, paths: list[str]) -> list[str]:
    """Those of the paths that differ from HEAD where the target is checked out."""
    ref = f"refs/heads/{session.state.target}"
    places = [tree.path for tree in session.repository.worktrees() if tree.branch == ref]
    if not places or not paths:
        return []
    fields = Git(places[0]).run(
        "--literal-pathspecs", "status", "--porcelain", "-z", "--no-renames", "--", *paths,
        env={"GIT_OPTIONAL_LOCKS": "0"},
    ).fields  # fmt: skip
    return [field[3:] for field in fields]


def _write_on_disk(session: Session, edits: Edits) -> None:
    changes = [Change(path, edits.old.get(path), data) for path, data in edits.files.items()]
    result = write_documents(session.repository.home, changes)
    for path in result.written:
        session.record(Type.NOTICE, text=f"updated {path}")
    for path, reason in result.left.items():
        place = session.folder.path / "patches" / f"{path.rsplit('/', 1)[-1]}.patch"
        save_bytes(place, unified(path, edits.old.get(path, b""), edits.files[path]))
        text = f"{path} {reason} and was left alone; the change is in {place}"
        session.record(Type.NOTICE, text=text)
    for note in edits.notes:
        session.record(Type.NOTICE, text=note)
