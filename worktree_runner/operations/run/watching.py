"""What the live board shows: the run's state, and what each agent is doing by its own log.

- Only new bytes of a log are read, at most once a second, and only where a board shows them.
- All of it is for display: nothing here decides anything, and a log that can't be read shows
  nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from worktree_runner.agents.protocol import Agent, AgentEvent, Usage
from worktree_runner.agents.streams import add
from worktree_runner.core.events import Type
from worktree_runner.core.goal import VERIFIER, Goal, Step
from worktree_runner.core.state import SETTLED, PlanState, RunState, Status
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.goal import verifier
from worktree_runner.ui.board import Board, BoardView, Row, RowState

READ_EVERY_S = 1.0
MOST_BYTES = 1_000_000
"""What is read of a log at once; of one that grew faster only the end is looked at."""

_STATES = {
    Status.WAITING: RowState.WAITING,
    Status.STARTING: RowState.STARTING,
    Status.RUNNING: RowState.RUNNING,
    Status.ENDED: RowState.RUNNING,
    Status.ASKING: RowState.ASKING,
    Status.QUEUED: RowState.QUEUED,
    Status.CONFLICTED: RowState.CONFLICT,
    Status.REJECTED: RowState.FAILED,
    Status.LANDED: RowState.MERGED,
    Status.FAILED: RowState.FAILED,
    Status.SKIPPED: RowState.SKIPPED,
}


class Watch:
    """Keeps a board up to date with a session."""

    def __init__(
        self,
        session: Session,
        board: Board,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._board = board
        self._now = now
        self._monotonic = monotonic
        self._logs: dict[Path, LogReader] = {}
        self._read_at = float("-inf")
        self._seen = 0
        self._started: dict[str, datetime] = {}

    def show(self) -> None:
        """Gives the board the run as it stands."""
        self._note_starts()
        state = self._session.state
        if self._session.screen.is_live:
            self._read_logs(state)
        rows = tuple(self._row(plan) for plan in state.in_order())
        if state.goal.step is Step.VERIFYING:
            rows += (self._goal_row(state.goal),)
        wave, waves = wave_of(state)
        word = self._session.dialect.words.wave
        self._board.update(BoardView(wave, waves, rows, word))

    def _note_starts(self) -> None:
        """When each plan's present attempt started, by the journal."""
        events = self._session.journal.events
        for event in events[self._seen :]:
            if event.type == Type.ATTEMPT_STARTED and event.plan is not None:
                self._started[event.plan] = event.at
            elif event.type == Type.VERIFY_STARTED:
                self._started[VERIFIER] = event.at
        self._seen = len(events)

    def _read_logs(self, state: RunState) -> None:
        now = self._monotonic()
        if now - self._read_at < READ_EVERY_S:
            return
        self._read_at = now
        for plan in state.with_status(Status.RUNNING):
            folder = self._session.attempt_folder(plan.id)
            if folder not in self._logs:
                self._logs[folder] = LogReader(self._session.agent_of(plan), folder)
            self._logs[folder].read()

    def _row(self, plan: PlanState) -> Row:
        log = self._logs.get(self._session.attempt_folder(plan.id)) if plan.attempt else None
        running = plan.status is Status.RUNNING
        elapsed: float | None = plan.outcome.get("seconds")
        if running and plan.id in self._started:
            elapsed = (self._now() - self._started[plan.id]).total_seconds()
        usage = log.usage if log is not None else Usage()
        if plan.outcome.get("usage"):
            usage = Usage.model_validate(plan.outcome["usage"])
        known = [n for n in (usage.input_tokens, usage.output_tokens) if n is not None]
        queue = self._session.state.queue
        checked = queue.open.plans if queue.open is not None else ()
        return Row(
            plan.id,
            plan.title,
            RowState.CHECKING if plan.id in checked else _STATES[plan.status],
            elapsed,
            log.activity if log is not None and running else "",
            sum(known) if known else None,
            usage.cost_usd,
        )

    def _goal_row(self, goal: Goal) -> Row:
        """The verifier's; without its log while its worktree is being made."""
        folder = verifier.folder_of(self._session)
        log = self._logs.setdefault(folder, LogReader(self._session.agent(goal.agent), folder))
        if self._session.screen.is_live:
            log.read()
        elapsed = None
        if VERIFIER in self._started:
            elapsed = (self._now() - self._started[VERIFIER]).total_seconds()
        title = f"the {self._session.words.phase}'s goal"
        return Row(VERIFIER, title, RowState.RUNNING, elapsed, log.activity)


def wave_of(state: RunState) -> tuple[int, int]:
    """The number of the first wave with an open plan, and how many waves there are."""
    waves = sorted({plan.wave for plan in state.plans.values()})
    open_waves = [plan.wave for plan in state.plans.values() if plan.status not in SETTLED]
    present = min(open_waves) if open_waves else waves[-1] if waves else 0
    return (waves.index(present) + 1 if waves else 0), len(waves)


class LogReader:
    """Follows one attempt's log through its agent's parser."""

    def __init__(self, agent: Agent, folder: Path) -> None:
        self._file = folder / "stdout.log"
        self._parser = agent.parser()
        self._sums = agent.capabilities.usage_scope == "step"
        self._offset = 0
        self._rest = b""
        self.activity = ""
        """The last thing the agent did, in a few words."""
        self.usage = Usage()

    def read(self) -> None:
        """Takes in what was written since the last call."""
        try:
            with self._file.open("rb") as file:
                size = file.seek(0, 2)
                if size - self._offset > MOST_BYTES:
                    self._offset, self._rest = size - MOST_BYTES // 4, b""
                file.seek(self._offset)
                data = file.read(MOST_BYTES)
        except OSError:
            return
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-MOST_BYTES:]
        for line in lines:
            for event in self._parser.feed(line.decode(errors="replace"), "stdout"):
                self._take(event)

    def _take(self, event: AgentEvent) -> None:
        if event.usage is not None:
            self.usage = add(self.usage, event.usage) if self._sums else event.usage
        words = activity_of(event)
        if words:
            self.activity = words


def activity_of(event: AgentEvent) -> str:
    """An event in a few words: `Edit src/app.py`; empty if it tells nothing of the work."""
    if event.kind == "tool":
        what = event.paths[0] if event.paths else event.text
        return f"{event.tool} {what}".strip()
    if event.kind in ("text", "retry", "denied"):
        lines = event.text.strip().splitlines()
        return lines[0] if lines else ""
    return ""
