"""Reading and writing summaries."""

from __future__ import annotations

import pytest

from worktree_runner.core.docs.summary import SelfCheck, parse_summary
from worktree_runner.core.docs.summary_text import SummaryFacts, TaskResult, render_summary
from worktree_runner.dialects import load

GSD = load("gsd")
FULL = """\
---
phase: 03-api
plan: 08
key-files:
  created: [src/api.py, "src/[id]/page.tsx"]
  modified:
    - src/app.py (routes)
key-decisions:
  - "Cursor paging: stable under writes"
requirements-completed: [API-01]
duration: 4min
completed: 2026-01-02
---

# Phase 3 Plan 08: Wire Protocol Summary

**Calls answer in one format**

## Task Commits

1. **Task 1: server** - `abc1234` (feat)
2. **Task 2: client** - `def5678` (feat)

## Deviations from Plan

### Auto-fixed Issues

**1. [Rule 1 - Bug] Wrong header**
- Found during: Task 1

## Issues Encountered

None

## Self-Check: PASSED
"""


def test_a_full_summary_is_read_with_texts_left_as_texts() -> None:
    summary = parse_summary(FULL.encode())
    assert summary.plan == "08"
    assert summary.title == "Wire Protocol"
    assert summary.one_liner == "Calls answer in one format"
    assert summary.key_files_created == ("src/api.py", "src/[id]/page.tsx")
    assert summary.key_files_modified == ("src/app.py",)
    assert summary.key_decisions == ("Cursor paging: stable under writes",)
    assert summary.requirements_completed == ("API-01",)
    assert summary.self_check is SelfCheck.PASSED
    assert summary.commits == ("abc1234", "def5678")
    assert summary.deviations == ("[Rule 1 - Bug] Wrong header",)
    assert summary.issues == ()
    assert (summary.duration, summary.completed) == ("4min", "2026-01-02")


def test_broken_front_matter_still_gives_its_simple_values() -> None:
    text = FULL.replace("plan: 08", "plan: 08\nrequires: @scope/pkg: x")
    summary = parse_summary(text.encode())
    assert summary.error is not None
    assert summary.plan == "08"
    assert summary.key_files_modified == ("src/app.py",)
    assert summary.key_decisions == ("Cursor paging: stable under writes",)


def test_without_front_matter_the_body_is_read() -> None:
    text = (
        "# Phase 2: Store Recap\n\n**Rows live**\n\n## Files Created\n\n- `a.py` — rows\n"
        "## Files Modified\n- `b.py`: more\n\n## Decisions Made\n\n- **Rows** are frozen\n\n"
        "## Issues Encountered\n- Slow disk\n"
    )
    summary = parse_summary(text.encode())
    assert summary.key_files_created == ("a.py",)
    assert summary.key_files_modified == ("b.py",)
    assert summary.key_decisions == ("Rows are frozen",)
    assert summary.issues == ("Slow disk",)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("## Self-Check: PASSED", SelfCheck.PASSED),
        ("## Self-Check\n\nAll files exist.\n\n**PASSED**", SelfCheck.PASSED),
        ("## Self-Check: FAILED\n\n- a.py is missing", SelfCheck.FAILED),
        ("## ❌ Self-Check\n❌ FAILED", SelfCheck.FAILED),
        ("## Self-Check: PASSED\n\n## Self-Check: FAILED", SelfCheck.FAILED),
        ("## Self-Check\n\nto do", SelfCheck.ABSENT),
        ("## Tests\n\n3 FAILED", SelfCheck.ABSENT),
        ("```\n## Self-Check: FAILED\n```", SelfCheck.ABSENT),
        ("**Self-Check:** PASSED", SelfCheck.PASSED),
    ],
)
def test_the_self_check_fails_only_where_it_says_so(text: str, verdict: SelfCheck) -> None:
    assert parse_summary(f"# X\n\n{text}\n".encode()).self_check is verdict


@pytest.mark.parametrize(
    "front",
    [
        "key_files:\n  created:\n    - a.py",
        "key-files.created: [a.py]",
        "keyFiles:\n  added: a.py",
        "files_created:\n  - a.py",
        "key-files:\n  created:\n    - path: a.py\n      why: x",
    ],
)
def test_every_spelling_of_the_created_files_is_known(front: str) -> None:
    assert parse_summary(f"---\n{front}\n---\n".encode()).key_files_created == ("a.py",)


def test_covered_requirements_bring_their_evidence() -> None:
    text = "---\nrequirements_covered:\n  - id: API-01\n    description: d\n    evidence: e\n---\n"
    summary = parse_summary(text.encode())
    assert summary.requirements_completed == ("API-01",)
    assert summary.evidence == (("API-01", "e"),)


@pytest.mark.parametrize("data", [b"", b"---", b"---\n---\n", b"\xff\xfe\x00", b"---\n- a\n---\n"])
def test_rubbish_gives_an_empty_summary(data: bytes) -> None:
    assert parse_summary(data).self_check is SelfCheck.ABSENT


FACTS = SummaryFacts(
    phase="03-api",
    token="03",
    plan="01",
    name="Wire: server",
    one_liner="Server answers",
    tasks=(TaskResult(1, "server", "abc1234567890", "feat"), TaskResult(2, "look", "", "chore")),
    created=("src/[id]/a.py",),
    modified=("b.py",),
    duration="2 min",
    completed="2026-01-02",
    decisions=("No: colons hurt",),
    requirements=("API-01",),
)


def test_a_written_summary_gives_its_facts_back() -> None:
    summary = parse_summary(render_summary(FACTS, GSD))
    assert summary.error is None
    assert (summary.phase, summary.plan, summary.title) == ("03-api", "01", "Wire: server")
    assert summary.one_liner == "Server answers"
    assert summary.key_files_created == ("src/[id]/a.py",)
    assert summary.key_files_modified == ("b.py",)
    assert summary.key_decisions == ("No: colons hurt",)
    assert summary.requirements_completed == ("API-01",)
    assert summary.self_check is SelfCheck.PASSED
    assert summary.commits == ("abc1234567",)
    assert (summary.duration, summary.completed) == ("2 min", "2026-01-02")
    assert summary.issues == summary.deviations == ()


def test_a_summary_with_something_missing_says_failed_and_what() -> None:
    from dataclasses import replace

    data = render_summary(replace(FACTS, missing=("b.py",)), GSD)
    assert parse_summary(data).self_check is SelfCheck.FAILED
    assert data.endswith(b"## Self-Check: FAILED\n\n- b.py\n")
