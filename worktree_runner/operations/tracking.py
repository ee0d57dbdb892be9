"""Writes the run's progress into the project's own planning files: one writer, at the end.

- The commit is built like a candidate: blobs and a tree on the run's tip, never through the
  user's index, so nothing that the user has staged or edited can slip in.
- A file with local edits of the user stays out of the commit; the change that wtrun would have
  made is saved as a patch in the run's folder and named.
- Where planning files are not committed, they are edited on disk, whole file or not at all.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from merge.types import Entry
from worktree_runner.core.docs.facts import Decision, PhaseRef, Position, RoadmapFacts, StateFacts
from worktree_runner.core.docs.page import Edited
from worktree_runner.core.docs.roadmap_edit import update_roadmap
from worktree_runner.core.docs.state import update_state
from worktree_runner.core.docs.summary import parse_summary
from worktree_runner.core.events import Type
from worktree_runner.core.state import PlanState, Status
from worktree_runner.core.texts import count
from worktree_runner.git.files import TreeFiles
from worktree_runner.git.gateway import Git
from worktree_runner.operations.session import Session
from worktree_runner.planning.reader import DiskFiles, PlanningFiles
from worktree_runner.store.atomic import save_bytes, save_text


@dataclass
class Edits:
    """New contents by path, and what could not be placed."""

    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def update(session: Session, now: datetime) -> None:
    """Records the landed plans in state and road map, if any landed since the last time."""
    state = session.state
    landed = state.with_status(Status.LANDED)
    if not landed or state.planning_commit == state.tip:
        return
    files = _files(session)
    edits = _edits(session, files, landed, now)
    if state.planning_tracked:
        _commit(session, edits, files)
    else:
        _write_on_disk(session, edits, files)


def _files(session: Session) -> PlanningFiles:
    if session.state.planning_tracked:
        root = session.dialect.root
        return TreeFiles(session.repository.objects, session.state.tip, root)
    return DiskFiles(session.repository.home)


def _edits(
    session: Session, files: PlanningFiles, landed: tuple[PlanState, ...], now: datetime
) -> Edits:
    """The new text of each planning file that changes."""
    state_path, roadmap_path = _find(session, files, "state"), _find(session, files, "roadmap")
    summaries = files.read([plan.summary for plan in landed])
    known = set(files.paths())
    done = [plan for plan in session.phase.plans if plan.done or plan.summary_path in known]
    total = len(session.phase.plans)
    edits = Edits()
    today = now.date().isoformat()
    if state_path:
        text = files.read([state_path])[state_path]
        facts = StateFacts(
            phase=PhaseRef(session.phase.dir.token, session.phase.dir.name),
            position=Position.EXECUTED if len(done) == total else Position.PARTIAL,
            plans_done=len(done),
            plans_total=total,
            date=today,
            now=now.isoformat(timespec="seconds"),
            activity=f"{count(len(landed), session.dialect.words.plan)} of phase "
            f"{session.phase.dir.token} executed and merged",
            decisions=_decisions(landed, summaries),
            blockers=_blockers(session),
            worktrees=tuple(
                os.path.relpath(plan.worktree, session.repository.home)
                for plan in session.state.with_status(Status.FAILED, Status.CONFLICTED)
                if plan.worktree
            ),
            checkpoints=tuple(plan.id for plan in session.state.with_status(Status.ASKING)),
            plan=landed[-1].id,
        )
        _take(edits, state_path, text, update_state(text, facts, session.dialect))
    if roadmap_path:
        text = files.read([roadmap_path])[roadmap_path]
        roadmap = RoadmapFacts(
            token=session.phase.dir.token,
            done=tuple(plan.number for plan in done),
            plans_total=total,
            date=today,
        )
        _take(edits, roadmap_path, text, update_roadmap(text, roadmap, session.dialect))
    return edits


def _take(edits: Edits, path: str, old: bytes, edited: Edited) -> None:
    edits.notes += [str(note) for note in edited.notes]
    if edited.text != old:
        edits.files[path] = edited.text


def _find(session: Session, files: PlanningFiles, kind: str) -> str | None:
    """The path of the state or road map file, in whatever case it is spelled."""
    names = getattr(session.dialect.files, kind)
    wanted = {f"{session.dialect.root}/{name}".lower() for name in names}
    return next((path for path in files.paths() if path.lower() in wanted), None)


def _decisions(
    landed: tuple[PlanState, ...], summaries: Mapping[str, bytes]
) -> tuple[Decision, ...]:
    return tuple(
        Decision(text, plan.id)
        for plan in landed
        if plan.summary in summaries
        for text in parse_summary(summaries[plan.summary]).key_decisions
    )


def _blockers(session: Session) -> tuple[str, ...]:
    return tuple(
        f"{plan.id} failed: {plan.reason}" for plan in session.state.with_status(Status.FAILED)
    )


def _commit(session: Session, edits: Edits, files: PlanningFiles) -> None:
    """The edits as one commit on the tip; files with the user's own edits left out."""
    objects, tip = session.repository.objects, session.state.tip
    mine = _locally_edited(session, list(edits.files))
    for path in mine:
        old = files.read([path]).get(path, b"")
        patch = _patch(path, old, edits.files.pop(path))
        place = session.folder.path / "patches" / f"{path.rsplit('/', 1)[-1]}.patch"
        save_text(place, patch)
        edits.notes.append(f"{path} has local edits and was left alone; the change is in {place}")
    if not edits.files:
        for note in edits.notes:
            session.record(Type.NOTICE, text=note)
        return
    old_entries = objects.entries(tip, edits.files)
    changes = {
        path: Entry(old_entries[path].mode, objects.write_blob(data))
        for path, data in edits.files.items()
    }
    tree = objects.edit_tree(tip, changes)
    commit = objects.commit_tree(
        tree, (tip,), _message(session), sign=bool(session.settings.merge.sign)
    )
    if not objects.move_ref(session.tip_ref, commit, tip):
        raise session.narrator.tip_was_moved(session.tip_ref, tip)
    session.record(
        Type.PLANNING_COMMITTED, commit=commit, files=sorted(edits.files), notes=edits.notes
    )


def _message(session: Session) -> str:
    """`docs(phase-3): record 5 of 7 executed plans`, in the dialect's form of scope."""
    template = session.dialect.commits.phase.format(
        phase=session.phase.dir.token, name=session.phase.dir.name, stage=session.phase.dir.token
    )
    scope = template.split(":", 1)[0]
    landed = len(session.state.with_status(Status.LANDED))
    plans = count(landed, session.dialect.words.plan, session.dialect.words.plans)
    return f"{scope}: record {plans} as executed\n\nWtrun-Run: {session.state.id}\n"


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


def _patch(path: str, old: bytes, new: bytes) -> str:
    lines = difflib.unified_diff(
        old.decode(errors="replace").splitlines(keepends=True),
        new.decode(errors="replace").splitlines(keepends=True),
        f"a/{path}",
        f"b/{path}",
    )
    return "".join(lines)


def _write_on_disk(session: Session, edits: Edits, files: PlanningFiles) -> None:
    for path, data in edits.files.items():
        save_bytes(session.repository.home / path, data)
        session.record(Type.NOTICE, text=f"updated {path}")
    for note in edits.notes:
        session.record(Type.NOTICE, text=note)
