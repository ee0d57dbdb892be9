"""The goal of a phase: what comes after its plans, and what a report may and may not do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.core.test_schedule import plan, run
from worktree_runner.core.actions import Action, AskGoal, Finish, Stop, Verify, Wait
from worktree_runner.core.docs.verification import (
    VerificationStatus,
    parse_verification,
    with_word,
)
from worktree_runner.core.events import Event, Type
from worktree_runner.core.fold import apply
from worktree_runner.core.goal import Goal, Step, judge
from worktree_runner.core.policy import Policy
from worktree_runner.core.schedule import decide
from worktree_runner.core.state import RunState, Status
from worktree_runner.errors import ExitCode

AGENT = Policy(verifier="claude")
PERSON = replace(AGENT, interactive=True)
STARTED = {"n": 1, "agent": "claude", "base": "c", "branch": "b", "worktree": "/w", "report": "R"}
CHECKED = {"tip": "c", "present": 1, "missing": [], "loose": [], "unclear": 0, "found": ""}


def reported(status: str, **more: Any) -> dict[str, Any]:
    return {"n": 1, "report": "R", "copy": "/c", "status": status, **more}


def after(*events: tuple[Type, dict[str, Any]], state: RunState | None = None) -> RunState:
    state = state or replace(run(plan(1, Status.LANDED)), facts={"covers": True})
    for number, (type, data) in enumerate(events, 1):
        state = apply(state, Event(number, datetime(2026, 1, 1, tzinfo=UTC), "r", type, None, data))
    return state


BEGUN = ((Type.VERIFY_CHECKED, CHECKED), (Type.VERIFY_STARTED, STARTED))
ENDED = (*BEGUN, (Type.VERIFY_ENDED, {"n": 1, "reason": "exited", "exit_code": 0}))


def said(status: str, **more: Any) -> tuple[tuple[Type, dict[str, Any]], ...]:
    return (*ENDED, (Type.VERIFY_REPORTED, reported(status, **more)))


def answered(about: str, answer: str) -> tuple[Type, dict[str, Any]]:
    return (Type.VERIFY_ANSWERED, {"about": about, "answer": answer, "text": "no"})


@pytest.mark.parametrize(
    ("events", "policy", "wanted"),
    [
        ((), AGENT, Verify()),
        ((), replace(AGENT, verify=False), Finish(ExitCode.DONE)),
        (BEGUN[:1], AGENT, Verify()),
        (BEGUN[:1], Policy(), Finish(ExitCode.DONE)),
        (((Type.VERIFY_CHECKED, {**CHECKED, "found": "R"}),), Policy(), Verify()),
        (BEGUN, AGENT, Wait()),
        (ENDED, AGENT, Verify()),
        ((*BEGUN, (Type.VERIFY_ENDED, {"n": 1, "reason": "stopped"})), AGENT, Verify()),
        ((*ENDED, (Type.VERIFY_FAILED, {"n": 1, "reason": "x"})), AGENT, Finish(ExitCode.FAILED)),
        (said("passed"), AGENT, Finish(ExitCode.DONE)),
        (said("gaps_found"), PERSON, Finish(ExitCode.FAILED)),
        (said("human_needed"), AGENT, Finish(ExitCode.WAITING)),
        (said("human_needed"), PERSON, AskGoal()),
        ((*said("human_needed"), answered("goal", "later")), PERSON, Finish(ExitCode.WAITING)),
        ((*said("human_needed"), answered("goal", "approved")), PERSON, Finish(ExitCode.DONE)),
        ((*said("human_needed"), answered("goal", "issues")), PERSON, Finish(ExitCode.FAILED)),
        (said("passed", accept=True), AGENT, Finish(ExitCode.WAITING)),
        (said("passed", accept=True), PERSON, AskGoal()),
        ((*said("passed", accept=True), answered("acceptance", "approved")), PERSON,
         Finish(ExitCode.DONE)),
        ((*said("passed", accept=True), answered("acceptance", "issues")), PERSON,
         Finish(ExitCode.FAILED)),
        ((*said("human_needed", accept=True), answered("goal", "approved")), PERSON, AskGoal()),
    ],
)  # fmt: skip
def test_the_next_step_follows_from_what_was_recorded(
    events: tuple[tuple[Type, dict[str, Any]], ...], policy: Policy, wanted: Action
) -> None:
    assert decide(after(*events), policy) == (wanted,)


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.LANDED])
def test_a_goal_is_not_due_before_every_plan_has_landed(status: Status) -> None:
    state = replace(run(plan(1, Status.LANDED), plan(2, status)), facts={"covers": True})
    assert Verify() not in decide(state, replace(AGENT, on_failure="continue"))


def test_a_goal_is_not_due_where_the_phase_has_further_open_plans() -> None:
    assert decide(run(plan(1, Status.LANDED)), AGENT) == (Finish(ExitCode.DONE),)


def test_no_verifier_is_started_beyond_the_budget_and_a_higher_one_goes_on() -> None:
    state = replace(after(BEGUN[0]), usages=(("03-01", 2.0, None),))
    policy = replace(AGENT, max_cost=1.0)
    (stop,) = decide(state, policy)
    assert isinstance(stop, Stop) and stop.by == "budget"
    stopped = replace(state, stopping=stop.reason, stopped_by=stop.by)
    assert decide(stopped, policy) == (Finish(ExitCode.WAITING),)
    assert decide(state, replace(AGENT, max_cost=9.0)) == (Verify(),)


def test_what_a_verifier_used_counts_for_the_budget() -> None:
    used = {"usage": {"cost_usd": 0.5, "input_tokens": 10, "output_tokens": 1}}
    end = (Type.VERIFY_ENDED, {"n": 1, "reason": "exited", "exit_code": 0, "outcome": used})
    assert after(*BEGUN, end).usages == (("", 0.5, 11),)


@pytest.mark.parametrize(
    ("stated", "concerns", "wanted"),
    [
        ("passed", [], "passed"),
        ("passed", ["a.py is missing"], "human_needed"),
        ("gaps_found", ["a.py is missing"], "gaps_found"),
        ("aligned", [], "human_needed"),
    ],
)
def test_a_report_never_passes_over_a_concern(
    stated: str, concerns: list[str], wanted: str
) -> None:
    found = parse_verification(f"---\nstatus: {stated}\n---\n".encode())
    assert judge(found, concerns) is VerificationStatus(wanted)


def test_every_prefix_of_the_events_has_words_and_none_is_a_success_too_early() -> None:
    events = (*said("human_needed", accept=True), answered("goal", "approved"))
    for upto in range(len(events) + 1):
        goal = after(*events[:upto]).goal
        assert not goal.is_reached
        assert bool(goal.in_words()) is (goal.step is not Step.NOT_BEGUN)
    assert Goal().in_words() == ""


def test_a_word_is_added_to_a_report_once_and_in_its_own_line_ends() -> None:
    report = b"---\r\nstatus: human_needed\r\nscore: 1/2\r\n---\r\n\r\n# Report"
    approved = with_word(report, "2026-01-02")
    assert approved == report + b"\r\n\r\n## Approved by the user (2026-01-02)\r\n"
    assert with_word(approved, "2026-01-02") == approved
    issues = with_word(report, "2026-01-02", issues="It is red\nand loud\n\nIt is slow")
    found = parse_verification(issues)
    assert found.status is VerificationStatus.GAPS_FOUND
    assert [gap.truth for gap in found.gaps] == ["It is red and loud", "It is slow"]
    assert found.score == "1/2"
