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
from worktree_runner.core.reservations import Activity, Holder, Reservation
from worktree_runner.store import locate
from worktree_runner.store.mailbox import Mailbox

LOOKED_AT = 2000
"""Files looked at for one pattern; more would make a refusal slow."""


def activity_of(mailbox: Mailbox, record: Reservation, root: Path) -> Activity:
    """The latest signs; None where nothing is known. `root` is where a holder without a worktree
    of its own works."""
    agent = mailbox.agents.find(name_of(mailbox, record.holder))
    sent = [m.created_ts for m in mailbox.messages() if agent and m.sender == agent.name]
    folder = Path(record.worktree) if record.worktree else root
    return Activity(
        agent=_seconds(agent.last_active_ts) if agent else None,
        mail=_seconds(max(sent)) if sent else None,
        files=max(_changes(folder, record.pattern), default=None),
        git=max(_git_changes(folder), default=None),
    )


def name_of(mailbox: Mailbox, holder: Holder) -> str:
    """A name to write to: the holder's own, or that of its plan's latest agent."""
    if holder.name or not holder.plan:
        return holder.name or holder.label
    wanted = (holder.run, holder.plan)
    found = [agent.name for agent in mailbox.agents.all() if agent.run_and_plan == wanted]
    return found[-1] if found else holder.plan


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
