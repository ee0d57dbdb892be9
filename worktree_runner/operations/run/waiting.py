"""Plans that are due and can't start, since somebody else has reserved their files.

Whether they wait, fail or the user is asked is said by `on_reserved`; a plan that waits looks
again every few seconds, and says who is in the way once, and again when that changes.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

from worktree_runner.core.events import Type
from worktree_runner.operations.attempt import fencing, judging
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.run import asking
from worktree_runner.operations.run.jobs import Jobs

LOOK_S = 2.0
"""How often a plan that waits for somebody's reservation looks again."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """Why a plan can't be started yet, and when (monotonic) to look again."""

    reason: str
    look_at: float


class Waiting:
    """The plans of a run that wait for a reservation."""

    def __init__(self, session: Session, jobs: Jobs) -> None:
        self._session = session
        self._jobs = jobs
        self._reserved: dict[str, Reserved] = {}

    def __bool__(self) -> bool:
        return bool(self._reserved)

    def reserve(self, plan_id: str) -> bool:
        """Whether the plan has its files reserved now; if not, its case is taken care of."""
        session = self._session
        found = fencing.reserve(session, plan_id)
        if not found:
            self._reserved.pop(plan_id, None)
            return True
        reason = fencing.in_words(found)
        known = self._reserved.get(plan_id)
        self._reserved[plan_id] = Reserved(reason, time.monotonic() + LOOK_S)
        if known is not None and known.reason == reason:
            return False
        way = session.settings.reservations.on_reserved
        if way == "wait" or all(one.held.holder.run == session.state.id for one in found):
            session.record(Type.NOTICE, plan_id, text=f"waits: {reason} ('wtrun reservations')")
        elif way == "ask" and session.policy.interactive:
            job = asking.reserved_question(session, plan_id, found)
            self._jobs.ask(plan_id, job, partial(self._answered, plan_id, reason))
        else:
            self._reserved.pop(plan_id)
            judging.fail(session, session.of(plan_id), reason, "wtrun reservations")
        return False

    def _answered(self, plan_id: str, reason: str, done: Future[Any]) -> None:
        """Does what the user said to a plan whose files are reserved by others."""
        if asking.take_reserved(self._session, plan_id, reason, done.result()):
            self._reserved.pop(plan_id, None)

    def not_due(self) -> set[str]:
        """Plans that wait for a reservation and are not due for another look.

        None of them once the run is stopping: it does not stay for their sake.
        """
        if self._session.state.stopping:
            return set()
        now = time.monotonic()
        return {plan_id for plan_id, one in self._reserved.items() if now < one.look_at}
