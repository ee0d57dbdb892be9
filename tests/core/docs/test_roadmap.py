"""Reading the road map."""

from __future__ import annotations

import pytest

from tests.core.docs.samples import ROADMAP
from worktree_runner.core.docs.roadmap import (
    Milestone,
    milestone,
    next_phase,
    roadmap_goal,
    roadmap_phases,
)
from worktree_runner.dialects import load

GSD = load("gsd")
DATA = ROADMAP.encode()


def test_only_the_current_milestones_phases_are_listed_in_token_order() -> None:
    phases = [(p.token, p.name, p.done) for p in roadmap_phases(DATA, GSD)]
    assert phases == [
        ("1", "Base", True),
        ("2", "Store", False),
        ("2.1", "Fix", False),
        ("3", "API", False),
    ]


@pytest.mark.parametrize("token", ["3", "03"])
def test_a_phase_is_found_padded_or_not(token: str) -> None:
    phase = roadmap_goal(DATA, token, GSD)
    assert phase is not None
    assert phase.name == "API"
    assert phase.goal == "The wire works"
    assert phase.depends_on == "Phase 2, Phase 2.1"
    assert phase.requirements == ("API-01", "API-02", "API-03", "API-04")
    assert phase.criteria == ("Calls answer", "Errors tell")


def test_a_decimal_phase_is_not_its_integer() -> None:
    phase = roadmap_goal(DATA, "02.1", GSD)
    assert phase is not None
    assert (phase.name, phase.goal) == ("Fix", "Nothing breaks on Mondays")
    assert roadmap_goal(DATA, "30", GSD) is None


def test_the_next_phase_is_the_first_open_one_after_it() -> None:
    after = [next_phase(DATA, token, GSD) for token in ("1", "2", "2.1", "3")]
    assert [each.token if each else None for each in after] == ["2", "2.1", "3", None]


def test_a_phase_with_only_a_check_box_takes_its_goal_from_there() -> None:
    text = b"- [ ] **Phase 4: Screens** - Users see it (completed 2026-01-01)\n"
    phase = roadmap_goal(text, "4", GSD)
    assert phase is not None
    assert (phase.name, phase.goal) == ("Screens", "Users see it")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ROADMAP, Milestone("v1.1", "New things")),
        ("# Roadmap: Demo v2.0\n", Milestone("v2.0", "Demo")),
        ("# Roadmap: Demo\n", Milestone()),
        ("# R\n## Milestones\n- ✅ **v1.0 MVP** - shipped\n- 🚧 **v1.1 Polish** - Phases 3-4\n",
         Milestone("v1.1", "Polish")),
        ("# R\n## Milestone v1.3.0: Split it\n", Milestone("v1.3.0", "Split it")),
        ("# R\n## v2+ Requirements\n", Milestone()),
    ],
)  # fmt: skip
def test_the_milestone_in_work_is_found(text: str, expected: Milestone) -> None:
    assert milestone(text.encode(), GSD) == expected


def test_phases_in_the_backlog_are_no_next_phase() -> None:
    text = b"### Phase 3: A\n## Backlog\n### Phase 999.1: Some day\n"
    assert next_phase(text, "3", GSD) is None


@pytest.mark.parametrize(
    "heading", ["## Phase 3: API", "#### ✅ Phase 3: API", "### Phase 3: API [UI]",
                "### Phase 3: API - COMPLETE", "### Phase 03 — API", "### Stage 3: API"],
)  # fmt: skip
def test_every_form_of_a_phases_heading_is_known(heading: str) -> None:
    phase = roadmap_goal(f"{heading}\n**Goal:** x\n".encode(), "3", GSD)
    assert phase is not None
    assert (phase.name, phase.goal) == ("API", "x")


def test_utf16_and_rubbish_give_nothing() -> None:
    assert roadmap_phases(ROADMAP.encode("utf-16"), GSD) == ()
    assert roadmap_phases(b"\xff\xfe\x00### Phase", GSD) == ()
    assert roadmap_phases(b"", GSD) == ()
