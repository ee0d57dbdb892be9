"""The road map's targeted edits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.docs.samples import ROADMAP, changed_lines
from worktree_runner.core.docs.facts import RoadmapFacts
from worktree_runner.core.docs.roadmap_edit import count_value, update_roadmap
from worktree_runner.dialects import load

GSD = load("gsd")
DATA = ROADMAP.encode()
PART = RoadmapFacts("03", ("01", "02"), 3, "2026-02-03")
WHOLE = RoadmapFacts("03", ("01", "02", "03"), 3, "2026-02-03", phase_complete=True)


def test_plans_and_counts_without_the_phase_itself() -> None:
    edited = update_roadmap(DATA, PART, GSD)
    assert changed_lines(DATA, edited.text) == [
        "-**Plans**: 3 plans in 2 waves",
        "+**Plans**: 2/3 plans executed in 2 waves",
        "-- [ ] [03-02-PLAN.md](phases/03-api/03-02-PLAN.md) — client",
        "+- [x] [03-02-PLAN.md](phases/03-api/03-02-PLAN.md) — client",
        "-| 3. API    | 1/3            | In Progress |            |",
        "+| 3. API    | 2/3            | In Progress |            |",
    ]
    assert edited.notes == ()


def test_a_cell_keeps_its_width_beside_one_that_is_too_long() -> None:
    text = (
        "| Phase  | Plans Complete | Status      |\n| ------ | -------------- | ----------- |\n"
        "| 3. A long name | 0/3            | Not started |\n"
    )
    edited = update_roadmap(text.encode(), PART, GSD)
    assert edited.text.decode().splitlines()[2] == (
        "| 3. A long name | 2/3            | In Progress |"
    )


def test_a_complete_phase_is_ticked_dated_and_set_in_the_projects_form() -> None:
    edited = update_roadmap(DATA, WHOLE, GSD)
    assert changed_lines(DATA, edited.text) == [
        "-- [ ] **Phase 3: API** - the wire",
        "+- [x] **Phase 3: API** - the wire - completed 2026-02-03",
        "-**Plans**: 3 plans in 2 waves",
        "+**Plans**: 3/3 plans complete in 2 waves",
        "-- [ ] [03-02-PLAN.md](phases/03-api/03-02-PLAN.md) — client",
        "-- [ ] **03-03**: docs",
        "+- [x] [03-02-PLAN.md](phases/03-api/03-02-PLAN.md) — client",
        "+- [x] **03-03**: docs",
        "-| 3. API    | 1/3            | In Progress |            |",
        "+| 3. API    | 3/3            | ✅ Complete  | 2026-02-03 |",
    ]


def test_writing_twice_changes_nothing_more() -> None:
    for facts in (PART, WHOLE):
        once = update_roadmap(DATA, facts, GSD)
        assert update_roadmap(once.text, facts, GSD).text == once.text


def test_nothing_is_ever_unticked_or_set_back() -> None:
    done = update_roadmap(DATA, WHOLE, GSD).text
    edited = update_roadmap(done, replace(PART, done=("01",), plans_total=4), GSD)
    text = edited.text.decode()
    assert text.count("- [x] ") == done.decode().count("- [x] ")
    assert "| 3. API    | 1/4            | ✅ Complete  | 2026-02-03 |" in text
    assert any("stays, though 3 plans" in note.message for note in edited.notes)


def test_an_unknown_status_is_left_and_reported_with_its_line() -> None:
    facts = RoadmapFacts("02.1", ("01",), 1, "2026-02-03")
    edited = update_roadmap(DATA, facts, GSD)
    assert "| 2.1. Fix  | 1/1            | Blocked     | -          |" in edited.text.decode()
    line = (
        ROADMAP.split("\n").index("| 2.1. Fix  | 0/?            | Blocked     | -          |") + 1
    )
    assert [(n.line, "Blocked" in n.message) for n in edited.notes] == [(line, True)]


def test_the_archived_part_is_never_touched() -> None:
    old = DATA[: DATA.index(b"</details>")]
    assert update_roadmap(DATA, WHOLE, GSD).text.startswith(old)


def test_a_phase_that_is_only_archived_is_reported() -> None:
    text = DATA[: DATA.index(b"### ")]
    edited = update_roadmap(text, WHOLE, GSD)
    assert edited.text == text
    assert "not in the current milestone" in edited.notes[0].message


def test_two_headings_of_one_phase_are_reported_not_chosen_between() -> None:
    text = b"### Phase 3: A\n**Plans**: 1 plan\n### Phase 3: B\n**Plans**: 1 plan\n"
    edited = update_roadmap(text, PART, GSD)
    assert edited.text == text
    assert "2 headings (lines 1, 3)" in edited.notes[0].message
    assert edited.notes[0].line == 3


def test_of_two_milestones_the_one_that_is_not_shipped_is_written() -> None:
    text = (
        "## ✅ v1.0 Old (shipped)\n### Phase 3: A\n**Plans**: 1 plan\n"
        "## v1.1 New\n### Phase 3: B\n**Plans**: 3 plans\n"
    )
    lines = update_roadmap(text.encode(), PART, GSD).text.decode().split("\n")
    assert (lines[2], lines[5]) == ("**Plans**: 1 plan", "**Plans**: 2/3 plans executed")


def test_a_row_that_lost_a_cell_is_left_and_reported() -> None:
    text = (
        b"| Phase | Milestone | Plans Complete | Status | Completed |\n|---|---|---|---|---|\n"
        b"| 3. API | 1/3 | In Progress|  |\n"
    )
    edited = update_roadmap(text, PART, GSD)
    assert edited.text == text
    assert edited.notes[0].line == 3


def test_a_table_of_requirements_is_no_progress_table() -> None:
    text = (
        b"### Phase 3: A\n\n| Requirement | Phase | Status |\n|---|---|---|\n| 3 | 3 | Pending |\n"
    )
    assert update_roadmap(text, replace(WHOLE, plans_total=3), GSD).text == text


@pytest.mark.parametrize(
    ("old", "part", "whole"),
    [
        ("3 plans", "2/3 plans executed", "3/3 plans complete"),
        ("1/3 plans executed", "2/3 plans executed", "3/3 plans complete"),
        ("0/3", "2/3", "3/3"),
        ("TBD", "2/3 plans executed", "3/3 plans complete"),
        ("1 plan (complete)", "2/3 plans executed", "3/3 plans complete"),
        ("8 plans (5 + 3)", "2/3 plans executed (5 + 3)", "3/3 plans complete (5 + 3)"),
        ("to be planned", None, None),
        ("3 of them", None, None),
    ],
)
def test_counts_keep_their_form(old: str, part: str | None, whole: str | None) -> None:
    assert count_value(old, PART, "plans") == part
    assert count_value(old, WHOLE, "plans") == whole


@pytest.mark.parametrize(
    ("neighbour", "expected"),
    [
        ("- [x] **Phase 1: A** - x (completed 2026-01-05)", " (completed 2026-02-03)"),
        ("- [x] Phase 1: A — completed 2026-01-05", " — completed 2026-02-03"),
        ("- [x] **Phase 1: A** - x _(complete 2026-01-05)_", " _(complete 2026-02-03)_"),
        ("- [x] **Phase 1: A** - x", ""),
        ("- [ ] **Phase 1: A** - x", " (completed 2026-02-03)"),
    ],
)
def test_the_date_has_its_neighbours_form(neighbour: str, expected: str) -> None:
    text = f"{neighbour}\n- [ ] **Phase 3: API** - wire\n"
    line = update_roadmap(text.encode(), WHOLE, GSD).text.decode().split("\n")[1]
    assert line == f"- [x] **Phase 3: API** - wire{expected}"


def test_headings_are_marked_where_finished_neighbours_are() -> None:
    text = (
        "### Phase 1: A ✓\n**Completed:** 2026-01-05\n### Phase 3: API\n**Status:** Not started\n"
    )
    lines = update_roadmap(text.encode(), WHOLE, GSD).text.decode().split("\n")
    assert lines[2:4] == ["### Phase 3: API ✓", "**Status:** Complete"]


def test_a_missing_plan_line_is_reported() -> None:
    text = b"### Phase 3: API\n- [ ] 03-01: a\n"
    edited = update_roadmap(text, PART, GSD)
    assert b"- [x] 03-01: a" in edited.text
    assert "no line for plan 02 of Phase 3" in edited.notes[0].message


@pytest.mark.parametrize(
    "item", ["03-01-PLAN.md — x", "03-01: x", "**03-01**: x", "`03-01-PLAN.md` x", "3-01 x",
             "[03-01-PLAN.md](p) — x", "Plan 03-01: x", "Plan 01: x", "**Plan 03.01** x",
             "03-P01: x", "03-01-auth-PLAN.md"],
)  # fmt: skip
def test_every_form_of_a_plans_item_is_ticked(item: str) -> None:
    text = f"### Phase 3: API\n- [ ] {item}\n".encode()
    assert b"- [x] " in update_roadmap(text, replace(PART, done=("01",)), GSD).text


@pytest.mark.parametrize(
    "item", ["13-01-PLAN.md", "03-010-PLAN.md", "03.1-01-PLAN.md", "03-02-PLAN.md", "3 of 01",
             "Works on 03-01"],
)  # fmt: skip
def test_other_items_are_not(item: str) -> None:
    text = f"### Phase 3: API\n- [ ] {item}\n".encode()
    assert update_roadmap(text, replace(PART, done=("01",)), GSD).text == text


def test_stages_and_runs_are_written_as_such() -> None:
    words = GSD.words.model_copy(update={"phase": "stage", "plan": "run", "plans": "runs"})
    renn = GSD.model_copy(update={"words": words})
    text = (
        "- [ ] **Stage 3: API** - x\n### Stage 3: API [UI]\n**Runs**: 3 runs\nRuns:\n"
        "- [ ] 03.01: a\n| Stage | Runs Complete | Status | Completed |\n|---|---|---|---|\n"
        "| 3. API | 0/3 | Not started | - |\n"
    )
    assert update_roadmap(text.encode(), WHOLE, renn).text.decode() == (
        "- [x] **Stage 3: API** - x (completed 2026-02-03)\n### Stage 3: API [UI]\n"
        "**Runs**: 3/3 runs complete\nRuns:\n"
        "- [x] 03.01: a\n| Stage | Runs Complete | Status | Completed |\n|---|---|---|---|\n"
        "| 3. API | 3/3 | Complete | 2026-02-03 |\n"
    )


def test_a_cell_that_outgrows_its_column_is_written_once_and_for_all() -> None:
    text = (
        b"| Phase  | Status    | Plans Complete |\n|--------|-----------|----------------|\n"
        b"| 3. API | Planned   | -              |\n"
    )
    once = update_roadmap(text, PART, GSD)
    assert once.text.endswith(b"| 3. API | In Progress | 2/3            |\n")
    assert update_roadmap(once.text, PART, GSD).text == once.text


def test_a_box_that_only_mentions_the_phase_is_not_its_box() -> None:
    text = (
        "- [ ] **Phase 3: API** - wire\n- [ ] Phase 3 is deployed\n"
        "### Phase 4: Screens\n- [ ] Phase 3: API is there\n"
    )
    edited = update_roadmap(text.encode(), WHOLE, GSD)
    assert edited.notes == ()
    assert [line[:5] for line in edited.text.decode().split("\n")[:2]] == ["- [x]", "- [ ]"]
    assert "- [ ] Phase 3: API is there" in edited.text.decode()
