"""The prompt for a coding agent that is to verify a finished phase's goal.

wtrun starts no agent for it: verification stays with the planning tool. Who uses an agent that
lacks the tool's own command hands it this prompt.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from worktree_runner.core.prompts import VerifierFacts, render_verifier
from worktree_runner.operations.prompting import own_words
from worktree_runner.operations.session import Session
from worktree_runner.store.atomic import save_text

NAME = "verify-prompt.md"


def save_prompt(session: Session, now: datetime) -> Path:
    """The file with the prompt, in the run's folder."""
    phase, home = session.phase, session.repository.home
    place, suffix = phase.dir, session.dialect.files.verification[0]
    needed = dict.fromkeys(name for plan in phase.plans for name in plan.requirements)
    text = render_verifier(
        VerifierFacts(
            dialect=session.dialect,
            phase=place.token,
            phase_path=place.path,
            phase_name=place.name,
            worktree=str(home),
            goal=phase.goal,
            plans=phase.plans,
            verification_path=f"{place.path}/{place.token}-{suffix}.md",
            now=now.isoformat(timespec="seconds"),
            requirements=tuple(needed),
            instructions=own_words(
                session.settings.instructions.get("verifier", ""), home, "instructions.verifier"
            ),
        )
    )
    file = session.folder.path / NAME
    save_text(file, text)
    return file
