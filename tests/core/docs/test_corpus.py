"""Every real document is read without an exception, and written as promised.

For each phase of each road map: only lines about the facts differ, line endings and everything
else stay, a second write changes nothing, and what was written is read again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.docs.samples import COMPLETE, FACTS, changed_lines
from worktree_runner.core.docs.facts import PhaseRef, RoadmapFacts
from worktree_runner.core.docs.front import read_front
from worktree_runner.core.docs.page import Page
from worktree_runner.core.docs.requirements import update_requirements
from worktree_runner.core.docs.roadmap import milestone, next_phase, roadmap_goal, roadmap_phases
from worktree_runner.core.docs.roadmap_edit import update_roadmap
from worktree_runner.core.docs.state import update_state
from worktree_runner.core.docs.state_read import state_context
from worktree_runner.core.docs.summary import parse_summary
from worktree_runner.core.docs.verification import VerificationStatus, parse_verification
from worktree_runner.dialects import load

pytestmark = pytest.mark.corpus
GSD = load("gsd")

STATE_LINE = re.compile(
    r"^[-+](?:\s*[-*]?\s*\**(?:current |total |last |pending |worktrees |stopped|resume|status|"
    r"phase|plan|progress|session|\w+_\w+|percent)|- \[?(?:phase )?\d|\| .* \||- 03-03 failed|"
    r".*none|$|[-+] .*(?:cursor paging|tests are red))",
    re.I,
)


def documents(corpus: Path, pattern: str) -> Iterator[Path]:
    return (p for p in sorted(corpus.rglob("*.md")) if re.search(pattern, p.name, re.I))


def test_every_state_is_written_and_read_again(corpus: Path) -> None:
    seen = 0
    for path in documents(corpus, r"^(STATE|pulse)\.md$"):
        data = path.read_bytes()
        for facts in (FACTS, COMPLETE, replace(FACTS, phase=PhaseRef("12.1", "Näme (x) — y"))):
            edited = update_state(data, facts, GSD)
            assert update_state(edited.text, facts, GSD).text == edited.text, path
            unexpected = [x for x in changed_lines(data, edited.text) if not STATE_LINE.match(x)]
            assert unexpected == [], path
            before, after = state_context(data, GSD), state_context(edited.text, GSD)
            if before.phase and not any("position is not" in n.message for n in edited.notes):
                token = facts.phase.token if facts is not COMPLETE else "04"
                assert re.search(rf"\b0*{re.escape(token.lstrip('0'))}\b", after.phase), path
            assert len(after.decisions) >= len(before.decisions), path
            if read_front(Page(data, "")).error is None:
                assert read_front(Page(edited.text, "")).error is None, path
        seen += 1
    assert seen


def test_every_phase_of_every_road_map_is_written_and_read_again(corpus: Path) -> None:
    seen = 0
    for path in documents(corpus, r"^(ROADMAP|track)\.md$"):
        data = path.read_bytes()
        milestone(data, GSD)
        for phase in roadmap_phases(data, GSD):
            next_phase(data, phase.token, GSD)
            for complete in (False, True):
                facts = RoadmapFacts(phase.token, ("01", "02"), 2, "2026-02-03", complete)
                edited = update_roadmap(data, facts, GSD)
                assert update_roadmap(edited.text, facts, GSD).text == edited.text, path
                number = re.escape(phase.token.lstrip("0"))
                for line in changed_lines(data, edited.text):
                    mine = re.search(rf"(?<![\d.])0*{number}(?![\d])", line)
                    field = re.match(r"^[-+]\s*[-*]?\s*\**(?:plans|status|completed)\b", line, re.I)
                    assert mine or field, (path, line)
                after = roadmap_goal(edited.text, phase.token, GSD)
                assert after is not None
                assert (after.name, after.goal) == (phase.name, phase.goal), path
                box = re.search(rf"^\s*- \[ \] \**Phase 0*{number}:", data.decode(), re.M)
                if complete and box and not any("not edited" in n.message for n in edited.notes):
                    assert after.done, (path, phase.token)
                seen += 1
    assert seen


def test_every_requirement_is_completed_and_nothing_else(corpus: Path) -> None:
    seen = 0
    for path in documents(corpus, r"^(REQUIREMENTS|specs)\.md$"):
        data = path.read_bytes()
        ids = sorted(set(re.findall(r"\b[A-Z][A-Z0-9]+-\d+\b", data.decode())))[::2]
        edited = update_requirements(data, ids, {}, GSD)
        assert update_requirements(edited.text, ids, {}, GSD).text == edited.text, path
        for line in changed_lines(data, edited.text):
            assert any(each in line for each in ids), (path, line)
            if line.startswith("+"):
                assert re.search(r"\[x\]|complete|done|✓|✅|satisfied|validated", line, re.I), line
        seen += 1
    assert seen


def test_every_summary_and_report_is_read(corpus: Path) -> None:
    titled = statuses = count = 0
    for path in documents(corpus, r"(SUMMARY|RECAP|VERIFICATION|PROOF)\.md$"):
        data = path.read_bytes()
        if "SUMMARY" in path.name:
            summary = parse_summary(data)
            titled += bool(summary.title)
            count += 1
            assert not any("`" in each for each in summary.key_files_created), path
        else:
            report = parse_verification(data)
            statuses += report.status is not VerificationStatus.UNKNOWN
            if re.search(rb"^---\r?\n(?:.*\n)*?status: passed\s*$", data, re.M):
                assert report.status in (
                    VerificationStatus.PASSED,
                    VerificationStatus.HUMAN_NEEDED,
                ), path
    assert titled >= 0.98 * count
    assert statuses
