"""All documents of a project after a run, in every dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.support.planning import PhaseBuilder
from worktree_runner.core.docs.facts import Position
from worktree_runner.core.docs.roadmap import roadmap_goal
from worktree_runner.core.docs.state_read import state_context
from worktree_runner.core.docs.update import (
    RunFacts,
    Updates,
    find_documents,
    plan_updates,
    update_inputs,
)
from worktree_runner.core.listing import find_phase
from worktree_runner.core.plans import read_phase
from worktree_runner.dialects.schema import Dialect, load, names

RUN = RunFacts(Position.PARTIAL, "2026-02-03", "2026-02-03T04:05:06Z", landed=("03-01",))


@pytest.fixture(params=names())
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return load(request.param)


def project(dialect: Dialect, *, done: int = 1) -> dict[str, bytes]:
    builder = PhaseBuilder(dialect)
    for number in ("01", "02", "03"):
        builder.plan(number, requirements=(f"ACC-{number}",), done=int(number) <= done)
    files = {path: text.encode() for path, text in builder.files().items()}  # type: ignore[union-attr]
    summary = builder.summary_path("01")
    if done:
        front = b"---\nkey-decisions:\n  - Ids are opaque\n---\n"
        files[summary] = front + b"\n# Phase 3 Plan 01: Accounts Summary\n"
    return files


def update(files: Mapping[str, bytes], run: RunFacts, dialect: Dialect) -> Updates:
    paths = tuple(sorted(files))
    found, roadmap = find_phase(paths, dialect, "3"), find_documents(paths, dialect).roadmap
    text = files[roadmap] if roadmap else None
    phase = read_phase(found, files, dialect, roadmap=text, paths=paths)
    wanted = update_inputs(paths, phase, dialect)
    return plan_updates(paths, {p: files[p] for p in wanted}, phase, run, dialect)


def by_kind(updates: Updates, dialect: Dialect) -> dict[str, str]:
    places = find_documents(updates.files, dialect)
    kinds = {"state": places.state, "roadmap": places.roadmap, "specs": places.requirements}
    return {k: updates.files[p].decode() for k, p in kinds.items() if p is not None}


def test_a_part_of_a_phase_is_recorded_in_the_dialects_words(dialect: Dialect) -> None:
    updates = update(project(dialect), RUN, dialect)
    new = by_kind(updates, dialect)
    phase, plan = dialect.words.phase, dialect.words.plan
    assert sorted(new) == ["roadmap", "state"]
    assert updates.notes == ()
    assert f"{plan.capitalize()}: 1 of 3 in current {phase}\nStatus: In progress\n" in new["state"]
    activity = f"{phase.capitalize()} 3: 1 of 3 {dialect.words.plans} complete"
    assert f"Last activity: 2026-02-03 — {activity}\n" in new["state"]
    assert f"- [{phase.capitalize()} 3]: Ids are opaque\n" in new["state"]
    assert "Progress: [███░░░░░░░] 33%\n" in new["state"]
    assert (
        f"**{dialect.words.plans.capitalize()}**: 1/3 {dialect.words.plans} executed"
        in (new["roadmap"])
    )
    assert "| 3. Accounts | 1/3 | In Progress | - |" in new["roadmap"]
    assert f"- [ ] **{phase.capitalize()} 3: Accounts**" in new["roadmap"]


def test_a_phase_is_not_complete_without_the_plans_that_only_the_road_map_lists(
    dialect: Dialect,
) -> None:
    files = project(dialect, done=3)
    roadmap = find_documents(files, dialect).roadmap or ""
    more = b"- [ ] 03-04: Gaps\n- [x] 03-05: Old\n\n## Progress"
    files[roadmap] = files[roadmap].replace(b"\n## Progress", more)
    run = replace(RUN, position=Position.COMPLETE, landed=("03-01", "03-02", "03-03"))
    new = by_kind(update(files, run, dialect), dialect)
    assert sorted(new) == ["roadmap", "state"]
    assert f"{dialect.words.plan.capitalize()}: 3 of 4 in" in new["state"]
    assert "Status: In progress\n" in new["state"]
    assert f"- [ ] **{dialect.words.phase.capitalize()} 3: Accounts**" in new["roadmap"]
    assert "| 3. Accounts | 3/4 | In Progress | - |" in new["roadmap"]


def test_a_complete_phase_is_ticked_everywhere(dialect: Dialect) -> None:
    files = project(dialect, done=3)
    run = replace(RUN, position=Position.COMPLETE, landed=("03-01", "03-02", "03-03"))
    updates = update(files, run, dialect)
    new = by_kind(updates, dialect)
    assert updates.notes == ()
    assert "Status: Milestone complete" in new["state"]
    assert "| 3. Accounts | 3/3 | Complete | 2026-02-03 |" in new["roadmap"]
    entry = roadmap_goal(new["roadmap"].encode(), "3", dialect)
    assert entry is not None and entry.done
    assert "[ ]" not in new["specs"]
    assert new["specs"].count("| Complete |") == 3


def test_complete_without_every_summary_is_only_a_part(dialect: Dialect) -> None:
    run = replace(RUN, position=Position.COMPLETE)
    assert (
        update(project(dialect), run, dialect).files == update(project(dialect), RUN, dialect).files
    )


def test_a_second_update_changes_nothing(dialect: Dialect) -> None:
    files = project(dialect)
    once = update(files, RUN, dialect)
    assert once.files
    assert update({**files, **once.files}, RUN, dialect).files == {}


def test_only_covered_requirements_are_met_where_summaries_say_what_they_cover() -> None:
    dialect = load("gsd")
    files = project(dialect, done=3)
    path = PhaseBuilder(dialect).summary_path("02")
    files[path] = b"---\nrequirements_covered:\n  - id: ACC-02\n    evidence: sign-in test\n---\n"
    updates = update(files, replace(RUN, position=Position.COMPLETE), dialect)
    specs = by_kind(updates, dialect)["specs"]
    assert "| ACC-02 | Phase 3 | Complete (03-02: sign-in test) |" in specs
    assert "| ACC-01 | Phase 3 | Pending |" in specs
    assert updates.open_requirements == ("ACC-01", "ACC-03")


def test_progress_counts_the_current_milestones_phases_only() -> None:
    dialect = load("gsd")
    files = project(dialect)
    road = ".planning/ROADMAP.md"
    extra = b"- [x] **Phase 2: Base** - x\n<details>\n- [x] **Phase 1: Old** - x\n</details>\n"
    files[road] = files[road].replace(b"- [ ] **Phase 3", extra + b"- [ ] **Phase 3", 1)
    for name in ("01-old/01-01", "02-base/02-01"):
        files[f".planning/phases/{name}-PLAN.md"] = b"---\n---\n"
        files[f".planning/phases/{name}-SUMMARY.md"] = b"done\n"
    state = by_kind(update(files, RUN, dialect), dialect)["state"]
    assert "Progress: [█████░░░░░] 50%\n" in state


def test_missing_documents_are_named_and_the_others_written() -> None:
    dialect = load("gsd")
    files = project(dialect)
    del files[".planning/STATE.md"]
    updates = update(files, RUN, dialect)
    assert updates.missing == (".planning/STATE.md",)
    assert sorted(updates.files) == [".planning/ROADMAP.md"]


def test_documents_are_found_in_the_case_that_the_project_has() -> None:
    places = find_documents([".planning/state.md", ".planning/Roadmap.md"], load("gsd"))
    assert places.all() == (".planning/state.md", ".planning/Roadmap.md")
    both = [".planning/state.md", ".planning/STATE.md"]
    assert find_documents(both, load("gsd")).state == ".planning/STATE.md"


def test_what_was_written_is_read_again_by_the_next_run(dialect: Dialect) -> None:
    run = replace(RUN, blockers=("03-02 failed: red",), checkpoints=("03-03 decision",))
    state = by_kind(update(project(dialect), run, dialect), dialect)["state"]
    context = state_context(state.encode(), dialect)
    assert context.blockers == ("03-02 failed: red",)
    assert context.pending == (f"Pending {dialect.words.checkpoint}s: 03-03 decision",)
    assert context.decisions == (f"[{dialect.words.phase.capitalize()} 3]: Ids are opaque",)


def test_a_finished_phase_without_a_directory_counts_as_the_table_has_it() -> None:
    dialect = load("gsd")
    files = project(dialect)
    road = ".planning/ROADMAP.md"
    text = files[road].replace(
        b"- [ ] **Phase 3", b"- [x] **Phase 2: Base** - x\n- [ ] **Phase 3", 1
    )
    files[road] = text.replace(b"| 3. Acc", b"| 2. Base | 5/5 | Complete | - |\n| 3. Acc", 1)
    state = by_kind(update(files, RUN, dialect), dialect)["state"]
    assert "Progress: [████████░░] 75%\n" in state


def test_where_no_phase_of_the_milestone_has_plans_the_bar_stays() -> None:
    dialect = load("gsd")
    files = project(dialect, done=1)
    files[f"{dialect.root}/ROADMAP.md"] = b"# Roadmap\n\n- [ ] **Phase 9: Later** - x\n"
    assert "Progress: [░░░░░░░░░░] 0%\n" in by_kind(update(files, RUN, dialect), dialect)["state"]
    files[f"{dialect.root}/STATE.md"] = files[f"{dialect.root}/STATE.md"].replace(b" 0%", b" 7%")
    assert "Progress: [░░░░░░░░░░] 7%\n" in by_kind(update(files, RUN, dialect), dialect)["state"]
