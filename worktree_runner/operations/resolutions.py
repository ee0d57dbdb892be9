"""`wtrun resolutions`: every conflict that was settled without a question, or by a person.

Read from the journal of a run, so it works while the run is at work and after it has ended. What
rules would settle in plans that still wait for an answer is worked out anew, in memory.
"""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from merge import merge_commits
from merge.types import Resolution
from worktree_runner.core.settled import by_whom, is_manual, reason, resolution_of
from worktree_runner.core.state import PlanState, RunState, Status
from worktree_runner.core.texts import clean, clean_line, count
from worktree_runner.errors import UsageError
from worktree_runner.operations.context import runs
from worktree_runner.operations.context.project import Project
from worktree_runner.operations.context.session import choices_of
from worktree_runner.operations.merging import landing

JSON_VERSION = 1


@dataclass(frozen=True, slots=True)
class Listed:
    """A settled file of one plan; `landed` is the merge commit that holds it, or empty."""

    plan: PlanState
    one: Resolution
    landed: str


def collect(project: Project, state: RunState, plan_id: str | None = None) -> tuple[Listed, ...]:
    """The resolutions of a run, or of one of its plans, in the order of the plans."""
    if plan_id is not None and plan_id not in state.plans:
        names = ", ".join(plan.id for plan in state.in_order())
        words = runs.words_of(state)
        raise UsageError(
            f"{words.execution.capitalize()} {state.id} has no {words.plan} {plan_id}.",
            hint=f"its {words.plans}: {names}",
        )
    found: list[Listed] = []
    for plan in state.in_order():
        if plan_id not in (None, plan.id):
            continue
        if plan.status is Status.CONFLICTED:
            found += [Listed(plan, one, "") for one in _pending(project, state, plan)]
        else:
            found += [Listed(plan, resolution_of(item), plan.commit) for item in plan.resolutions]
    return tuple(found)


def _pending(project: Project, state: RunState, plan: PlanState) -> Iterable[Resolution]:
    """What is settled of a plan whose other conflicts are still open."""
    around = landing.Surroundings(project.repository, project.settings, project.dialect, state)
    text = project.files(state.base).read([plan.path]).get(plan.path, b"")
    merged = merge_commits(
        project.repository.objects,
        state.tip,
        plan.head,
        settings=landing.full_settings(around, plan, text, landing.tier_of(project.settings)),
        choices=choices_of(plan),
        labels=(state.target, plan.id),
    )
    return merged.resolutions


def notices(state: RunState, plan_id: str | None = None) -> tuple[tuple[str, str], ...]:
    """What was remarkable in landed merges without a conflict, such as declared deletions."""
    return tuple(
        (plan.id, text)
        for plan in state.in_order()
        if plan_id in (None, plan.id)
        for text in plan.notices
    )


def render(
    state: RunState,
    found: Iterable[Listed],
    noticed: Iterable[tuple[str, str]] = (),
    *,
    diffs: bool = True,
) -> str:
    """All of it for a person: who decided what, why that is safe, and the change."""
    rows = tuple(found)
    clean_merges = [f"  {plan}: {clean_line(text)}" for plan, text in noticed]
    also = ["", "merged without a conflict:", *clean_merges] if clean_merges else []
    if not rows:
        nothing = f"{runs.words_of(state).execution} {state.id}: no conflict was settled"
        return "\n".join([nothing, *also])
    lines = []
    for row in rows:
        one = row.one
        where = f"merged as {row.landed[:10]}" if row.landed else "not merged yet"
        hunks = count(one.hunks, "hunk") if one.hunks else "whole file"
        told = f"{by_whom(one)} [{one.tier}]" + (f": {clean_line(reason(one))}" if one.why else "")
        lines.append(f"{clean_line(one.path)}  ({row.plan.id}, {hunks}, {where})")
        lines += textwrap.wrap(told, 78, initial_indent="  ", subsequent_indent="    ")
        if diffs and one.diff:
            lines += [f"  {line}" for line in clean(one.diff).splitlines()]
        lines.append("")
    first = next((row for row in rows if not is_manual(row.one)), None)
    word = "yourself" if first else "anew"
    path = shlex.quote((first or rows[0]).one.path)
    lines.append(f"to decide one {word}: wtrun unresolve {path}")
    return "\n".join([*lines, *also])


def to_json(
    state: RunState, found: Iterable[Listed], noticed: Iterable[tuple[str, str]] = ()
) -> dict[str, Any]:
    """All of it for programs; names are only ever added."""
    return {
        "v": JSON_VERSION,
        "run": state.id,
        "phase": state.phase,
        "target": state.target,
        "notices": [{"plan": plan, "text": text} for plan, text in noticed],
        "resolutions": [
            {
                "plan": row.plan.id,
                "path": row.one.path,
                "hunks": row.one.hunks,
                "tier": row.one.tier,
                "rule": row.one.resolver,
                "why": row.one.why,
                "diff": row.one.diff,
                "commit": row.landed or None,
            }
            for row in found
        ],
    }
