"""Reservations in words: who holds what, since when, until when."""

from __future__ import annotations

import time

from worktree_runner.core.reservations import Conflict, Life
from worktree_runner.core.texts import clean_line
from worktree_runner.store.registry import Held


def describe(conflict: Conflict, now: float) -> str:
    """`src/a.py is reserved by 03-01 (src/) since 13:05 until 14:05: reason`."""
    record = conflict.held
    pattern = "" if record.pattern == conflict.pattern else f" ({record.pattern})"
    until = end_of(Held(record, conflict.alive), now)
    why = f": {record.reason}" if record.reason else ""
    return clean_line(
        f"{conflict.pattern} is reserved by {record.holder.label}{pattern} "
        f"since {time_of_day(record.created, now)} {until}{why}"
    )


def end_of(held: Held, now: float) -> str:
    """When a reservation ends, as far as anyone knows."""
    if held.alive is Life.ALIVE and now >= held.reservation.until:
        owner = held.reservation.owner
        return f"while process {owner.pid if owner else '?'} lives"
    return f"until {time_of_day(held.reservation.until, now)}"


def time_of_day(moment: float, now: float) -> str:
    """A local time, with the date where it is another day's."""
    there, here = time.localtime(moment), time.localtime(now)
    form = "%H:%M" if there[:3] == here[:3] else "%Y-%m-%d %H:%M"
    return time.strftime(form, there)
