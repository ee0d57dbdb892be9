"""The requirements' targeted edits."""

from __future__ import annotations

from tests.core.docs.samples import REQUIREMENTS, changed_lines
from worktree_runner.core.docs.refs import requirement_ids
from worktree_runner.core.docs.requirements import update_requirements
from worktree_runner.dialects import load

GSD = load("gsd")
DATA = REQUIREMENTS.encode()


def test_only_the_named_ids_are_completed() -> None:
    edited = update_requirements(DATA, ["API-01", "API-02"], {}, GSD, token="03")
    assert changed_lines(DATA, edited.text) == [
        "-- [ ] **API-01**: Calls answer",
        "+- [x] **API-01**: Calls answer",
        "-| API-01 | Phase 3 | Pending |",
        "+| API-01 | Phase 3 | Complete |",
    ]
    assert edited.notes == ()


def test_writing_twice_changes_nothing_more() -> None:
    once = update_requirements(DATA, ["API-01"], {"API-01": "proof"}, GSD)
    assert update_requirements(once.text, ["API-01"], {"API-01": "proof"}, GSD).text == once.text


def test_a_range_is_completed_only_as_a_whole() -> None:
    half = update_requirements(DATA, ["API-03"], {}, GSD)
    assert half.text == DATA
    assert "not met as a whole" in half.notes[0].message
    whole = update_requirements(DATA, ["API-03", "API-04"], {}, GSD)
    assert b"| API-03..04 | Phase 3 | Complete |" in whole.text


def test_rows_of_other_phases_and_dropped_ones_are_left_and_reported() -> None:
    edited = update_requirements(DATA, ["API-05", "API-06", "API-99"], {}, GSD, token="3")
    assert edited.text == DATA
    assert sorted((n.line or 0, n.message.split()[0]) for n in edited.notes) == [
        (0, "API-99"),
        (15, "API-05"),
        (17, "status"),
    ]


def test_evidence_stands_behind_the_status_or_in_its_own_column() -> None:
    evidence = {"API-01": "03-01: answers | tested"}
    behind = update_requirements(DATA, ["API-01"], evidence, GSD)
    assert "| API-01 | Phase 3 | Complete (03-01: answers \\| tested) |" in behind.text.decode()
    table = (
        "| ID | Status | Evidence |\n|----|---|---|\n"
        "| API-01 | ✅ Done | x |\n| API-02 | Open | - |\n"
    )
    own = update_requirements(table.encode(), ["API-02"], {"API-02": "p"}, GSD).text.decode()
    assert own.split("\n")[3] == "| API-02 | ✅ Done | p |"


def test_archived_rows_and_fences_are_not_touched() -> None:
    text = b"<details>\n- [ ] **API-01**: old\n</details>\n```\n- [ ] **API-01**: no\n```\n"
    assert update_requirements(text, ["API-01"], {}, GSD).text == text


def test_ids_are_taken_from_lists_and_ranges_and_not_from_prose() -> None:
    assert requirement_ids("[A-01, A-02]") == ("A-01", "A-02")
    assert requirement_ids("BIZ-01 to BIZ-03, X-9") == ("BIZ-01", "BIZ-02", "BIZ-03", "X-9")
    assert requirement_ids("REPO-01..02") == ("REPO-01", "REPO-02")
    assert requirement_ids("A11Y-v2-01 NFR-PERF-7 TBD None (none)") == ("NFR-PERF-7",)
    assert requirement_ids("UTF-8") == ("UTF-8",)
    assert requirement_ids("no-12 wt-03-01") == ()
