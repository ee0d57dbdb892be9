"""Reading the verifier's report."""

from __future__ import annotations

import pytest

from worktree_runner.core.docs.verification import (
    Gap,
    HumanCheck,
    VerificationStatus,
    choose_report,
    parse_verification,
)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("---\nstatus: passed\n---\n", VerificationStatus.PASSED),
        ('---\nstatus: "Passed"\n---\n', VerificationStatus.PASSED),
        ("---\nstatus: verified\n---\n", VerificationStatus.PASSED),
        ("---\nstatus: gaps_found\n---\n", VerificationStatus.GAPS_FOUND),
        ("---\nstatus: human_needed\n---\n", VerificationStatus.HUMAN_NEEDED),
        ("---\nstatus: passed\nbad: a: b\n---\n", VerificationStatus.PASSED),
        ("---\nstatus: complete\n---\n", VerificationStatus.UNKNOWN),
        ("---\nstatus: null\n---\n", VerificationStatus.UNKNOWN),
        ("# X\n\n**Status:** ✅ PASSED\n", VerificationStatus.PASSED),
        ("# X\n\n**Status**: Gaps found (2)\n", VerificationStatus.GAPS_FOUND),
        ("# X\n\n## Status: PASSED\n", VerificationStatus.PASSED),
        ("# X\n\n---\nstatus: passed\n---\n", VerificationStatus.PASSED),
        ("# X\n\n```\nstatus: passed\n```\n", VerificationStatus.UNKNOWN),
        ("---\nstatus: not passed\n---\n", VerificationStatus.UNKNOWN),
        ("---\nstatus: passed with 2 gaps\n---\n", VerificationStatus.UNKNOWN),
        ("# X\n\n**Status:** PASSED, but it does not build\n", VerificationStatus.UNKNOWN),
        ("# X\n\n**Status:** Passed (8/8, no gaps)\n", VerificationStatus.PASSED),
        ("", VerificationStatus.UNKNOWN),
    ],
)
def test_the_status_is_known_or_unknown_never_guessed(
    text: str, status: VerificationStatus
) -> None:
    assert parse_verification(text.encode()).status is status


def test_passed_with_listed_human_checks_needs_a_human() -> None:
    text = (
        "---\nstatus: passed\nscore: 3/3 must-haves verified\nhuman_verification:\n"
        "  - test: Open it\n    expected: It opens\n    why_human: eyes\n---\n"
    )
    report = parse_verification(text.encode())
    assert report.status is VerificationStatus.HUMAN_NEEDED
    assert report.stated == "passed"
    assert report.score == "3/3 must-haves verified"
    assert report.human == (HumanCheck("Open it", "It opens", "eyes"),)


@pytest.mark.parametrize("none", ["[]", "", "none", "[None]"])
def test_passed_with_an_empty_list_or_only_a_heading_stays_passed(none: str) -> None:
    text = (
        f"---\nstatus: passed\nhuman_verification: {none}\n---\n\n## Human Verification\n\n1. X\n"
    )
    assert parse_verification(text.encode()).status is VerificationStatus.PASSED


def test_gaps_are_read_with_what_is_missing() -> None:
    text = (
        "---\nstatus: gaps_found\ngaps:\n  - truth: Calls answer\n    status: failed\n"
        "    reason: no route\n    missing:\n      - route in app.py\n      - a test\n---\n"
    )
    expected = Gap("Calls answer", "no route", ("route in app.py", "a test"))
    assert parse_verification(text.encode()).gaps == (expected,)


def test_items_come_from_the_body_where_the_front_matter_has_none() -> None:
    text = (
        "**Status:** human_needed\n\n## Human Verification Required\n\n### 1. Open it\n\nlook\n\n"
        "### 2. Close it\n"
    )
    report = parse_verification(text.encode())
    assert [each.test for each in report.human] == ["Open it", "Close it"]


def test_the_phases_own_report_comes_first_and_plans_reports_are_left_out() -> None:
    paths = ["p/03-01-VERIFICATION.md", "p/VERIFICATION.md", "p/03-api-VERIFICATION.md",
             "p/03-VERIFICATION.md", "p/13-VERIFICATION.md", "p/03-VALIDATION.md",
             "p/03.1-VERIFICATION.md"]  # fmt: skip
    assert choose_report(paths, "03", ["VERIFICATION", "proof"]) == (
        "p/03-VERIFICATION.md",
        "p/VERIFICATION.md",
        "p/03-api-VERIFICATION.md",
    )
    assert choose_report(["s/3-proof.md"], "03", ["VERIFICATION", "proof"]) == ("s/3-proof.md",)
