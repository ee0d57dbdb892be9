"""Where wtrun keeps its own files, all below `<git common dir>/wtrun/`.

- Shared by all worktrees of a repository, never committed, untouched by `git clean`.
- Agents in a sandbox may write `registry/` and `mail/` only, so nothing else lives there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The places below one repository's common git dir."""

    common_dir: Path

    @property
    def root(self) -> Path:
        return self.common_dir / "wtrun"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def registry(self) -> Path:
        return self.root / "registry"

    @property
    def mail(self) -> Path:
        return self.root / "mail"

    @property
    def answers(self) -> Path:
        """A person's answers to conflicts, kept for the same conflict (`merge.remember`)."""
        return self.root / "answers"

    @property
    def trash(self) -> Path:
        return self.root / "trash"

    @property
    def trust(self) -> Path:
        """One file for each content of the repository's commands that the user trusts."""
        return self.root / "trust"

    @property
    def run_lock(self) -> Path:
        """Held by the one `wtrun execute` that works on this repository."""
        return self.root / "run.lock"

    @property
    def worktrees_lock(self) -> Path:
        """Held for the milliseconds of each worktree metadata command."""
        return self.root / "worktrees.lock"

    def run(self, run_id: str) -> RunFolder:
        return RunFolder(self.runs / run_id)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of one run."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def journal(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def conflicts(self) -> Path:
        return self.path / "conflicts"

    @property
    def gates(self) -> Path:
        """A numbered folder for each run of the gate."""
        return self.path / "gates"

    def gate(self, n: int) -> Path:
        return self.gates / f"{n:03d}"

    def attempt(self, plan_id: str, n: int) -> Path:
        return self.path / "attempts" / f"{plan_id}-a{n}"
