from __future__ import annotations

from typing import Any

import pytest

from tests.support.planning import PhaseBuilder
from worktree_runner.core.plans import build_line, find_phase, phase_paths, read_phase
from worktree_runner.core.tasks import action_of, verify_of
from worktree_runner.dialects import load
from worktree_runner.models import Phase, Plan, Problem, Severity

GSD = load("gsd")
PHASE = ".planning/phases/03-accounts"


def read(files: dict[str, str | bytes], token: str = "3", **more: Any) -> Phase:
    data = {
        (path if path.startswith(".") else f"{PHASE}/{path}"): (
            text.encode() if isinstance(text, str) else text
        )
        for path, text in files.items()
    }
    phase = find_phase(data, GSD, token)
    wanted = phase_paths(data, phase, GSD)
    return read_phase(phase, {path: data[path] for path in wanted}, GSD, paths=data, **more)


def one(front: str, body: str = "") -> Plan:
    (plan,) = read({"03-01-PLAN.md": f"---\n{front}\n---\n{body}"}).plans
    return plan


def errors(phase: Phase) -> list[str]:
    return [str(note) for note in every(phase) if note.severity is Severity.ERROR]


def every(phase: Phase) -> list[Problem]:
    return [*phase.problems, *(note for plan in phase.plans for note in plan.problems)]


def test_a_plan_as_the_template_writes_it() -> None:
    builder = PhaseBuilder().plan(
        "01", files=("src/auth.py",), objective="Sign people in with a password.\nPurpose: x",
        requirements=("AUTH-01",),
    ).plan("02", wave=2, depends_on=("03-01",), checkpoint=True, done=True)  # fmt: skip
    phase = read(builder.files(), roadmap=builder.roadmap().encode())
    first, second = phase.plans
    assert (first.id, first.wave, first.files, first.title) == (
        "03-01", 1, ("src/auth.py",), "Sign people in with a password",
    )  # fmt: skip
    assert (first.autonomous, first.done, first.requirements) == (True, False, ("AUTH-01",))
    assert (verify_of(first.tasks[0]), action_of(first.tasks[0])) == ("true", "Write it.")
    assert (second.depends_on, second.wave, second.done) == (("03-01",), 2, True)
    assert (second.autonomous, second.has_checkpoint) == (False, True)
    assert (phase.dir.name, phase.goal) == ("Accounts", builder.goal)
    assert every(phase) == []


def test_yaml_never_changes_what_a_value_says() -> None:
    plan = one("phase: 010\nplan: 08\nwave: 2\ntime: 12:30\nversion: 2.10\nx: =\non: off")
    assert plan.front == {
        "phase": "010", "plan": "08", "wave": "2", "time": "12:30", "version": "2.10",
        "x": "=", "on": "off",
    }  # fmt: skip
    assert (plan.id, plan.wave) == ("03-01", 2)


@pytest.mark.parametrize(
    "bad",
    [
        r'must_haves: {pattern: "prisma\.x"}',
        "note: @scope/name",
        "note: `code` first",
        "note: this: that",
        '- "path: "x""',
        "files_also: [app/[id]/page.tsx]",
        'quoted: "text" and more',
        "\ttab: x",
    ],
)
def test_invalid_yaml_still_gives_wave_dependencies_and_files(bad: str) -> None:
    front = (
        f"{bad}\nwave: 3\ndepends_on: []\nfiles_modified:\n  - src/a.py\n  - `src/b.py`\n"
        "autonomous: false"
    )
    plan = one(front)
    assert (plan.wave, plan.files, plan.autonomous) == (3, ("src/a.py", "src/b.py"), False)
    assert [note.severity for note in plan.problems if "YAML" in note.message] == [Severity.WARNING]


def test_an_inline_list_with_next_js_brackets_is_read() -> None:
    plan = one("wave: 1\nfiles_modified: [app/[id]/page.tsx, app/[...slug]/route.ts]")
    assert plan.files == ("app/[id]/page.tsx", "app/[...slug]/route.ts")


def test_front_matter_ends_at_its_own_rule_and_crlf_and_bom_are_fine() -> None:
    text = "\ufeff---\nwave: 2\ntitle: a---b\n---\n\n<objective>\nDo it\n</objective>\n\n---\nx\n"
    plan = read({"03-01-PLAN.md": text.replace("\n", "\r\n")}).plans[0]
    assert (plan.wave, plan.title, plan.objective) == (2, "a---b", "Do it")


def test_hyphens_and_other_names_of_keys() -> None:
    plan = one("files-modified: [a.py]\nfiles_created: [b.py]\nFiles_To_Modify: [c.py]")
    assert set(plan.files) == {"a.py", "b.py", "c.py"}


@pytest.mark.parametrize(
    ("value", "wave"), [("2", 2), ('"2"', 2), ("0", 0), ("2 (after 1)", 2), ("", 1), ("wave 3", 3)]
)
def test_forms_of_wave(value: str, wave: int) -> None:
    assert one(f"wave: {value}").wave == wave


def test_a_wave_that_is_no_number_is_an_error_with_its_line() -> None:
    phase = read({"03-01-PLAN.md": "---\nphase: 3\nwave: soon\n---\n<task>\n</task>"})
    assert errors(phase) == [f"{PHASE}/03-01-PLAN.md:3: wave 'soon' is no number"]


@pytest.mark.parametrize(
    "entry",
    [
        '"03-01"', '"01"', "1", "03-01-PLAN", "03-01-PLAN.md", "03-01-auth", '"3-1"', "03.01",
        ".planning/phases/03-accounts/03-01-PLAN.md", "plan 01", "`03-01`", "03-01 (the types)",
        "@03-01-PLAN.md", "auth", "03-P01",
    ],
)  # fmt: skip
def test_a_dependency_is_found_however_it_is_written(entry: str) -> None:
    phase = read({
        "03-01-auth-PLAN.md": "---\nwave: 1\n---\n<task></task>",
        "03-02-PLAN.md": f"---\ndepends_on:\n  - {entry}\n---\n<task></task>".replace("- `", "- '`")
        .replace("`\n", "`'\n"),
    })  # fmt: skip
    assert phase.plans[1].depends_on == ("03-01",)
    assert phase.plans[1].wave == 2


@pytest.mark.parametrize("value", ["none", "[]", "null", "~", "", "[none]", "n/a", "-"])
def test_no_dependency_however_it_is_written(value: str) -> None:
    plan = one(f"wave: 1\ndepends_on: {value}")
    assert plan.depends_on == ()
    assert [note for note in plan.problems if "depend" in note.message] == []


def test_a_scalar_dependency_and_a_mapping() -> None:
    phase = read({
        "03-01-PLAN.md": "---\nwave: 1\n---\n",
        "03-02-PLAN.md": "---\ndepends_on: 03-01\n---\n",
        "03-03-PLAN.md": "---\ndepends_on:\n  - plan: 01\n  - 03-02\n---\n",
        "03-04-PLAN.md": "---\ndepends_on: 01, 02\n---\n",
    })  # fmt: skip
    assert [plan.depends_on for plan in phase.plans] == [
        (), ("03-01",), ("03-01", "03-02"), ("03-01", "03-02"),
    ]  # fmt: skip


def test_a_dependency_may_name_what_a_plan_calls_itself() -> None:
    phase = read({
        "03-01-PLAN.md": "---\nplan_id: harden-names\nwave: 1\n---\n",
        "03-02-PLAN.md": "---\nid: Twin\nwave: 1\n---\n",
        "03-03-PLAN.md": "---\nid: twin\nwave: 1\ndepends_on: [Harden-Names]\n---\n",
        "03-04-PLAN.md": "---\nwave: 1\ndepends_on: [twin]\n---\n",
    })  # fmt: skip
    assert [plan.depends_on for plan in phase.plans] == [(), (), ("03-01",), ()]
    assert [plan.wave for plan in phase.plans] == [1, 1, 2, 1]
    assert any("'twin' names no plan" in str(note) for note in every(phase))


def test_a_mark_in_the_file_name_is_no_title() -> None:
    body = "<objective>\nMend the stop pages.\n</objective>\n"
    phase = read({"03-01-FIX-PLAN.md": body, "03-02-auth-PLAN.md": body, "03-03-FIX-PLAN.md": "x"})
    assert [plan.title for plan in phase.plans] == ["Mend the stop pages", "auth", "x"]


def test_a_missing_plan_of_this_phase_is_an_error() -> None:
    phase = read({"03-01-PLAN.md": "---\ndepends_on: [03-07]\n---\n"})
    assert errors(phase) == [
        f"{PHASE}/03-01-PLAN.md:2: dependency '03-07' names no plan of phase 03"
    ]


def test_a_bare_number_may_mean_another_phase() -> None:
    alone = read({"03-PLAN.md": "---\nwave: 1\ndepends_on: 2\n---\n<task></task>"})
    assert errors(alone) == []
    assert [note.message for note in every(alone)] == [
        "dependency '2' names no plan of phase 03; not waited for"
    ]
    files = {
        "03-01-PLAN.md": "---\ndepends_on: [2]\n---\n<task></task>",
        ".planning/phases/02-base/02-01-PLAN.md": "x",
    }
    assert errors(read(files)) == []
    files[".planning/phases/02-base/02-01-SUMMARY.md"] = "x"
    assert every(read(files)) == []


def test_a_removed_plan_whose_summary_is_there_is_satisfied() -> None:
    phase = read({"03-02-PLAN.md": "---\ndepends_on: [03-01]\n---\n", "03-01-SUMMARY.md": "x"})
    assert errors(phase) == [] and phase.plans[0].depends_on == ()


def test_open_plans_that_only_the_road_map_lists_are_told_with_its_line() -> None:
    roadmap = (
        "# Roadmap\n\n### Phase 3: Accounts\n\n- [ ] 03-01-PLAN.md — a\n- [ ] 03-02: b\n"
        "- [x] 03-03: c\n- [ ] 03-04: gone\n- [ ] **03-05** — e\n- [ ] TBD\n- [ ] 02-09: other\n"
        "```\n- [ ] 03-08: in code\n```\n\n### Phase 4: Next\n\n- [ ] 04-01: x\n"
    )
    files = {"03-01-PLAN.md": "x", "03-04-SUMMARY.md": "done", ".planning/ROADMAP.md": roadmap}
    phase = read(files, roadmap=roadmap.encode())
    assert phase.unwritten == ("02", "05")
    (note,) = phase.problems
    assert str(note).startswith(".planning/ROADMAP.md:3: lists as open, without a plan file: 03-02")
    ticked = roadmap.replace("\n\n###", "\n\n- [x] **Phase 3: Accounts**\n\n###", 1)
    assert read(files, roadmap=ticked.encode()).unwritten == ()


def test_a_plan_of_another_phase_counts_by_its_summary() -> None:
    files = {
        "03-01-PLAN.md": "---\ndepends_on: [02-01, 02-02]\n---\n<task></task>",
        ".planning/phases/02-base/02-01-PLAN.md": "x",
        ".planning/phases/02-base/02-01-SUMMARY.md": "x",
        ".planning/phases/02-base/02-02-PLAN.md": "x",
    }
    notes = [note.message for note in read(files).plans[0].problems]
    assert notes == [
        "dependency '02-02' is a plan of another phase and has no SUMMARY here; not waited for"
    ]


def test_decimal_phases_are_not_taken_apart_wrongly() -> None:
    files = {
        ".planning/phases/04.1-x/04.1-01-PLAN.md": "---\nwave: 1\n---\n",
        ".planning/phases/04.1-x/04.1-02-PLAN.md": "---\ndepends_on: [4.1-01]\n---\n",
    }
    phase = read(files, "4.1")
    assert [(plan.id, plan.depends_on) for plan in phase.plans] == [
        ("04.1-01", ()), ("04.1-02", ("04.1-01",)),
    ]  # fmt: skip


def test_declared_wave_that_a_dependency_overrules_is_said() -> None:
    phase = read({
        "03-01-PLAN.md": "---\nwave: 2\n---\n<task></task>",
        "03-02-PLAN.md": "---\nwave: 1\ndepends_on: [03-01]\n---\n<task></task>",
    })  # fmt: skip
    assert phase.plans[1].wave == 3
    assert [note.message for note in phase.plans[1].problems] == [
        "wave 1, but it depends on 03-01 of wave 2: it runs in wave 3"
    ]


def test_a_cycle_is_an_error_that_names_it() -> None:
    phase = read({
        "03-01-PLAN.md": "---\ndepends_on: [03-02]\n---\n",
        "03-02-PLAN.md": "---\ndepends_on: [03-01]\n---\n",
    })  # fmt: skip
    assert errors(phase) == [f"{PHASE}/03-01-PLAN.md: dependency cycle: 03-01 -> 03-02 -> 03-01"]


def test_two_files_that_mean_one_plan_are_an_error_that_names_both() -> None:
    phase = read(
        {"03-01-PLAN.md": "---\nwave: 1\n---\n", "03-1-api-PLAN.md": "---\nwave: 1\n---\n"}
    )
    assert errors(phase) == [f"{PHASE}: 2 files mean plan 03-01: 03-01-PLAN.md, 03-1-api-PLAN.md"]


def test_empty_unreadable_and_binary_plans_are_errors() -> None:
    data = {f"{PHASE}/03-01-PLAN.md": b" \n", f"{PHASE}/03-02-PLAN.md": b"---\0\0"}
    listed = [*data, f"{PHASE}/03-03-PLAN.md"]
    phase = read_phase(find_phase(listed, GSD, "3"), data, GSD, paths=listed)
    assert [text.removeprefix(f"{PHASE}/") for text in errors(phase)] == [
        "03-01-PLAN.md: is empty",
        "03-02-PLAN.md: is no text file",
        "03-03-PLAN.md: can't be read",
    ]


def test_conflict_markers_in_front_matter_are_an_error() -> None:
    phase = read(
        {"03-01-PLAN.md": "---\n<<<<<<< HEAD\nwave: 1\n=======\nwave: 2\n>>>>>>> x\n---\n"}
    )
    assert "holds conflict markers in its front matter" in errors(phase)[0]


def test_an_empty_summary_does_not_make_a_plan_done() -> None:
    phase = read({"03-01-PLAN.md": "---\nwave: 1\n---\n<task></task>", "03-01-SUMMARY.md": "\n"})
    assert phase.plans[0].done is False
    assert str(phase.plans[0].problems[0]).startswith(f"{PHASE}/03-01-SUMMARY.md: is empty")


def test_a_plan_without_front_matter_is_a_plan_of_wave_one() -> None:
    plan = read(
        {"PLAN.md": "# Phase 3\n\n## Goal\n\nShip it now.\n\n## Task 1: Do\n\ntext\n"}
    ).plans[0]
    assert (plan.id, plan.wave, plan.objective, plan.tasks[0].name) == (
        "03-01",
        1,
        "Ship it now.",
        "Do",
    )
    assert plan.summary_path == f"{PHASE}/SUMMARY.md"


def test_file_entries_are_cleaned() -> None:
    plan = one(
        "files_modified:\n  - ./src/a.py\n  - `src/b.py` (new)\n  - src/c.py — adds it\n"
        '  - "src/{d,e}.py"\n  - src/lib/\n  - src/**/*.ts\n  - app/(auth)/[id]/page.tsx\n'
        "  - .planning/STATE.md\n  - 03-01-SUMMARY.md\n  - path: src/f.py\n    provides: x\n"
        "  - docs/My Notes.md\n  - /etc/passwd\n  - ~/.config/x\n  - ../other/y.py\n  - none"
    )
    assert plan.files == (
        "src/a.py", "src/b.py", "src/c.py", "src/d.py", "src/e.py", "src/lib/", "src/**/*.ts",
        "app/(auth)/[id]/page.tsx", "src/f.py", "docs/My Notes.md",
    )  # fmt: skip
    foreign = [note.message for note in plan.problems if "no path of" in note.message]
    assert len(foreign) == 3


def test_task_files_join_the_declared_ones() -> None:
    body = (
        "<task type='auto'>\n<name>Task 1: x</name>\n<files>src/a.py, src/new.py (create)\n"
        "src/[id].ts</files>\n</task>\n"
        "<task>\n<files>No files, just look at things</files>\n</task>"
    )
    plan = one("files_modified: [src/a.py]", body)
    assert plan.files == ("src/a.py", "src/new.py", "src/[id].ts")
    assert plan.files_declared == ("src/a.py",)


@pytest.mark.parametrize(
    ("front", "body", "autonomous"),
    [
        ("wave: 1", "", True),
        ("autonomous: true", "", True),
        ("autonomous: false", "", False),
        ("autonomous: no", "", False),
        ("autonomous: mostly", "", False),
        ("autonomous: true", '<task type="checkpoint:decision">\n</task>', False),
        ("wave: 1", '<task type="human-verify">\n</task>', False),
    ],
)
def test_a_plan_is_interactive_if_either_sign_says_so(
    front: str, body: str, autonomous: bool
) -> None:
    assert one(front, body).autonomous is autonomous


def test_gap_closure_by_key_type_or_name() -> None:
    assert one("gap_closure: true").gap_closure
    assert one("type: gap_closure").gap_closure
    assert not one("gap_closure: false").gap_closure
    assert read({"03-gap-01-PLAN.md": "---\nwave: 1\n---\n"}).plans[0].gap_closure


@pytest.mark.parametrize(
    ("objective", "line"),
    [
        ("Sign people in with a password, so that x happens.", "Sign people in with a password"),
        (
            "Create the parser for plan files and the tests for it",
            "Create the parser for plan files",
        ),
        ("Build it.", "Build it"),
        ("Search by word, so that a note is found again", "Search by word"),
        ("Check that Phase 7 shows both panels", "Check that Phase 7 shows both panels"),
        ("Build the scanner engine that checks files", "Build the scanner engine"),
        ("Add **bold** login page — because users asked for it", "Add bold login page"),
    ],
)
def test_build_line_has_three_to_eight_words(objective: str, line: str) -> None:
    assert build_line(one("wave: 1", f"<objective>\n{objective}\n</objective>")) == line


def test_a_goal_is_taken_from_the_current_milestone() -> None:
    roadmap = (
        b"<details>\n\n### Phase 3: Old\n\n**Goal**: old\n</details>\n\n"
        b"## Phase 03: New Name (INSERTED)\n\n**Goal:** new goal\nover two lines\n\n**Plans**: 1\n"
    )
    phase = read({"03-01-PLAN.md": "---\nwave: 1\n---\n"}, roadmap=roadmap)
    assert (phase.dir.name, phase.goal) == ("New Name", "new goal over two lines")
