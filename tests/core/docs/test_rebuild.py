"""A missing state file, rebuilt from what is left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.docs.samples import FACTS
from tests.support.planning import PhaseBuilder
from worktree_runner.core.docs.rebuild import rebuild_inputs, rebuild_state
from worktree_runner.core.docs.state import update_state
from worktree_runner.core.docs.state_read import state_context
from worktree_runner.dialects.schema import Dialect, load, names


@pytest.fixture(params=names())
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return load(request.param)


def rebuilt(builder: PhaseBuilder, **extra: bytes) -> tuple[str, str]:
    files = {path: text.encode() for path, text in builder.files().items()}  # type: ignore[union-attr]
    names = builder.dialect.files
    del files[f"{builder.root}/{names.state[0]}"]
    if names.project:
        files[f"{builder.root}/{names.project[0]}"] = b"# X\n\n## Core Value\n\nIt works\n"
    files.update({f"{builder.directory}/{name}.md": data for name, data in extra.items()})
    wanted = rebuild_inputs(sorted(files), builder.dialect)
    path, data = rebuild_state(
        sorted(files), {p: files[p] for p in wanted}, builder.dialect,
        date="2026-02-03", now="2026-02-03T04:05:06Z", last_commit="2026-02-01 feat: x",
    )  # fmt: skip
    return path, data.decode()


def phase(dialect: Dialect, done: int) -> PhaseBuilder:
    builder = PhaseBuilder(dialect)
    for number in ("01", "02"):
        builder.plan(number, done=int(number) <= done)
    return builder


def test_position_and_progress_come_from_the_summaries(dialect: Dialect) -> None:
    path, text = rebuilt(phase(dialect, 1))
    words = dialect.words
    assert path == f"{dialect.root}/{dialect.files.state[0]}"
    assert f"{words.phase.capitalize()}: 3 of 3 (Accounts)\n" in text
    assert f"{words.plan.capitalize()}: 1 of 2 in current {words.phase}\n" in text
    assert "Status: In progress\nLast activity: 2026-02-01 — feat: x\n" in text
    assert "Progress: [█████░░░░░] 50%\n" in text
    context = state_context(text.encode(), dialect)
    assert context.phase == "3 of 3 (Accounts)"
    assert context.stopped_at.startswith("rebuilt from")


def test_a_finished_phase_waits_for_verification_until_its_report_passed(dialect: Dialect) -> None:
    assert "ready for verification" in rebuilt(phase(dialect, 2))[1]
    report = f"03-{dialect.files.verification[0]}"
    text = rebuilt(phase(dialect, 2), **{report: b"---\nstatus: passed\n---\n"})[1]
    assert "Status: Milestone complete\n" in text


def test_a_phase_with_plans_that_only_the_road_map_lists_is_not_finished() -> None:
    builder = phase(load("gsd"), 2)
    files = {path: text.encode() for path, text in builder.files().items()}  # type: ignore[union-attr]
    roadmap = f"{builder.root}/ROADMAP.md"
    files[roadmap] = files[roadmap].replace(b"\n## Progress", b"- [ ] 03-03: more\n\n## Progress")
    del files[f"{builder.root}/STATE.md"]
    text = rebuild_state(sorted(files), files, builder.dialect, date="d", now="n")[1].decode()
    assert "Plan: 2 of 3 in current phase\nStatus: In progress\n" in text


def test_decisions_and_the_core_value_are_taken_over() -> None:
    builder = phase(load("gsd"), 1)
    summary = b"---\nkey-decisions: [Ids are opaque]\n---\n"
    text = rebuilt(builder, **{"03-01-SUMMARY": summary, "03-02-SUMMARY": summary})[1]
    assert text.count("- [Phase 3]: Ids are opaque\n") == 1
    assert "**Core value:** It works\n" in text


def test_a_rebuilt_state_is_one_that_the_writer_understands(dialect: Dialect) -> None:
    text = rebuilt(phase(dialect, 0))[1]
    assert "Status: Ready to execute\n" in text
    edited = update_state(text.encode(), replace(FACTS, blockers=()), dialect)
    assert edited.notes == ()
    context = state_context(edited.text, dialect)
    assert context.phase == "3 of 3 (API)"
    assert context.plan == f"2 of 3 in current {dialect.words.phase}"


def test_without_a_road_map_every_phase_directory_counts() -> None:
    files = {
        ".planning/phases/01-a/01-01-PLAN.md": b"x",
        ".planning/phases/02-b/02-01-PLAN.md": b"x",
        ".planning/phases/02-b/02-01-SUMMARY.md": b"y",
    }
    text = rebuild_state(sorted(files), files, load("gsd"), date="d", now="n")[1].decode()
    assert "Phase: 1 of 2 (A)\nPlan: 0 of 1 in current phase\n" in text


def test_phases_of_older_milestones_do_not_count() -> None:
    builder = phase(load("gsd"), 1)
    old = f"{builder.root}/phases/01-old/01-01"
    files = {f"{old}-PLAN.md": b"x", f"{old}-SUMMARY.md": b"y"}
    current = {path: text.encode() for path, text in builder.files().items()}  # type: ignore[union-attr]
    both = {**current, **files}
    text = rebuild_state(sorted(both), both, builder.dialect, date="d", now="n")[1].decode()
    assert "Progress: [█████░░░░░] 50%" in text
