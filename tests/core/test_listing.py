from __future__ import annotations

import pytest

from worktree_runner.core.listing import (
    find_phase,
    list_files,
    list_phases,
    phase_paths,
    strip_suffix,
    swap_suffix,
)
from worktree_runner.dialects import load
from worktree_runner.errors import UsageError

GSD = load("gsd")
PHASE = ".planning/phases/03-accounts"


def plans(*names: str, phase: str = PHASE) -> list[tuple[str, str | None]]:
    paths = [f"{phase}/{name}" for name in names]
    found = list_files(paths, find_phase(paths, GSD, phase.rpartition("/")[2]), GSD)
    return [
        (plan.name.number, plan.summary and plan.summary.removeprefix(phase + "/"))
        for plan in found.plans
    ]


@pytest.mark.parametrize(
    ("file", "stem"),
    [
        ("03-01-PLAN.md", "03-01"),
        ("03-01-plan.MD", "03-01"),
        ("PLAN.md", ""),
        ("03.01-plan.md", "03.01"),
        ("PLAN-01-piano.md", "01-piano"),
        ("02-PLAN-01.md", "02-01"),
        ("AUDIT_PLAN.md", None),
        ("03-01-PLAN.txt", None),
        ("03-01-SUMMARY.md", None),
        ("PLANNING.md", None),
        ("PLAN-B.md", None),
    ],
)
def test_suffix_of_plans(file: str, stem: str | None) -> None:
    assert strip_suffix(file, GSD.files.plan) == stem


def test_a_plan_is_done_if_a_summary_has_its_stem_or_its_number() -> None:
    assert plans(
        "03-01-auth-PLAN.md", "03-01-SUMMARY.md", "03-02-PLAN.md", "03-02-summary.md",
        "03-03-PLAN.md", "03-04-PLAN.md", "03-PLAN-04-SUMMARY.md",
    ) == [
        ("01", "03-01-SUMMARY.md"), ("02", "03-02-summary.md"), ("03", None),
        ("04", "03-PLAN-04-SUMMARY.md"),
    ]  # fmt: skip


def test_a_bare_plan_is_number_one_and_a_bare_summary_is_only_its() -> None:
    assert plans("PLAN.md", "SUMMARY.md") == [("01", "SUMMARY.md")]
    assert plans("PLAN.md", "03-SUMMARY.md") == [("01", "03-SUMMARY.md")]
    assert plans("PLAN.md", "03-01-SUMMARY.md") == [("01", "03-01-SUMMARY.md")]
    assert plans("03-01-PLAN.md", "SUMMARY.md", "03-SUMMARY.md") == [("01", None)]


def test_a_summary_with_one_number_is_read_beside_the_plans() -> None:
    assert plans("01-PLAN.md", "02-PLAN.md", "03-PLAN.md", "03-SUMMARY.md") == [
        ("01", None), ("02", None), ("03", "03-SUMMARY.md"),
    ]  # fmt: skip
    assert plans("01-PLAN.md", "02-PLAN.md", "03-SUMMARY.md") == [("01", None), ("02", None)]
    assert plans("03-api-PLAN.md", "03-db-PLAN.md", "03-db-SUMMARY.md") == [
        ("api", None), ("db", "03-db-SUMMARY.md"),
    ]  # fmt: skip


def test_siblings_that_greedy_globs_take_are_no_plans() -> None:
    names = (
        "03-RESEARCH.md", "03-CONTEXT.md", "03-VERIFICATION.md", "03-01-PLAN-OUTLINE.md",
        "03-01-PLAN.pre-bounce.md", "_03-09-PLAN.md", "02-PLAN-01-SUMMARY.md", "PLANS.txt",
    )  # fmt: skip
    assert plans("03-01-PLAN.md", *names) == [("01", None)]


def test_plan_shaped_names_are_reported() -> None:
    paths = [f"{PHASE}/{name}" for name in ("03-01-PLAN.md", "AUDIT_PLAN.md", "x/03-02-PLAN.md")]
    found = list_files(paths, find_phase(paths, GSD, "3"), GSD)
    assert found.leftovers == (f"{PHASE}/AUDIT_PLAN.md", f"{PHASE}/x/03-02-PLAN.md")


def test_nested_layout_is_read() -> None:
    assert plans("plans/PLAN-01-api.md", "plans/SUMMARY-01-api.md", "plans/PLAN-02-ui.md") == [
        ("01", "plans/SUMMARY-01-api.md"),
        ("02", None),
    ]


def test_plans_are_in_numeric_order() -> None:
    names = [f"03-{n}-PLAN.md" for n in ("10", "2", "01", "02a", "gap-01")]
    assert [number for number, _ in plans(*names)] == ["01", "02", "02a", "10", "gap-01"]


@pytest.mark.parametrize(
    ("dialect", "plan", "summary"),
    [
        ("gsd", "a/03-01-PLAN.md", "a/03-01-SUMMARY.md"),
        ("gsd", "a/PLAN.md", "a/SUMMARY.md"),
        ("gsd", "a/Plan.md", "a/Summary.md"),
        ("gsd", "a/03-01-auth-plan.md", "a/03-01-auth-summary.md"),
        ("gsd", "a/plans/PLAN-01-my-plan-b.md", "a/plans/SUMMARY-01-my-plan-b.md"),
    ],
)
def test_a_summary_is_named_in_the_style_of_its_plan(dialect: str, plan: str, summary: str) -> None:
    assert swap_suffix(plan, load(dialect)) == summary


PATHS = (
    ".planning/phases/01-a/01-01-PLAN.md",
    ".planning/phases/1-b/1-01-PLAN.md",
    ".planning/phases/02-c/.gitkeep",
    ".planning/phases/02.1-d/02.1-01-PLAN.md",
    ".planning/phases/10-e/10-01-PLAN.md",
    ".planning/phases/100-f/100-01-PLAN.md",
    ".planning/milestones/v1.0-phases/07-old/07-01-PLAN.md",
    ".planning/phases/README.md",
)


def test_phases_are_listed_in_order_and_archives_are_not() -> None:
    tokens = [phase.token for phase in list_phases(PATHS, GSD)]
    assert tokens == ["01", "01", "02", "02.1", "10", "100"]


@pytest.mark.parametrize(("typed", "slug"), [("2", "c"), ("2.1", "d"), ("10", "e"), ("100", "f")])
def test_a_phase_is_found_by_its_exact_token(typed: str, slug: str) -> None:
    assert find_phase(PATHS, GSD, typed).slug == slug


def test_several_phases_of_one_token_are_named_and_can_be_told_apart() -> None:
    with pytest.raises(UsageError) as caught:
        find_phase(PATHS, GSD, "1")
    assert "01-a" in str(caught.value) and "1-b" in str(caught.value)
    assert find_phase(PATHS, GSD, "1-b").slug == "b"


@pytest.mark.parametrize("typed", ["02-C", "2-c", " 02-c/ ", ".planning/phases/02-c"])
def test_a_phase_is_found_by_its_directory_however_it_is_written(typed: str) -> None:
    assert find_phase(PATHS, GSD, typed).slug == "c"


def test_a_plans_id_or_another_name_is_not_taken_for_its_phase() -> None:
    with pytest.raises(UsageError, match="names a plan") as caught:
        find_phase(PATHS, GSD, "02-01")
    assert "wtrun execute 02 --only 02-01" in (caught.value.hint or "")
    with pytest.raises(UsageError, match="no phase '02-other'"):
        find_phase(PATHS, GSD, "02-other")


def test_an_archived_phase_is_not_executed_and_the_message_says_so() -> None:
    with pytest.raises(UsageError, match=r"archived milestone: .planning/milestones/v1.0-phases"):
        find_phase(PATHS, GSD, "7")


def test_an_unknown_phase_lists_what_there_is() -> None:
    with pytest.raises(UsageError) as caught:
        find_phase(PATHS, GSD, "9")
    assert "02.1-d" in (caught.value.hint or "")


def test_paths_to_read_are_plans_and_summaries_of_that_phase_only() -> None:
    paths = [*PATHS, f"{PHASE}/03-01-PLAN.md", f"{PHASE}/03-01-SUMMARY.md", f"{PHASE}/03-UAT.md"]
    phase = find_phase(paths, GSD, "3")
    assert phase_paths(paths, phase, GSD) == (f"{PHASE}/03-01-PLAN.md", f"{PHASE}/03-01-SUMMARY.md")


def test_commands_name_a_phase_by_its_directory_where_its_number_is_not_its_own() -> None:
    folders = ("01-a", "02-b", "02-c d", "02.1-e")
    phases = list_phases([f".planning/phases/{name}/x" for name in folders], GSD)
    assert [phase.call for phase in phases] == ["01", "02-b", "'02-c d'", "02.1"]
