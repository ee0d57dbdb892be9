"""When an agent that says nothing counts as stalled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worktree_runner.core.stalls import (
    Later,
    LookAtFiles,
    Quiet,
    Seen,
    Stalled,
    look_at_files,
    look_at_first_output,
    look_at_output,
)

STALL = 900.0


def seen(clock: float, output: int, at: float | None = None, slept: float = 0.0) -> Seen:
    return Seen(clock, 1_000_000 + clock + slept, output, None if at is None else 1_000_000 + at)


def test_output_moves_the_deadline_to_its_own_time() -> None:
    start = Quiet(0, 1_000_000, 0)
    answer = look_at_output(start, seen(900, 50, at=300), STALL)
    assert answer == Later(300, Quiet(300, 1_000_300, 50))
    assert look_at_output(answer.quiet, seen(1200, 50, at=300), STALL) == LookAtFiles()


def test_a_look_before_the_deadline_changes_nothing() -> None:
    start = Quiet(0, 1_000_000, 7)
    assert look_at_output(start, seen(400, 7), STALL) == Later(500, start)


def test_a_changed_file_counts_like_output() -> None:
    start = Quiet(0, 1_000_000, 0)
    now = seen(900, 0)
    assert look_at_output(start, now, STALL) == LookAtFiles()
    assert look_at_files(start, now, 1_000_600, STALL) == Later(600, Quiet(600, 1_000_600, 0))
    assert look_at_files(start, now, 999_000, STALL) == Stalled(900)
    assert look_at_files(start, now, None, STALL) == Stalled(900)


def test_sleep_of_the_machine_does_not_count() -> None:
    """The clock stood still for eight hours; the calendar did not."""
    start = Quiet(0, 1_000_000, 0)
    assert look_at_output(start, seen(400, 0, slept=28_800), STALL) == Later(500, start)
    # output came at some unknown time around the sleep: never a stall
    said = look_at_output(start, seen(899, 5, at=890, slept=28_800), STALL)
    assert isinstance(said, Later)
    assert said.in_s == STALL
    # nothing came in 900 seconds of being awake
    assert look_at_output(start, seen(900, 0, slept=28_800), STALL) == LookAtFiles()


def test_a_stopped_agent_is_never_stalled() -> None:
    start = Quiet(0, 1_000_000, 0)
    stopped = Seen(5000, 1_005_000, 0, suspended=True)
    assert look_at_output(start, stopped, STALL) == Later(STALL, Quiet(5000, 1_005_000, 0))
    assert isinstance(look_at_first_output(start, stopped, 60), Later)


def test_an_output_time_in_the_future_is_now() -> None:
    answer = look_at_output(Quiet(0, 1_000_000, 0), seen(900, 1, at=5000), STALL)
    assert answer == Later(STALL, Quiet(900, 1_000_900, 1))


def test_an_agent_that_never_says_anything_is_found_early() -> None:
    start = Quiet(100, 1_000_100, 0)
    assert look_at_first_output(start, seen(150, 0), 180) == Later(130, start)
    assert look_at_first_output(start, seen(280, 0), 180) == Stalled(180)
    assert look_at_first_output(start, seen(280, 1), 180) is None


@given(
    st.lists(st.tuples(st.floats(0.1, 2000), st.integers(0, 3)), min_size=1, max_size=20),
    st.floats(1, 1000),
)
def test_later_is_never_in_the_past_and_never_beyond_the_limit(
    steps: list[tuple[float, int]], stall: float
) -> None:
    quiet, clock, output = Quiet(0, 1_000_000, 0), 0.0, 0
    for step, said in steps:
        clock, output = clock + step, output + said
        answer = look_at_output(quiet, seen(clock, output, at=clock - step / 2), stall)
        if isinstance(answer, LookAtFiles):
            assert clock - quiet.since_s >= stall
            return
        assert 0 <= answer.in_s <= stall
        quiet = answer.quiet
