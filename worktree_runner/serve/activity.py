"""When a reservation's holder last gave a sign of life: by the mailbox, its files and git.

Files and git are looked up in the holder's own worktree, so work there counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from worktree_runner.core.overlap import matches
from worktree_runner.core.patterns import compiled
from worktree_runner.core.reservations import Activity, Reservation
from worktree_runner.serve.desk import Desk
from worktree_runner.store import locate

LOOKED_AT = 2000
"""Files looked at for one pattern; more would make a refusal slow."""


def activity_of(desk: Desk, record: Reservation) -> Activity:
    """The latest signs; None where nothing is known."""
    name = desk.name_of(record.holder)
    agent = desk.mailbox.agents.find(name)
    sent = [m.created_ts for m in desk.mailbox.messages() if agent and m.sender == agent.name]
    folder = Path(record.worktree) if record.worktree else desk.project.root
    return Activity(
        agent=_seconds(agent.last_active_ts) if agent else None,
        mail=_seconds(max(sent)) if sent else None,
        files=max(_changes(folder, record.pattern), default=None),
        git=max(_git_changes(folder), default=None),
    )


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def _changes(root: Path, pattern: str) -> Iterator[float]:
    """Modification times of files that the pattern describes."""
    left = LOOKED_AT
    for glob in compiled(pattern):
        if glob.virtual:
            continue
        start = root.joinpath(*glob.prefix)
        if start.is_file():
            yield start.stat().st_mtime
        for folder, _, names in os.walk(start):
            for name in names:
                left -= 1
                file = Path(folder, name)
                if matches(pattern, file.relative_to(root).as_posix()):
                    yield from _mtime(file)
                if left <= 0:
                    return


def _git_changes(folder: Path) -> Iterator[float]:
    place = locate.find(folder) if folder.is_dir() else None
    if place is not None:
        yield from _mtime(place.git_dir / "index")
        yield from _mtime(place.git_dir / "logs" / "HEAD")


def _mtime(file: Path) -> Iterator[float]:
    try:
        yield file.stat().st_mtime
    except OSError:
        return
