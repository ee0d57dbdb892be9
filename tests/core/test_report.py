"""The report at the end: nothing is called complete that isn't, and nothing is left out."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

from merge.types import Resolution
from tests.support.conflicts import check_golden
from worktree_runner.core.report import (
    NextStep,
    Outcome,
    PlanReport,
    Requirement,
    RunReport,
    render_markdown,
)
from worktree_runner.core.report_data import to_json, to_junit
from worktree_runner.dialects.schema import load

GSD = load("gsd").words
IMPORTS = Resolution("src/app.py", "imports", "both sides only add imports", tier="proven")
LANDED = PlanReport(
    "03-01", "session store", 1, Outcome.MERGED, "Sessions live in one place",
    branch="gsd/03-01", commit="a" * 40, commits=3, attempts=1, elapsed_s=131.5,
    tokens=9_100, cost=0.2, resolutions=(IMPORTS,),
    notes=("changed src/app.py, which the plan does not declare",),
)  # fmt: skip
CHECKED = PlanReport(
    "03-02", "dashboard", 1, Outcome.MERGED, "A dashboard | with <b>tabs</b>",
    checkpoint=True, commits=2, attempts=2, elapsed_s=260, issues=("The chart library is old",),
)  # fmt: skip
CONFLICT = PlanReport(
    "03-03", "auth middleware", 2, Outcome.CONFLICT, reason="waits for a decision",
    next="wtrun resolve 03-03", branch="gsd/03-03", worktree=".worktrees/wt-03-03",
    conflicts=("src/auth/middleware.ts",), commits=2, attempts=1, elapsed_s=61,
)  # fmt: skip
FAILED = PlanReport(
    "03-04", "mail", 2, Outcome.FAILED, reason="exit 1: pytest ended with 2 failures",
    next="wtrun logs 03-04", branch="gsd/03-04", worktree=".worktrees/wt-03-04", attempts=1,
)  # fmt: skip
SKIPPED = PlanReport("03-05", "routes", 3, Outcome.SKIPPED, reason="it needs 03-04")
PARTLY = RunReport(
    run="20261121-034000-a1",
    phase="03",
    name="Auth",
    words=GSD,
    target="main",
    plans=(LANDED, CHECKED, CONFLICT, FAILED, SKIPPED),
    started="2026-11-21T03:40:00+00:00",
    elapsed_s=700,
    exit_code=3,
    gate="pytest -q, green on each merge",
    requirements=(Requirement("AUTH-01", "Users log in", "03-01"), Requirement("AUTH-02", "Mail")),
    next=(NextStep("wtrun resolve 03-03", "decide the conflict of 03-03"),),
)
WHOLE = replace(PARTLY, plans=(LANDED, CHECKED), exit_code=0, next=(), requirements=(), gate="")


def test_a_run_with_everything_that_can_happen() -> None:
    check_golden("report.md", render_markdown(PARTLY))


def test_a_complete_run_in_the_words_of_another_dialect() -> None:
    words = GSD.model_copy(
        update={
            "phase": "stage",
            "plan": "run",
            "plans": "runs",
            "wave": "batch",
            "waves": "batches",
        }
    )
    check_golden("report-complete.md", render_markdown(replace(WHOLE, words=words)))


def test_the_document_for_programs() -> None:
    check_golden("report.json", json.dumps(to_json(PARTLY), indent=2, ensure_ascii=False) + "\n")


def test_a_run_that_was_not_published_says_so_though_all_plans_landed() -> None:
    text = render_markdown(replace(WHOLE, published="local edits in src/app.py are in the way"))
    assert "**Not published:** local edits in src/app.py are in the way" in text


def test_sums_say_of_how_many_plans_they_are() -> None:
    text = render_markdown(PARTLY)
    assert "9.1k tok (reported for 1 of 4 plans)" in text
    both = replace(WHOLE, plans=(LANDED, replace(CHECKED, tokens=900, cost=0.0)))
    assert "**Used:** 10.0k tok, $0.20" in render_markdown(both)


def test_plans_done_before_count_as_completed_but_not_as_merged_now() -> None:
    text = render_markdown(
        replace(WHOLE, plans=(LANDED, replace(CHECKED, outcome=Outcome.DONE_BEFORE)))
    )
    assert "**Plans completed:** 2 of 2" in text
    assert "**Worktrees merged:** 1 into `main`" in text


def test_junit_counts_and_names_what_a_ci_shows() -> None:
    suite = ElementTree.fromstring(to_junit(PARTLY))
    assert suite.attrib["tests"] == "5"
    assert (suite.attrib["failures"], suite.attrib["errors"], suite.attrib["skipped"]) == (
        "1",
        "1",
        "1",
    )
    found = {case.attrib["name"]: [child.tag for child in case] for case in suite}
    assert found == {
        "03-01 session store": [],
        "03-02 dashboard": [],
        "03-03 auth middleware": ["error"],
        "03-04 mail": ["failure"],
        "03-05 routes": ["skipped"],
    }
    assert suite[3][0].attrib["message"] == "exit 1: pytest ended with 2 failures"


def test_hostile_titles_break_neither_markdown_nor_xml() -> None:
    bad = "a|b\n## c <script>x</script> [d](javascript:e) `f` \x1b[2J \ud800"
    plans = tuple(
        replace(plan, title=bad, one_liner=bad, reason=bad, notes=(bad,), issues=(bad,))
        for plan in PARTLY.plans
    )
    report = replace(PARTLY, plans=plans, name=bad)
    text = render_markdown(report)
    assert "<script>" not in text and "](java" not in text and "\x1b" not in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [text.splitlines()[0]]
    ElementTree.fromstring(to_junit(report))
    text.encode()
