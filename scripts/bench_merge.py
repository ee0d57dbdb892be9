"""Merging many clean branches: `git merge --no-ff` in a checkout against merging in memory.

    python scripts/bench_merge.py [--branches 100] [--files 5000] [--rounds 3] [--folder DIR]

Both ways merge the same branches in the same order in copies of one repository, in turns; the
trees must come out equal, or the script fails. In memory means what a run does for each plan:
merge, look for double definitions and committed markers, write the merge commit, move the run's
ref by compare-and-swap. The last figure is one scan of all branches for conflicts with the base
branch, as one process. DIR should be on a tmpfs.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from merge import merge_commits
from worktree_runner.git.gateway import Git
from worktree_runner.git.objects import Objects

NAMES = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
         for what, value in (("NAME", "Bench"), ("EMAIL", "bench@example.com"))}  # fmt: skip
COMMITTER = "committer Bench <bench@example.com> 1700000000 +0000\n"
TIP = "refs/wtrun/bench/tip"


def git(folder: Path, *args: str, stdin: bytes = b"") -> str:
    done = subprocess.run(
        ["git", *args], cwd=folder, input=stdin, check=True, stdout=subprocess.PIPE
    )
    return done.stdout.decode().strip()


def source(number: int, value: int = 0) -> str:
    """A small module; `value` is what its first function gives back."""
    parts = [f"def f{n}():\n    return {number * n or value}\n" for n in range(8)]
    return "\n\n".join(parts)


def make(folder: Path, files: int, branches: int) -> tuple[str, list[str]]:
    """A repository; its base commit and the tips of branches that touch different files."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    stream = [f"commit refs/heads/main\nmark :1\n{COMMITTER}data 4\nbase\n"]
    stream += [_file(number, source(number)) for number in range(files)]
    order = random.Random(1).sample(range(files), files)
    for branch in range(branches):
        stream.append(f"commit refs/heads/plan-{branch}\n{COMMITTER}data 4\nplan\nfrom :1\n")
        own = [order[(branch * 5 + k) % files] for k in range(5)]
        stream += [_file(number, source(number, branch + 1)) for number in own]
        stream.append(_file(files + branch, f"added = {branch}\n"))
    git(folder, "fast-import", "--quiet", stdin="".join(stream).encode())
    git(folder, "checkout", "-q", "main")
    git(folder, "repack", "-adq")
    tips = [git(folder, "rev-parse", f"plan-{branch}") for branch in range(branches)]
    return git(folder, "rev-parse", "main"), tips


def _file(number: int, text: str) -> str:
    return f"M 644 inline src/p{number // 100}/m{number}.py\ndata {len(text)}\n{text}\n"


def in_a_checkout(folder: Path, tips: list[str]) -> tuple[float, str]:
    started = time.perf_counter()
    for tip in tips:
        git(folder, "merge", "-q", "--no-ff", "-m", "Merge", tip)
    return time.perf_counter() - started, git(folder, "rev-parse", "HEAD^{tree}")


def in_memory(folder: Path, base: str, tips: list[str]) -> tuple[float, str]:
    store = Objects(Git(folder))
    started = time.perf_counter()
    old, tip = None, base
    for plan in tips:
        outcome = merge_commits(store, tip, plan)
        assert outcome.tree, outcome.conflicts
        tip = store.commit_tree(outcome.tree, (tip, plan), "Merge")
        assert store.move_ref(TIP, tip, old)
        old = tip
    seconds = time.perf_counter() - started
    store.close()
    return seconds, git(folder, "rev-parse", f"{tip}^{{tree}}")


def scanned(folder: Path, base: str, tips: list[str]) -> float:
    started = time.perf_counter()
    found = Objects(Git(folder)).scan([(base, tip) for tip in tips])
    seconds = time.perf_counter() - started
    assert found == (None,) * len(tips)
    return seconds


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--branches", type=int, default=100)
    options.add_argument("--files", type=int, default=5000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--folder", type=Path)
    given = options.parse_args()
    os.environ.update(NAMES, GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    root = Path(tempfile.mkdtemp(prefix="bench-merge-", dir=given.folder))
    try:
        base, tips = make(root / "made", given.files, given.branches)
        ratios: list[float] = []
        for number in range(given.rounds):
            ways = [root / f"{way}-{number}" for way in ("checkout", "memory")]
            for way in ways:
                shutil.copytree(root / "made", way)
            checkout = in_a_checkout(ways[0], tips) if number % 2 else None
            memory = in_memory(ways[1], base, tips)
            checkout = checkout or in_a_checkout(ways[0], tips)
            assert memory[1] == checkout[1], "the trees differ"
            ratios.append(memory[0] / checkout[0])
            scan = scanned(ways[1], base, tips)
            print(
                f"round {number + 1}: git merge --no-ff {checkout[0]:.2f} s, "
                f"in memory {memory[0]:.2f} s, ratio {ratios[-1]:.3f}, scan {scan:.3f} s"
            )
            for way in ways:
                shutil.rmtree(way)
        print(f"median ratio {statistics.median(ratios):.3f} for {len(tips)} branches, trees equal")
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
