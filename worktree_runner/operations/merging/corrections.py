"""Commits what a run left uncommitted in the planning directory, before its result is verified.

- Only where the target is checked out, and only in the checkout whose state was recorded when
  the run began; on another branch the same files are another branch's.
- Each file is named by itself and read once; the commit is built on the run's tip, so nothing
  that the user has staged or edited can slip in. A crash leaves a commit that the resume finds.
- What is the user's stays as it is, and is named with the reason.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from merge.types import Entry
from worktree_runner.core.docs.commits import corrections_message
from worktree_runner.core.docs.corrections import Corrections, LocalChange, sort_changes
from worktree_runner.core.events import Type
from worktree_runner.core.state import Status
from worktree_runner.core.texts import listing
from worktree_runner.git import changes
from worktree_runner.git.gateway import Git
from worktree_runner.operations.attempt.breaches import BREACH
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.merging.branching import checkout_of
from worktree_runner.operations.merging.publishing import publish_tip

KIND = "corrections"
"""What the trailer `Wtrun-Commit` says."""


def remember(place: Path | None, root: str, *, tracked: bool) -> dict[str, Any]:
    """For the journal: where the target is checked out, and the planning files changed there."""
    if place is None or not tracked:
        return {}
    found = changes.uncommitted(Git(place), root)
    return {"place": str(place), "changed": {each.path: each.content for each in found}}


def commit_corrections(session: Session) -> None:
    """Commits the run's own changes as `fix(03): orchestrator corrections`; names the user's."""
    state = session.state
    place = checkout_of(session.repository, state.target)
    began = state.facts.get("checkout") or {}
    if place is None or began.get("place") != str(place) or not state.planning_tracked:
        return
    asking = state.with_status(Status.ASKING)
    if any(plan.checkpoint.get("type") == BREACH for plan in asking):
        return  # an agent left its own ground; what it wrote here is for the user to judge first
    git = Git(place)
    found = _sorted(session, git, began["changed"])
    if found.run and publish_tip(session):  # else the files belong to another commit than the tip
        _commit(session, git, found.run)
    _name_the_users(session, git, found)


def _sorted(session: Session, git: Git, before: dict[str, str | None]) -> Corrections:
    state, objects = session.state, session.repository.objects
    written = {
        path: None if entry is None else entry.oid
        for path, (_, entry) in objects.changed_paths(state.base, state.tip).items()
    }
    local = (
        LocalChange(each.path, each.index, each.worktree, each.content)
        for each in changes.uncommitted(git, session.dialect.root)
    )
    return sort_changes(
        local, session.dialect, before=before, written=written, phase=session.phase.dir.path
    )


def _commit(session: Session, git: Git, paths: tuple[str, ...]) -> None:
    objects, tip = session.repository.objects, session.state.tip
    old = objects.entries(tip, paths)
    edits: dict[str, Entry | None] = {}
    for path in paths:
        mode = old[path].mode if path in old else "100644"
        entry = Entry(mode, changes.write_blob(git, path))
        if old.get(path) != entry:
            edits[path] = entry
    if not edits:
        return
    tree = objects.edit_tree(tip, edits)
    subject = corrections_message(session.dialect, session.phase.dir.token)
    message = f"{subject}\n\nWtrun-Run: {session.state.id}\nWtrun-Commit: {KIND}\n"
    commit = objects.commit_tree(tree, (tip,), message, sign=bool(session.settings.merge.sign))
    if not objects.move_ref(session.tip_ref, commit, tip):
        raise session.narrator.tip_was_moved(session.tip_ref, tip)
    session.record(Type.CORRECTIONS_COMMITTED, commit=commit, files=sorted(edits), subject=subject)


def _name_the_users(session: Session, git: Git, found: Corrections) -> None:
    told = [f"{path} {reason}" for path, reason in found.left.items()]
    others = changes.elsewhere(git, session.dialect.root)
    if told:
        text = f"left uncommitted: {listing(told, limit=8)}"
        session.record(Type.NOTICE, text=text)
    if others:
        text = f"your own changes, left as they are: {listing(list(others), limit=8)}"
        session.record(Type.NOTICE, text=text)
