"""A phase with all of its plans, from the bytes of their files.

- Order, ids and what is done come from file names; a plan is done if its summary exists and is
  not empty.
- Plans that the road map lists as open and that nobody has written yet are told: the phase is not
  done without them.
- Problems are collected, not raised: `worktree_runner.core.waves.require_clear` raises.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from worktree_runner.core.depends import DependencyTable
from worktree_runner.core.docs.roadmap import RoadmapPhase, roadmap_goal, unwritten_plans
from worktree_runner.core.docs.update import find_documents
from worktree_runner.core.ids import number_key, parse_directory
from worktree_runner.core.listing import (
    Listing,
    PlanFile,
    find_phase,
    list_files,
    list_phases,
    phase_paths,
)
from worktree_runner.core.reading import (
    Reading,
    first_sentence,
    is_planning_path,
    own_names,
    read_plan,
)
from worktree_runner.core.waves import Knot, effective_waves
from worktree_runner.dialects.schema import Dialect
from worktree_runner.models import Phase, PhaseDir, Plan, Problem, Severity

__all__ = [
    "build_line",
    "find_phase",
    "is_planning_path",
    "list_phases",
    "phase_paths",
    "read_phase",
]

_CLAUSE = re.compile(r"\s+[—–-]+\s+|[,;:(]\s*|\s+(?:so that|because|in order to|which|that|by)\s+")
_DANGLING = {
    "a", "an", "and", "as", "at", "by", "for", "from", "in", "into", "of", "on", "or", "per",
    "that", "the", "to", "using", "via", "with", "&", "+", "its", "their", "all", "is", "are",
}  # fmt: skip


def read_phase(
    phase: PhaseDir,
    files: Mapping[str, bytes],
    dialect: Dialect,
    *,
    roadmap: bytes | None = None,
    paths: Iterable[str] = (),
) -> Phase:
    """The phase with its plans in plan order, waves and dependencies resolved.

    `files` holds what `phase_paths` names. A plan that only `paths` lists could not be read and
    is an error; `paths` of the whole repository also tells whether other phases are done.
    """
    known = frozenset((*files, *paths))
    listing = list_files(known, phase, dialect)
    readings = []
    for file in listing.plans:
        reading = read_plan(file, files.get(file.path), phase.token, dialect)
        readings.append(_judge_summary(reading, file, files, dialect))
    problems = [*_doubles(listing.plans, phase, dialect), *_leftovers(listing, dialect)]
    own = [reading.plan for reading in readings]
    table = DependencyTable(
        phase, listing.plans, dialect, known,
        names=lambda: {plan.path: own_names(plan, dialect) for plan in own},
    )  # fmt: skip
    plans, cycles = _resolve(readings, table, dialect)
    problems += cycles
    token = parse_directory(phase.path.rpartition("/")[2]).token
    entry = roadmap_goal(roadmap, token.text, dialect) if roadmap else None
    if entry is None:
        return Phase(phase, tuple(plans), "", tuple(problems))
    there = {number_key(plan.number) for plan in plans}
    unwritten = unwritten_plans(entry, there | table.summarised) if plans else ()
    if unwritten:
        problems.append(_tell_unwritten(entry, unwritten, phase, known, dialect))
    named = replace(phase, name=entry.name) if entry.name else phase
    return Phase(named, tuple(plans), entry.goal, tuple(problems), unwritten)


def _tell_unwritten(
    entry: RoadmapPhase,
    numbers: Sequence[str],
    phase: PhaseDir,
    paths: Collection[str],
    dialect: Dialect,
) -> Problem:
    words = dialect.words
    names = ", ".join(f"{phase.token}-{number}" for number in numbers)
    command = dialect.commands.plan_phase.format(phase=phase.token)
    message = (
        f"lists as open, without a {words.plan} file: {names}; {words.phase} {phase.token} is not "
        f"done until that is written ({command}), ticked or removed"
    )
    place = find_documents(paths, dialect).roadmap or dialect.files.roadmap[0]
    return Problem(place, entry.line, message)


def _judge_summary(
    reading: Reading, file: PlanFile, files: Mapping[str, bytes], dialect: Dialect
) -> Reading:
    """An empty summary proves nothing: the plan is not done, and somebody is told."""
    if file.summary is None or files.get(file.summary, b"?").strip():
        return reading
    message = f"is empty, so {dialect.words.plan} {reading.plan.id} does not count as done"
    problems = (*reading.plan.problems, Problem(file.summary, None, message))
    return replace(reading, plan=replace(reading.plan, done=False, problems=problems))


def _doubles(files: Sequence[PlanFile], phase: PhaseDir, dialect: Dialect) -> list[Problem]:
    counts = Counter(file.name.number.lower() for file in files)
    problems = []
    for number, count in counts.items():
        if count > 1:
            same = [file.path for file in files if file.name.number.lower() == number]
            names = ", ".join(path.rpartition("/")[2] for path in same)
            word = dialect.words.plan
            message = f"{count} files mean {word} {phase.token}-{number}: {names}"
            hint = "rename all but one, or remove them from the directory"
            problems.append(Problem(phase.path, None, message, Severity.ERROR, hint))
    return problems


def _leftovers(listing: Listing, dialect: Dialect) -> list[Problem]:
    words = dialect.words
    example = f"03-01-{dialect.files.plan[0]}.md"
    message = f"looks like a {words.plan} but is not named like one ({example}); not executed"
    return [Problem(path, None, message) for path in listing.leftovers]


def _resolve(
    readings: Sequence[Reading], table: DependencyTable, dialect: Dialect
) -> tuple[list[Plan], list[Problem]]:
    knots, notes = [], []
    for reading in readings:
        ids, unclear = table.resolve(reading.depends_raw, reading.plan, reading.depends_line)
        knots.append(Knot(reading.plan.id, reading.plan.declared_wave, ids))
        notes.append(unclear)
    waves, cycles = effective_waves(knots)
    stuck = {key for cycle in cycles for key in cycle}
    plans = []
    for reading, knot, unclear in zip(readings, knots, notes, strict=True):
        moved = () if knot.id in stuck else _moved(reading.plan, knot, waves, dialect)
        plan, told = reading.plan, (*unclear, *moved)
        if knot.depends_on or told or waves[knot.id] != plan.wave:
            problems_of = (*plan.problems, *told)
            plan = replace(
                plan, depends_on=knot.depends_on, wave=waves[knot.id], problems=problems_of
            )
        plans.append(plan)
    problems = []
    for cycle in cycles:
        path = next(plan.path for plan in plans if plan.id == cycle[0])
        message = f"dependency cycle: {' -> '.join(cycle)}"
        problems.append(Problem(path, None, message, Severity.ERROR))
    return plans, problems


def _moved(
    plan: Plan, knot: Knot, waves: Mapping[str, int], dialect: Dialect
) -> tuple[Problem, ...]:
    """A warning if a plan runs later than it says, because of what it depends on."""
    wave, word = waves[plan.id], dialect.words.wave
    if plan.declared_wave in (None, wave):
        return ()
    before = [key for key in knot.depends_on if waves.get(key) == wave - 1]
    message = (
        f"{word} {plan.declared_wave}, but it depends on {', '.join(before)} "
        f"of {word} {wave - 1}: it runs in {word} {wave}"
    )
    return (Problem(plan.path, None, message),)


def build_line(plan: Plan) -> str:
    """Three to eight words on what the plan builds, for the execution table."""
    sentence = first_sentence(plan.objective) or plan.title
    ends = (len(sentence[: mark.start()].split()) for mark in _CLAUSE.finditer(sentence))
    words = sentence.split()[: next((end for end in ends if 3 <= end <= 8), 8)]
    while len(words) > 3 and words[-1].lower().rstrip(",;:") in _DANGLING:
        words.pop()
    return " ".join(words).rstrip(",;:.—–- ").replace("|", "/")
