"""wtrun that is killed (signal 9) right before or after it writes a chosen event.

    python -m tests.support.killed TYPE before|after N ARGS...
    python -m tests.support.killed launch FILE N ARGS...

The N-th event of that type counts. `launch` kills it right after it has told the N-th launcher
what to start, stops that launcher before it can say so, and writes its pid to FILE. Nothing in
the product knows about this.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from worktree_runner import process
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


def die_at_launch(file: str, n: int) -> None:
    seen = 0
    hand_over = process._hand_over

    def killing(launcher: subprocess.Popen[bytes], spec: process.Spec) -> bytes:
        nonlocal seen
        seen += 1
        if seen < n:
            return hand_over(launcher, spec)
        assert launcher.stdin is not None
        launcher.stdin.write(json.dumps(spec.as_json()).encode())
        launcher.stdin.close()
        launcher.send_signal(signal.SIGSTOP)
        Path(file).write_text(str(launcher.pid))
        os.kill(os.getpid(), signal.SIGKILL)
        return b""

    process._hand_over = killing


if __name__ == "__main__":
    if sys.argv[1] == "launch":
        die_at_launch(sys.argv[2], int(sys.argv[3]))
    else:
        die_at(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    main(sys.argv[4:])
