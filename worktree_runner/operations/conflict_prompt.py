"""The prompt for a coding agent that is to settle a conflict in the plan's worktree.

Made where the merge has just been set up there with markers. wtrun starts no agent for it: a person
hands it to one, looks at what it made of it, and says `--continue`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from merge.types import FileConflict
from worktree_runner.core.prompts import ConflictFacts, render_conflict
from worktree_runner.operations.attempt.prompting import own_words
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.merging.conflicts import conflict_facts
from worktree_runner.store.atomic import save_text

AROUND = 3
"""Lines shown before and after a place with markers."""


def save_prompt(session: Session, plan_id: str, conflicts: Sequence[FileConflict]) -> Path:
    """The file with the prompt, beside the conflict's report."""
    plan = session.of(plan_id)
    place = Path(plan.worktree)
    sides = conflict_facts(session, plan, conflicts)
    others, word = sides.target_plans, session.dialect.words.plan
    text = render_conflict(
        ConflictFacts(
            dialect=session.dialect,
            plan=session.plan(plan_id),
            worktree=plan.worktree,
            branch=plan.branch,
            target=session.state.target,
            ours_title="; ".join(f"{word} {other.id}: {other.title}" for other in others)
            or f"what is on {session.state.target}",
            ours_objective="\n\n".join(other.objective.strip() for other in others),
            conflicts=tuple(
                (one.path, _marked((place / one.path).read_text(errors="replace")))
                for one in conflicts
            ),
            instructions=own_words(
                session.settings.instructions.get("conflict", ""), place, "instructions.conflict"
            ),
        )
    )
    file = session.folder.path / "conflicts" / f"{plan_id}-prompt.md"
    save_text(file, text)
    return file


def _marked(text: str) -> str:
    """The places of a file that hold markers, with some lines around each."""
    lines = text.splitlines()
    shown: set[int] = set()
    begun = None
    for at, line in enumerate(lines):
        if line.startswith("<<<<<<<"):
            begun = at
        elif line.startswith(">>>>>>>") and begun is not None:
            shown.update(range(max(0, begun - AROUND), min(len(lines), at + AROUND + 1)))
            begun = None
    parts: list[str] = []
    for at in sorted(shown):
        if parts and at - 1 not in shown:
            parts.append("...")
        parts.append(lines[at])
    return "\n".join(parts)
