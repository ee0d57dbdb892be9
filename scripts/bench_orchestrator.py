"""What the orchestrator itself costs while many agents live and talk.

    python scripts/bench_orchestrator.py [--plans 32] [--lines 5] [--seconds 30]

A real `wtrun execute` of so many plans in one wave, each with a command agent that prints so many
lines of events a second. Measured is the process of `wtrun execute` alone, from when all agents
run: processor time by the kernel's own count, and resident memory. Once without a terminal, once
with the live table on a pseudo-terminal. Exit code 1 if a limit is missed:

    0.5 % of one core without a terminal, 2 % with the live table, 60 MB resident.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

LIMITS = {"plain": 0.5, "live": 2.0}
MEMORY_MB = 60.0
START_S = 300.0
FOLDER = ".planning/phases/03-api"
AGENT = """
import json, sys, time
n = 0
while True:
    n += 1
    paths = ["src/file%d.py" % (n % 40)]
    event = {"kind": "tool", "tool": "Edit", "paths": paths, "text": "x" * 80}
    print(json.dumps(event), flush=True)
    time.sleep(1 / float(sys.argv[1]))
"""


@dataclass(frozen=True)
class Measured:
    """One window: percent of a core, peak of the resident memory, lines that agents wrote."""

    percent: float
    memory_mb: float
    lines: int
    seconds: float


def make(base: Path, plans: int, lines: float) -> Path:
    """A repository with one wave of plans, and the agent in the user's own settings."""
    repo, home = base / "repo", base / "home"
    (repo / FOLDER).mkdir(parents=True)
    for n in range(1, plans + 1):
        text = (
            f"---\nphase: 03-api\nplan: {n:02}\nwave: 1\ndepends_on: []\n"
            f"files_modified: [src/p{n}.py]\nautonomous: true\n---\n\n<objective>\nPart {n} of the "
            "API.\n</objective>\n\n<tasks>\n<task type=\"auto\">\n<name>Do it</name>\n</task>\n"
            "</tasks>\n"
        )  # fmt: skip
        (repo / FOLDER / f"03-{n:02}-PLAN.md").write_text(text)
    (repo / ".planning/ROADMAP.md").write_text("# Road map\n\n### Phase 3: API\n**Goal**: parts\n")
    (repo / ".planning/STATE.md").write_text("# State\n\n## Current Position\n\nPhase: 3\n")
    config = home / ".config" / "wtrun" / "config.toml"
    config.parent.mkdir(parents=True)
    argv = json.dumps([sys.executable, "-I", "-S", "-c", AGENT, str(lines)])
    config.write_text(
        f'agent = "chatty"\n[agents.chatty]\nargv = {argv}\nevents = "jsonl"\n'
        "[gate]\nenabled = false\n"
    )
    for args in (("init", "-q", "-b", "main"), ("config", "user.name", "Someone"),
                 ("config", "user.email", "someone@example.com"), ("add", "-A"),
                 ("commit", "-qm", "start")):  # fmt: skip
        subprocess.run(["git", *args], cwd=repo, env=environment(home), check=True)
    return repo


def environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm"}


def started(repo: Path) -> int:
    """How many agents have been started, by the journal."""
    journals = list(repo.glob(".git/wtrun/runs/*/journal.jsonl"))
    return journals[0].read_text().count('"attempt.started"') if journals else 0


def written(repo: Path) -> int:
    """How many lines the agents have written."""
    logs = repo.glob(".git/wtrun/runs/*/attempts/*/stdout.log")
    return sum(log.read_bytes().count(b"\n") for log in logs)


def launch(repo: Path, home: Path, plans: int, mode: str) -> tuple[subprocess.Popen[bytes], int]:
    """`wtrun execute` without a terminal, or with one that is read and thrown away."""
    argv = [sys.executable, "-P", "-m", "worktree_runner", "execute", "3", "-j", str(plans)]
    if mode == "plain":
        none = subprocess.DEVNULL
        argv.append("--no-input")
        return subprocess.Popen(
            argv, cwd=repo, env=environment(home), stdin=none, stdout=none, stderr=none
        ), -1
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 140, 0, 0))
    process = subprocess.Popen(
        argv, cwd=repo, env=environment(home), stdin=other, stdout=other, stderr=other,
        start_new_session=True,
    )  # fmt: skip
    os.close(other)
    threading.Thread(target=drain, args=(main,), daemon=True).start()
    return process, main


def drain(fd: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(fd, 65536):
            pass


def measure(plans: int, lines: float, seconds: float, mode: str) -> Measured:
    """One run in a folder of its own, ended when the window is over."""
    base = Path(tempfile.mkdtemp(prefix="wtrun-orchestrator-"))
    process = None
    try:
        repo = make(base, plans, lines)
        process, _ = launch(repo, base / "home", plans, mode)
        until = time.monotonic() + START_S
        while started(repo) < plans:
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{started(repo)} of {plans} agents were started; see {base}")
            time.sleep(0.5)
        time.sleep(3.0)
        watched = psutil.Process(process.pid)
        before, said, began = watched.cpu_times(), written(repo), time.monotonic()
        peak = 0
        while time.monotonic() - began < seconds:
            peak = max(peak, watched.memory_info().rss)
            time.sleep(0.5)
        after, passed = watched.cpu_times(), time.monotonic() - began
        used = after.user + after.system - before.user - before.system
        return Measured(100 * used / passed, peak / 1e6, written(repo) - said, passed)
    finally:
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=120)
        shutil.rmtree(base, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plans", type=int, default=32)
    parser.add_argument("--lines", type=float, default=5.0, help="lines a second of each agent")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--mode", action="append", choices=sorted(LIMITS))
    options = parser.parse_args()
    missed = False
    for mode in options.mode or LIMITS:
        limit = LIMITS[mode]
        found = measure(options.plans, options.lines, options.seconds, mode)
        rate = found.lines / found.seconds / options.plans
        missed |= found.percent > limit or found.memory_mb > MEMORY_MB
        print(
            f"{mode}: {found.percent:.2f} % of a core (limit {limit} %), "
            f"{found.memory_mb:.1f} MB resident (limit {MEMORY_MB:.0f} MB); "
            f"{options.plans} agents, {rate:.1f} lines/s each, {found.seconds:.0f} s"
        )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
