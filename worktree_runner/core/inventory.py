"""A phase's plans as an inventory: the originals' `phase-plan-index` as JSON, and a report.

- JSON is add-only and holds every key of the originals; `wave` is what the plan declares,
  `effective_wave` when it runs.
- `inspect` never raises on unclear plans: it is how one finds out what is unclear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from worktree_runner.core.plans import build_line
from worktree_runner.core.texts import clean_line, count, listing
from worktree_runner.core.waves import Wave, group_waves
from worktree_runner.dialects.schema import Dialect
from worktree_runner.models import Phase, Plan, Problem, Severity

VERSION = 1


@dataclass(frozen=True, slots=True)
class Inventory:
    """A phase with its waves (done plans too) and the lanes of what is not done."""

    phase: Phase
    dialect: Dialect
    waves: tuple[Wave, ...]
    open_waves: tuple[Wave, ...]
    problems: tuple[Problem, ...]

    @property
    def incomplete(self) -> tuple[str, ...]:
        return tuple(plan.id for plan in self.phase.plans if not plan.done)

    @property
    def has_errors(self) -> bool:
        return any(note.severity is Severity.ERROR for note in self.problems)


def inspect(phase: Phase, dialect: Dialect) -> Inventory:
    """The inventory of a phase; its problems are in plan order, those of the phase first."""
    problems = [*phase.problems, *(note for plan in phase.plans for note in plan.problems)]
    todo = [plan for plan in phase.plans if not plan.done]
    numbers = sorted({plan.wave for plan in phase.plans})
    waves = tuple(
        Wave(number, tuple(plan for plan in phase.plans if plan.wave == number))
        for number in numbers
    )
    return Inventory(phase, dialect, waves, group_waves(todo), tuple(problems))


def as_json(inventory: Inventory) -> dict[str, Any]:
    """The inventory as JSON values."""
    phase = inventory.phase
    return {
        "version": VERSION,
        "dialect": inventory.dialect.name,
        "phase": phase.dir.token,
        "phase_name": phase.dir.name,
        "directory": phase.dir.path,
        "goal": phase.goal,
        "plans": [_plan_json(plan) for plan in phase.plans],
        "waves": {str(wave.number): [plan.id for plan in wave.plans] for wave in inventory.waves},
        "incomplete": list(inventory.incomplete),
        "unwritten": list(phase.unwritten),
        "has_checkpoints": any(not plan.autonomous for plan in phase.plans),
        "lanes": [
            {"wave": wave.number, "plans": list(lane)}
            for wave in inventory.open_waves
            for lane in wave.lanes
        ],
        "overlaps": [
            {
                "wave": wave.number,
                "plans": [overlap.first, overlap.second],
                "files": [list(pair) for pair in overlap.pairs],
            }
            for wave in inventory.open_waves
            for overlap in wave.overlaps
        ],
        "warnings": [_problem_json(note) for note in inventory.problems],
    }


def _plan_json(plan: Plan) -> dict[str, Any]:
    return {
        "id": plan.id,
        "path": plan.path,
        "summary_path": plan.summary_path,
        "title": plan.title,
        "objective": plan.objective,
        "builds": build_line(plan),
        "wave": plan.wave if plan.declared_wave is None else plan.declared_wave,
        "effective_wave": plan.wave,
        "depends_on": list(plan.depends_on),
        "autonomous": plan.autonomous,
        "has_checkpoint": plan.has_checkpoint,
        "gap_closure": plan.gap_closure,
        "type": plan.type,
        "domain": plan.domain,
        "agent": plan.agent,
        "requirements": list(plan.requirements),
        "files_modified": list(plan.files_declared),
        "files": list(plan.files),
        "task_count": len(plan.tasks),
        "has_summary": plan.done,
        "warnings": [_problem_json(note) for note in plan.problems],
    }


def _problem_json(note: Problem) -> dict[str, Any]:
    return {
        "severity": note.severity.value,
        "path": note.path,
        "line": note.line,
        "message": note.message,
    }


def render_table(waves: Sequence[Wave], dialect: Dialect) -> str:
    """The execution table in the dialect's words, one row for each plan, as Markdown."""
    words = dialect.words
    rows = [(words.wave.capitalize(), words.plans.capitalize(), "What it builds")]
    for wave in waves:
        for index, plan in enumerate(wave.plans):
            number = str(wave.number) if index == 0 else ""
            rows.append((number, _marked(plan, dialect), clean_line(build_line(plan))))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _marked(plan: Plan, dialect: Dialect) -> str:
    marks = [] if plan.autonomous else [dialect.words.checkpoint]
    marks += ["done"] if plan.done else []
    return f"{plan.id} [{', '.join(marks)}]" if marks else plan.id


def heading(inventory: Inventory) -> str:
    """One line: what the phase is and how far it is."""
    phase, words = inventory.phase, inventory.dialect.words
    plans = count(len(phase.plans), words.plan, words.plans)
    waves = count(len(inventory.waves), words.wave, words.waves)
    done = len(phase.plans) - len(inventory.incomplete)
    state = "all done" if phase.plans and not inventory.incomplete else f"{done} done"
    name = clean_line(phase.dir.name)
    return f"{words.phase.capitalize()} {phase.dir.token}: {name} — {plans} in {waves}, {state}"


def render(inventory: Inventory) -> str:
    """The report of one phase: table, lanes, overlaps and problems."""
    phase, words = inventory.phase, inventory.dialect.words
    lines = [heading(inventory), phase.dir.path]
    if phase.goal:
        lines.append(f"Goal: {clean_line(phase.goal)}")
    if phase.plans:
        lines += ["", render_table(inventory.waves, inventory.dialect)]
    lines += _lanes(inventory)
    if inventory.incomplete and len(inventory.incomplete) < len(phase.plans):
        lines += ["", f"Not done: {', '.join(inventory.incomplete)}"]
    if not phase.plans:
        command = inventory.dialect.commands.plan_phase.format(phase=phase.dir.token)
        lines += ["", f"No {words.plans} yet; make them with {command}"]
    lines += render_problems(inventory.problems)
    return "\n".join(lines)


def _lanes(inventory: Inventory) -> list[str]:
    """What shares files within a wave, and that it therefore runs one after another."""
    words = inventory.dialect.words
    lines: list[str] = []
    for wave in inventory.open_waves:
        for lane in wave.lanes:
            lines.append(f"  {words.wave} {wave.number}: {' -> '.join(lane)}")
            for overlap in wave.overlaps:
                if overlap.first in lane:
                    files = [_pair(pair) for pair in overlap.pairs]
                    shared = clean_line(listing(files, limit=4))
                    lines.append(f"    {overlap.first} and {overlap.second} share {shared}")
    return ["", "Lanes (share files, so they run one after another)", *lines] if lines else []


def _pair(pair: tuple[str, str]) -> str:
    first, second = pair
    return first if first == second else f"{first} ~ {second}"


def render_problems(problems: Sequence[Problem]) -> list[str]:
    """Problems as lines, errors first, and then in the order in which they were found."""
    if not problems:
        return []
    ordered = sorted(problems, key=lambda note: note.severity is not Severity.ERROR)
    lines = [f"  {note.severity.value}: {clean_line(str(note))}" for note in ordered]
    return ["", "Problems", *lines]
