"""What must hold after a phase of the corpus was executed, checked against git itself."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.corpus_phases import CorpusPhase, mode_of
from tests.support.corpus_texts import BINARY, mark
from tests.support.project import Project

OPEN = ("conflicted", "asking")


@dataclass
class Outcome:
    """One executed phase in numbers, and what was wrong with it."""

    plans: int = 0
    clean: int = 0
    """Merges that git does without a conflict; every one of them has landed."""
    settled: int = 0
    escalated: int = 0
    problems: list[str] = field(default_factory=list)

    def must(self, holds: bool, text: str) -> None:
        if not holds:
            self.problems.append(text)


def execute_to_the_end(project: Project, source: CorpusPhase) -> tuple[Outcome, str]:
    """Executes the phase, answers what waits for a person, and checks everything on the way.

    Returns the outcome with the narration of all calls.
    """
    outcome = Outcome(plans=len(source.phase.plans))
    told = []
    for _ in range(outcome.plans + 1):
        done = project.wtrun("execute", source.folder)
        told.append(done.stderr)
        open_plans = {key: s for key, s in project.statuses().items() if s in OPEN}
        if not open_plans:
            break
        for key, status in sorted(open_plans.items()):
            told.append(_answer(project, key, status, outcome))
    outcome.must(done.returncode == 0, f"exit code {done.returncode}")
    again = project.wtrun("execute", source.folder)
    told.append(again.stderr)
    outcome.must("nothing to do" in again.stderr, "a second execute finds something to do")
    _check_merges(project, outcome)
    _check_history(project, source, outcome)
    _check_work(project, source, outcome)
    return outcome, "".join(told)


def _answer(project: Project, plan: str, status: str, outcome: Outcome) -> str:
    """Answers a plan's question as a person would at the shell, if its reason was told."""
    if status == "conflicted":
        report = sorted((project.path / ".git/wtrun/runs").glob(f"*/conflicts/{plan}.md"))
        outcome.must(bool(report), f"{plan}: no conflict report")
        told = ""
        for path in _conflicted(project, plan):
            take = "plan" if mode_of(path) == "line" else "both"
            done = project.wtrun("resolve", plan, "--take", take, "--path", path)
            told += done.stdout + done.stderr
        return told
    outcome.must(False, f"{plan}: waits for an answer")
    return ""


def _conflicted(project: Project, plan: str) -> list[str]:
    events = [e for e in project.events() if e["type"] == "merge.conflicted" and e["plan"] == plan]
    return [item["path"] for item in events[-1]["data"]["paths"]]


def _journals(project: Project) -> list[dict[str, Any]]:
    files = sorted((project.path / ".git/wtrun/runs").glob("*/journal.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def _check_merges(project: Project, outcome: Outcome) -> None:
    """Each merge that was tried, against `git merge-tree` on the same two commits."""
    answered: set[str] = set()
    for event in _journals(project):
        plan = event.get("plan")
        if event["type"] in ("merge.landed", "merge.conflicted"):
            by_git = _merge_tree(project.path, event["data"]["tip"], event["data"]["head"])
            landed = event["type"] == "merge.landed"
            if by_git is not None:
                outcome.clean += 1
                outcome.must(landed, f"{plan}: git merges it cleanly, wtrun does not")
                if landed:
                    tree = project.repo.git("rev-parse", event["data"]["commit"] + "^{tree}")
                    outcome.must(tree == by_git, f"{plan}: another tree than git's")
            elif landed:
                outcome.settled += plan not in answered
                body = project.repo.git("log", "-1", "--format=%B", event["data"]["commit"])
                outcome.must("Wtrun-Resolved:" in body, f"{plan}: settled without a word")
            else:
                outcome.escalated += 1
                answered.add(plan)
                why = all(item["why"] for item in event["data"]["paths"])
                outcome.must(why, f"{plan}: a conflict without a reason")


def _merge_tree(path: Path, ours: str, theirs: str) -> str | None:
    done = subprocess.run(
        ["git", "merge-tree", "--write-tree", "--no-messages", ours, theirs],
        cwd=path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.split()[0] if done.returncode == 0 else None


def _check_history(project: Project, source: CorpusPhase, outcome: Outcome) -> None:
    repo = project.repo
    plans = "--format=%(trailers:key=Wtrun-Plan,valueonly)"
    merged = Counter(repo.git("log", "--first-parent", "--merges", plans).split())
    wanted = Counter(plan.id for plan in source.phase.plans)
    outcome.must(merged == wanted, f"merges {merged} instead of one per plan")
    outcome.must(repo.git("fsck", "--strict", "--no-dangling") == "", "git fsck complains")
    root = source.dialect.root + "/"
    dirty = [line[3:] for line in repo.git("status", "--porcelain").splitlines()]
    left = [path for path in dirty if source.commits_planning or not path.startswith(root)]
    outcome.must(left == [], f"the worktree is not clean: {left}")
    outcome.must(repo.git("branch", "--list").split() == ["*", "main"], "branches are left")
    outcome.must(len(repo.git("worktree", "list").splitlines()) == 1, "worktrees are left")
    outcome.must(project.processes() == [], "processes are left")
    changed = repo.git("log", "-1", "--first-parent", "--format=", "--name-only").splitlines()
    if source.commits_planning:
        tracked = all(path.startswith(root) for path in changed)
        outcome.must(tracked, f"the last commit changes {changed}")


def _check_work(project: Project, source: CorpusPhase, outcome: Outcome) -> None:
    """Every plan ran once, and what it added is there."""
    sheet = project.path.parent / "worksheet.json"
    started = Counter(Path(f"{sheet}.started").read_text().split("\n")[:-1])
    for path, work in json.loads(sheet.read_text()).items():
        outcome.must(started[path] == 1, f"{work['id']}: started {started[path]} times")
        for file in [*work["declared"], *work["shared"]]:
            if work["files"][file] == "line" or Path(file).suffix in BINARY:
                continue
            there = project.path / file
            text = there.read_text() if there.is_file() else ""
            outcome.must(mark(work["id"]) in text, f"{work['id']}: its part of {file} is lost")
