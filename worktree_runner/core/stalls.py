"""Whether an agent that says nothing still works: a decision made at deadlines, never by polling.

- Stalled means: no output and no changed file for the whole time. Output is a number that costs
  nothing to see; files are looked at once, when the time without output is over.
- Time in which the machine slept does not count. The clock that is handed in stands still then;
  where that and the calendar disagree, the doubt is the agent's benefit.
- An agent that has never said anything is found earlier: it may wait at a prompt nobody sees.

Pure: times are seconds and come in as arguments.
"""

from __future__ import annotations

from dataclasses import dataclass

SLEPT_S = 5.0
"""The calendar and the clock may differ by so much without the machine having slept."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Since when nothing was seen of an attempt, and how much output there was then."""

    since_s: float
    """On the clock that stands still while the machine sleeps."""
    wall_s: float
    output_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What is to be seen now. `suspended` says that somebody has stopped the agent's process."""

    clock_s: float
    wall_s: float
    output_bytes: int
    output_at_wall_s: float | None = None
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Later:
    """It works; look again in `in_s` seconds and hand `quiet` in then."""

    in_s: float
    quiet: Quiet


@dataclass(frozen=True, slots=True)
class LookAtFiles:
    """There was no output for the whole time: now a changed file decides."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """Neither output nor a changed file for so many seconds."""

    quiet_s: float


def look_at_output(quiet: Quiet, seen: Seen, stall_s: float) -> Later | LookAtFiles:
    """Whether an attempt has said something lately; to be called at its deadline, not before."""
    if seen.suspended:
        return _seen_working(seen, seen.clock_s, stall_s)
    if seen.output_bytes != quiet.output_bytes:
        return _seen_working(seen, _when(quiet, seen, seen.output_at_wall_s), stall_s)
    left = quiet.since_s + stall_s - seen.clock_s
    return Later(left, quiet) if left > 0 else LookAtFiles()


def look_at_files(
    quiet: Quiet, seen: Seen, changed_wall_s: float | None, stall_s: float
) -> Later | Stalled:
    """The verdict after `LookAtFiles`, from the time of a changed file if there is one."""
    if changed_wall_s is not None and changed_wall_s > quiet.wall_s:
        when = _when(quiet, seen, changed_wall_s)
        if when + stall_s > seen.clock_s:
            return _seen_working(seen, when, stall_s)
    return Stalled(seen.clock_s - quiet.since_s)


def _when(quiet: Quiet, seen: Seen, wall_s: float | None) -> float:
    """The time of a sign of life on the clock; `now` where the machine slept in between."""
    passed = seen.clock_s - quiet.since_s
    slept = seen.wall_s - quiet.wall_s - passed > SLEPT_S
    if wall_s is None or slept:
        return seen.clock_s
    return seen.clock_s - min(max(0.0, seen.wall_s - wall_s), passed)


def _seen_working(seen: Seen, when: float, stall_s: float) -> Later:
    wall = seen.wall_s - (seen.clock_s - when)
    left = max(0.0, when + stall_s - seen.clock_s)
    return Later(left, Quiet(when, wall, seen.output_bytes))


def look_at_first_output(started: Quiet, seen: Seen, limit_s: float) -> Later | Stalled | None:
    """Whether an agent has said anything at all; None once it has, and nothing is to be watched.

    An agent that waits at a prompt nobody sees (trust this folder? log in?) says nothing.
    """
    if seen.output_bytes > started.output_bytes:
        return None
    if seen.suspended:
        return Later(limit_s, Quiet(seen.clock_s, seen.wall_s, started.output_bytes))
    left = started.since_s + limit_s - seen.clock_s
    return Later(left, started) if left > 0 else Stalled(seen.clock_s - started.since_s)
