"""Keeps an attempt to its own branch and files: reservations before, guards while, audit after.

In the order of an attempt:
1. `reserve`: the plan's files, all or nothing, before its worktree is made. They are this
   process's, so they are free at once if it dies; `retake` has them again on resume.
2. `install`: after the setup command, before the agent starts: the guards, which live in the
   attempt's environment, and the snapshot that the audit compares with.
3. `inspect`: when the agent has ended. What it touched besides is reserved by `take_undeclared`,
   and what its branch lacks is kept by `keep_stray`.
4. `release`: when the plan has landed, failed or was cleaned up; `release_all` with the run.
"""

from __future__ import annotations

from pathlib import Path

from worktree_runner.core.audit import Kind, Report
from worktree_runner.core.events import Type
from worktree_runner.core.patterns import PatternError, compiled, escape
from worktree_runner.core.reservations import Conflict, Holder, Request
from worktree_runner.core.state import ACTIVE, PlanState, Status
from worktree_runner.core.texts import listing
from worktree_runner.git import audit, guard
from worktree_runner.git.entries import real, record_of
from worktree_runner.git.guard import GuardSpec
from worktree_runner.operations.context.session import Session
from worktree_runner.store import identity
from worktree_runner.store.registry import Registry

SHOWN = 5
LEASE_S = 3600.0
WORKING = frozenset({*ACTIVE, Status.QUEUED})
"""Plans that get out of the way of others without a person."""
HOLDING = frozenset({*WORKING, Status.ASKING, Status.CONFLICTED})
"""Plans that keep their reservations."""


# --- reservations ----------------------------------------------------------------------------


def reserve(session: Session, plan_id: str) -> tuple[Conflict, ...]:
    """Reserves the plan's files, or gives what is in the way and reserves none.

    Asking again while somebody is in the way costs a look at the registry, no entry in its log.
    A plan of the same run is in the way only while it is at work: what it touched undeclared
    will have landed then. One that waits for a person holds nobody up; the merge decides.
    """
    patterns = tuple(sorted(path for path in session.plan(plan_id).files if _is_pattern(path)))
    if not patterns:
        return ()
    request = _request(session, session.of(plan_id), patterns)
    registry = _registry(session)
    in_the_way = tuple(one for one in registry.conflicts(request) if _holds_up(session, one))
    if in_the_way:
        return in_the_way
    found = registry.grant_each(request).conflicts
    in_the_way = tuple(one for one in found if _holds_up(session, one))
    if in_the_way:  # somebody came in between
        registry.release(request.holder)
    return in_the_way


def _holds_up(session: Session, found: Conflict) -> bool:
    other = found.held.holder
    if other.run != session.state.id:
        return True
    sibling = session.state.plans.get(other.plan)
    return sibling is not None and sibling.status in WORKING


def retake(session: Session) -> None:
    """Reserves again what the plans of a resumed run held; says what others took meanwhile."""
    for plan in session.state.with_status(*HOLDING):
        found = reserve(session, plan.id)
        if found:
            session.record(Type.NOTICE, plan.id, text=f"goes on although {in_words(found)}")


def renew(session: Session) -> None:
    """Keeps the reservations of all plans that are on their way."""
    registry = _registry(session)
    for plan in session.state.with_status(*HOLDING):
        registry.renew(_holder(session, plan.id), _lease(session))


def release(session: Session, plan_id: str) -> None:
    """Gives all reservations of the plan back, those of its agent too."""
    _registry(session).release(_holder(session, plan_id))


def release_all(session: Session) -> None:
    """Gives back whatever the run still holds, at its end."""
    _registry(session).release_run(session.state.id)


def others(session: Session, plan_id: str) -> tuple[tuple[str, str], ...]:
    """Patterns that the plan must keep off, with their holders, for agents that can be told.

    Those of the run's other plans only where they are strict: else the merge decides.
    """
    mine, strict = _holder(session, plan_id).party, session.settings.reservations.mode == "strict"
    held = [one.reservation for one in _registry(session).active()]
    return tuple(
        (one.pattern, one.holder.label)
        for one in held
        if one.exclusive and one.holder.party != mine
        if strict or one.holder.run != session.state.id
    )


def in_words(found: tuple[Conflict, ...]) -> str:
    """`src/a.py is reserved by alice: new login`: the first in the way, and how many more."""
    texts = []
    for one in found:
        why = f": {one.held.reason}" if one.held.reason else ""
        texts.append(f"{one}{why}")
    return listing(list(dict.fromkeys(texts)), limit=3)


# --- guards and audit ------------------------------------------------------------------------


def spec(session: Session, plan: PlanState) -> GuardSpec:
    """The facts of the plan's present attempt, whether or not its worktree is still there."""
    place, layout = Path(plan.worktree), session.repository.layout
    record = record_of(layout, place) or layout.common_dir / "worktrees" / place.name
    return GuardSpec(
        folder=session.folder.attempt(plan.id, plan.attempt),
        common_dir=session.repository.common_dir,
        git_dir=real(record),
        worktree=place.resolve(),
        run=session.state.id,
        plan=plan.id,
        branch=plan.branch,
        reservations=session.settings.reservations.mode,
        home=session.repository.home,
        hooks=session.settings.merge.hooks,
    )


def install(session: Session, plan: PlanState) -> dict[str, str]:
    """Puts the guards in place and remembers how the repository looks; environment additions."""
    facts = spec(session, plan)
    audit.save_before(facts)
    return guard.install(facts)


def absent_hooks(session: Session, plan: PlanState) -> str | None:
    """Says that the project's hooks are not in the worktree, as husky's are not before its set-up.

    git passes over a hooks folder that is not there, so nothing else would tell.
    """
    value = session.repository.git.run("config", "--get", "core.hooksPath", check=False).text
    if not value or session.settings.merge.hooks == "skip" or value.startswith(("/", "~")):
        return None
    if (Path(plan.worktree) / value).is_dir() or not (session.repository.home / value).is_dir():
        return None
    return (
        f"your hooks do not run for agents: their worktrees lack {value} (core.hooksPath); "
        f"a command in worktrees.setup that makes it brings them along"
    )


def inspect(session: Session, plan: PlanState) -> Report:
    """What the ended attempt changed outside of what its plan holds."""
    state = session.state
    facts = spec(session, plan)
    moves = frozenset({state.base, state.tip, state.published})
    moves |= {other.commit for other in state.plans.values() if other.commit}
    planned = [one.data for one in session.journal.events if one.type == Type.ATTEMPT_PLANNED]
    quiet = {f"refs/heads/{data['branch']}" for data in planned}
    quiet |= {str(data["worktree"]) for data in planned}
    # where planning files are not committed, the run itself puts summaries beside their plans
    quiet |= {other.summary for other in state.plans.values()}
    return audit.report(
        facts,
        plan.base,
        allowed=(f"{escape(session.dialect.root)}/",),
        landed=(state.tip,),
        own_moves={f"refs/heads/{state.target}": moves, session.tip_ref: moves},
        removed=_removed(session),
        quiet=quiet - {f"refs/heads/{plan.branch}", plan.worktree},
        mentions=audit.mentions(facts.folder / "events.jsonl", facts.worktree),
    )


def _removed(session: Session) -> set[str]:
    """Worktrees and branches that the run itself took away."""
    gone = [one.data for one in session.journal.events if one.type == Type.WORKTREE_REMOVED]
    return {f"refs/heads/{data['branch']}" for data in gone} | {str(d["worktree"]) for d in gone}


def take_undeclared(session: Session, plan: PlanState, found: Report) -> None:
    """Reserves for the plan what it touched undeclared, where nobody else has it."""
    if found.undeclared:
        patterns = tuple(escape(path) for path in found.undeclared)
        _registry(session).grant_each(_request(session, plan, patterns, "touched undeclared"))


def keep_stray(session: Session, plan: PlanState, found: Report) -> tuple[str, ...]:
    """The salvage refs of commits that the attempt made and its branch lacks; made if missing."""
    refs = []
    for one in found.of(Kind.STRAY):
        name = f"{plan.id}-a{plan.attempt}/{one.subject[:10]}"
        ref = f"refs/wtrun/salvage/{session.state.id}/{name}"
        if session.repository.git.resolve(ref) is None:
            session.repository.objects.move_ref(ref, one.subject, None)
        refs.append(ref)
    return tuple(refs)


def notes(found: Report) -> list[str]:
    """What the user should know of the audit and need not decide."""
    lines = []
    if found.undeclared:
        lines.append(f"changed without declaring it: {listing(found.undeclared, limit=SHOWN)}")
    lines += [f"{one}; the merge decides" for one in found.of(Kind.SIBLING)]
    links = [str(one) for one in found.of(Kind.LINK) if not one.breach]
    if links:
        lines.append(f"links out of the repository: {listing(links, limit=SHOWN)}")
    if found.changed_meanwhile:  # settings and hooks first: what they do lasts
        ordered = sorted(found.changed_meanwhile, key=lambda one: one.kind is not Kind.SHARED)
        named = listing([str(one) for one in ordered], limit=SHOWN)
        lines.append(f"changed meanwhile, not held against it: {named}")
    return lines


def _request(
    session: Session, plan: PlanState, patterns: tuple[str, ...], why: str = ""
) -> Request:
    return Request(
        holder=_holder(session, plan.id),
        patterns=patterns,
        ttl=_lease(session),
        reason=why or plan.title,
        owner=identity.of_process(),
        worktree=plan.worktree,
        branch=plan.branch,
    )


def _registry(session: Session) -> Registry:
    return Registry(session.repository.layout)


def _holder(session: Session, plan_id: str) -> Holder:
    return Holder(session.state.id, plan_id)


def _lease(session: Session) -> float:
    return session.settings.reservations.lease or LEASE_S


def _is_pattern(text: str) -> bool:
    try:
        compiled(text)
    except PatternError:
        return False
    return not text.startswith("/")
