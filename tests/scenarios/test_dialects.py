"""The main job in every dialect of the family: its own files, names and words, end to end.

Killed with -9 at three moments, or with WTRUN_FULL=1 before and after every type of event in each.
"""

from __future__ import annotations

import pytest

from tests.support.dialects import FULL, ids_of, make_project, phase_of
from tests.support.planning import PhaseBuilder
from tests.support.project import Project
from tests.support.repo import Repo
from tests.support.words import foreign_words
from worktree_runner.core.events import Type


def conflict_and_end(project: Project, phase: PhaseBuilder) -> str:
    """Executes to the conflict, takes the plan's side, and executes to the end; all it said."""
    first = project.execute(expect=3)
    shown = [project.wtrun(*args).stdout for args in (("status",), ("report",))]
    taken = project.wtrun("resolve", "03-02", "--take", "plan", expect=0)
    last = project.execute(expect=0)
    again = project.execute(expect=0)
    report = project.wtrun("report", expect=0)
    words = phase.dialect.words
    assert f"nothing to do, 5 {words.plans} have their {words.summary}" in again.stderr
    return "\n".join([first.stderr, *shown, taken.stderr, last.stderr, again.stderr, report.stdout])


@pytest.mark.parametrize(("name", "separator"), [("ace", "."), ("renn", "-"), ("ariadna", "-")])
def test_a_phase_is_executed_in_the_dialects_own_words(
    repo: Repo, name: str, separator: str
) -> None:
    phase = phase_of(name, separator)
    project = make_project(repo, phase)
    said = conflict_and_end(project, phase)
    words, files = phase.dialect.words, phase.dialect.files
    assert f"{words.phase.capitalize()} 03: Accounts" in said
    assert f"5 {words.plans} in 2 {words.waves}" in said
    assert f"{words.wave.capitalize()} 2 of 2: 1 {words.plan}" in said
    assert f"4 of 5 {words.plans} merged into main" in said
    assert foreign_words(name, said) == []
    assert repo.read("lane.txt") == b"03\n04\n05\n"
    assert repo.read("shared.txt") == b"one\nright\nthree\n"
    subjects = {f"Merge {name}/{plan}: {spec.objective}"
                for plan, spec in zip(ids_of(phase), phase.plans, strict=True)}  # fmt: skip
    assert set(project.merges()) == subjects
    scope = "phase-3" if "phase-{phase}" in phase.dialect.commits.phase else "03"
    last = repo.git("log", "-1", "--format=%s")
    assert last == f"docs({scope}): record 5 {words.plans} as executed"
    state = repo.read(f"{phase.root}/{files.state[0]}").decode()
    assert f"{words.plan.capitalize()}: 5 of 5 in current {words.phase}" in state
    track = repo.read(f"{phase.root}/{files.roadmap[0]}").decode()
    assert track.count("- [x] 03") == 5
    assert f"**{words.plans.capitalize()}**: 5/5 {words.plans} executed" in track
    written = [phase.summary_path(spec.number) for spec in phase.plans]
    assert all((repo.path / path).is_file() for path in written)
    assert repo.git("status", "--porcelain") == ""
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    assert project.processes() == []


MOMENTS = (
    Type.RUN_STARTED, Type.ATTEMPT_PLANNED, Type.ATTEMPT_READY, Type.ATTEMPT_STARTED,
    Type.ATTEMPT_ENDED, Type.PLAN_FINISHED, Type.MERGE_CONFLICTED, Type.MERGE_LANDED,
    Type.PUBLISHED, Type.WORKTREE_REMOVED, Type.PLANNING_COMMITTED, Type.RUN_PAUSED,
)  # fmt: skip
KILLS = [
    (name, type, moment)
    for name in ("ace", "renn", "ariadna") for type in MOMENTS for moment in ("before", "after")
]  # fmt: skip
SOME = [
    ("ace", Type.ATTEMPT_STARTED, "before"),
    ("renn", Type.MERGE_LANDED, "before"),
    ("ariadna", Type.PLANNING_COMMITTED, "after"),
]
"""Where most is half done: a process that nobody recorded, a commit that no event tells, and the
state file that has been written."""


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("name", "type", "moment"), KILLS if FULL else SOME)
def test_a_killed_run_comes_to_the_same_end(repo: Repo, name: str, type: Type, moment: str) -> None:
    from tests.faults.test_kill import run_killed

    phase = phase_of(name)
    project = make_project(repo, phase)
    often = {Type.RUN_STARTED, Type.MERGE_CONFLICTED, Type.PLANNING_COMMITTED, Type.RUN_PAUSED}
    assert run_killed(project, str(type), moment, 1 if type in often else 2) == -9
    said = conflict_and_end(project, phase)
    assert foreign_words(name, said) == []
    assert repo.read("lane.txt") == b"03\n04\n05\n"
    assert len(project.merges()) == len(set(project.merges())) == 5
    assert [project.starts(plan) for plan in ids_of(phase)] == [1, 1, 1, 1, 1]
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    assert repo.git("status", "--porcelain") == ""
    assert project.processes() == []
