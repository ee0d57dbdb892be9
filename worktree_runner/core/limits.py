"""What an attempt's failure means for its plan and for all other agents.

- What passes by itself (overload, rate limit, crash) is tried again after a growing wait, never in
  a fresh worktree: the commits made so far stay, and the agent goes on with facts.
- A rate limit does not use up a plan's tries; it makes the whole fleet smaller for a while.
- Used-up quota and a missing login close the gate for every agent of the same program: the next
  one would fail too. Plans of another program go on.
- Wrong configuration, a refused permission, a broken sandbox, a reached limit and an agent that
  waits at a hidden prompt stay as they are however often they are tried.

Pure: times are seconds of the calendar and come in as arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CALM_S = 300.0
"""After so long without a rate limit, one more agent may run."""
BURST_S = 30.0
"""Rate limits that close together count as one: the agents met the same limit."""
FLEET_KINDS = ("rate_limit", "quota", "auth")
"""What one agent meets and every other one would meet too."""
RATE_LIMITS_AT_MOST = 12
LONGEST_PARKING_S = 6 * 3600.0
"""A quota that is back later than this is not waited for."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Start the plan again, in the same worktree, not before `after_s` seconds from now."""

    after_s: float
    why: str
    counted: bool = True
    """Whether this uses up one of the plan's tries."""


@dataclass(frozen=True, slots=True)
class Park:
    """Keep the plan for later and start no agent at all until `after_s`, or a person, says so."""

    after_s: float | None
    why: str
    hint: str


@dataclass(frozen=True, slots=True)
class Fail:
    """The plan failed; trying again would not help. `hint` may hold `{plan}`."""

    why: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class _Passing:
    first_s: float
    longest_s: float
    counted: bool
    words: str


_PASSING = {
    "overloaded": _Passing(15.0, 300.0, True, "the service was overloaded"),
    "rate_limit": _Passing(30.0, 600.0, False, "the service limits the rate of calls"),
    "crash": _Passing(2.0, 60.0, True, "the agent crashed"),
    "stalled": _Passing(2.0, 60.0, True, "the agent stalled"),
}
PARKED = {
    "quota": (
        "the quota is used up",
        "wtrun execute again when it is back, or with another --agent",
    ),
    "auth": ("the agent is not logged in", "log in with the agent itself, then wtrun execute"),
}
_LASTING = {
    "config": ("the agent's configuration is wrong", "wtrun agents --check"),
    "permission": ("the agent was not allowed to work", "wtrun agents --check"),
    "sandbox": (
        "the agent's sandbox does not work here",
        "wtrun agents --check",
    ),
    "limit": ("the agent reached a limit that it was given", "raise it under [limits]"),
    "session": ("the agent names a session that is not there", "wtrun logs {plan}"),
    "silent": (
        "the agent never said anything, as one that waits for a login or a person's trust",
        "wtrun attach {plan}, and start it there by hand",
    ),
    "unknown": ("the agent failed for a reason that it did not name", "wtrun logs {plan}"),
}


SESSION_LOST = "its session can't go on, a fresh process does"
NO_SESSION = ("session", "config", "unknown")
"""What a resumed session may end with and a fresh process does not meet."""


def decide_failure(
    kind: str | None,
    *,
    counted: int = 0,
    uncounted: int = 0,
    retries: int,
    retry_after_s: float | None = None,
    spread: float = 0.5,
    resumed: bool = False,
) -> Retry | Park | Fail:
    """What to do about an attempt that failed with this kind of error.

    `kind` is a `FailureKind`, or "stalled" or "silent" for one that wtrun ended.

    `counted` and `uncounted` are the plan's retries so far. `spread` (0 to 1, random) keeps plans
    that failed together from coming back together. A wait that the service names is never
    shortened. `resumed`: the attempt went on in an earlier one's session, which may be gone.
    """
    if resumed and kind in NO_SESSION:
        return Retry(0.0, SESSION_LOST, counted=False)
    if kind in PARKED:
        why, hint = PARKED[kind]
        return Park(retry_after_s, why, hint)
    if kind in _LASTING:
        return Fail(*_LASTING[kind])
    passing = _PASSING.get(kind or "")
    if passing is None:
        return Fail("it ended without what was asked for")
    done, allowed = (counted, retries) if passing.counted else (uncounted, RATE_LIMITS_AT_MOST)
    if done >= allowed:
        times = "once" if done == 1 else f"{done} times"
        again = f", and was tried again {times}" if done else ""
        return Fail(f"{passing.words}{again}", "wtrun execute again later")
    wait = min(passing.first_s * 2**done, passing.longest_s) * (0.75 + spread / 2)
    return Retry(max(wait, retry_after_s or 0.0), passing.words, passing.counted)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure that concerns all agents, as the journal holds it; `at` in calendar seconds."""

    at: float
    kind: str
    plan: str
    retry_after_s: float | None = None
    agent: str = ""
    """The program that met it; another one may be used with another account."""


@dataclass(frozen=True, slots=True)
class Closed:
    """No agent is started. `until` None means until a person runs `execute` again."""

    kind: str
    plan: str
    why: str
    hint: str
    until: float | None


@dataclass(frozen=True, slots=True)
class Fleet:
    """How many agents may run now, and from when on one more may be started."""

    parallel: int
    not_before: float | None = None
    closed: Closed | None = None


def fleets(
    failures: Sequence[Failure],
    agents: Iterable[str],
    *,
    now: float,
    max_parallel: int,
    since: float = 0.0,
) -> dict[str, Fleet]:
    """What the failures leave of each program's agents: they share a service and an account."""
    return {
        name: fleet(
            [failure for failure in failures if failure.agent == name],
            now=now,
            max_parallel=max_parallel,
            since=since,
        )
        for name in sorted(set(agents))
    }


def fleet(
    failures: Iterable[Failure], *, now: float, max_parallel: int, since: float = 0.0
) -> Fleet:
    """What the failures of a run leave of the fleet.

    Each burst of rate limits halves it; each calm while gives one back. Running agents are left
    alone. The same failures give the same answer after a crash; only what needs a person counts
    from when one last called `execute` (`since`).
    """
    seen = sorted(failures, key=lambda failure: failure.at)
    closed = _gate(seen, now, since)
    parallel, last, pause = max_parallel, None, None
    for failure in seen:
        if failure.kind != "rate_limit":
            continue
        if last is None or failure.at - last > BURST_S:
            grown = parallel + (0 if last is None else int((failure.at - last) // CALM_S))
            parallel = max(1, min(max_parallel, grown) // 2)
        last = failure.at
        wait = failure.retry_after_s or 0.0
        pause = max(pause or 0.0, failure.at + wait)
    if last is not None:
        parallel = min(max_parallel, parallel + int((now - last) // CALM_S))
    return Fleet(parallel, pause if pause is not None and pause > now else None, closed)


def _gate(failures: Sequence[Failure], now: float, since: float) -> Closed | None:
    """The failure that keeps the gate closed now; one that needs a person goes first."""
    closing = []
    for failure in failures:
        if failure.kind not in PARKED:
            continue
        why, hint = PARKED[failure.kind]
        wait = failure.retry_after_s if failure.kind == "quota" else None
        until = None if wait is None or wait > LONGEST_PARKING_S else failure.at + wait
        if failure.at >= since if until is None else until > now:
            closing.append(Closed(failure.kind, failure.plan, why, hint, until))
    lasting = [closed for closed in closing if closed.until is None]
    if lasting:
        return lasting[0]
    return max(closing, key=lambda gate: gate.until or 0.0, default=None)
