"""The merge queue's rules, played through on values: who lands, who is rejected, at what price."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worktree_runner.core import actions, queue
from worktree_runner.core.events import Event, Type
from worktree_runner.core.gate import Purpose, Verdict
from worktree_runner.core.queue import Queue, fewest_conflicts


class Played:
    """A queue with its plans, a gate that is red with the bad ones, and the journal of it all."""

    def __init__(self, plans: Sequence[str], bad: Collection[str] = (), base_code: int = 0) -> None:
        self.queued, self.bad, self.base_code = list(plans), set(bad), base_code
        self.landed: list[str] = []
        self.rejected: list[str] = []
        self.tip = "base"
        self.held: dict[str, list[str]] = {"base": []}
        self.queue = Queue()
        self.record(Type.GATE_CHOSEN, command=["check"])

    def record(self, type: str, plan: str | None = None, **data: Any) -> None:
        event = Event(0, datetime(2026, 1, 1, tzinfo=UTC), "run", type, plan, data)
        self.queue = queue.apply(self.queue, event)

    def code(self, commit: str) -> int:
        if commit == "base":
            return self.base_code
        return self.base_code or int(bool(self.bad & set(self.held[commit])))

    def prepare(self) -> None:
        turn = self.queued[:1] if self.queue.guilty >= 2 else list(self.queued)
        entries, onto = [], self.tip
        for plan in turn:
            commit = f"{onto}+{plan}"
            self.held[commit] = [*self.held[onto], plan]
            entries.append({"plan": plan, "head": plan, "commit": commit})
            onto = commit
        number = self.queue.batches + 1
        self.record(Type.QUEUE_PREPARED, batch=number, tip=self.tip, entries=entries)

    def play(self) -> Played:
        for _ in range(500):
            if not self.queued and self.queue.batch is None:
                return self
            if self.queue.batch is None:
                self.prepare()
            self.step()
        raise AssertionError("the queue comes to no end")

    def step(self) -> None:
        match queue.next_step(self.queue, self.tip, self.queued):
            case actions.RunGate(candidate, purpose):
                n = self.queue.started + 1
                self.record(Type.GATE_STARTED, n=n, candidate=candidate, purpose=str(purpose))
                facts = {"n": n, "candidate": candidate, "purpose": str(purpose)}
                self.record(Type.GATE_ENDED, **facts, code=self.code(candidate))
            case actions.Land(upto):
                assert self.queue.batch is not None
                for entry in self.queue.batch.entries[:upto]:
                    if entry.plan in self.queued:
                        self.queued.remove(entry.plan)
                        self.landed.append(entry.plan)
                self.tip = self.queue.batch.entries[upto - 1].commit
            case actions.Reject(plan=plan):
                self.queued.remove(plan)
                self.rejected.append(plan)
                self.record(Type.MERGE_REJECTED, plan)
            case actions.TurnOff(reason):
                self.record(Type.GATE_OFF, reason=reason)
            case actions.Close():
                self.record(Type.QUEUE_CLOSED, empty=not self.queued)
            case None:
                raise AssertionError("no next step")


def names(count: int) -> list[str]:
    return [f"p{n}" for n in range(1, count + 1)]


def test_a_green_batch_costs_one_run_and_no_baseline() -> None:
    played = Played(names(10)).play()
    assert played.landed == names(10)
    assert played.queue.counts == {"batch": 1}


@pytest.mark.parametrize("bad", names(10))
def test_ten_plans_with_one_bad_take_six_runs_at_most(bad: str) -> None:
    played = Played(names(10), {bad}).play()
    assert played.rejected == [bad]
    assert len(played.landed) == 9
    assert played.queue.runs <= 6
    assert played.queue.counts["baseline"] == played.queue.counts["again"] == 1


@settings(deadline=None, max_examples=60)
@given(count=st.integers(1, 14), bad=st.sets(st.integers(1, 14)))
def test_exactly_the_good_plans_land_in_order(count: int, bad: set[int]) -> None:
    plans = names(count)
    wrong = {f"p{n}" for n in bad} & set(plans)
    played = Played(plans, wrong).play()
    assert played.landed == [plan for plan in plans if plan not in wrong]
    assert set(played.rejected) == wrong
    assert played.queue.runs <= 2 * count + 6


def test_a_gate_that_is_red_before_any_plan_is_turned_off_and_convicts_nobody() -> None:
    played = Played(names(4), {"p2"}, base_code=2).play()
    assert played.landed == names(4)
    assert played.queue.off == "exit code 2"
    assert played.queue.counts == {"batch": 1, "baseline": 1}


def test_a_likely_resolution_has_no_second_try() -> None:
    played = Played(["p1"])
    entry = {"plan": "p1", "head": "p1", "commit": "c", "tested": True}
    played.record(Type.QUEUE_PREPARED, batch=1, tip=played.tip, entries=[entry])
    for candidate, purpose, code in (("c", "batch", 1), (played.tip, "baseline", 0)):
        expected = actions.RunGate(candidate, Purpose(purpose))
        assert queue.next_step(played.queue, played.tip, ["p1"]) == expected
        facts = {"n": played.queue.started + 1, "candidate": candidate, "purpose": purpose}
        played.record(Type.GATE_STARTED, **facts)
        played.record(Type.GATE_ENDED, **facts, code=code)
    step = queue.next_step(played.queue, played.tip, ["p1"])
    assert step == actions.Reject("p1", "c", Verdict.RED, tested=True)


def test_a_moved_tip_closes_the_batch_before_anything_of_it_lands() -> None:
    played = Played(names(2))
    played.prepare()
    played.tip = "somewhere else"
    assert queue.next_step(played.queue, played.tip, played.queued) == actions.Close(
        "the tip has moved"
    )


def test_a_gate_whose_process_vanishes_twice_is_inconclusive() -> None:
    played = Played(names(1))
    played.prepare()
    for n in (1, 2):
        step = queue.next_step(played.queue, played.tip, played.queued)
        assert isinstance(step, actions.RunGate)
        played.record(Type.GATE_STARTED, n=n, candidate=step.candidate, purpose=step.purpose)
        facts = {"candidate": step.candidate, "purpose": str(step.purpose), "ended": "lost"}
        played.record(Type.GATE_ENDED, n=n, **facts)
    assert played.queue.verdict("base+p1") is Verdict.INCONCLUSIVE


def test_plans_that_get_along_with_most_others_come_first() -> None:
    pairs = {frozenset(("p1", "p2")), frozenset(("p1", "p3"))}
    assert fewest_conflicts(names(4), pairs) == ("p4", "p2", "p3", "p1")
    assert fewest_conflicts(names(3), set()) == ("p1", "p2", "p3")
