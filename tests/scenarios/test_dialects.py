"""The main job in every dialect of the family: its own files, names and words, end to end.

WTRUN_FULL=1 also kills wtrun around every type of event in each of them.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.support.dialects import FULL, ids_of, make_project, phase_of
from tests.support.planning import PhaseBuilder
from tests.support.project import Project
from tests.support.repo import Repo
from worktree_runner.core.events import Type

FOREIGN = {
    "ace": r"\b(?:plans?|phases?|waves?|batchs|summary|summaries|roadmap|gsd|renn|ariadna)\b",
    "renn": r"\b(?:plans?|phases?|waves?|batchs|summary|summaries|roadmap|gsd|ace|ariadna)\b",
    "ariadna": r"\b(?:stages?|batch(?:es)?|recaps?|track|pulse|gsd|ace|renn)\b",
}
"""Words of the other dialects."""
OWN = re.compile(r"--take \S+|the plan's\b|wtrun plan|reserved by plan\b|Batch Summary")
"""Names of a side, a command and a holder, and a heading that ACE and RENN themselves have."""


def foreign_words(dialect: str, text: str) -> list[str]:
    return re.findall(FOREIGN[dialect], OWN.sub("", text), re.IGNORECASE)


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


@pytest.mark.parametrize(
    ("name", "separator"), [("ace", "-"), ("ace", "."), ("renn", "-"), ("ariadna", "-")]
)
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


@pytest.mark.parametrize("name", ["ace", "ariadna"])
def test_a_failure_is_told_in_the_dialects_own_words(repo: Repo, name: str) -> None:
    phase = phase_of(name)
    phase.plans[2] = replace(phase.plans[2], tasks=())
    project = make_project(repo, phase)
    done = project.execute("--on-failure", "continue", expect=3)
    assert foreign_words(name, done.stderr) == []
    assert project.statuses()["03-05"] == "skipped"


@pytest.mark.skipif(not FULL, reason="WTRUN_FULL=1 runs the kill matrix of each dialect")
@pytest.mark.timeout(180)
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    "type",
    [Type.RUN_STARTED, Type.ATTEMPT_PLANNED, Type.ATTEMPT_READY, Type.ATTEMPT_STARTED,
     Type.ATTEMPT_ENDED, Type.PLAN_FINISHED, Type.MERGE_CONFLICTED, Type.MERGE_LANDED,
     Type.PUBLISHED, Type.WORKTREE_REMOVED, Type.PLANNING_COMMITTED, Type.RUN_PAUSED],
)  # fmt: skip
@pytest.mark.parametrize("name", ["ace", "renn", "ariadna"])
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
