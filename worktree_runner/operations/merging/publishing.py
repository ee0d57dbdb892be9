"""Shows the landed work on the user's target branch, and follows the target where it moves."""

from __future__ import annotations

from typing import Any

from merge import Settings, merge_commits
from worktree_runner.core.events import Type
from worktree_runner.core.state import PlanState, RunState, Status
from worktree_runner.git.publish import Outcome, Publication, publish
from worktree_runner.operations.attempt.breaches import moved_target
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.merging.branching import checkout_of
from worktree_runner.operations.merging.landing import tier_of

FOLLOW_AT_MOST = 3


def publish_tip(session: Session, *, asked: bool = False) -> bool:
    """Fast-forwards the target to the run's tip; False if something of the user's is in the way.

    A target that moved on is merged into the tip first, three times at most: the user may be
    committing meanwhile. With a gate that is left to the merge queue, which checks it first. What
    is held is recorded with its reason, and the run goes on. With `merge.checkout` off, a checkout
    is moved only if the user asked for it.
    """
    if not asked and _stays(session):
        return False
    for _ in range(FOLLOW_AT_MOST):
        state = session.state
        culprit = moved_target(session.repository, state)
        if culprit is not None:
            hold(session, _after_breach(state, culprit))
            return False
        result = publish(session.repository, state.target, state.tip)
        if result.outcome in (Outcome.PUBLISHED, Outcome.CURRENT):
            if state.published != state.tip or state.held:
                session.record(Type.PUBLISHED, old=state.published, new=state.tip)
            return True
        if result.outcome is Outcome.HELD:
            hold(session, result)
            return False
        if session.state.queue.is_on:
            wait_for_gate(session, result.at)
            return False
        if not follow(session, result.at):
            return False
    hold(session, Publication(Outcome.HELD, "", f"{session.state.target} keeps moving"))
    return False


def _stays(session: Session) -> bool:
    """Whether the target is checked out and the settings keep it there; recorded if so."""
    state = session.state
    if session.settings.merge.checkout or state.published == state.tip:
        return False
    place = checkout_of(session.repository, state.target)
    if place is None:
        return False
    reason = f"merge.checkout is off and {state.target} is checked out in {place}"
    hold(session, Publication(Outcome.HELD, "", reason, (), "wtrun publish"))
    return True


def _after_breach(state: RunState, culprit: PlanState) -> Publication:
    """An agent moved the target: what it put there must not become landed work in silence."""
    reason = f"the agent of {culprit.id} moved {state.target}"
    hint = f"wtrun resolve {culprit.id} --put-back"
    if culprit.status is Status.ASKING:
        hint += " (or --accept-breach)"
    return Publication(Outcome.HELD, "", reason, (), hint)


def hold(session: Session, result: Publication) -> None:
    """Records why the target can't be moved now, unless that is what the user knows already."""
    facts: dict[str, Any] = {
        "reason": result.reason,
        "paths": list(result.paths),
        "hint": result.hint,
    }
    if session.state.held != facts:
        session.record(Type.PUBLISH_HELD, **facts)


def wait_for_gate(session: Session, target: str) -> None:
    """Has the merge queue merge the moved target in, unless that was tried in vain already."""
    queue = session.state.queue
    if queue.followed >= FOLLOW_AT_MOST:
        hold(session, Publication(Outcome.HELD, "", f"{session.state.target} keeps moving"))
    elif target not in (queue.target, queue.refused):
        session.record(Type.TARGET_MOVED, at=target)


def follow(session: Session, target: str) -> bool:
    """Merges the moved target into the tip unchecked; False if that conflicts."""
    state = session.state
    commit = merge_target(session, target)
    if commit is None:
        return False
    if not session.repository.objects.move_ref(session.tip_ref, commit, state.tip):
        raise session.narrator.tip_was_moved(session.tip_ref, state.tip)
    session.record(Type.TARGET_MERGED, target=target, tip=state.tip, commit=commit)
    return True


def merge_target(session: Session, target: str) -> str | None:
    """The commit that merges the moved target into the tip; None and held if that conflicts."""
    state, objects = session.state, session.repository.objects
    # the user's own changes to planning files count here, so nothing is kept at the tip's side
    own_version = session.settings.merge.own_version
    settings = Settings(tier=tier_of(session.settings), own_version=own_version)
    outcome = merge_commits(
        objects, state.tip, target, settings=settings, labels=("landed", state.target)
    )
    if outcome.tree is None:
        paths = tuple(item.path for item in outcome.conflicts)
        reason = f"{state.target} has moved on and conflicts with what has landed"
        hint = f"git merge {session.tip_ref}, then wtrun execute {state.call}"
        hold(session, Publication(Outcome.HELD, target, reason, paths, hint))
        return None
    lines = f"Merge branch '{state.target}' into what has landed\n\nWtrun-Run: {state.id}\n"
    return objects.commit_tree(
        outcome.tree, (state.tip, target), lines, sign=bool(session.settings.merge.sign)
    )


def refuse_target(session: Session, target: str, said: str) -> None:
    """Leaves the target as it is: the gate is not green on it together with what has landed."""
    state = session.state
    reason = f"{state.target} has moved on, and the check is not green on both together ({said})"
    session.record(Type.TARGET_REFUSED, at=target, reason=reason)
    hint = f"git merge {session.tip_ref}, and repair it"
    hold(session, Publication(Outcome.HELD, target, reason, (), hint))
