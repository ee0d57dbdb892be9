"""Who may edit which paths: grants, denials, release and expiry, decided on values.

- Two reservations collide if their patterns overlap, one of them is exclusive, and they belong
  to different parties. A plan never collides with itself, whoever reserved for it.
- A reservation blocks others until it is released, its owner is known to be dead, or its lease
  has run out while nobody knows of a living owner. Age alone never robs a living owner.
- What the run reserved for a plan is released by the run only: an agent that says "release
  all" gives back what it reserved itself.
- A lease is a hint and no mutual exclusion: whoever lost one may still be writing. The audit
  after the attempt is the fence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from worktree_runner.core.overlap import overlapping

FOREVER_S = 366 * 86400.0
"""The longest lease."""
STALE_AGENT_S = 1800.0
"""An agent that was not heard of for this long counts as inactive."""
STALE_ACTIVITY_S = 900.0
"""Signs of life of an inactive agent (mail, files, git) that are younger than this protect it."""


class By(StrEnum):
    """Who asked for a reservation, which decides who gives it back."""

    RUN = "run"
    """The orchestrator, for a plan."""
    AGENT = "agent"
    """An agent, by the command line or the endpoint."""
    HAND = "hand"
    """A person, or a tool that belongs to no run."""


class Life(StrEnum):
    """What is known about the process that keeps a reservation."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"
    """On another host, in another container, or without a process of its own."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A party: a plan of a run, or by name whoever has no plan."""

    run: str = ""
    plan: str = ""
    name: str = ""
    by: By = By.RUN

    @property
    def party(self) -> tuple[str, str]:
        """Equal for those that never collide with each other."""
        return (self.run, f"plan {self.plan}" if self.plan else self.name.casefold())

    @property
    def label(self) -> str:
        """How messages name it: a plan by its bare id, which every dialect has."""
        return self.plan or self.name or self.run or "somebody"

    def may_release(self, other: Holder) -> bool:
        return self.party == other.party and self.by in (By.RUN, other.by)


@dataclass(frozen=True, slots=True)
class Owner:
    """The process whose life keeps a reservation; `start` tells it from a later one."""

    pid: int
    start: str
    host: str
    boot: str


@dataclass(frozen=True, slots=True)
class Reservation:
    """One record. Times are seconds since 1970."""

    id: int
    holder: Holder
    pattern: str
    exclusive: bool
    reason: str
    created: float
    until: float
    owner: Owner | None = None
    worktree: str = ""
    branch: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """Patterns that a party wants, for `ttl` seconds.

    Name an `owner` only if the work goes on for as long as that process lives.
    """

    holder: Holder
    patterns: tuple[str, ...]
    exclusive: bool = True
    ttl: float = 3600.0
    reason: str = ""
    owner: Owner | None = None
    worktree: str = ""
    branch: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A wanted pattern and the reservation in its way; `alive` is about its owner."""

    pattern: str
    held: Reservation
    alive: Life

    def __str__(self) -> str:
        return f"{self.pattern} is reserved by {self.held.holder.label} ({self.held.pattern})"


@dataclass(frozen=True, slots=True)
class Grant:
    """What was reserved, in the order of the patterns; each blocks others from now on."""

    reservations: tuple[Reservation, ...]


@dataclass(frozen=True, slots=True)
class Denial:
    """Nothing was reserved; every reservation in the way is named."""

    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class Partial:
    """Agent Mail's way: what was free is granted, the rest is listed."""

    granted: tuple[Reservation, ...]
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class Activity:
    """When a holder last gave a sign of life; None where nothing is known."""

    agent: float | None = None
    mail: float | None = None
    files: float | None = None
    git: float | None = None


Liveness = Callable[[Owner | None], Life]


def blocks(record: Reservation, now: float, life: Life) -> bool:
    """True if the record still keeps others away."""
    return life is not Life.DEAD and (now < record.until or life is Life.ALIVE)


def conflicts(
    request: Request, held: Sequence[Reservation], life: Liveness, *, fold_case: bool = False
) -> tuple[Conflict, ...]:
    """What stands in the way among records that all block, sorted by pattern and id."""
    others = [
        record
        for record in held
        if record.holder.party != request.holder.party and (record.exclusive or request.exclusive)
    ]
    pairs = overlapping(
        request.patterns, [record.pattern for record in others], fold_case=fold_case
    )
    found = [
        Conflict(request.patterns[index], others[number], life(others[number].owner))
        for index, number in pairs
    ]
    return tuple(sorted(found, key=lambda conflict: (conflict.pattern, conflict.held.id)))


def granted(
    request: Request,
    patterns: Iterable[str],
    held: Sequence[Reservation],
    next_id: int,
    now: float,
) -> tuple[Reservation, ...]:
    """The records for these patterns: an own one of the same pattern is renewed, else a new one."""
    own = {
        record.pattern: record
        for record in held
        if record.holder.party == request.holder.party and record.holder.by is request.holder.by
    }
    until = now + min(max(request.ttl, 0.0), FOREVER_S)
    result = []
    for pattern in dict.fromkeys(patterns):
        old = own.get(pattern)
        result.append(
            Reservation(
                id=old.id if old else next_id,
                holder=request.holder,
                pattern=pattern,
                exclusive=request.exclusive,
                reason=request.reason,
                created=old.created if old else now,
                until=max(until, old.until) if old else until,
                owner=request.owner,
                worktree=request.worktree,
                branch=request.branch,
            )
        )
        next_id += 0 if old else 1
    return tuple(result)


def chosen(
    held: Iterable[Reservation],
    holder: Holder,
    ids: Sequence[int] | None,
    patterns: Sequence[str] | None,
) -> tuple[Reservation, ...]:
    """The holder's own records with these ids and these patterns; None means any."""
    return tuple(
        record
        for record in held
        if holder.may_release(record.holder)
        and (ids is None or record.id in ids)
        and (patterns is None or record.pattern in patterns)
    )


def renewed(record: Reservation, now: float, extend: float) -> Reservation:
    """The record with its lease extended from now or from its end, whichever is later."""
    return replace(record, until=max(now, record.until) + min(max(extend, 0.0), FOREVER_S))


def stale_reasons(
    record: Reservation, now: float, life: Life, activity: Activity
) -> tuple[str, ...]:
    """Why others may take this reservation away by force; empty if they may not."""
    if life is Life.DEAD:
        return ("owner process is gone",)
    if life is Life.UNKNOWN and now >= record.until:
        return ("lease has run out",)
    seen = activity.agent if activity.agent is not None else record.created
    if now - seen <= STALE_AGENT_S:
        return ()
    signs = {"mail": activity.mail, "file": activity.files, "git": activity.git}
    if any(at is not None and now - at <= STALE_ACTIVITY_S for at in signs.values()):
        return ()
    quiet = f"no {', '.join(signs)} activity for {STALE_ACTIVITY_S / 60:.0f} minutes"
    return (f"agent inactive for {(now - seen) / 60:.0f} minutes", quiet)
