"""What keeps the plans of a run out of each other's way: reservations, guards, the audit.

In the order of an attempt:
1. `reserve`: the plan's files, all or nothing, before its worktree is made. They are this
   process's, so they are free at once if it dies; `reserve` again on resume.
2. `guard`: after the setup command, before the agent starts; the snapshot for the audit too.
3. `report`: when the agent has ended. `take_undeclared` reserves what it touched besides.
4. `release`: when the plan has landed, failed or was cleaned up; `release_all` with the run.
"""

from __future__ import annotations

from pathlib import Path

from worktree_runner.core.audit import Kind, Report
from worktree_runner.core.events import Type
from worktree_runner.core.patterns import PatternError, compiled, escape
from worktree_runner.core.reservations import Conflict, Denial, Holder, Request
from worktree_runner.core.state import PlanState
from worktree_runner.core.texts import count, listing
from worktree_runner.git import audit
from worktree_runner.git import guard as guards
from worktree_runner.git.gateway import Git
from worktree_runner.git.guard import GuardSpec
from worktree_runner.operations.session import Session
from worktree_runner.store import identity
from worktree_runner.store.registry import Registry

SHOWN = 5


def reserve(session: Session, plan_id: str) -> tuple[Conflict, ...]:
    """Reserves the plan's files, or gives every reservation in the way and reserves none.

    Asking again while somebody is in the way costs a look at the registry, no entry in its log.
    """
    plan = session.of(plan_id)
    files = sorted(path for path in session.plan(plan_id).files if _is_pattern(path))
    if not files:
        return ()
    request = _request(session, plan, tuple(files), f"{plan_id} {plan.title}".strip())
    registry = _registry(session)
    found = registry.conflicts(request)
    if found:
        return found
    answer = registry.grant(request)
    return answer.conflicts if isinstance(answer, Denial) else ()


def spec(session: Session, plan: PlanState) -> GuardSpec:
    """The facts of the plan's present attempt, whose worktree must exist."""
    place = Path(plan.worktree)
    return GuardSpec(
        folder=session.attempt_folder(plan.id),
        common_dir=session.repository.common_dir,
        git_dir=Path(Git(place).text("rev-parse", "--absolute-git-dir")),
        worktree=place,
        run=session.state.id,
        plan=plan.id,
        branch=plan.branch,
        reservations=session.settings.reservations.mode,
        hooks=session.settings.merge.hooks,
    )


def guard(session: Session, plan: PlanState) -> dict[str, str]:
    """The environment additions that guard the attempt; remembers what the audit compares with."""
    facts = spec(session, plan)
    added = guards.install(facts)
    audit.save_before(facts)
    return added


def report(session: Session, plan_id: str) -> Report:
    """What the ended attempt changed outside of what its plan holds."""
    plan = session.of(plan_id)
    folder = session.attempt_folder(plan_id)
    events = session.journal.events
    moves = frozenset(str(one.data["new"]) for one in events if one.type == Type.PUBLISHED)
    planned = [one for one in events if one.type == Type.ATTEMPT_PLANNED and one.plan != plan_id]
    quiet = {f"refs/heads/{one.data['branch']}" for one in planned}
    quiet |= {str(one.data["worktree"]) for one in planned}
    return audit.report(
        spec(session, plan),
        plan.base,
        allowed=(f"{escape(session.dialect.root)}/",),
        landed=(session.state.tip,),
        own_moves={f"refs/heads/{session.state.target}": moves},
        quiet=quiet,
        mentions=audit.mentions(folder / "events.jsonl", Path(plan.worktree)),
    )


def take_undeclared(session: Session, plan_id: str, found: Report) -> tuple[Conflict, ...]:
    """Reserves for the plan what it touched undeclared; what others took meanwhile is given."""
    patterns = tuple(escape(path) for path in found.undeclared)
    if not patterns:
        return ()
    request = _request(session, session.of(plan_id), patterns, f"{plan_id} touched it undeclared")
    return _registry(session).grant_each(request).conflicts


def release(session: Session, plan_id: str) -> None:
    """Frees all paths of the plan."""
    _registry(session).release(Holder(session.state.id, plan_id))


def release_all(session: Session) -> None:
    """Frees all paths of the run."""
    _registry(session).release_run(session.state.id)


def notes(found: Report) -> tuple[str, ...]:
    """What to tell about an attempt whose findings stop nothing."""
    lines = []
    if found.undeclared:
        lines.append(f"touched {listing(found.undeclared, SHOWN)} without declaring it")
    lines += [f"{one}; the merge decides" for one in found.of(Kind.SIBLING)]
    meanwhile = found.changed_meanwhile
    if meanwhile:
        named = listing([one.subject for one in meanwhile], SHOWN)
        lines.append(f"changed during the run, not held against the plan: {named}")
    stray = found.of(Kind.STRAY)
    if stray:
        named = listing([one.subject[:10] for one in stray], SHOWN)
        lines.append(f"left {count(len(stray), 'commit')} beside its branch: {named}")
    return tuple(lines)


def _request(session: Session, plan: PlanState, patterns: tuple[str, ...], why: str) -> Request:
    return Request(
        holder=Holder(session.state.id, plan.id),
        patterns=patterns,
        ttl=float(session.settings.reservations.lease or 0),
        reason=why,
        owner=identity.of_process(),
        worktree=plan.worktree,
        branch=plan.branch,
    )


def _registry(session: Session) -> Registry:
    return Registry(session.repository.layout)


def _is_pattern(text: str) -> bool:
    try:
        compiled(text)
    except PatternError:
        return False
    return not text.startswith("/")
