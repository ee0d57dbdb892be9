"""Line edits on random documents: nothing raises, nothing else moves, twice is once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.docs.samples import COMPLETE, FACTS
from worktree_runner.core.docs.facts import RoadmapFacts
from worktree_runner.core.docs.page import Edited, Page
from worktree_runner.core.docs.refs import same_phase, styled_token, token_key
from worktree_runner.core.docs.requirements import update_requirements
from worktree_runner.core.docs.roadmap import roadmap_goal, roadmap_phases
from worktree_runner.core.docs.roadmap_edit import update_roadmap
from worktree_runner.core.docs.state import update_state
from worktree_runner.core.docs.state_read import state_context
from worktree_runner.core.docs.summary import parse_summary
from worktree_runner.core.docs.verification import parse_verification
from worktree_runner.dialects import load

GSD = load("gsd")
ROAD = RoadmapFacts("03", ("01", "02a"), 3, "2026-02-03", phase_complete=True)
KNOWN = st.sampled_from(
    [
        "---", "# Project State", "## Current Position", "## Position", "### Decisions",
        "### Blockers/Concerns", "## Session Continuity", "Phase: 2 of 4 (Old)", "Phase: —",
        "**Phase:** 7 — Old", "- **Current Phase**: 3", "Plan: 1 of 3 in current phase",
        "**Plan:** 3/3 complete", "Status: x", "Last activity: 2026-01-01 — x",
        "Progress: [███░░] 50%", "Progress: soon", "- [Phase 2]: old", "- 02-01: old", "None yet.",
        "- None", "| When | Decision | Outcome |", "|---|---|---|", "| a | b | c |",
        "Last session: 2026-01-01", "Stopped at: x", "Resume file: None", "<details>",
        "</details>", "```", "~~~", "<!--", "-->", "## Phase Details", "### Phase 3: API",
        "## ✅ v1.0 Old (shipped)", "## v1.1 New", "- [ ] **Phase 3: API** - x",
        "- [x] **Phase 2: B** - completed 2026-01-01", "**Plans**: 3 plans", "**Plans:** TBD",
        "Plans:", "- [ ] 03-01-PLAN.md — x", "- [ ] 03-02a: y", "- [ ] [03-01](p)",
        "| Phase | Plans Complete | Status | Completed |", "|---|---|---|---|",
        "| 3. API | 1/3 | In Progress | - |", "| 3. API | 1/3 | Complete |", "**Status:** Planned",
        "| Requirement | Phase | Status |", "| API-01 | Phase 3 | Pending |", "- [ ] **API-01**: x",
        "| API-01..03 | Phase 3 | Pending |", "| Phase  | Status  | Plans |",
        "|--------|---------|-------|", "| 3. API | Planned | -     |",
        "status: executing", "progress:", "  percent: 3",
        "stopped_at: x", 'last_updated: "2026-01-01T00:00:00Z"', "gsd_state_version: 1.0", "",
        "- 03-03 failed: old", "* 03-01 failed: old", "- [ ] Phase 3 is there",
        "Current wave: 1 of 2", "**Current focus:** Phase 2 — Old", "1. numbered", "  - deep",
    ]
)  # fmt: skip
# no letter that can make a label, a list or a placeholder: such a line is nobody's but the user's
FOREIGN = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\n\r"), max_size=12
).map(lambda text: f"§{text}§")
LINES = st.lists(
    st.tuples(st.one_of(KNOWN, KNOWN, FOREIGN), st.sampled_from(["\n", "\r\n"])), max_size=40
)


def join(lines: list[tuple[str, str]], *, bom: bool, cut: bool) -> bytes:
    text = "".join(line + end for line, end in lines)
    if cut:
        text = text.rstrip("\r\n")
    return ("\ufeff" if bom else "").encode() + text.encode()


def writers(data: bytes) -> list[Edited]:
    return [
        update_state(data, FACTS, GSD),
        update_state(data, COMPLETE, GSD),
        update_roadmap(data, ROAD, GSD),
        update_requirements(data, ["API-01"], {"API-01": "p"}, GSD, token="3"),
    ]


@settings(max_examples=300, deadline=None)
@given(LINES, st.booleans(), st.booleans())
def test_lines_that_are_nobodys_stay_byte_for_byte(
    lines: list[tuple[str, str]], bom: bool, cut: bool
) -> None:
    data = join(lines, bom=bom, cut=cut)
    foreign = [part for part in data.split(b"\n") if part.startswith("§".encode())]
    for edited in writers(data):
        kept = [part for part in edited.text.split(b"\n") if part.startswith("§".encode())]
        assert [part.rstrip(b"\r") for part in kept] == [part.rstrip(b"\r") for part in foreign]
        assert kept[:-1] == foreign[:-1]
        assert edited.text.startswith(b"\xef\xbb\xbf") == data.startswith(b"\xef\xbb\xbf")
        assert data == b"" or edited.text.endswith(b"\n") == data.endswith(b"\n")
        assert edited.changed == (edited.text != data)


@settings(max_examples=300, deadline=None)
@given(LINES, st.booleans())
def test_twice_is_once(lines: list[tuple[str, str]], cut: bool) -> None:
    data = join(lines, bom=False, cut=cut)
    for index, edited in enumerate(writers(data)):
        assert writers(edited.text)[index].text == edited.text


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=300), LINES.map(lambda x: join(x, bom=False, cut=False))))
def test_every_reader_takes_every_file(data: bytes) -> None:
    writers(data)
    roadmap_phases(data, GSD)
    roadmap_goal(data, "3", GSD)
    state_context(data, GSD)
    parse_summary(data)
    parse_verification(data)
    assert Page(data, "").edited().text == data


@given(
    st.integers(0, 999), st.sampled_from(["", "a", "B"]), st.lists(st.integers(0, 30), max_size=3)
)
def test_padding_and_case_never_make_another_phase(
    number: int, letter: str, parts: list[int]
) -> None:
    tail = letter + "".join(f".{part}" for part in parts)
    plain, padded = f"{number}{tail}", f"{number:03d}{tail}"
    assert same_phase(plain, padded)
    assert same_phase(plain.upper(), padded.lower())
    assert not same_phase(plain, f"{number + 1}{tail}")
    assert not same_phase(plain, f"{plain}.31")
    assert token_key(styled_token(plain, "03")) == token_key(plain)
