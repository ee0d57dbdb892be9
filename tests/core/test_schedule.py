"""What a run does next, as a table of situations and as whole simulated runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worktree_runner.core.actions import (
    Action,
    Ask,
    Begin,
    Finish,
    Judge,
    Merge,
    Settle,
    Skip,
    Start,
    Stop,
    Wait,
)
from worktree_runner.core.limits import PARKED, Failure
from worktree_runner.core.policy import Policy
from worktree_runner.core.schedule import decide
from worktree_runner.core.starting import STUCK
from worktree_runner.core.state import ACTIVE, SETTLED, PlanState, RunState, Status
from worktree_runner.errors import ExitCode

S = Status


def plan(
    number: int,
    status: Status = S.WAITING,
    *,
    wave: int = 1,
    after: Sequence[int] = (),
    lane: int | None = None,
) -> PlanState:
    name = f"03-{number:02d}"
    return PlanState(
        id=name, path=f"{name}-PLAN.md", summary=f"{name}-SUMMARY.md", title=name, wave=wave,
        lane=lane, depends_on=tuple(f"03-{n:02d}" for n in after), order=number, autonomous=True,
        status=status,
    )  # fmt: skip


def run(*plans: PlanState, stopping: str = "") -> RunState:
    return RunState(id="r", plans={one.id: one for one in plans}, stopping=stopping)


CONTINUE = Policy(on_failure="continue")
PERSON = Policy(interactive=True)

SITUATIONS: list[tuple[str, RunState, Policy, tuple[Action, ...]]] = [
    (
        "a wave starts together, as far as there are slots",
        run(*(plan(n) for n in range(1, 5)), plan(5, wave=2)),
        Policy(max_parallel=3),
        (Start("03-01"), Start("03-02"), Start("03-03")),
    ),
    (
        "a lane starts with its first plan only",
        run(plan(1, lane=1), plan(2, lane=1), plan(3)),
        Policy(),
        (Start("03-01"), Start("03-03")),
    ),
    (
        "the next of a lane forks from the first one's merge, so that one merges at once",
        run(plan(1, S.RUNNING), plan(2, S.QUEUED, lane=1), plan(3, lane=1)),
        Policy(),
        (Merge("03-02"),),
    ),
    (
        "a merge waits for an earlier plan that is still at work",
        run(plan(1, S.RUNNING), plan(2, S.QUEUED)),
        Policy(),
        (Wait(),),
    ),
    (
        "a failed plan holds no merge back",
        run(plan(1, S.FAILED), plan(2, S.QUEUED)),
        CONTINUE,
        (Merge("03-02"),),
    ),
    (
        "a conflict holds no merge back",
        run(plan(1, S.CONFLICTED), plan(2, S.QUEUED)),
        Policy(),
        (Merge("03-02"),),
    ),
    (
        "the next wave waits for the present one",
        run(plan(1, S.LANDED), plan(2, S.RUNNING), plan(3, wave=2)),
        Policy(),
        (Wait(),),
    ),
    (
        "what depends on other plans only goes past one that waits for a person",
        run(plan(1, S.LANDED), plan(2, S.CONFLICTED), plan(3, wave=2, after=[1])),
        Policy(),
        (Start("03-03"),),
    ),
    (
        "what declares no dependency may need anything of the wave before, and waits",
        run(plan(1, S.LANDED), plan(2, S.CONFLICTED), plan(3, wave=2)),
        Policy(),
        (Finish(ExitCode.CONFLICT),),
    ),
    (
        "dependants of a failed plan are skipped, through others too",
        run(plan(1, S.FAILED), plan(2, wave=2, after=[1]), plan(3, wave=3, after=[2])),
        CONTINUE,
        (Skip("03-02", ("03-01",)), Skip("03-03", ("03-02",))),
    ),
    (
        "without a person a failure starts nothing further",
        run(plan(1, S.FAILED), plan(2, S.LANDED), plan(3, wave=2)),
        Policy(),
        (Stop("03-01 failed"),),
    ),
    (
        "a whole wave that failed is not the fault of one plan",
        run(plan(1, S.FAILED), plan(2, S.FAILED), plan(3, wave=2)),
        CONTINUE,
        (Stop("every plan of wave 1 failed, so the cause is not in one plan"),),
    ),
    (
        "a person who may retry decides, also when all of a wave failed",
        run(plan(1, S.FAILED), plan(2, S.FAILED), plan(3, wave=2, after=[1])),
        PERSON,
        (Ask("03-01"),),
    ),
    (
        "one question at a time, as its answer may stop the run",
        run(plan(1, S.FAILED), plan(2, S.ASKING)),
        PERSON,
        (Ask("03-02"),),
    ),
    (
        "a failure that a person may retry skips nobody yet",
        run(plan(1, S.FAILED), plan(2, wave=2, after=[1])),
        PERSON,
        (Ask("03-01"),),
    ),
    (
        "a stopped run asks nothing and starts nothing, but merges what is finished",
        run(plan(1, S.FAILED), plan(2, S.QUEUED), plan(3), stopping="the user stopped"),
        PERSON,
        (Merge("03-02"),),
    ),
    (
        "what a crash left half done comes first",
        run(plan(1, S.STARTING), plan(2, S.ENDED), plan(3)),
        Policy(),
        (Begin("03-01"), Judge("03-02"), Start("03-03")),
    ),
    ("an empty run is done", run(plan(1, S.LANDED)), Policy(), (Finish(ExitCode.DONE),)),
    (
        "a conflict asks louder than a failure",
        run(plan(1, S.CONFLICTED), plan(2, S.FAILED), plan(3, S.ASKING)),
        Policy(),
        (Finish(ExitCode.CONFLICT),),
    ),
]


@pytest.mark.parametrize(
    ("state", "policy", "actions"), [row[1:] for row in SITUATIONS], ids=[r[0] for r in SITUATIONS]
)
def test_what_comes_next(state: RunState, policy: Policy, actions: tuple[Action, ...]) -> None:
    assert decide(state, policy) == actions


def of_two_programs(*, after: Sequence[int] = ()) -> RunState:
    """One plan of a program that has no login, and one of another program."""
    mine = replace(plan(1), program="mine")
    other = replace(plan(2, after=after), program="other")
    failure = Failure(5.0, "auth", "03-01", agent="mine")
    return replace(run(mine, other), failures=(failure,), since=1.0)


def test_program_without_a_login_leaves_the_plans_of_others_alone() -> None:
    state = of_two_programs()
    assert decide(state, Policy(), now=10.0) == (Start("03-02"),)
    stop = decide(moved(state, "03-02", S.RUNNING), Policy(), now=10.0)[0]
    assert stop == Stop("mine: the agent is not logged in", "executor", PARKED["auth"][1])


def test_plan_behind_one_of_a_closed_program_is_no_reason_to_wait_for_ever() -> None:
    assert isinstance(decide(of_two_programs(after=[1]), Policy(), now=10.0)[0], Stop)


def test_no_second_question_while_one_is_open() -> None:
    state = run(plan(1, S.FAILED), plan(2, S.ASKING))
    assert decide(state, PERSON, busy=frozenset({"03-02"})) == (Wait(),)


@st.composite
def phases(draw: st.DrawFn) -> RunState:
    plans: list[PlanState] = []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        earlier = [one.order for one in plans]
        after = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=2)) if earlier else []
        below = max([plans[n - 1].wave for n in after], default=0)
        wave = draw(st.integers(below + 1, below + 2))
        lane = draw(st.sampled_from([None, None, 1, 2]))
        plans.append(plan(number, wave=wave, after=after, lane=lane))
    return run(*plans)


ENDINGS = [S.QUEUED, S.QUEUED, S.QUEUED, S.FAILED, S.ASKING]
MERGES = [S.LANDED, S.LANDED, S.CONFLICTED]


@given(phases(), st.sampled_from(["ask", "continue", "stop"]), st.integers(1, 4), st.data())
def test_a_simulated_run_ends_and_breaks_no_rule(
    state: RunState, on_failure: str, slots: int, data: st.DataObject
) -> None:
    policy = Policy(max_parallel=slots, on_failure=on_failure)
    for _ in range(20 * len(state.plans)):
        actions = decide(state, policy)
        if isinstance(actions[0], Finish):
            break
        if isinstance(actions[0], Wait):
            ended = data.draw(st.sampled_from(state.with_status(*ACTIVE)))
            state = moved(state, ended.id, data.draw(st.sampled_from(ENDINGS)))
        for action in actions:
            state = performed(state, action, data)
        assert len(state.with_status(*ACTIVE)) <= slots
    else:
        raise AssertionError("the run goes on for ever")
    left = state.with_status(S.WAITING)
    if not state.stopping:
        assert not left or state.with_status(*STUCK), "something could have been started"
    assert not state.with_status(*ACTIVE, S.QUEUED)


def moved(state: RunState, name: str, status: Status) -> RunState:
    return replace(state, plans={**state.plans, name: replace(state.plans[name], status=status)})


def performed(state: RunState, action: Action, data: st.DataObject) -> RunState:
    match action:
        case Start(name):
            one = state.plans[name]
            assert all(state.plans[other].status is S.LANDED for other in one.depends_on)
            for other in state.plans.values():
                if other.wave < one.wave:
                    assert other.status in SETTLED | STUCK
                elif other.wave == one.wave and one.lane is not None and other.lane == one.lane:
                    assert other.status not in ACTIVE
            return moved(state, name, S.RUNNING)
        case Merge(name):
            assert state.plans[name].status is S.QUEUED
            return moved(state, name, data.draw(st.sampled_from(MERGES)))
        case Skip(name, because):
            assert all(state.plans[other].status in (S.FAILED, S.SKIPPED) for other in because)
            return moved(state, name, S.SKIPPED)
        case Stop(reason):
            return replace(state, stopping=reason)
    return state


@pytest.mark.parametrize(
    ("policy", "action"),
    [
        (Policy(on_conflict="rerun"), Settle("03-01")),
        (Policy(on_conflict="skip"), Settle("03-01")),
        (Policy(on_conflict="theirs", interactive=True), Ask("03-01")),
        (Policy(interactive=True), Ask("03-01")),
    ],
)
def test_a_rejected_plan_is_settled_as_the_user_said_or_asked_about(
    policy: Policy, action: object
) -> None:
    assert decide(run(plan(1, S.REJECTED)), policy) == (action,)


def test_a_rejected_plan_is_run_again_only_once() -> None:
    state = run(replace(plan(1, S.REJECTED), earlier={"head": "abc"}))
    assert decide(state, Policy(on_conflict="rerun")) == (Finish(ExitCode.FAILED),)


def test_a_change_of_what_is_run_is_never_taken_by_a_setting() -> None:
    item = {"path": "Makefile", "kind": "commands", "fingerprint": "f"}
    state = run(replace(plan(1, S.CONFLICTED), conflicts=(item,)))
    for how in ("theirs", "rerun"):
        policy = Policy(on_conflict=how, interactive=True)
        assert decide(state, policy) == (Ask("03-01"),)
