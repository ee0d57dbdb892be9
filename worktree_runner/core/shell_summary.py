"""The summary that the `shell` agent writes: only what its own commits and commands prove."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worktree_runner.core.docs.summary_text import SummaryFacts, TaskResult, render_summary
from worktree_runner.dialects.schema import Dialect
from worktree_runner.models import Plan


@dataclass(frozen=True, slots=True)
class DoneTask:
    """A finished task, its commit (empty if it changed nothing) and the paths it changed."""

    number: int
    name: str
    commit_type: str
    commit: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NetFiles:
    """What all tasks together did to the tree; `missing` should be there and is not."""

    created: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def render(
    plan: Plan,
    tasks: Sequence[DoneTask],
    net: NetFiles,
    dialect: Dialect,
    *,
    minutes: int,
    day: str,
) -> str:
    """The summary's text."""
    key = next((key for key in dialect.keys.phase if plan.front.get(key)), "")
    word = dialect.words.plan
    facts = SummaryFacts(
        phase=str(plan.front.get(key, plan.phase)),
        token=plan.phase,
        plan=plan.number,
        name=plan.title or plan.id,
        one_liner=f"{len(tasks)} tasks run by their own commands; "
        "each command and check ended with 0.",
        tasks=tuple(
            TaskResult(number, task.name, task.commit, task.commit_type)
            for number, task in enumerate(tasks, 1)
        ),
        created=net.created,
        modified=net.modified,
        removed=net.removed,
        duration=f"{minutes}min",
        completed=day,
        deviations=(f"None: the commands of the {word} were run as written.",),
        missing=tuple(f"missing: `{path}`" for path in net.missing),
    )
    return render_summary(facts, dialect).decode()
