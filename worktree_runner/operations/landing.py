"""Merges a finished plan into the run's tip, in memory, and lands it there.

- The order taken is journalled before the merge, the candidate has two parents and the trailers
  that say whose it is. After a crash between the ref and the journal, the commit itself tells
  (`reconcile`).
- Nothing here touches a branch of the user or a file in a checkout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from merge import MergeOutcome, Settings, merge_commits
from merge.engine import diff_text
from merge.tree import SUBMODULE
from merge.types import Choice, FileConflict, Resolution
from worktree_runner.core.events import Type
from worktree_runner.core.settled import MANUAL, PERSON, trailer
from worktree_runner.core.state import PlanState
from worktree_runner.operations.session import Session, choices_of

MAX_NAME = 72


@dataclass(frozen=True, slots=True)
class Landed:
    """The plan is in the tip."""

    commit: str


@dataclass(frozen=True, slots=True)
class Conflicted:
    """A person has to decide these files."""

    conflicts: tuple[FileConflict, ...]


def merge_settings(session: Session, plan: PlanState) -> Settings:
    """How the merge engine is to work for a plan."""
    keep = session.dialect.owned() if session.state.planning_tracked else ()
    merge = session.settings.merge
    return Settings(
        tier=merge.resolve,
        own_version=merge.own_version,
        keep_ours=(*keep, *plan.drop),
        unresolve=merge.unresolve,
    )


def merged(session: Session, plan: PlanState, more: Sequence[Choice] = ()) -> MergeOutcome:
    """What merging the plan's head into the tip comes to now, with the user's answers so far.

    `more` are answers that are being tried and not recorded.
    """
    return merge_commits(
        session.repository.objects,
        session.state.tip,
        plan.head,
        settings=merge_settings(session, plan),
        choices=(*choices_of(plan), *more),
        labels=(session.state.target, plan.id),
    )


def land(session: Session, plan_id: str) -> Landed | Conflicted:
    """Merges one plan into the tip, or says what a person has to decide first."""
    plan, tip = session.of(plan_id), session.state.tip
    session.record(Type.MERGE_CHOSEN, plan_id, head=plan.head, tip=tip)
    outcome = merged(session, plan)
    if outcome.tree is None:
        return Conflicted(outcome.conflicts)
    resolutions = (*outcome.resolutions, *_by_hand(session, plan, outcome.tree))
    objects = session.repository.objects
    commit = objects.commit_tree(
        outcome.tree,
        (tip, plan.head),
        message(session, plan, resolutions),
        sign=bool(session.settings.merge.sign),
    )
    if not objects.move_ref(session.tip_ref, commit, tip):
        raise session.narrator.tip_was_moved(session.tip_ref, tip)
    session.record(
        Type.MERGE_LANDED,
        plan_id,
        head=plan.head,
        tip=tip,
        commit=commit,
        resolutions=[resolution_to_json(item) for item in resolutions],
        notices=list(outcome.notices),
    )
    return Landed(commit)


def _by_hand(session: Session, plan: PlanState, tree: str) -> list[Resolution]:
    """What a person decided in the plan's worktree, which git sees as a clean merge."""
    objects, paths = session.repository.objects, plan.by_hand
    if not paths:
        return []
    before, after = objects.entries(session.state.tip, paths), objects.entries(tree, paths)
    found = []
    for path in paths:
        sides = [
            objects.read_blob(entry.oid) if entry and entry.mode != SUBMODULE else b""
            for entry in (before.get(path), after.get(path))
        ]
        why = "edited in the worktree" if path in after else "removed in the worktree"
        diff = diff_text(path, *sides)
        found.append(Resolution(path, PERSON, why, tier=MANUAL, diff=diff))
    return found


def message(session: Session, plan: PlanState, resolutions: tuple[Resolution, ...]) -> str:
    """The merge commit's message: subject in the dialect's form, and the trailers."""
    name = plan.title if len(plan.title) <= MAX_NAME else plan.title[: MAX_NAME - 1] + "…"
    subject = session.dialect.commits.merge.format(branch=plan.branch, name=name)
    lines = [subject, "", f"Wtrun-Plan: {plan.id}", f"Wtrun-Run: {session.state.id}"]
    lines += [trailer(item) for item in resolutions]
    return "\n".join(lines) + "\n"


def resolution_to_json(item: Resolution) -> dict[str, Any]:
    """A resolution as it stands in the journal and the report."""
    return {
        "path": item.path,
        "resolver": item.resolver,
        "why": item.why,
        "hunks": item.hunks,
        "tier": item.tier,
        "diff": item.diff,
    }
