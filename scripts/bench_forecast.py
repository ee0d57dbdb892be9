"""How long the conflict forecast takes for many branches, against asking git for every pair.

    python scripts/bench_forecast.py [--branches 100] [--files 5000] [--shared 10]

Makes a repository in a temporary folder: every branch edits five files of its own and adds one;
`--shared` of them also edit one common line, so all pairs of these conflict. Prints medians of
five scans in milliseconds: all branches anew, one branch moved, and the peer: one
`git merge-tree --stdin` over every pair.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path

from worktree_runner.core import forecast
from worktree_runner.git import pairs
from worktree_runner.git.gateway import Git

Ends = Mapping[str, tuple[str, str]]


def make(folder: Path, branches: int, files: int, shared: int) -> tuple[Git, Ends]:
    """The repository, by one fast-import, and the base and head of each branch."""
    lines = ["commit refs/heads/main", "committer T <t@example.com> 1 +0000", "data 4", "base"]
    for number in range(files):
        text = "".join(f"line {line} of {number}\n" for line in range(40))
        lines += [f"M 100644 inline src/d{number % 50}/f{number}.txt", f"data {len(text)}", text]
    lines += ["M 100644 inline shared.txt", "data 12", "one\ntwo\ntri\n"]
    for branch in range(branches):
        lines += [f"commit refs/heads/b{branch}", "committer T <t@example.com> 2 +0000", "data 4"]
        lines += ["work", "from refs/heads/main"]
        for number in range(branch * 5, branch * 5 + 5):
            text = "".join(f"line {line} of {number}\n" for line in range(39)) + f"b{branch}\n"
            lines += [f"M 100644 inline src/d{number % 50}/f{number}.txt"]
            lines += [f"data {len(text)}", text]
        lines += [f"M 100644 inline new/{branch}.txt", "data 4", "new\n"]
        if branch < shared:
            text = f"one\nb{branch}\ntri\n"
            lines += ["M 100644 inline shared.txt", f"data {len(text)}", text]
    subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    data = "\n".join(lines).encode() + b"\n"
    subprocess.run(["git", "-C", folder, "fast-import", "--quiet"], input=data, check=True)
    git = Git(folder)
    base = git.text("rev-parse", "main")
    heads = git.text("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads/b*")
    return git, {name: (base, head) for name, head in map(str.split, heads.splitlines())}


def scan(git: Git, ends: Ends, moved: str | None = None) -> tuple[int, int]:
    """Candidates and conflicts; with `moved` only the pairs of that branch are merged."""
    found = pairs.touched(git, ends.values() if moved is None else [ends[moved]])
    touched = {name: found.get(head, forecast.Touched()) for name, (_, head) in ends.items()}
    if moved is not None:
        touched = {name: KNOWN.get(name, one) for name, one in touched.items()} | {
            moved: touched[moved]
        }
    else:
        KNOWN.update(touched)
    wanted = [
        (ends[one][1], ends[other][1])
        for one, other in forecast.candidates(touched)
        if moved in (None, one, other)
    ]
    conflicts = pairs.conflicting(git, wanted)
    return len(wanted), sum(map(bool, conflicts.values()))


KNOWN: dict[str, forecast.Touched] = {}


def timed(job: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        job()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--branches", type=int, default=100)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--shared", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        git, ends = make(Path(folder), options.branches, options.files, options.shared)
        wanted, conflicts = scan(git, ends)
        every = [(one[1], other[1]) for one, other in combinations(ends.values(), 2)]
        peer = sum(map(bool, pairs.conflicting(git, every).values()))
        assert peer == conflicts, f"the scan found {conflicts} conflicts, git {peer}"
        print(f"{len(ends)} branches, {options.files} files, {conflicts} conflicting pairs")
        whole = timed(lambda: scan(git, ends))
        one = timed(lambda: scan(git, ends, "b0"))
        naive = timed(lambda: pairs.conflicting(git, every))
        print(f"scan of all branches     {whole:8.1f} ms  ({wanted} pairs merged)")
        print(f"one branch has moved     {one:8.1f} ms")
        print(f"git, all {len(every)} pairs     {naive:8.1f} ms")
        print(f"ratio                    {whole / naive:8.3f}")


if __name__ == "__main__":
    main()
