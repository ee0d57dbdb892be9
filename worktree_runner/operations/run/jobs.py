"""Slow work of a run in threads, and how the loop learns that some of it has ended.

- Worktrees with their set-up are made in worker threads, questions asked in one of their own.
- A job that ends writes a byte into a pipe, as a signal does: that ends the loop's wait.
- What follows from a job is done in the loop's own thread, by `take_results`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

Then = Callable[[Future[Any]], None]
"""Takes a job's result, in the loop's own thread."""


@dataclass
class Jobs:
    """The work that is under way, by what it is for: at most one job for each plan."""

    workers: ThreadPoolExecutor
    questions: ThreadPoolExecutor
    wake_read: int
    wake_write: int
    _open: dict[str, tuple[Future[Any], Then]] = field(default_factory=dict)

    @property
    def busy(self) -> frozenset[str]:
        return frozenset(self._open)

    def work(self, name: str, job: Callable[[], Any], then: Then) -> None:
        """Has this done in a worker thread."""
        self._submit(self.workers, name, job, then)

    def ask(self, name: str, job: Callable[[], Any], then: Then) -> None:
        """Has this done in the thread that owns the terminal."""
        self._submit(self.questions, name, job, then)

    def _submit(
        self, pool: ThreadPoolExecutor, name: str, job: Callable[[], Any], then: Then
    ) -> None:
        future = pool.submit(job)
        self._open[name] = (future, then)
        future.add_done_callback(lambda _: self.wake())

    def take_results(self) -> None:
        """Hands finished jobs to what they were for."""
        for name, (future, then) in list(self._open.items()):
            if future.done():
                del self._open[name]
                then(future)

    def is_done(self, name: str, *, within: float) -> bool:
        """Whether this job has ended, or does so in this time."""
        return bool(futures.wait([self._open[name][0]], timeout=within).done)

    def results_within(self, seconds: float) -> Iterator[tuple[str, Any]]:
        """What jobs give that end so soon, without doing what follows from them."""
        for name, (future, _) in self._open.items():
            done, _ = futures.wait([future], timeout=seconds)
            if done and not future.cancelled() and future.exception() is None:
                yield name, future.result()

    def wake(self) -> None:
        """Ends the loop's wait; safe in a signal handler."""
        with contextlib.suppress(OSError):
            os.write(self.wake_write, b"!")

    def was_woken(self) -> None:
        """Empties the pipe after a wait."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.wake_read, 4096)


@contextlib.contextmanager
def open_jobs() -> Iterator[Jobs]:
    """No jobs yet, with threads and pipe; at the end it waits for workers, not for a question."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    workers = ThreadPoolExecutor(max_workers=os.cpu_count() or 2, thread_name_prefix="worktree")
    questions = ThreadPoolExecutor(max_workers=1, thread_name_prefix="question")
    jobs = Jobs(workers, questions, wake_read, wake_write)
    try:
        yield jobs
    finally:
        workers.shutdown(wait=True, cancel_futures=True)
        questions.shutdown(wait=False, cancel_futures=True)
        jobs.wake_write = -1  # a question that ends later must not write into another file
        os.close(wake_read)
        os.close(wake_write)
