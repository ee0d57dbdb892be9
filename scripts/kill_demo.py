#!/usr/bin/env python3
"""Kills wtrun at random moments of the demonstration's run, goes on, and compares the end.

    python scripts/kill_demo.py [--times 60] [--kills 3] [--seed N] [--launchers] [--dir DIR]

Each time a copy of the same project is executed. wtrun is killed (signal 9) up to --kills times, at
moments drawn from the length of a whole run divided by their number; with --launchers the launchers
and agents are killed with it every second time, as by a machine that goes down (twice at most: a
plan that is cut off more often counts as failed). Then it is executed to its end, which waits for
a conflict, and that is answered. Whatever the moment, the end must be that of a run that nobody
killed: the same files, one merge per plan in an order that was journalled before, every commit of
an agent in the target, no agent started again whose evidence was complete, no process left, git
fsck clean, the user's index and files untouched. The exit code is 1 if anything differs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.project import Project
from tests.support.repo import Repo, clean_environment
from worktree_runner.operations.demo import make_project

EXECUTE = ("execute", "3", "--agent", "shell", "--yes", "-j", "3")
CONFLICT = 3


@dataclass(frozen=True)
class End:
    """What a run leaves, as far as it must be the same every time."""

    files: Mapping[str, str]
    """Blob by path, summaries and the other planning files by path alone: they hold times."""
    merges: frozenset[str]
    subjects: frozenset[str]
    """Of every commit that an agent made and the target has."""


def end_of(project: Project) -> End:
    """The end as it stands on the target."""
    repo = project.repo
    files = {}
    for line in repo.git("ls-tree", "-r", "HEAD").splitlines():
        facts, _, path = line.partition("\t")
        files[path] = "" if path.startswith(".planning/") else facts
    subjects = repo.git("log", "--no-merges", "--format=%s").splitlines()
    return End(files, frozenset(project.merges()), frozenset(subjects))


def finish(project: Project) -> str:
    """Executes to the conflict, answers it, and executes to the end; what went wrong, or ''."""
    for _ in range(3):
        done = project.wtrun(*EXECUTE)
        if done.returncode == 0:
            return ""
        if done.returncode != CONFLICT:
            return f"exit code {done.returncode}: {done.stderr[-400:]}"
        for plan, status in project.statuses().items():
            if status == "conflicted":
                project.wtrun("resolve", plan, "--take", "plan")
    return "it does not come to an end"


def run_killed(project: Project, moments: list[float], *, launchers: bool) -> int:
    """Starts wtrun and kills it after each of these times; how often it was still alive."""
    killed = 0
    for moment in moments:
        process = project.start(*EXECUTE)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        if process.poll() is None:
            killed += 1
            process.kill()
            if launchers:
                kill_launchers(project)
        process.communicate()
    return killed


def kill_launchers(project: Project) -> None:
    """Ends all launchers of the project's runs and, as a machine that goes down, their agents."""
    for file in (project.path / ".git/wtrun/runs").glob("*/attempts/*/started.json"):
        facts = json.loads(file.read_text())
        if not file.with_name("exit.json").exists():
            for pid in (facts["pid"], facts["child"]):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def problems_of(project: Project, expected: End) -> list[str]:
    """Everything in which this end differs from the expected one."""
    found, repo, end = [], project.repo, end_of(project)
    for name in ("files", "merges", "subjects"):
        mine, theirs = getattr(end, name), getattr(expected, name)
        if mine != theirs:
            mine, theirs = (set(x.items() if name == "files" else x) for x in (mine, theirs))
            found.append(f"other {name}: {sorted(mine ^ theirs)[:4]}")
    twice = [merge for merge, n in Counter(project.merges()).items() if n > 1]
    found += [f"merged twice: {twice}"] if twice else []
    found += [f"left: {pid}" for pid in project.processes()]
    for command in (("fsck", "--strict", "--no-dangling"), ("status", "--porcelain")):
        said = repo.git(*command, check=False)
        found += [f"git {command[0]}: {said}"] if said else []
    branches = repo.git("for-each-ref", "--format=%(refname)", "refs/heads").split()
    found += [f"branches {branches}"] if branches != ["refs/heads/main"] else []
    return [*found, *run_twice(project), *order_of(project)]


def order_of(project: Project) -> list[str]:
    """Merges on the target that the journal does not have in this order."""
    landed = [e["data"]["commit"] for e in project.events() if e["type"] == "merge.landed"]
    shown = project.repo.git("log", "--first-parent", "--merges", "--reverse", "--format=%H")
    return [] if shown.split() == landed else ["the journal has another order of merges"]


def run_twice(project: Project) -> list[str]:
    """Plans with a further attempt although the summary of an earlier one was committed."""
    found = []
    for event in project.events():
        if event["type"] == "attempt.planned" and event["data"]["n"] > 1:
            folder = f".planning/phases/*/{event['plan']}-SUMMARY.md"
            log = ("log", "--no-merges", "--reverse", "--format=%cI", "HEAD", "--", folder)
            first = next(iter(project.repo.git(*log).splitlines()), "")
            if first and _seconds(first) < _seconds(event["at"]) - 1:
                found.append(f"{event['plan']} was started again after its summary of {first}")
    return found


def _seconds(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def fresh(template: Path, place: Path) -> Project:
    """A copy of the project, with an empty home."""
    shutil.copytree(template, place, symlinks=True)
    return Project(Repo(place, clean_environment(place.parent / "home")))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=60)
    parser.add_argument("--kills", type=int, default=3, help="at most so often in one run")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--launchers", action="store_true")
    parser.add_argument("--dir", type=Path)
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="wtrun-kill-", dir=options.dir))
    template = make_project(place / "template")
    reference = fresh(template, place / "reference")
    began = time.monotonic()
    reference.wtrun(*EXECUTE)
    length = time.monotonic() - began
    wrong = finish(reference)
    if wrong:
        print(f"the run that nobody kills fails: {wrong}")
        return 1
    expected, draw = end_of(reference), random.Random(options.seed)
    print(f"seed {options.seed}; the first execute takes {length:.1f} s, the end has "
          f"{len(expected.merges)} merges")  # fmt: skip
    bad = kills = 0
    for n in range(options.times):
        project = fresh(template, place / f"run{n}")
        down = options.launchers and n % 2 == 0
        count = draw.randint(1, min(options.kills, 2) if down else options.kills)
        moments = [draw.uniform(0, 2 * length / (count + 1)) for _ in range(count)]
        kills += run_killed(project, moments, launchers=down)
        wrong = finish(project)
        problems = [wrong] if wrong else problems_of(project, expected)
        if problems:
            bad += 1
            times = ", ".join(f"{moment:.2f} s" for moment in moments)
            print(f"{n}: killed after {times}: {'; '.join(problems)}; see {project.path}")
        else:
            shutil.rmtree(project.path)
        sys.stdout.flush()
    print(f"{options.times} runs, {kills} kills, {bad} ended otherwise")
    if not bad:
        shutil.rmtree(place)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
