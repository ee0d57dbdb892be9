"""Requests for agents on real repositories with a linked worktree, and ways to run a launch."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.repo import Repo
from worktree_runner.agents.protocol import AgentRequest, Launch

PLAN_PATH = ".planning/phases/03-api/03-01-PLAN.md"
SUMMARY_PATH = ".planning/phases/03-api/03-01-SUMMARY.md"


def request_for(repo: Repo, plan: str, **changes: object) -> AgentRequest:
    """A request whose worktree is a linked one of `repo`, made on the first call."""
    worktree = repo.path / ".worktrees" / "wt-03-01"
    run_dir = repo.path / ".git" / "wtrun" / "runs" / "r1" / "attempts" / "03-01-a1"
    if not worktree.exists():
        repo.commit("start", {"README.md": "hello\n", PLAN_PATH: plan})
        repo.git("worktree", "add", "-q", "-b", "gsd/03-01", str(worktree))
    run_dir.mkdir(parents=True, exist_ok=True)
    plan_file = run_dir / "plan.md"
    plan_file.write_text(plan)
    values: dict[str, object] = {
        "run_id": "r1",
        "plan_id": "03-01",
        "attempt": 1,
        "worktree": worktree,
        "git_dir": repo.path / ".git" / "worktrees" / "wt-03-01",
        "git_common_dir": repo.path / ".git",
        "run_dir": run_dir,
        "plan_path": PLAN_PATH,
        "plan_file": plan_file,
        "summary_path": SUMMARY_PATH,
        "branch": "gsd/03-01",
        "dialect": "gsd",
        "prompt": "do it",
        "prompt_file": run_dir / "prompt.md",
        "phase": "03",
        "plan_number": "01",
        "title": "The API",
        "base": repo.git("rev-parse", "main"),
    }
    return AgentRequest.model_validate({**values, **changes})


def perform(launch: Launch, run_dir: Path) -> int:
    """Runs a launch as the launcher would: files written, output to logs; the exit code."""
    for path, text in launch.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    env = {key: value for key, value in os.environ.items() if key not in launch.unset}
    stdin = launch.stdin.open("rb") if launch.stdin else subprocess.DEVNULL
    with (run_dir / "stdout.log").open("ab") as out, (run_dir / "stderr.log").open("ab") as err:
        return subprocess.run(
            launch.argv, cwd=launch.cwd, env={**env, **launch.env}, stdin=stdin, stdout=out,
            stderr=err, check=False, timeout=60,
        ).returncode  # fmt: skip
