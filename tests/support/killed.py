"""wtrun that is killed (signal 9) right before or after it writes a chosen event.

    python -m tests.support.killed TYPE before|after N ARGS...

The N-th event of that type counts. Nothing in the product knows about this.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from worktree_runner.cli import main
from worktree_runner.core.events import Event
from worktree_runner.store.journal import Journal


def die_at(wanted: str, moment: str, n: int) -> None:
    append = Journal.append
    seen = 0

    def killing(self: Journal, type: str, plan: str | None = None, **data: Any) -> Event:
        nonlocal seen
        seen += str(type) == wanted
        if moment == "before" and str(type) == wanted and seen == n:
            os.kill(os.getpid(), signal.SIGKILL)
        event = append(self, type, plan, **data)
        if moment == "after" and str(type) == wanted and seen == n:
            os.kill(os.getpid(), signal.SIGKILL)
        return event

    Journal.append = killing  # type: ignore[method-assign]


if __name__ == "__main__":
    die_at(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    main(sys.argv[4:])
