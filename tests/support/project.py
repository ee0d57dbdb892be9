"""A planned project for scenario tests, and wtrun started on it as a user would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.repo import Repo
from worktree_runner.operations import trust
from worktree_runner.store.config import load_settings
from worktree_runner.store.paths import Layout

ROOT = Path(__file__).parents[2]
AGENT = Path(__file__).parent / "scripted_agent.py"
PHASE = ".planning/phases/03-api"


def plan_text(
    number: str,
    *,
    wave: int = 1,
    files: Sequence[str] = (),
    depends_on: Sequence[str] = (),
    steps: list[dict[str, Any]] | dict[str, Any] | None = None,
    extra: str = "",
) -> str:
    """A plan file; `steps` is what tests/support/scripted_agent.py does."""
    block = "" if steps is None else f"\n```agent\n{json.dumps(steps)}\n```\n"
    return (
        f"---\nphase: 03-api\nplan: {number}\ntype: execute\nwave: {wave}\n"
        f"depends_on: {json.dumps(list(depends_on))}\n"
        f"files_modified: [{', '.join(files)}]\nautonomous: true\n{extra}---\n\n"
        f"<objective>\nPart {number} of the API.\n</objective>\n{block}\n"
        '<tasks>\n<task type="auto">\n  <name>Do it</name>\n</task>\n</tasks>\n'
    )


def trust_commands(folder: Path) -> None:
    """What `wtrun trust --yes` leaves on disk, without starting it."""
    supplied = load_settings(folder, None).supplied
    if supplied:
        trust.save(Layout(folder / ".git"), supplied)


class Project:
    """A repository with a planned phase 3, and the `wtrun` command on it."""

    trusting = True
    """Whether the user has trusted the commands in `.wtrun.toml`, whatever they are."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.path = repo.path

    @classmethod
    def make(
        cls, repo: Repo, plans: dict[str, str], files: dict[str, str] | None = None
    ) -> Project:
        """Commits the plans (by number) and the other files, with an agent set up for them."""
        config = f'agent = "command"\n[agents.command]\nargv = ["{sys.executable}", "{AGENT}", '
        config += '"{plan_file}"]\n'
        contents: dict[str, str | bytes] = {
            ".wtrun.toml": config,
            "README.md": "# project\n",
            ".planning/STATE.md": "# State\n\n## Current Position\n\nPhase: 3 of 3 (API)\n"
            "Plan: 0 of 2 in current phase\nStatus: Ready to execute\n",
            ".planning/ROADMAP.md": "# Roadmap\n\n### Phase 3: API\n**Goal**: An API\n"
            "**Plans**: 2 plans\n\n" + "".join(f"- [ ] 03-{n}: part\n" for n in plans),
        }
        contents.update({f"{PHASE}/03-{n}-PLAN.md": text for n, text in plans.items()})
        contents.update(files or {})
        repo.commit("plan the API", contents)
        trust_commands(repo.path)
        return cls(repo)

    @property
    def env(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key.startswith("WTRUN_TEST")}
        env = {**self.repo.env, **kept, "PYTHONPATH": str(ROOT)}
        # real dates: a resume must not depend on frozen ones
        env.pop("GIT_AUTHOR_DATE", None)
        env.pop("GIT_COMMITTER_DATE", None)
        return env

    def start(self, *args: str) -> subprocess.Popen[str]:
        """`wtrun ARGS` as a process of its own, output captured; its commands are trusted."""
        if self.trusting:
            trust_commands(self.path)
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "worktree_runner", *args],
            cwd=self.path,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wtrun(self, *args: str, expect: int | None = None) -> subprocess.CompletedProcess[str]:
        """`wtrun ARGS` to its end; asserts the exit code if one is expected."""
        process = self.start(*args)
        out, err = process.communicate(timeout=100)
        done = subprocess.CompletedProcess(args, process.returncode, out, err)
        if expect is not None:
            assert done.returncode == expect, f"exit {done.returncode}\n{out}\n{err}"
        return done

    def execute(self, *args: str, expect: int | None = 0) -> subprocess.CompletedProcess[str]:
        return self.wtrun("execute", "3", *args, expect=expect)

    def status(self) -> dict[str, Any]:
        """The newest run as `wtrun status --json` tells it."""
        return dict(json.loads(self.wtrun("status", "--json", expect=0).stdout))

    def statuses(self) -> dict[str, str]:
        return {plan["id"]: plan["status"] for plan in self.status()["plans"]}

    def merges(self, branch: str = "main") -> list[str]:
        """Subjects of the merge commits on the first-parent line, oldest first."""
        text = self.repo.git(
            "log", "--first-parent", "--merges", "--reverse", "--format=%s", branch
        )
        return text.splitlines()

    def events(self) -> list[dict[str, Any]]:
        """The journal of the newest run."""
        runs = sorted((self.path / ".git/wtrun/runs").iterdir())
        lines = (runs[-1] / "journal.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def starts(self, plan_id: str) -> int:
        """How often an agent was started for a plan, over all runs."""
        counters = (self.path / ".git/wtrun/runs").glob(f"*/attempts/started-{plan_id}")
        return sum(len(file.read_text()) for file in counters)

    def processes(self) -> list[int]:
        """Living processes that carry the mark of one of this repository's runs."""
        runs = {folder.name for folder in (self.path / ".git/wtrun/runs").iterdir()}
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    variables = (entry / "environ").read_bytes().split(b"\0")
                except OSError:
                    continue
                if any(f"WTRUN_RUN_ID={run}".encode() in variables for run in runs):
                    found.append(int(entry.name))
        return found


def kill(process: subprocess.Popen[str]) -> None:
    """kill -9, and collects what is left of it."""
    process.send_signal(signal.SIGKILL)
    process.communicate()
