"""The state file's targeted edits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.docs.samples import COMPLETE, FACTS, STATE, changed_lines
from worktree_runner.core.docs.facts import Decision, PhaseRef, Position, Progress
from worktree_runner.core.docs.state import record_blockers, update_state
from worktree_runner.core.docs.state_read import latest, state_context
from worktree_runner.dialects import load

GSD = load("gsd")


def write(text: str | bytes, facts=FACTS) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return update_state(data, facts, GSD).text


def test_only_the_lines_that_the_facts_concern_change() -> None:
    assert changed_lines(STATE.encode(), write(STATE)) == [
        "-stopped_at: Planned phase 3",
        '-last_updated: "2026-01-02T03:04:05Z"',
        "-last_activity: 2026-01-02 -- Planned: phase 3",
        '+stopped_at: "Executed 2 of 3 plans: one failed"',
        '+last_updated: "2026-02-03T04:05:06Z"',
        '+last_activity: "2026-02-03 -- Executed 2 of 3 plans: one failed"',
        "-  completed_plans: 3",
        "-  percent: 50",
        "+  completed_plans: 4",
        "+  percent: 67",
        "-Plan: 1 of 3 in current phase",
        "-Status: Ready to execute",
        "-Last activity: 2026-01-02 — Planned phase 3",
        "+Plan: 2 of 3 in current phase",
        "+Status: In progress",
        "+Last activity: 2026-02-03 — Executed 2 of 3 plans: one failed",
        "-Progress: [█████░░░░░] 50%",
        "+Progress: [███████░░░] 67%",
        "+- [Phase 3]: Use cursor paging",
        "-None yet.",
        "+- 03-03 failed: tests are red",
        "-Last session: 2026-01-02",
        "-Stopped at: Planned phase 3",
        "-Resume file: .planning/phases/03-api/03-CONTEXT.md",
        "+Last session: 2026-02-03",
        "+Stopped at: Executed 2 of 3 plans: one failed",
        "+Resume file: None",
        "+Last plan completed: 03-02",
        "+Current wave: 2 of 2",
        "+Pending checkpoints: 03-02 human-verify",
        "+Worktrees to clean up: .worktrees/wt-03-03",
    ]


def test_a_decision_goes_below_the_whole_last_entry() -> None:
    lines = write(STATE).decode().split("\n")
    at = lines.index("- [Phase 3]: Use cursor paging")
    assert lines[at - 1] == "  because undo needs them"


def test_what_was_written_is_read_again() -> None:
    context = state_context(write(STATE), GSD)
    assert context.phase == "3 of 4 (API)"
    assert context.plan == "2 of 3 in current phase"
    assert context.status == "In progress"
    assert context.decisions == ("[Phase 2]: Keep rows immutable", "[Phase 3]: Use cursor paging")
    assert context.blockers == ("03-03 failed: tests are red",)
    assert context.core_value == "Small things work"
    assert context.pending == (
        "Pending checkpoints: 03-02 human-verify",
        "Worktrees to clean up: .worktrees/wt-03-03",
    )


def test_writing_twice_changes_nothing_more() -> None:
    once = update_state(STATE.encode(), FACTS, GSD)
    again = update_state(once.text, FACTS, GSD)
    assert once.changed
    assert not again.changed
    assert again.text == once.text


def test_a_completed_phase_moves_the_position_on_and_clears_what_was_open() -> None:
    text = write(write(STATE), COMPLETE).decode()
    assert "Phase: 4 of 4 (Screens)\nPlan: Not started\nStatus: Ready to plan\n" in text
    assert "**Current focus:** Phase 4 — Screens\n" in text
    assert "Pending checkpoints: None\nWorktrees to clean up: None\n" in text


def test_the_last_phase_of_a_milestone_stays_and_says_so() -> None:
    text = write(STATE, replace(COMPLETE, next_phase=None)).decode()
    assert (
        "Phase: 3 of 4 (API)\nPlan: 3 of 3 in current phase\nStatus: Milestone complete\n" in text
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Phase: 7 of 9 (Old) — COMPLETE", "Phase: 3 of 9 (API) — IN PROGRESS"),
        ("Phase: 7 of 9 (Old — COMPLETE)", "Phase: 3 of 9 (API)"),
        ("Phase: 15 — Old name (not started)", "Phase: 3 — API"),
        ("Phase: 12 (old) — COMPLETE", "Phase: 3 (API) — IN PROGRESS"),
        ("Phase: 87", "Phase: 3"),
        ("Phase: 02", "Phase: 03"),
        ("**Phase:** Phase 05 — Plan 02 complete", "**Phase:** Phase 03 — API"),
        ("- **Current Phase**: Phase 29: Old", "- **Current Phase**: Phase 3: API"),
        ("Phase: —", "Phase: 3 (API)"),
        ("Phase: Between milestones  ", "Phase: 3 (API)  "),
    ],
)
def test_the_phase_line_keeps_the_form_it_has(old: str, new: str) -> None:
    text = f"## Current Position\n\n{old}\nPlan: 1 of 2\nStatus: x\n"
    assert write(text).decode().split("\n")[2] == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1 of 3 in current phase", "2 of 3 in current phase"),
        ("01 of 03 in current phase", "02 of 03 in current phase"),
        ("3/3 complete (all plans done)", "2/3 complete"),
        ("4 of 4 (shipped)", "2 of 3"),
        ("Not started", "2 of 3 in current phase"),
        ("—", "2 of 3 in current phase"),
    ],
)
def test_the_plan_line_keeps_the_form_it_has(old: str, new: str) -> None:
    text = f"## Current Position\n\nPhase: 3\nPlan: {old}\nStatus: x\n"
    assert write(text).decode().split("\n")[3] == f"Plan: {new}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[█████░░░░░] 50%", "[███████░░░] 67%"),
        ("██░░ 50% (3/6 plans complete)", "███░ 67% (4/6 plans complete)"),
        ("[#####     ] 50% (1/4 phases complete)", "[#######   ] 67% (2/4 phases complete)"),
        ("[.....] 0%", "[###..] 67%"),
        ("[████] 100% (3 of 3 plans complete)", "[███░] 67% (4 of 6 plans complete)"),
        ("[██████████] 100% — v1.0 SHIPPED", "[███████░░░] 67% — v1.0 SHIPPED"),
        (
            "[████] 9% all (1 of 1 phases done; v1 over)",
            "[███░] 67% all (2 of 4 phases done; v1 over)",
        ),
        ("[####] 50% of 10 (see 3/4 notes)", "[###-] 67% of 10 (see 3/4 notes)"),
        ("40%", "67%"),
    ],
)
def test_the_bar_keeps_its_width_and_signs(old: str, new: str) -> None:
    text = f"## Current Position\n\nPhase: 3\nPlan: 1 of 3\nStatus: x\nProgress: {old}\n"
    assert write(text).decode().split("\n")[5] == f"Progress: {new}"


@pytest.mark.parametrize("old", ["nearly there", "[█░] 71% (2/9 plans complete from v1.0+v1.1)"])
def test_free_text_progress_is_left_and_reported_with_its_line(old: str) -> None:
    text = f"## Current Position\n\nPhase: 3\nPlan: 1 of 3\nStatus: x\nProgress: {old}\n"
    edited = update_state(text.encode(), FACTS, GSD)
    assert f"Progress: {old}\n" in edited.text.decode()
    assert any(n.line == 6 and "no bar with a percentage" in n.message for n in edited.notes)


def test_a_document_without_a_position_is_left_alone_and_says_so() -> None:
    text = b"# Journal\n\nWe are somewhere in phase 3.\n"
    edited = update_state(text, FACTS, GSD)
    assert edited.text == text
    messages = [note.message for note in edited.notes]
    assert any("position is not recorded" in message for message in messages)
    assert any("Use cursor paging" in message for message in messages)


def test_older_bold_labels_at_the_top_are_written() -> None:
    text = (
        "# State\n\n**Current Phase:** 02\n**Current Phase Name:** Store\n"
        "**Current Plan:** 1\n**Total Plans in Phase:** 2\n**Status:** x\n"
        "**Last Activity:** 2026-01-01\n**Last Activity Description:** y\n"
    )
    assert write(text).decode() == (
        "# State\n\n**Current Phase:** 03\n**Current Phase Name:** API\n"
        "**Current Plan:** 2\n**Total Plans in Phase:** 3\n**Status:** In progress\n"
        "**Last Activity:** 2026-02-03\n"
        "**Last Activity Description:** Executed 2 of 3 plans: one failed\n"
    )


def test_a_label_in_a_code_fence_is_not_the_position() -> None:
    text = "## Current Position\n\n```\nPhase: 1 of 2 (No)\n```\n\nPhase: 2 of 4 (Yes)\nStatus: x\n"
    lines = write(text).decode().split("\n")
    assert lines[3] == "Phase: 1 of 2 (No)"
    assert lines[6] == "Phase: 3 of 4 (API)"


def test_crlf_a_byte_order_mark_and_a_missing_last_newline_survive() -> None:
    text = b"\xef\xbb\xbf" + STATE.replace("\n", "\r\n").rstrip().encode()
    data = write(text)
    assert data.startswith(b"\xef\xbb\xbf---\r\n")
    assert data.count(b"\n") == data.count(b"\r\n")
    assert not data.endswith(b"\n")
    assert data.decode("utf-8-sig").replace("\r\n", "\n") + "\n" == write(STATE).decode()


def test_bytes_that_are_no_utf8_survive() -> None:
    text = STATE.encode().replace(b"Small things", b"caf\xe9 \xff things")
    data = write(text)
    assert b"caf\xe9 \xff things" in data
    assert data.replace(b"caf\xe9 \xff things", b"Small things") == write(STATE)


def test_utf16_is_left_alone() -> None:
    text = STATE.encode("utf-16")
    edited = update_state(text, FACTS, GSD)
    assert edited.text == text
    assert "not UTF-8" in edited.notes[0].message


def test_front_matter_that_stays_invalid_is_left_and_reported_with_its_line() -> None:
    text = STATE.replace("milestone: v1.0", "milestone: v1.0: beta")
    edited = update_state(text.encode(), FACTS, GSD)
    assert b"stopped_at: Planned phase 3\n" in edited.text
    assert any(n.line == 3 and "no valid YAML" in n.message for n in edited.notes)


def test_front_matter_that_the_new_values_repair_is_written() -> None:
    text = STATE.replace("-- Planned: phase 3", "-- Quick task: y: z")
    assert b'last_activity: "2026-02-03 -- Executed 2 of 3 plans: one failed"' in write(text)


def test_decisions_follow_the_lists_order_and_tags() -> None:
    text = "### Decisions\n\n- 02-02: newer\n- 02-01: older\n"
    facts = replace(FACTS, decisions=(Decision("a", "03-01"), Decision("b", "03-02")))
    assert write(text, facts).decode().split("\n")[2:6] == [
        "- 03-02: b",
        "- 03-01: a",
        "- 02-02: newer",
        "- 02-01: older",
    ]


def test_decisions_in_a_table_become_rows() -> None:
    text = "## Key Decisions\n\n| When | Decision | Outcome |\n|---|---|---|\n| 2026 | x | ok |\n"
    facts = replace(FACTS, decisions=(Decision("a | b", "03-01"),))
    assert "| 2026 | x | ok |\n| 2026-02-03 | a \\| b | — |\n" in write(text, facts).decode()


def test_a_numbered_list_of_decisions_is_left_and_reported() -> None:
    text = b"## Decisions\n\n1. **First** because\n   - why\n"
    edited = update_state(text, FACTS, GSD)
    assert edited.text == text
    assert any("no plain list" in n.message and n.line == 1 for n in edited.notes)


def test_a_decision_that_is_there_already_is_not_added_again() -> None:
    text = STATE.replace("Keep rows immutable", "use **cursor** paging")
    assert b"[Phase 3]: Use cursor paging" not in write(text)


def test_a_decision_of_several_summaries_is_added_once() -> None:
    facts = replace(
        FACTS,
        decisions=(
            Decision("Use cursor paging", "03-01"),
            Decision("Names are unique", "03-01"),
            Decision("use `cursor`  paging", "03-02"),
        ),
    )
    lines = write(STATE, facts).decode().split("\n")
    assert [line for line in lines if line.startswith("- [Phase 3]")] == [
        "- [Phase 3]: Use cursor paging",
        "- [Phase 3]: Names are unique",
    ]


def test_other_dialects_have_their_own_words() -> None:
    words = GSD.words.model_copy(
        update={"phase": "stage", "plan": "run", "plans": "runs", "wave": "batch"}
    )
    ace = GSD.model_copy(update={"words": words})
    text = "## Current Position\n\nStage: 2 of 5 (Old)\nRun: 1 of 2 in current stage\nStatus: x\n"
    facts = replace(FACTS, position=Position.EXECUTED)
    lines = update_state(text.encode(), facts, ace).text.decode().split("\n")
    assert lines[2:5] == [
        "Stage: 3 of 5 (API)",
        "Run: 2 of 3 in current stage",
        "Status: Stage complete — ready for verification",
    ]
    assert "Current batch: 2 of 2" in lines


def test_percent_is_rounded_half_up_and_zero_without_plans() -> None:
    assert Progress(1, 0, 200, 1).percent == 1
    assert Progress(1, 0, 0, 0).percent == 0
    assert Progress(1, 1, 3, 3).percent == 100


def test_the_phase_name_is_kept_where_none_is_given() -> None:
    text = "## Current Position\n\nPhase: 3 of 4 (Mine)\nPlan: 1 of 3\nStatus: x\n"
    facts = replace(FACTS, phase=PhaseRef("03"))
    assert write(text, facts).decode().split("\n")[2] == "Phase: 3 of 4 (Mine)"


def test_a_blocker_is_recorded_alone() -> None:
    edited = record_blockers(STATE.encode(), ["Login looks wrong"], GSD)
    assert changed_lines(STATE.encode(), edited.text) == ["-None yet.", "+- Login looks wrong"]
    assert record_blockers(edited.text, ["login looks  wrong"], GSD).text == edited.text


def test_the_runs_own_lines_stand_behind_the_usual_ones() -> None:
    text = "## Session Continuity\n\nResume file: x\n\nNotes:\n- Old: y\n"
    lines = write(text).decode().split("\n")
    assert lines[2:4] == ["Resume file: None", "Last plan completed: 03-02"]
    assert lines[-2] == "- Old: y"


def blockers(*lines: str, **facts) -> list[str]:
    text = "\n".join(["### Blockers", "", *lines, "", "## Next", ""])
    written = write(text, replace(FACTS, **facts)).decode().split("\n")
    assert write("\n".join(written), replace(FACTS, **facts)).decode().split("\n") == written
    return written[2 : written.index("## Next") - 1]


def test_a_plan_that_fails_again_has_one_blocker() -> None:
    old = "- 03-03 failed: no disk"
    assert blockers("- Mine", old) == ["- Mine", "- 03-03 failed: tests are red"]
    assert blockers(old) == ["- 03-03 failed: tests are red"]


def test_blockers_of_plans_that_are_done_now_go_and_the_users_stay() -> None:
    old = ["- 03-01 failed: x", "- Waits for 03-01", "- 03-011 failed: y"]
    done = {"blockers": (), "finished": ("03-01",)}
    assert blockers(*old, **done) == old[1:]
    assert blockers(old[0], **done) == ["- None"]
    noted = ["- 03-01 failed: x", "  but I know why"]
    assert blockers(*noted, **done) == noted


def test_the_latest_decisions_are_those_at_the_new_end() -> None:
    assert latest(["02-01: a", "02-02: b", "03-01: c"], 2) == ("02-02: b", "03-01: c")
    assert latest(["03-01: c", "02-02: b", "02-01: a"], 2) == ("03-01: c", "02-02: b")
    assert latest(["one", "two", "three"], 2) == ("two", "three")
