"""Merges a finished plan into the run's tip, in memory, and lands it there.

- The order taken is journalled before the merge, the candidate has two parents and the trailers
  that say whose it is. After a crash between the ref and the journal, the commit itself tells
  (`reconcile`).
- Nothing here touches a branch of the user or a file in a checkout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from merge import MergeOutcome, Settings, merge_commits
from merge.policy import Declared, Tier
from merge.tree import SUBMODULE
from merge.types import Choice, FileConflict, Resolution
from merge.work import diff_text
from worktree_runner.core import settled
from worktree_runner.core.events import Type
from worktree_runner.core.state import PlanState, RunState
from worktree_runner.dialects.schema import Dialect
from worktree_runner.git.repository import Repository
from worktree_runner.operations.context.session import Session, choices_of
from worktree_runner.operations.merging.concerns import concerns_of
from worktree_runner.store.settings import Settings as RunSettings

MAX_NAME = 72


@dataclass(frozen=True, slots=True)
class Landed:
    """The plan is in the tip."""

    commit: str


@dataclass(frozen=True, slots=True)
class Conflicted:
    """A person has to decide these files."""

    conflicts: tuple[FileConflict, ...]


def tier_of(settings: RunSettings) -> Tier:
    """The rules that may settle a conflict by themselves: likely ones need a green gate."""
    tier = settings.merge.resolve
    return "proven" if tier == "tested" else tier


def merge_settings(
    session: Session, plan: PlanState, tier: Tier, *, onto: str | None = None
) -> Settings:
    """How the merge engine is to work for a plan that is merged onto the tip, or a commit."""
    return full_settings(
        Surroundings(session.repository, session.settings, session.dialect, session.state),
        plan,
        session.plan(plan.id).text,
        tier,
        onto=onto,
    )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run's merges depend on beside the plan."""

    repository: Repository
    settings: RunSettings
    dialect: Dialect
    state: RunState


def full_settings(
    around: Surroundings, plan: PlanState, text: bytes, tier: Tier, *, onto: str | None = None
) -> Settings:
    """As `merge_settings`, without a session; `text` is the plan's file."""
    state = around.state
    found = settings_for(around.settings, around.dialect, state, plan, tier)
    declared = _declared(plan, text, around.dialect)
    concerns = concerns_of(around.repository, around.settings, state, declared, onto or state.tip)
    return replace(found, declared=declared, concerns=concerns)


def settings_for(
    settings: RunSettings, dialect: Dialect, state: RunState, plan: PlanState, tier: Tier
) -> Settings:
    """As far as it needs no plan file: nothing that the plan did not declare is asked about."""
    keep = dialect.owned() if state.planning_tracked else ()
    return Settings(
        tier=tier,
        own_version=settings.merge.own_version,
        keep_ours=(*keep, *plan.drop),
        unresolve=(*settings.merge.unresolve, *plan.unresolve),
    )


def _declared(plan: PlanState, text: bytes, dialect: Dialect) -> Declared:
    """What the plan said that it would touch, and what a person decided in its worktree; planning
    files may be moved about, not deleted."""
    return Declared(
        (*plan.files, plan.summary),
        text.decode("utf-8", "replace"),
        moves=(f"{dialect.root}/",),
        exact=frozenset(plan.by_hand),
    )


def merged(
    session: Session,
    plan: PlanState,
    more: Sequence[Choice] = (),
    *,
    onto: str | None = None,
    tier: Tier | None = None,
    plan_first: bool = False,
) -> MergeOutcome:
    """What merging the plan's head into the tip (or another commit) comes to now, with the
    user's answers so far. `more` are answers that are being tried and not recorded;
    `plan_first` takes likely insertions in the other order."""
    tip = onto or session.state.tip
    settings = merge_settings(session, plan, tier or tier_of(session.settings), onto=tip)
    outcome = merge_commits(
        session.repository.objects,
        tip,
        plan.head,
        settings=replace(settings, plan_first=plan_first),
        choices=(*choices_of(plan), *more),
        labels=(session.state.target, plan.id),
    )
    forced = {str(item["path"]): item for item in plan.choices if item.get("forced")}
    told = tuple(settled.forced(one, forced.get(one.path, {})) for one in outcome.resolutions)
    by_hand = _by_hand(session, plan, outcome.tree, tip)
    names = ((tip, session.state.target), (plan.head, plan.id))
    conflicts = tuple(replace(one, why=_named(one.why, names)) for one in outcome.conflicts)
    return replace(outcome, resolutions=(*told, *by_hand), conflicts=conflicts)


def _named(why: str, names: Sequence[tuple[str, str]]) -> str:
    """Git's words with the names of the two sides in place of their commits."""
    for commit, name in names:
        why = why.replace(commit, name)
    return why


def commit(session: Session, plan: PlanState, outcome: MergeOutcome, *, onto: str) -> str:
    """The merge commit of a settled outcome; nothing points to it yet."""
    assert outcome.tree is not None
    return session.repository.objects.commit_tree(
        outcome.tree,
        (onto, plan.head),
        message(session, plan, outcome.resolutions),
        sign=bool(session.settings.merge.sign),
    )


def land(session: Session, plan_id: str) -> Landed | Conflicted:
    """Merges one plan into the tip unchecked, or says what a person has to decide first."""
    plan, tip = session.of(plan_id), session.state.tip
    session.record(Type.MERGE_CHOSEN, plan_id, head=plan.head, tip=tip)
    outcome = merged(session, plan)
    if outcome.tree is None:
        return Conflicted(outcome.conflicts)
    made = commit(session, plan, outcome, onto=tip)
    if not session.repository.objects.move_ref(session.tip_ref, made, tip):
        raise session.narrator.tip_was_moved(session.tip_ref, tip)
    session.record(
        Type.MERGE_LANDED,
        plan_id,
        head=plan.head,
        tip=tip,
        commit=made,
        resolutions=[resolution_to_json(item) for item in outcome.resolutions],
        notices=list(outcome.notices),
    )
    return Landed(made)


def _by_hand(session: Session, plan: PlanState, tree: str | None, onto: str) -> list[Resolution]:
    """What a person decided in the plan's worktree, which git sees as a clean merge."""
    objects, paths = session.repository.objects, plan.by_hand
    if not paths or tree is None:
        return []
    before, after = objects.entries(onto, paths), objects.entries(tree, paths)
    found = []
    for path in paths:
        sides = [
            objects.read_blob(entry.oid) if entry and entry.mode != SUBMODULE else b""
            for entry in (before.get(path), after.get(path))
        ]
        why = "edited in the worktree" if path in after else "removed in the worktree"
        diff = diff_text(path, *sides)
        found.append(Resolution(path, settled.PERSON, why, 0, settled.MANUAL, diff))
    return found


def message(session: Session, plan: PlanState, resolutions: tuple[Resolution, ...]) -> str:
    """The merge commit's message: subject in the dialect's form, and the trailers."""
    name = plan.title if len(plan.title) <= MAX_NAME else plan.title[: MAX_NAME - 1] + "…"
    subject = session.dialect.commits.merge.format(branch=plan.branch, name=name)
    lines = [subject, "", f"Wtrun-Plan: {plan.id}", f"Wtrun-Run: {session.state.id}"]
    lines += [settled.trailer(item) for item in resolutions]
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
