#!/usr/bin/env python3
"""Counts worktree set-ups that fail when many run at once beside other people's git commands.

usage: race_worktrees.py [--setups 320] [--at-once 16] [--files 200] [--alone] [--dir DIR]

Each set-up makes a worktree on a branch of its own with all files and checks its commit. All the
while a foreign `git worktree add`, `git worktree prune` and `git status` run in loops. First
`git worktree add -b` as anybody would call it, then wtrun's own, on the same repository. The
exit code is 1 if one of wtrun's failed. --alone leaves the foreign commands out, for comparing the
times: busy loops take more of the processors from whoever waits for a lock. DIR should lie on a
fast file system (/dev/shm).
"""

from __future__ import annotations

import argparse
import collections
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from worktree_runner.errors import WtrunError
from worktree_runner.git.gateway import Git
from worktree_runner.git.worktrees import Mark, add, list_own, remove
from worktree_runner.store.paths import Layout

ENV = {
    **os.environ,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Race",
    "GIT_AUTHOR_EMAIL": "race@example.com",
    "GIT_COMMITTER_NAME": "Race",
    "GIT_COMMITTER_EMAIL": "race@example.com",
    "LC_ALL": "C",
}


def git(repo: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *args], cwd=repo, env=ENV, capture_output=True, text=True, check=False
    )


def make_repository(place: Path, files: int) -> str:
    """A repository with so many files in one commit; its id."""
    git(place, "init", "-q", "-b", "main")
    for number in range(files):
        file = place / f"dir{number % 17}" / f"file{number}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"line {number}\n" * 40)
    git(place, "add", "-A")
    git(place, "commit", "-qm", "files")
    return git(place, "rev-parse", "HEAD").stdout.strip()


def with_others(repo: Path, work: Callable[[], None], *, alone: bool) -> collections.Counter[str]:
    """Does the work while foreign git commands run; how often each of those ran or failed."""
    stop = threading.Event()
    counts: collections.Counter[str] = collections.Counter()

    def loop(name: str, commands: Callable[[int], list[tuple[str, ...]]]) -> None:
        number = 0
        while not stop.is_set():
            for command in commands(number):
                counts[name + (" failed" if git(repo, *command).returncode else " done")] += 1
            number += 1

    def adding(number: int) -> list[tuple[str, ...]]:
        path = str(repo.parent / f"foreign{number}")
        return [
            ("worktree", "add", "-q", "--detach", path),
            ("worktree", "remove", "--force", path),
        ]

    threads = [
        threading.Thread(target=loop, args=("foreign add/remove", adding)),
        threading.Thread(target=loop, args=("foreign prune", lambda _: [("worktree", "prune")])),
        threading.Thread(target=loop, args=("git status", lambda _: [("status", "--porcelain")])),
    ]
    threads = [] if alone else threads
    for thread in threads:
        thread.start()
    try:
        work()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return counts


def race(repo: Path, options: argparse.Namespace, one: Callable[[int], str | None]) -> int:
    """Runs the set-ups, prints what happened, and gives back how many failed."""
    results: list[str | None] = []

    def work() -> None:
        with ThreadPoolExecutor(options.at_once) as pool:
            results.extend(pool.map(one, range(options.setups)))

    began, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    others = with_others(repo, work, alone=options.alone)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    failures = collections.Counter(text for text in results if text)
    spent = after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime
    failed = sum(failures.values())
    print(f"  {failed} of {options.setups} failed; {seconds:.1f} s, {spent:.1f} s CPU of all git")
    for text, count in failures.most_common(5):
        print(f"    {count} x {text}")
    if others:
        print("    beside it: " + ", ".join(f"{n} {name}" for name, n in sorted(others.items())))
    return failed


def check(path: Path, base: str) -> str | None:
    head = git(path, "rev-parse", "HEAD").stdout.strip()
    dirty = git(path, "status", "--porcelain").stdout
    return None if head == base and not dirty else f"wrong state: {head[:10]} {dirty[:80]!r}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--setups", type=int, default=320)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--dir", default="/dev/shm" if Path("/dev/shm").is_dir() else None)
    options = parser.parse_args()
    os.environ.update(ENV)
    place = Path(tempfile.mkdtemp(prefix="race-", dir=options.dir)).resolve()
    repo = place / "repo"
    repo.mkdir()
    base = make_repository(repo, options.files)
    own, layout = Git(repo), Layout(repo / ".git")

    def raw(number: int) -> str | None:
        path = place / f"raw{number}"
        done = git(repo, "worktree", "add", "-q", "-b", f"raw/{number}", str(path), base)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["?"])[-1]
            return "".join("N" if letter.isdigit() else letter for letter in said)
        return check(path, base)

    def ours(number: int) -> str | None:
        path = place / "trees" / f"wt-{number}"
        mark = Mark("race", str(number))
        try:
            add(own, layout, path=path, branch=f"gsd/{number}", base=base, mark=mark)
        except WtrunError as error:
            return error.message
        return check(path, base)

    try:
        print("git worktree add -b:")
        race(repo, options, raw)
        for number in range(options.setups):
            git(repo, "worktree", "remove", "--force", str(place / f"raw{number}"))
        print("wtrun:")
        failed = race(repo, options, ours)
        began = time.perf_counter()
        trees = list_own(own)
        for tree in trees:
            remove(own, layout, tree)
        print(f"  {len(trees)} removed in {(time.perf_counter() - began) * 1000:.0f} ms")
        return 1 if failed or len(trees) != options.setups else 0
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
