"""The summary that the `shell` agent writes: only what its own commits and commands prove."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

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


def render(plan: Plan, tasks: Sequence[DoneTask], net: NetFiles, *, minutes: int, day: str) -> str:
    """The summary's text."""
    title = plan.title or plan.id
    front = [
        "---",
        f"phase: {json.dumps(str(plan.front.get('phase', plan.phase)), ensure_ascii=False)}",
        f"plan: {json.dumps(plan.number)}",
        "key-files:",
        *_listed("created", net.created),
        *_listed("modified", net.modified),
        f"duration: {minutes}min",
        f"completed: {day}",
        "---",
    ]
    commits = [
        f"{n}. **Task {task.number}: {task.name}** - "
        + (f"`{task.commit[:7]}` ({task.commit_type})" if task.commit else "no change")
        for n, task in enumerate(tasks, 1)
    ]
    files = [
        f"- `{path}` - {word}"
        for word, paths in (
            ("created", net.created), ("modified", net.modified), ("removed", net.removed)
        )
        for path in paths
    ]  # fmt: skip
    check = [f"- missing: `{path}`" for path in net.missing]
    parts = [
        f"# Phase {plan.phase} Plan {plan.number}: {title} Summary",
        f"**{len(tasks)} tasks run by their own commands; each command and check ended with 0.**",
        "## Task Commits\n\n" + "\n".join(commits),
        "## Files Created/Modified\n\n" + ("\n".join(files) or "None."),
        "## Deviations from Plan\n\nNone: the commands of the plan were run as written.",
        "\n".join([f"## Self-Check: {'FAILED' if net.missing else 'PASSED'}", *check]),
    ]
    return "\n".join(front) + "\n\n" + "\n\n".join(parts) + "\n"


def _listed(key: str, paths: Sequence[str]) -> list[str]:
    if not paths:
        return [f"  {key}: []"]
    return [f"  {key}:", *(f"    - {json.dumps(path, ensure_ascii=False)}" for path in paths)]
