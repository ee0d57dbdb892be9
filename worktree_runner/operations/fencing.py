"""Keeps an attempt to its own branch and files: reservations before, guards while, audit after.

- A plan's files are reserved all or nothing before its agent starts, kept while it runs and given
  back when it has landed, failed or been cleaned up.
- The guards live in the attempt's environment and end with its processes.
- The audit is the fence itself: it compares what was changed with what the plan holds.
"""

from __future__ import annotations

from pathlib import Path

from worktree_runner.core.audit import Report
from worktree_runner.core.reservations import Denial, Holder, Request
from worktree_runner.core.state import PlanState
from worktree_runner.git import audit, guard
from worktree_runner.git.gateway import Git
from worktree_runner.git.guard import GuardSpec
from worktree_runner.operations.session import Session
from worktree_runner.store import identity
from worktree_runner.store.registry import Registry


def registry(session: Session) -> Registry:
    return Registry(session.repository.layout)


def holder(session: Session, plan_id: str) -> Holder:
    return Holder(session.state.id, plan_id)


def reserve(session: Session, plan_id: str) -> Denial | None:
    """Reserves the plan's files for this run; what is in the way if they can't all be had."""
    plan = session.plan(plan_id)
    if not plan.files:
        return None
    request = Request(
        holder=holder(session, plan_id),
        patterns=tuple(sorted(plan.files)),
        ttl=session.settings.reservations.lease or 3600.0,
        reason=f"{session.dialect.words.plan} {plan_id}: {plan.title}",
        owner=identity.of_process(),
    )
    answer = registry(session).grant(request)
    return answer if isinstance(answer, Denial) else None


def renew(session: Session, plans: tuple[PlanState, ...]) -> None:
    """Keeps the reservations of plans that are still at work."""
    lease = session.settings.reservations.lease or 3600.0
    for plan in plans:
        registry(session).renew(holder(session, plan.id), lease)


def release(session: Session, plan_id: str) -> None:
    """Gives the plan's reservations back."""
    registry(session).release(holder(session, plan_id))


def release_all(session: Session) -> None:
    """Gives back whatever the run still holds, at its end."""
    registry(session).release_run(session.state.id)


def protected(session: Session, plan_id: str) -> tuple[str, ...]:
    """Patterns that others hold exclusively, for agents that can be told."""
    mine = holder(session, plan_id).party
    return tuple(
        held.reservation.pattern
        for held in registry(session).active()
        if held.reservation.exclusive and held.reservation.holder.party != mine
    )


def spec(session: Session, plan: PlanState) -> GuardSpec:
    """The facts of the plan's present attempt for guards and audit."""
    place = Path(plan.worktree)
    return GuardSpec(
        folder=session.folder.attempt(plan.id, plan.attempt),
        common_dir=session.repository.common_dir,
        git_dir=Path(Git(place).text("rev-parse", "--absolute-git-dir")),
        worktree=place.resolve(),
        run=session.state.id,
        plan=plan.id,
        branch=plan.branch,
        reservations=session.settings.reservations.mode,
        hooks=session.settings.merge.hooks,
    )


def install(session: Session, plan: PlanState) -> dict[str, str]:
    """Puts the guards in place and remembers how the repository looks; environment additions."""
    facts = spec(session, plan)
    audit.save_before(facts)
    return guard.install(facts)


def inspect(session: Session, plan: PlanState) -> Report:
    """What the ended attempt changed outside of what its plan holds."""
    facts = spec(session, plan)
    state = session.state
    tips = frozenset({state.base, state.tip, state.published})
    tips |= {other.commit for other in state.plans.values() if other.commit}
    own = {f"refs/heads/{state.target}": tips, session.tip_ref: tips, "HEAD": tips}
    return audit.report(
        facts,
        plan.base,
        allowed=(f"{session.dialect.root}/**",),
        landed=(state.tip,),
        own_moves=own,
        # where planning files are not committed, the run itself puts summaries beside their plans
        quiet={other.summary for other in state.plans.values()},
        mentions=audit.mentions(facts.folder / "events.jsonl", facts.worktree),
    )
