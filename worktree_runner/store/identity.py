"""Which process keeps a reservation, and whether it lives: pid, start time, host and boot.

A pid alone is not enough: it is given again. The start time tells two processes of one pid
apart, the boot id two starts of one machine, and the pid namespace one container from another.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from worktree_runner import proctable
from worktree_runner.core.reservations import Life, Owner


def of_process(pid: int | None = None) -> Owner | None:
    """The identity of a living process, by default this one; None if there is no such process."""
    pid = os.getpid() if pid is None else pid
    row = proctable.row_of(pid)
    if row is None:
        return None
    return Owner(pid, row.start, os.uname().nodename, proctable.boot_id())


def life_of(owner: Owner | None) -> Life:
    """Whether that very process lives. Other hosts and containers can't be asked: unknown."""
    if owner is None or owner.host != os.uname().nodename:
        return Life.UNKNOWN
    boot, _, space = owner.boot.partition(" ")
    here, _, our_space = proctable.boot_id().partition(" ")
    if boot != here:
        return Life.DEAD
    if space != our_space:
        return Life.UNKNOWN
    row = proctable.row_of(owner.pid)
    return Life.ALIVE if row is not None and row.start == owner.start else Life.DEAD


def remembered() -> Callable[[Owner | None], Life]:
    """`life_of`, asking about each owner once: for the length of one decision."""
    known: dict[Owner | None, Life] = {}

    def ask(owner: Owner | None) -> Life:
        if owner not in known:
            known[owner] = life_of(owner)
        return known[owner]

    return ask
