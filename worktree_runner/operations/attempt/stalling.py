"""Watches running attempts for silence: a look at each one's deadline, never in between.

- `core.stalls` decides. Output is the size of two files; whether a file of the worktree changed is
  looked at once, when the time without output is over, in a worker thread.
- An agent that reports events has to say something soon: one that doesn't waits for a login or
  for somebody's trust. Programs without an event stream may be silent for `stall_timeout`.
- `attempt.stalled` is recorded before the attempt is ended. A crash in between leaves the agent
  alive; a resume watches it anew.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from worktree_runner import attempts as attempt_files
from worktree_runner import supervision
from worktree_runner.core.events import Type
from worktree_runner.core.stalls import (
    Later,
    LookAtFiles,
    Quiet,
    Seen,
    Stalled,
    look_at_files,
    look_at_first_output,
    look_at_output,
)
from worktree_runner.core.state import Status
from worktree_runner.operations.context.session import Session

Submit = Callable[[str, Callable[[], Any], Callable[[Future[Any]], None]], None]
"""Has a job for a plan done in a worker thread, and its result taken in the loop's own."""
LOGS = ("stdout.log", "stderr.log")


@dataclass(frozen=True, slots=True)
class LookAtWorktree:
    """To be done in a worker thread: `newest_change` of the worktree, for `take_files`."""

    plan: str
    folder: Path
    worktree: Path


@dataclass(frozen=True, slots=True)
class End:
    """To be done: this attempt is stalled, as the journal says already; end it."""

    plan: str
    folder: Path


@dataclass
class Watched:
    """One attempt. `first` is None once it has said something, or where it need not."""

    folder: Path
    worktree: Path
    first: Quiet | None
    quiet: Quiet
    first_at: float
    look_at: float
    looking: bool = False
    """Its files are being looked at, or it is being ended."""

    @property
    def due(self) -> float:
        if self.looking:
            return float("inf")
        return self.look_at if self.first is None else min(self.first_at, self.look_at)


class Stalls:
    """The watch over all running attempts of a session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._limits = session.settings.limits
        self._watched: dict[str, Watched] = {}

    def patience(self) -> float:
        """How long nothing needs to be looked at."""
        self._follow()
        due = min((one.due for one in self._watched.values()), default=float("inf"))
        return max(0.0, due - time.monotonic())

    def attend(self, submit: Submit) -> None:
        """Looks at what is due; worktrees are looked at, and agents ended, in worker threads.

        How an ended agent ended is recorded as of any other.
        """
        for found in self.look():
            if isinstance(found, End):
                self._end(found, submit)
            else:
                job = partial(newest_change, found.worktree)
                submit(found.plan, job, partial(self._looked, found, submit))

    def _looked(self, asked: LookAtWorktree, submit: Submit, done: Future[Any]) -> None:
        found = self.take_files(asked, done.result())
        if found is not None:
            self._end(found, submit)

    def _end(self, found: End, submit: Submit) -> None:
        submit(found.plan, partial(supervision.stop, found.folder), lambda done: done.result())

    def look(self) -> list[LookAtWorktree | End]:
        """Looks at what is due, and gives what is to be done about it."""
        now = time.monotonic()
        found: list[LookAtWorktree | End] = []
        for plan_id, one in self._watched.items():
            if one.due > now:
                continue
            seen = see(one.folder)
            if one.first is not None and self._is_silent(plan_id, one, seen):
                found.append(End(plan_id, one.folder))
            elif one.look_at <= now and self._is_quiet(one, seen):
                one.looking = True
                found.append(LookAtWorktree(plan_id, one.folder, one.worktree))
        return found

    def take_files(self, asked: LookAtWorktree, changed_wall_s: float | None) -> End | None:
        """Takes in when a file was last changed; whether the attempt is to be ended now."""
        one = self._watched.get(asked.plan)
        if one is None or one.folder != asked.folder:
            return None  # it has ended meanwhile
        one.looking = False
        stall_s = self._limits.stall_timeout or float("inf")
        match look_at_files(one.quiet, see(one.folder), changed_wall_s, stall_s):
            case Later(in_s, quiet):
                one.quiet, one.look_at = quiet, time.monotonic() + in_s
                return None
            case Stalled(seconds):
                self._record(asked.plan, one, seconds, first=False)
                return End(asked.plan, one.folder)

    def _follow(self) -> None:
        """Begins to watch what has been started, and forgets what has ended."""
        session = self._session
        running = {plan.id: plan for plan in session.state.with_status(Status.RUNNING)}
        folders = {plan_id: session.attempt_folder(plan_id) for plan_id in running}
        self._watched = {
            plan_id: one
            for plan_id, one in self._watched.items()
            if folders.get(plan_id) == one.folder
        }
        now, wall = time.monotonic(), time.time()
        for plan_id, folder in folders.items():
            if plan_id not in self._watched:
                quiet = Quiet(now, wall)
                speaks = session.agent_of(running[plan_id]).capabilities.events
                first_s = self._limits.first_output_timeout if speaks else None
                self._watched[plan_id] = Watched(
                    folder=folder,
                    worktree=Path(running[plan_id].worktree),
                    first=None if first_s is None else quiet,
                    quiet=quiet,
                    first_at=now + (first_s or 0.0),
                    look_at=now + (self._limits.stall_timeout or float("inf")),
                )

    def _is_quiet(self, one: Watched, seen: Seen) -> bool:
        """Whether it has said nothing for the whole time, so that its files decide."""
        match look_at_output(one.quiet, seen, self._limits.stall_timeout or float("inf")):
            case Later(in_s, quiet):
                one.quiet, one.look_at = quiet, seen.clock_s + in_s
                return False
            case LookAtFiles():
                return True

    def _is_silent(self, plan_id: str, one: Watched, seen: Seen) -> bool:
        """Whether it has never said anything and its time for that is over."""
        limit = self._limits.first_output_timeout
        assert one.first is not None
        verdict = None if limit is None else look_at_first_output(one.first, seen, limit)
        match verdict:
            case None:
                one.first = None
            case Later(in_s, quiet):
                one.first, one.first_at = quiet, seen.clock_s + in_s
            case Stalled(seconds):
                self._record(plan_id, one, seconds, first=True)
                return True
        return False

    def _record(self, plan_id: str, one: Watched, seconds: float, *, first: bool) -> None:
        one.looking = True
        n = self._session.of(plan_id).attempt
        self._session.record(Type.ATTEMPT_STALLED, plan_id, n=n, seconds=seconds, first=first)


def see(folder: Path) -> Seen:
    """What is to be seen of an attempt now, without reading any of its output."""
    size, newest = 0, None
    for name in LOGS:
        try:
            status = (folder / name).stat()
        except OSError:
            continue
        size += status.st_size
        if status.st_size:
            newest = max(newest or 0.0, status.st_mtime)
    handle = attempt_files.load_handle(folder)
    row = attempt_files.row_of(handle.child, handle.child_start_time) if handle else None
    suspended = row is not None and row.suspended
    return Seen(time.monotonic(), time.time(), size, newest, suspended)


def newest_change(worktree: Path) -> float | None:
    """When a file or folder of the worktree was last changed, git's own of it included."""
    newest = 0.0
    for place, _, names in os.walk(worktree):
        for name in ("", *names):
            newest = max(newest, _changed(f"{place}/{name}"))
    pointer = worktree / ".git"
    if pointer.is_file():
        git_dir = worktree / pointer.read_text().partition("gitdir: ")[2].strip()
        newest = max(newest, *(_changed(git_dir / name) for name in ("index", "HEAD", "logs/HEAD")))
    return newest or None


def _changed(path: str | Path) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0.0
