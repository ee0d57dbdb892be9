"""The run's loop: ask the core what to do, do it, record it, until nothing is left.

- Slow work and questions run in threads (jobs.py), agents in processes of their own; the loop
  only waits for the first that ends.
- Ctrl-C stops the agents and pauses the run; a second one stops at once. Either way, `execute`
  goes on from the journal.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from worktree_runner import attempts as attempt_files
from worktree_runner import supervision
from worktree_runner.core import actions, schedule
from worktree_runner.core.events import Type
from worktree_runner.core.goal import VERIFIER
from worktree_runner.core.state import Status
from worktree_runner.core.texts import listing
from worktree_runner.errors import ExitCode, WtrunError
from worktree_runner.operations.attempt import beginning, fencing, judging, stalling
from worktree_runner.operations.attempt.ending import take_ended
from worktree_runner.operations.attempt.judging import judge
from worktree_runner.operations.context import run_mail
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.goal import goal_asking, verification
from worktree_runner.operations.merging import forecast, gate, queueing
from worktree_runner.operations.merging.conflicts import report_conflicts
from worktree_runner.operations.merging.landing import Conflicted, land
from worktree_runner.operations.run import asking, settling, waiting
from worktree_runner.operations.run.jobs import Jobs, open_jobs
from worktree_runner.operations.run.waiting import Waiting
from worktree_runner.operations.run.watching import Watch

LOOK_AGAIN_S = 60.0
"""The longest wait; everything that matters wakes the loop before."""
REDRAW_S = 1.0
"""How long a live picture may stand: elapsed times go on."""


@dataclass
class Loop:
    """A run in this process."""

    session: Session
    jobs: Jobs
    renewed: float = field(default_factory=time.monotonic)
    signal_seen: int = 0
    waiting: Waiting = field(init=False)
    stalls: stalling.Stalls = field(init=False)
    watch: Watch | None = None
    """Keeps the live board up to date while the loop waits."""
    foresight: forecast.Watcher = field(init=False)
    """Says when plans at work begin to conflict."""

    def __post_init__(self) -> None:
        self.waiting = Waiting(self.session, self.jobs)
        self.stalls = stalling.Stalls(self.session)
        self.foresight = forecast.Watcher(self.session)

    # -- running ---------------------------------------------------------------------

    def run(self) -> ExitCode:
        """Works until nothing is left to do or the user interrupts; the code to end with."""
        while not self.signal_seen:
            self.jobs.take_results()
            take_ended(self.session)
            self.attend_gate()
            self.attend_verifier()
            busy = self.jobs.busy | self.waiting.not_due()
            decided = schedule.decide(
                self.session.state, self.session.policy, busy=busy, now=time.time()
            )
            first = decided[0]
            if isinstance(first, actions.Finish):
                return first.code
            if isinstance(first, actions.Wait):
                self.wait(first.until)
                continue
            for action in decided:
                before = self.session.state.seq
                self.perform(action)
                starts = isinstance(action, actions.Start | actions.Begin)
                if self.session.state.seq != before and not starts:
                    break  # the state changed: decide again
        return self.interrupted()

    def land(self, plan_id: str) -> None:
        """Merges and checks this plan, starting no agent; its status says what became of it."""
        while not self.signal_seen:
            self.jobs.take_results()
            self.attend_gate()
            action = schedule.decide_merge(self.session.state, plan_id, busy=self.jobs.busy)[0]
            if isinstance(action, actions.Finish):
                return
            if isinstance(action, actions.Wait):
                self.wait()
            else:
                self.perform(action)
        code = self.interrupted()
        again = f"wtrun execute {self.session.state.call}"
        raise WtrunError(f"The check of {plan_id} was interrupted.", hint=again, exit_code=code)

    def perform(self, action: actions.Action) -> None:
        session = self.session
        match action:
            case actions.Start(plan):
                self.start(plan)
            case actions.Begin(plan):
                self.begin(plan)
            case actions.Judge(plan):
                judge(session, plan)
            case actions.Merge(plan):
                self.merge(plan)
            case actions.Prepare(plans):
                self.prepare(plans)
            case actions.Advance(step):
                queueing.advance(session, step)
            case actions.Settle(plan):
                settling.settle(session, plan)
            case actions.Skip(plan, because):
                names = listing(list(because))
                session.record(Type.PLAN_SKIPPED, plan, because=f"it depends on {names}")
            case actions.Ask(plan):
                self.ask(plan)
            case actions.Verify():
                verification.advance(self.session)
            case actions.AskGoal():
                self.ask_goal()
            case actions.Stop(reason, by, hint):
                session.record(Type.RUN_STOPPING, reason=reason, by=by, hint=hint)

    def start(self, plan_id: str) -> None:
        """Plans an attempt and begins it, unless somebody else has reserved the plan's files."""
        if not self.waiting.reserve(plan_id):
            return
        try:
            beginning.plan_attempt(self.session, plan_id)
        except WtrunError as error:  # a name that the user took meanwhile
            judging.fail(self.session, self.session.of(plan_id), error.message, error.hint or "")
            return
        self.begin(plan_id)

    def begin(self, plan_id: str) -> None:
        """Makes the attempt's worktree in a worker; its agent starts when that is done.

        A worktree that was ready before a crash is used as it is: nothing has run in it.
        """
        if self.session.of(plan_id).ready:
            beginning.launch_attempt(self.session, plan_id)
            return
        job = partial(beginning.make_worktree, self.session, plan_id)
        self.jobs.work(plan_id, job, partial(self.begun, plan_id))

    def begun(self, plan_id: str, done: Future[Any]) -> None:
        try:
            beginning.start(self.session, plan_id, done.result())
        except WtrunError as error:
            judging.fail(self.session, self.session.of(plan_id), error.message, error.hint or "")
        except OSError as error:  # a full disk, a folder that may not be written
            where = f": {error.filename}" if error.filename else ""
            judging.fail(self.session, self.session.of(plan_id), f"{error.strerror}{where}")

    def merge(self, plan_id: str) -> None:
        result = land(self.session, plan_id)
        if isinstance(result, Conflicted):
            report_conflicts(self.session, plan_id, result.conflicts)
            return
        queueing.after_landing(self.session, [plan_id])

    def prepare(self, plans: tuple[str, ...]) -> None:
        """Prepares a batch; where git's hooks take part, in a worker: they may take long."""
        session = self.session
        if not session.policy.checkout_merge:
            queueing.prepare(session, plans)
            return
        target = queueing.target_entries(session)
        job = partial(queueing.merge_all, session, plans, target, lambda: not self.signal_seen)
        self.jobs.work(gate.JOB, job, partial(queueing.record_when_done, session, plans))

    def ask(self, plan_id: str) -> None:
        """Puts the plan's question to the user, in the thread that owns the terminal."""
        job = asking.question_for(self.session, plan_id)
        self.jobs.ask(plan_id, job, partial(asking.take_answer, self.session, plan_id))

    def ask_goal(self) -> None:
        """Puts what is open about the phase's goal to the user."""
        job = goal_asking.question_for(self.session)
        self.jobs.ask(VERIFIER, job, partial(goal_asking.take_answer, self.session))

    # -- waiting ---------------------------------------------------------------------

    def attend_gate(self) -> None:
        """Begins the gate that is to run, or records how it ended."""
        if gate.JOB not in self.jobs.busy:
            gate.attend(self.session, partial(self.jobs.work, gate.JOB))

    def attend_verifier(self) -> None:
        """Begins the verifier that is to run, or records how it ended."""
        if VERIFIER not in self.jobs.busy:
            verification.attend(self.session, self.jobs.work)

    def wait(self, until: float | None = None) -> None:
        """Sleeps until a process ends, a job is done, a signal arrives, or at the latest `until`
        (in seconds of the calendar)."""
        folders = self.running_folders()
        if self.watch is not None:
            self.watch.show()
        patience = waiting.LOOK_S if self.waiting else LOOK_AGAIN_S
        if self.session.screen.is_live:
            patience = REDRAW_S
        if until is not None:
            patience = min(patience, max(0.0, until - time.time()))
        patience = min(patience, self.stalls.patience())
        self.foresight.look()
        patience = min(patience, self.foresight.patience)
        supervision.wait_any(folders, patience, wake=self.jobs.wake_read)
        self.stalls.attend(self.jobs.work)
        self.renew_when_due()
        self.jobs.was_woken()

    def renew_when_due(self) -> None:
        """Keeps the reservations of plans at work, a few times in the length of a lease."""
        lease = self.session.settings.reservations.lease or 3600.0
        now = time.monotonic()
        if now - self.renewed > lease / 4:
            self.renewed = now
            fencing.renew(self.session)

    def running_folders(self) -> list[Path]:
        running = self.session.state.with_status(Status.RUNNING)
        gates = [] if gate.JOB in self.jobs.busy else gate.folders(self.session)
        attempts_of_plans = (self.session.attempt_folder(plan.id) for plan in running)
        return [*attempts_of_plans, *gates, *verification.folders(self.session)]

    # -- stopping --------------------------------------------------------------------

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.session.screen.is_lent:
            return  # typed in the user's editor, pager or shell, and meant for it
        if self.signal_seen:
            # the second one: leave at once; the launchers keep their agents' deadlines
            os._exit(128 + number)
        self.signal_seen = number
        self.jobs.wake()

    def interrupted(self) -> ExitCode:
        """Stops the agents, records how they ended, and leaves the run to be resumed."""
        running = self.session.state.with_status(Status.RUNNING)
        self.session.narrator.stopping(len(running))
        self.session.asker.interrupt()
        supervision.stop_all(self.running_folders())
        # set-up commands of worktrees that are being made: the workers wait for them
        mark = attempt_files.Mark(self.session.state.id)
        supervision.sweep(mark, keep=[run_mail.MARK])
        while gate.JOB in self.jobs.busy and not self.jobs.is_done(gate.JOB, within=0.2):
            supervision.sweep(mark, keep=[run_mail.MARK])  # a hook that was just being started
        take_ended(self.session)
        gate.attend(self.session, None)
        verification.attend(self.session, None)
        self.keep_drafts()
        if self.signal_seen == signal.SIGTERM:
            return ExitCode.TERMINATED
        return ExitCode.INTERRUPTED

    def keep_drafts(self) -> None:
        """Keeps what was answered of a conflict whose question was ended by Ctrl-C."""
        for plan_id, answer in self.jobs.results_within(1.0):
            asking.keep_draft(self.session, plan_id, answer)


@contextlib.contextmanager
def open_loop(session: Session) -> Iterator[Loop]:
    """A loop with its jobs and signal handlers, all put back at the end."""
    with open_jobs() as jobs:
        loop = Loop(session, jobs)
        before = {
            number: signal.signal(number, loop.on_signal)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield loop
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
