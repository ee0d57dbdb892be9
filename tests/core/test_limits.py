"""What failures mean for a plan, and how many agents may run after them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worktree_runner.agents.protocol import FailureKind
from worktree_runner.core.limits import (
    CALM_S,
    LONGEST_PARKING_S,
    RATE_LIMITS_AT_MOST,
    SESSION_LOST,
    Fail,
    Failure,
    Fleet,
    Park,
    Retry,
    decide_failure,
    fleet,
    fleets,
)


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_kind_of_failure_has_a_reaction(kind: FailureKind) -> None:
    reaction = decide_failure(kind, retries=2)
    expected = {
        FailureKind.OVERLOADED: Retry,
        FailureKind.RATE_LIMIT: Retry,
        FailureKind.CRASH: Retry,
        FailureKind.QUOTA: Park,
        FailureKind.AUTH: Park,
    }
    assert isinstance(reaction, expected.get(kind, Fail))
    if not isinstance(reaction, Retry):
        assert reaction.hint


def test_the_wait_grows_and_the_tries_end() -> None:
    waits = [decide_failure("overloaded", counted=n, retries=3) for n in range(4)]
    assert [wait.after_s for wait in waits if isinstance(wait, Retry)] == [15.0, 30.0, 60.0]
    assert waits[3] == Fail(
        "the service was overloaded, and was tried again 3 times", "wtrun execute again later"
    )
    assert decide_failure("crash", retries=0) == Fail(
        "the agent crashed", "wtrun execute again later"
    )


def test_a_wait_that_the_service_names_is_never_shortened() -> None:
    reaction = decide_failure("rate_limit", retries=2, retry_after_s=500)
    assert isinstance(reaction, Retry)
    assert reaction.after_s == 500


def test_plans_that_failed_together_do_not_come_back_together() -> None:
    waits = {decide_failure("overloaded", retries=1, spread=s).after_s for s in (0.0, 0.5, 1.0)}  # type: ignore[union-attr]
    assert waits == {15.0 * 0.75, 15.0, 15.0 * 1.25}


def test_a_rate_limit_does_not_use_up_the_tries_but_ends_some_time() -> None:
    reaction = decide_failure("rate_limit", counted=9, retries=0)
    assert isinstance(reaction, Retry)
    assert not reaction.counted
    assert isinstance(decide_failure("rate_limit", uncounted=RATE_LIMITS_AT_MOST, retries=5), Fail)


@pytest.mark.parametrize("kind", ["session", "config", "unknown"])
def test_session_that_can_not_go_on_gives_way_to_a_fresh_process(kind: str) -> None:
    assert decide_failure(kind, retries=0, resumed=True) == Retry(0.0, SESSION_LOST, counted=False)
    assert isinstance(decide_failure(kind, retries=0), Fail)


def test_no_known_error_is_no_reason_to_try_again() -> None:
    assert isinstance(decide_failure(None, retries=5), Fail)


def rate_limits(*times: float) -> list[Failure]:
    return [Failure(at, "rate_limit", "03-01") for at in times]


def test_each_burst_of_rate_limits_halves_the_fleet() -> None:
    assert fleet([], now=0, max_parallel=8) == Fleet(8)
    assert fleet(rate_limits(100, 101, 105), now=110, max_parallel=8).parallel == 4
    assert fleet(rate_limits(100, 150, 200), now=210, max_parallel=8).parallel == 1
    assert fleet(rate_limits(100, 150, 200, 250, 300), now=310, max_parallel=8).parallel == 1


def test_calm_gives_the_fleet_back_one_by_one() -> None:
    failures = rate_limits(100, 150)
    grown = [fleet(failures, now=150 + n * CALM_S, max_parallel=8).parallel for n in range(8)]
    assert grown == [2, 3, 4, 5, 6, 7, 8, 8]


def test_a_named_wait_holds_back_starts_only_for_that_long() -> None:
    failures = [Failure(100, "rate_limit", "03-01", 60), Failure(110, "rate_limit", "03-02", 10)]
    assert fleet(failures, now=120, max_parallel=4).not_before == 160
    assert fleet(failures, now=160, max_parallel=4).not_before is None


def test_used_up_quota_closes_the_gate_until_it_is_back() -> None:
    failures = [Failure(100, "quota", "03-01", 600), Failure(130, "quota", "03-02", 500)]
    closed = fleet(failures, now=200, max_parallel=4).closed
    assert closed is not None
    assert (closed.until, closed.plan) == (700, "03-01")
    assert fleet(failures, now=700, max_parallel=4).closed is None


@pytest.mark.parametrize(
    "failure",
    [
        Failure(100, "quota", "03-01"),
        Failure(100, "quota", "03-01", LONGEST_PARKING_S + 1),
        Failure(100, "auth", "03-01", 5),
    ],
)
def test_what_needs_a_person_closes_the_gate_until_execute_is_called_again(
    failure: Failure,
) -> None:
    quota = Failure(90, "quota", "03-09", 600)
    closed = fleet([quota, failure], now=10**9, max_parallel=4).closed
    assert closed is not None
    assert (closed.until, closed.plan) == (None, "03-01")
    assert closed.hint
    assert fleet([quota, failure], now=10**9, max_parallel=4, since=101).closed is None


def test_a_plans_own_failure_says_nothing_about_the_fleet() -> None:
    failures = [Failure(1, kind, "03-01") for kind in ("crash", "config", "limit", "overloaded")]
    assert fleet(failures, now=2, max_parallel=4) == Fleet(4)


def test_what_one_program_met_says_nothing_about_another() -> None:
    quota = Failure(100, "quota", "03-01", 600, "claude")
    limited = Failure(100, "rate_limit", "03-02", None, "codex")
    found = fleets([quota, limited], ["claude", "codex"], now=110, max_parallel=4)
    assert found["claude"].closed is not None
    assert (found["claude"].parallel, found["codex"]) == (4, Fleet(2))


@given(st.lists(st.floats(0, 10_000), max_size=12), st.integers(1, 64))
def test_at_least_one_agent_may_always_run(times: list[float], most: int) -> None:
    result = fleet(rate_limits(*times), now=10_000, max_parallel=most)
    assert 1 <= result.parallel <= most
