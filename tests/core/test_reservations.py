"""Grants, denials, expiry and forced release, on values."""

from __future__ import annotations

import pytest

from worktree_runner.core import reservations as rules
from worktree_runner.core.reservations import (
    Activity,
    By,
    Holder,
    Life,
    Owner,
    Request,
    Reservation,
)

A = Holder("r1", "03-01")
B = Holder("r1", "03-02")
ALICE = Holder(name="alice", by=By.HAND)
OWNER = Owner(7, "1", "here", "boot")


def record(
    number: int, holder: Holder, pattern: str, *, exclusive: bool = True, until: float = 100.0
) -> Reservation:
    return Reservation(number, holder, pattern, exclusive, "", 0.0, until)


def unknown(_: Owner | None) -> Life:
    return Life.UNKNOWN


@pytest.mark.parametrize(
    ("mine", "theirs", "collide"),
    [(True, True, True), (True, False, True), (False, True, True), (False, False, False)],
)
def test_only_two_shared_reservations_go_together(mine: bool, theirs: bool, collide: bool) -> None:
    held = [record(1, A, "src/*.py", exclusive=theirs)]
    found = rules.conflicts(Request(B, ("src/a.py",), exclusive=mine), held, unknown)
    assert bool(found) is collide


def test_a_party_never_collides_with_itself_whoever_reserved() -> None:
    agent = Holder("r1", "03-01", "BlueLake", By.AGENT)
    held = [record(1, A, "src"), record(2, Holder(name="Alice", by=By.HAND), "docs")]
    assert not rules.conflicts(Request(agent, ("src/a.py",)), held, unknown)
    assert not rules.conflicts(Request(ALICE, ("docs/a.md",)), held, unknown)
    assert rules.conflicts(Request(Holder("r2", "03-01"), ("src/a.py",)), held, unknown)


def test_a_denial_names_every_reservation_in_the_way() -> None:
    held = [record(4, B, "src/b"), record(2, ALICE, "src"), record(3, A, "src")]
    found = rules.conflicts(Request(A, ("src/b/x.py", "src/b")), held, unknown)
    assert [(one.pattern, one.held.id) for one in found] == [
        ("src/b", 2), ("src/b", 4), ("src/b/x.py", 2), ("src/b/x.py", 4)
    ]  # fmt: skip
    assert str(found[1]) == "src/b is reserved by 03-02 (src/b)"


@pytest.mark.parametrize(
    ("now", "life", "expected"),
    [
        (50.0, Life.UNKNOWN, True),
        (50.0, Life.ALIVE, True),
        (50.0, Life.DEAD, False),
        (100.0, Life.UNKNOWN, False),
        (1e9, Life.ALIVE, True),
        (100.0, Life.DEAD, False),
    ],
)
def test_a_dead_owner_frees_at_once_and_age_never_robs_a_living_one(
    now: float, life: Life, expected: bool
) -> None:
    assert rules.blocks(record(1, A, "x"), now, life) is expected


def test_an_own_pattern_is_renewed_and_others_get_new_ids() -> None:
    held = [record(5, A, "src", until=900.0), record(6, B, "lib")]
    got = rules.granted(Request(A, ("src", "docs", "docs"), ttl=60), ("src", "docs", "docs"),
                        held, 9, 100.0)  # fmt: skip
    assert [(one.id, one.pattern, one.created, one.until) for one in got] == [
        (5, "src", 0.0, 900.0),
        (9, "docs", 100.0, 160.0),
    ]


def test_an_agent_gives_back_its_own_reservations_and_never_those_of_the_run() -> None:
    agent = Holder("r1", "03-01", "BlueLake", By.AGENT)
    held = [record(1, A, "src"), record(2, agent, "src"), record(3, B, "src")]
    assert [one.id for one in rules.chosen(held, agent, None, None)] == [2]
    assert [one.id for one in rules.chosen(held, A, None, None)] == [1, 2]
    assert [one.id for one in rules.chosen(held, A, [2, 3], None)] == [2]
    assert rules.chosen(held, A, [1], ["lib"]) == ()


def test_a_lease_is_extended_from_its_end_or_from_now() -> None:
    assert rules.renewed(record(1, A, "x", until=100.0), 50.0, 60).until == 160.0
    assert rules.renewed(record(1, A, "x", until=100.0), 500.0, 60).until == 560.0


@pytest.mark.parametrize(
    ("now", "life", "activity", "reasons"),
    [
        (50.0, Life.DEAD, Activity(), 1),
        (50.0, Life.UNKNOWN, Activity(), 0),
        (150.0, Life.UNKNOWN, Activity(agent=149.0), 1),
        (150.0, Life.ALIVE, Activity(), 0),
        (2000.0, Life.ALIVE, Activity(agent=190.0), 2),
        (2000.0, Life.ALIVE, Activity(agent=300.0), 0),
        (2000.0, Life.ALIVE, Activity(agent=10.0, files=1200.0), 0),
        (2000.0, Life.ALIVE, Activity(agent=10.0, files=1000.0, git=2.0, mail=3.0), 2),
    ],
)
def test_force_needs_a_dead_expired_or_long_silent_holder(
    now: float, life: Life, activity: Activity, reasons: int
) -> None:
    assert len(rules.stale_reasons(record(1, A, "x"), now, life, activity)) == reasons
