"""The registry on disk: what others see, what a crash leaves, what is repaired."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.repo import Repo
from worktree_runner.core.reservations import (
    Activity,
    By,
    Denial,
    Grant,
    Holder,
    Life,
    Owner,
    Request,
    Reservation,
)
from worktree_runner.errors import PreconditionError, UsageError
from worktree_runner.store import identity, registry_file
from worktree_runner.store.paths import Layout
from worktree_runner.store.registry import Registry, StillActiveError

A = Holder("r1", "03-01")
B = Holder("r1", "03-02")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(tmp_path: Path, clock: Clock) -> Registry:
    return Registry(Layout(tmp_path), clock=clock)


def patterns(registry: Registry) -> list[str]:
    return [held.reservation.pattern for held in registry.active()]


def patterns_on_disk(registry: Registry) -> list[str]:
    return [one.pattern for one in registry._load().records]


def test_a_grant_is_all_or_nothing_and_others_see_it_at_once(
    registry: Registry, tmp_path: Path
) -> None:
    other = Registry(Layout(tmp_path), clock=registry._clock)
    first = registry.grant(Request(A, ("src/a.py", "src/b.py"), reason="because"))
    assert isinstance(first, Grant)
    assert [one.id for one in first.reservations] == [1, 2]
    denied = other.grant(Request(B, ("docs", "src/*.py")))
    assert isinstance(denied, Denial)
    assert [one.held.id for one in denied.conflicts] == [1, 2]
    assert denied.conflicts[0].held.holder == A
    assert patterns(other) == ["src/a.py", "src/b.py"]
    assert isinstance(other.grant(Request(B, ("docs",))), Grant)
    assert patterns(registry) == ["src/a.py", "src/b.py", "docs"]


def test_a_partial_grant_gives_the_free_paths_and_lists_the_others(registry: Registry) -> None:
    registry.grant(Request(A, ("src",)))
    answer = registry.grant_each(Request(B, ("src/x.py", "docs/y.md")))
    assert [one.pattern for one in answer.granted] == ["docs/y.md"]
    assert [(one.pattern, one.held.pattern) for one in answer.conflicts] == [("src/x.py", "src")]


def test_released_ids_are_never_given_again(registry: Registry, tmp_path: Path) -> None:
    registry.grant(Request(A, ("a", "b")))
    assert [one.id for one in registry.release(A, patterns=["b"])] == [2]
    assert registry.release(A, patterns=["b"]) == ()
    registry.release(A)
    again = Registry(Layout(tmp_path)).grant(Request(B, ("a",)))
    assert isinstance(again, Grant)
    assert again.reservations[0].id == 3


def test_a_dead_owner_is_robbed_at_once_and_a_living_one_never_by_age(
    registry: Registry, clock: Clock
) -> None:
    me = identity.of_process()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    registry.grant(Request(A, ("src",), owner=identity.of_process(child.pid), ttl=10))
    clock.now += 1e6
    assert isinstance(registry.grant(Request(B, ("src/x",))), Denial)
    child.kill()
    child.communicate()
    start = time.monotonic()
    assert isinstance(registry.grant(Request(B, ("src/x",), owner=me)), Grant)
    assert time.monotonic() - start < 1.0
    assert patterns(registry) == ["src/x"]


def test_without_a_process_the_lease_decides(registry: Registry, clock: Clock) -> None:
    registry.grant(Request(A, ("src",), ttl=10))
    clock.now += 9.9
    assert isinstance(registry.grant(Request(B, ("src",))), Denial)
    (pair,) = registry.renew(A, 10)
    assert (pair[0].until, pair[1].until) == (1010.0, 1020.0)
    clock.now += 10.2
    assert isinstance(registry.grant(Request(B, ("src",))), Grant)


def test_the_end_of_a_run_frees_what_is_its_own_only(registry: Registry) -> None:
    registry.grant(Request(A, ("a",)))
    registry.grant(Request(Holder("r1", "03-02", "BlueLake", By.AGENT), ("b",)))
    registry.grant(Request(Holder("r2", "03-01"), ("c",)))
    assert len(registry.release_run("r1")) == 2
    assert patterns(registry) == ["c"]


def test_force_is_refused_while_the_holder_works_and_tells_it_afterwards(
    registry: Registry, clock: Clock
) -> None:
    alice = Holder(name="alice", by=By.HAND)
    told: list[tuple[Reservation, tuple[str, ...]]] = []
    registry.grant(Request(alice, ("src",), ttl=60))
    with pytest.raises(StillActiveError, match="kept by alice") as refused:
        registry.force_release(1, A)
    assert "wtrun mail send --to alice" in (refused.value.hint or "")
    clock.now += 61
    done = registry.force_release(1, A, notify=lambda record, why: told.append((record, why)))
    assert done.reasons == ("lease has run out",)
    assert told == [(done.reservation, done.reasons)]
    assert patterns(registry) == []
    with pytest.raises(UsageError, match="no reservation 1"):
        registry.force_release(1, A)


def test_force_sees_a_renewal_that_came_in_between(registry: Registry, clock: Clock) -> None:
    registry.grant(Request(A, ("src",), ttl=60))
    clock.now += 61

    def renew_meanwhile(_: Reservation) -> Activity:
        registry.renew(A, 1.0)
        clock.now += 2
        return Activity()

    with pytest.raises(StillActiveError):
        registry.force_release(1, B, activity=renew_meanwhile)
    assert patterns_on_disk(registry) == ["src"]


def test_an_unreadable_file_is_set_aside_and_built_again_from_the_events(
    registry: Registry, tmp_path: Path
) -> None:
    registry.grant(Request(A, ("a", "b")))
    registry.grant(Request(B, ("c",)))
    registry.release(A, patterns=["a"])
    before = registry.active()
    file = registry.folder / "reservations.json"
    file.write_bytes(file.read_bytes()[:40])
    with (registry.folder / "events.jsonl").open("a") as log:
        log.write('{"v": 1, "op": "gra')
    other = Registry(Layout(tmp_path), clock=registry._clock)
    assert other.active() == before
    assert file.read_bytes()[-2:] != b"}\n", "a reader repairs nothing"
    assert isinstance(other.grant(Request(A, ("d",))), Grant)
    assert [held.reservation.id for held in other.active()] == [2, 3, 4]
    assert len(list(registry.folder.glob("reservations.corrupt-*.json"))) == 1
    rebuilt = registry_file.replay(other.events.rows())
    assert [one.id for one in rebuilt.records] == [2, 3, 4]


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"v":1,"next_id":1,"reservations":[3]}'])
def test_any_nonsense_in_the_file_is_survived(registry: Registry, text: str) -> None:
    registry.grant(Request(A, ("a",)))
    (registry.folder / "reservations.json").write_text(text)
    assert patterns(registry) == ["a"]
    assert isinstance(registry.grant(Request(B, ("a",))), Denial)
    assert isinstance(registry.grant(Request(B, ("b",))), Grant)


def test_a_lost_file_is_built_again_too(registry: Registry) -> None:
    registry.grant(Request(A, ("a",)))
    (registry.folder / "reservations.json").unlink()
    assert patterns(registry) == ["a"]
    assert isinstance(registry.grant(Request(B, ("a",))), Denial)


def test_a_full_event_log_makes_room_and_can_still_rebuild(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_file, "ROTATE_BYTES", 2000)
    for number in range(40):
        registry.grant(Request(A, (f"f{number}",)))
        if number % 2:
            registry.release(A, patterns=[f"f{number}"])
    wanted = patterns(registry)
    assert (registry.folder / "events.1.jsonl").exists()
    assert registry.events.path.stat().st_size < 20_000
    (registry.folder / "reservations.json").unlink()
    assert patterns(registry) == wanted
    again = registry.grant(Request(A, ("new",)))
    assert isinstance(again, Grant)
    assert again.reservations[0].id == 41


def test_a_file_of_a_newer_wtrun_is_shown_but_not_written(registry: Registry) -> None:
    registry.grant(Request(A, ("a",)))
    file = registry.folder / "reservations.json"
    file.write_text(file.read_text().replace('"v": 1', '"v": 2'))
    assert patterns(registry) == ["a"]
    with pytest.raises(PreconditionError, match="newer wtrun"):
        registry.grant(Request(B, ("b",)))


def test_the_log_tells_every_change(registry: Registry, clock: Clock) -> None:
    registry.grant(Request(A, ("a",), ttl=5, owner=Owner(1, "", "elsewhere", "")))
    registry.grant(Request(B, ("a",)))
    clock.now += 6
    registry.grant(Request(B, ("a",)))
    registry.renew(B, 5)
    registry.release(B)
    lines = registry.events.path.read_text().splitlines()
    assert [json.loads(line)["op"] for line in lines] == [
        "grant", "deny", "expire", "grant", "renew", "release"
    ]  # fmt: skip


def test_case_is_folded_where_the_repository_says_so(repo: Repo) -> None:
    layout = Layout(repo.path / ".git")
    repo.git("config", "core.ignorecase", "true")
    registry = Registry(layout)
    registry.grant(Request(A, ("SRC/A.py",)))
    assert isinstance(registry.grant(Request(B, ("src/a.py",))), Denial)
    repo.git("config", "core.ignorecase", "false")
    assert isinstance(Registry(layout).grant(Request(B, ("src/a.py",))), Grant)


def test_life_is_shown_with_what_is_held(registry: Registry) -> None:
    registry.grant(Request(A, ("a",), owner=identity.of_process()))
    registry.grant(Request(B, ("b",)))
    assert [held.alive for held in registry.active()] == [Life.ALIVE, Life.UNKNOWN]
