"""Errors of git that only mean that another git process was in the middle of its own change."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from typing import TypeVar

from worktree_runner.errors import WtrunError
from worktree_runner.git.gateway import GitError

ATTEMPTS = 8
"""How often a transient error is tried again; the waits add up to about four seconds."""

# Another git process was in the middle of its own change. Seen with git 2.39 to 2.55.
_TRANSIENT = re.compile(
    r"failed to read .*(commondir|gitdir|HEAD)"
    r"|could not open .*(locked|gitdir|commondir|HEAD)"
    r"|could not create (leading )?director(y|ies)? of? ?.*worktrees"
    r"|could not lock config file"
    r"|Unable to create '.*\.lock': File exists"
    r"|not a git repository: .*/worktrees/"
    r"|Invalid path '.*/worktrees/"
    r"|mkdir.*worktrees.*(File exists|No such file)"
)
ENGLISH = {"LC_ALL": "C", "LANGUAGE": "C"}
"""For commands whose errors are told apart by their text."""

Result = TypeVar("Result")


def is_transient(text: str) -> bool:
    """Whether git says that another git process was in the middle of its own change."""
    return _TRANSIENT.search(text) is not None


def again(action: Callable[[], Result], also: tuple[type[WtrunError], ...] = ()) -> Result:
    """Does it, and again after a known transient error (or one of `also`), later each time."""
    for attempt in range(ATTEMPTS):
        try:
            return action()
        except WtrunError as error:
            known = isinstance(error, GitError) and is_transient(error.stderr)
            if attempt == ATTEMPTS - 1 or not (known or isinstance(error, also)):
                raise
        # other git processes are met here, not threads of ours: those wait for the lock
        time.sleep(0.01 * 2**attempt * (1 + random.random()))
    raise AssertionError("unreachable")
