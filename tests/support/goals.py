"""A planned phase whose goal a scripted agent verifies."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.support.project import AGENT, PHASE, Project, plan_text, trust_commands
from tests.support.repo import Repo

REPORT = f"{PHASE}/03-VERIFICATION.md"
ROADMAP = (
    "# Roadmap\n\n- [ ] **Phase 3: API** - An API\n- [ ] **Phase 4: Web** - A site\n\n"
    "### Phase 3: API\n**Goal**: An API\n**Requirements**: [API-01]\n**Plans**: 1 plans\n\n"
    "- [ ] 03-01: part\n\n### Phase 4: Web\n**Goal**: A site\n"
)
NEEDED = "# Requirements\n\n- [ ] **API-01**: It answers\n"


def report(status: str, more: str = "") -> str:
    """A verifier's report with further lines of front matter."""
    return (
        f"---\nphase: 03-api\nverified: 2026-01-01T00:00:00Z\nstatus: {status}\n"
        f"score: 1/1 must-haves verified\n{more}---\n\n# Report\n\nLooked at everything.\n"
    )


def writes(status: str, more: str = "", path: str = REPORT) -> list[dict[str, Any]]:
    """What a verifier does that comes to this status."""
    return [{"write": path, "text": report(status, more)}]


def judge_does(repo: Repo, steps: list[dict[str, Any]]) -> None:
    """What the scripted verifier does from now on."""
    script = repo.path / ".git" / "judge.md"
    script.write_text(f"```agent\n{json.dumps(steps)}\n```\n")


def config(repo: Repo, more: str = "") -> str:
    script = repo.path / ".git" / "judge.md"
    worker, judge = [sys.executable, str(AGENT), "{plan_file}"], [sys.executable, str(AGENT)]
    return (
        f'agent = "command"\nverifier = "judge"\n{more}'
        f"[agents.command]\nargv = {json.dumps(worker)}\n"
        f"[agents.judge]\nargv = {json.dumps([*judge, str(script)])}\n"
    )


def make(
    repo: Repo,
    steps: list[dict[str, Any]],
    *,
    must: str = "",
    settings: str = "",
    files: dict[str, str] | None = None,
) -> Project:
    """One plan that writes `a.txt`, and a verifier that does these steps."""
    judge_does(repo, steps)
    extra = f"must_haves:\n{must}" if must else ""
    plans = {"01": plan_text("01", files=["a.txt"], extra=extra)}
    contents = {
        ".wtrun.toml": config(repo, settings),
        ".planning/ROADMAP.md": ROADMAP,
        ".planning/REQUIREMENTS.md": NEEDED,
        **(files or {}),
    }
    project = Project.make(repo, plans, contents)
    trust_commands(repo.path)
    return project


def is_ticked(repo: Repo) -> bool:
    """Whether phase 3 and its requirement are marked as complete."""
    roadmap = repo.git("show", "main:.planning/ROADMAP.md")
    needed = repo.git("show", "main:.planning/REQUIREMENTS.md")
    ticks = ("- [x] **Phase 3: API**" in roadmap, "- [x] **API-01**" in needed)
    assert len(set(ticks)) == 1, ticks
    return ticks[0]


def copies(repo: Repo) -> list[Path]:
    """The reports that runs keep in their folders."""
    return sorted((repo.path / ".git/wtrun/runs").glob("*/verification/*"))
