#!/usr/bin/env python3
"""How fast plans are read, against front-matter split and CSafeLoader alone.

Usage: scripts/bench_plans.py [--plans 1000] [--rounds 7] [--corpus DIR]

Both sides get the same bytes in memory. Each round takes the processor time of both, and the
ratio is that of the best rounds. Without --corpus, plans of ordinary size are made up.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable
from pathlib import Path

import frontmatter
import yaml

from worktree_runner.core.plans import read_phase
from worktree_runner.dialects import load
from worktree_runner.models import PhaseDir

TASK = """<task type="auto">
  <name>Task {n}: Write part {n} of the module</name>
  <files>src/module_{n}.py, tests/test_module_{n}.py</files>
  <action>
    Write the function that reads the value, checks that a < b and returns it. Keep the error
    messages of the neighbouring module, and use the helper that the first task added.

    ```python
    def read(value: str) -> int:
        return int(value)
    ```
  </action>
  <verify>python -m pytest tests/test_module_{n}.py -q</verify>
  <done>The tests of part {n} pass, and nothing else changed</done>
</task>
"""
PLAN = """---
phase: 03-accounts
plan: {number}
type: execute
wave: {wave}
depends_on: [{depends}]
files_modified:
  - src/module_1.py
  - src/module_2.py
  - tests/test_module_1.py
autonomous: true
requirements: [AUTH-01, AUTH-02]
must_haves:
  truths:
    - "A user can sign in with a password"
    - "A wrong password is refused with a message"
  artifacts:
    - path: src/module_1.py
      provides: "Reading of values"
      min_lines: 30
    - path: src/module_2.py
      provides: "Writing of values"
      exports: ["read", "write"]
  key_links:
    - from: src/module_1.py
      to: src/module_2.py
      via: "import of read"
      pattern: "import read"
---

<objective>
Let people sign in with a password, so that their settings follow them.

Purpose: Everything after this phase needs to know who is there.
Output: Two modules with tests.
</objective>

<context>
@.planning/PROJECT.md
@.planning/ROADMAP.md
@src/module_0.py
</context>

<tasks>

{tasks}
</tasks>

<verification>
- [ ] The tests pass
</verification>

<success_criteria>
- People can sign in
</success_criteria>
"""


def made_up(count: int) -> dict[str, bytes]:
    tasks = "\n".join(TASK.format(n=n) for n in (1, 2, 3))
    return {
        f".planning/phases/03-accounts/03-{n:02d}-PLAN.md": PLAN.format(
            number=f"{n:02d}", wave=1 + n % 3, depends="", tasks=tasks
        ).encode()
        for n in range(1, count + 1)
    }


def from_corpus(folder: Path, count: int) -> dict[str, bytes]:
    found = sorted(folder.glob("*/.*/phases/*/*PLAN.md"))
    texts = [text for text in map(Path.read_bytes, found) if text.startswith(b"---")]
    return {
        f".planning/phases/03-accounts/03-{n:02d}-PLAN.md": texts[n % len(texts)]
        for n in range(1, count + 1)
    }


def read_with_wtrun(files: dict[str, bytes]) -> None:
    """Whole plans with tasks, files and dependencies, in phases of five plans."""
    dialect = load("gsd")
    phase = PhaseDir("03", "accounts", "Accounts", ".planning/phases/03-accounts")
    items = list(files.items())
    for start in range(0, len(items), 5):
        read_phase(phase, dict(items[start : start + 5]), dialect)


def read_front_matter(files: dict[str, bytes]) -> None:
    """The peer: what python-frontmatter does, with the fast loader of PyYAML."""
    handler = frontmatter.YAMLHandler()
    for data in files.values():
        text = data.decode()
        try:
            front, _body = handler.split(text)
            yaml.load(front, Loader=yaml.CSafeLoader)
        except (yaml.YAMLError, ValueError):
            continue


def seconds(work: Callable[[dict[str, bytes]], None], files: dict[str, bytes]) -> float:
    gc.collect()
    start = time.process_time()
    work(files)
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plans", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--corpus", type=Path)
    options = parser.parse_args()
    files = from_corpus(options.corpus, options.plans) if options.corpus else made_up(options.plans)
    ours, theirs = [], []
    for _ in range(options.rounds):
        theirs.append(seconds(read_front_matter, files))
        ours.append(seconds(read_with_wtrun, files))
    size = sum(map(len, files.values())) / 1024
    print(f"{len(files)} plans, {size:.0f} KiB, best of {options.rounds} rounds")
    print(f"front matter and CSafeLoader  {min(theirs) * 1000:8.1f} ms")
    print(f"wtrun, whole plans            {min(ours) * 1000:8.1f} ms")
    print(f"ratio                         {min(ours) / min(theirs):8.2f}")


if __name__ == "__main__":
    main()
