"""The same phase in every dialect: a lane, a conflict, a second wave, and an agent for it."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from tests.support.planning import PhaseBuilder
from tests.support.project import AGENT, Project, trust_commands
from tests.support.repo import Repo
from worktree_runner.dialects import load

FULL = os.environ.get("WTRUN_FULL", "")
"""Read when tests are collected: a test itself sees no WTRUN_ variable of the machine."""
BASE = "one\ntwo\nthree\n"


def work(*steps: dict[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """A task whose block tells the scripted agent what to do, summary included."""
    return told([*steps, {"commit": "feat: work"}, {"summary": True}])


def told(steps: object) -> tuple[tuple[str, str, str], ...]:
    """A task with exactly these steps for the scripted agent."""
    return (("Do it", "", f"```agent\n{json.dumps(steps)}\n```"),)


def line(file: str, text: str) -> dict[str, Any]:
    return {"append": file, "text": text}


def rewrite(text: str) -> dict[str, Any]:
    return {"replace": "shared.txt", "old": "two\n", "new": text}


def phase_of(name: str, separator: str = "-") -> PhaseBuilder:
    """Five plans: two that share a file, two that conflict undeclared, one of a second wave."""
    phase = PhaseBuilder(load(name), separator=separator)
    phase.plan("01", objective="Left side", tasks=work(rewrite("left\n")))
    phase.plan("02", objective="Right side", tasks=work(rewrite("right\n")))
    phase.plan("03", objective="First in line", files=("lane.txt",),
               tasks=work(line("lane.txt", "03\n")))  # fmt: skip
    phase.plan("04", objective="Second in line", files=("lane.txt",),
               tasks=work(line("lane.txt", "04\n")))  # fmt: skip
    phase.plan("05", objective="On top", wave=2, depends_on=("03",), files=("top.txt",),
               tasks=work({"replace": "lane.txt", "old": "04\n", "new": "04\n05\n"}))  # fmt: skip
    return phase


def make_project(repo: Repo, phase: PhaseBuilder) -> Project:
    """The phase, committed in a repository with an agent set up for it."""
    argv = json.dumps([sys.executable, str(AGENT), "{plan_file}"])
    config = f'agent = "command"\n[agents.command]\nargv = {argv}\n'
    repo.commit("plan", {".wtrun.toml": config, "shared.txt": BASE, **phase.files()})
    trust_commands(repo.path)
    return Project(repo)


def ids_of(phase: PhaseBuilder) -> list[str]:
    return [f"{phase.token}-{spec.number}" for spec in phase.plans]
