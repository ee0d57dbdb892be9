"""What a user can do wrong or run into, as values that the command line prints.

- Every error carries a message (what happened, with path, id or command) and a hint
  (a command that can be pasted), and the exit code that the process ends with.
- Raise the subclass that says which kind it is; never catch one to hide it.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every wtrun command. Add-only: scripts depend on them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CONFLICT = 3
    WAITING = 4
    PRECONDITION = 5
    LOCKED = 6
    NO_EXECUTOR = 7
    INTERNAL = 70
    """A mistake in wtrun itself; the traceback is in a log whose path was printed."""
    INTERRUPTED = 130
    READER_GONE = 141
    """Whoever read the output has closed it, as `head` does."""
    TERMINATED = 143


class WtrunError(Exception):
    """An expected failure: printed as `error:` and `hint:` lines, never as a traceback."""

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(
        self, message: str, *, hint: str | None = None, exit_code: ExitCode | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if exit_code is not None:
            self.exit_code = exit_code


class UsageError(WtrunError):
    """Flags, arguments or configuration that can't be right."""

    exit_code = ExitCode.USAGE


class PreconditionError(WtrunError):
    """The repository, the machine or the planning files are not in a state to start from."""

    exit_code = ExitCode.PRECONDITION


class LockedError(WtrunError):
    """Another wtrun process works here; the message names it."""

    exit_code = ExitCode.LOCKED


class NoExecutorError(WtrunError):
    """The coding agent that was asked for can't be run on this machine."""

    exit_code = ExitCode.NO_EXECUTOR
