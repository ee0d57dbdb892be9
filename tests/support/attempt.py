"""An attempt in a real worktree, guarded as a run guards it: for tests of guards and audits."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support.repo import Repo
from worktree_runner.core.reservations import By, Grant, Holder, Request
from worktree_runner.git import guard
from worktree_runner.store.paths import Layout
from worktree_runner.store.registry import Registry


class Attempt:
    """Plan 03-01 of run r1 on branch gsd/03-01; `sh` is what its agent does."""

    def __init__(self, repo: Repo, *, plan: str = "03-01", **settings: Any) -> None:
        self.repo = repo
        self.plan = plan
        self.branch = f"gsd/{plan}"
        self.worktree = repo.path / f".worktrees/wt-{plan}"
        repo.git("worktree", "add", "-q", str(self.worktree), "-b", self.branch)
        self.base = repo.git("rev-parse", "HEAD")
        self.common = Path(repo.git("rev-parse", "--absolute-git-dir"))
        (self.common / "info/exclude").write_text(".worktrees/\n")
        self.git_dir = Path(repo.git("rev-parse", "--absolute-git-dir", cwd=self.worktree))
        self.registry = Registry(Layout(self.common))
        self.spec = guard.GuardSpec(
            folder=self.common / f"wtrun/runs/r1/attempts/{plan}-a1",
            common_dir=self.common,
            git_dir=self.git_dir,
            worktree=self.worktree,
            run="r1",
            plan=plan,
            branch=self.branch,
            **settings,
        )
        self.env = {**repo.env, **guard.install(self.spec, {})}
        self.env |= {"WTRUN_RUN": "r1", "WTRUN_PLAN": plan}

    def sh(self, script: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a shell script as the agent, in its worktree."""
        return subprocess.run(
            ["sh", "-ec", script],
            cwd=cwd or self.worktree,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )

    def ok(self, script: str, cwd: Path | None = None) -> str:
        done = self.sh(script, cwd)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, script: str, cwd: Path | None = None) -> str:
        """The words of the guard about a script that it stopped."""
        done = self.sh(script, cwd)
        assert done.returncode != 0, f"{script} passed: {done.stdout}{done.stderr}"
        assert "wtrun:" in done.stderr, done.stderr
        return done.stderr

    def reserve(self, holder: Holder, *patterns: str, **facts: Any) -> None:
        assert isinstance(self.registry.grant(Request(holder, patterns, **facts)), Grant)

    def log(self) -> list[dict[str, Any]]:
        return list(guard.log(self.spec))

    def refs(self) -> dict[str, str]:
        lines = self.repo.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split() for line in lines)

    def asked(self, **tool: Any) -> str:
        """The reason for which the pre-tool hook denies a call; empty if it does not."""
        done = subprocess.run(
            guard.pre_tool_hook(self.spec),
            input=json.dumps({"cwd": str(self.worktree), **tool}),
            capture_output=True,
            text=True,
            check=True,
            env=self.env,
        )
        if not done.stdout:
            return ""
        answer = json.loads(done.stdout)["hookSpecificOutput"]
        assert answer["hookEventName"] == "PreToolUse"
        assert answer["permissionDecision"] == "deny"
        return str(answer["permissionDecisionReason"])


ALICE = Holder(name="alice", by=By.HAND)
SIBLING = Holder("r1", "03-02")
