"""Measures the registry: one process, many contending, and many that are killed at random.

    python scripts/bench_registry.py [--workers 16] [--rounds 500] [--kills 200] [--json]

Figures are milliseconds per call (a grant of 1-3 patterns, or a release), in process. Beside
them stand MCP Agent Mail's, measured by HTTP on the machine that this was written on: to reserve
135 (p50) and 448 (p99). Exit code 1 if a path was given twice, a record was lost, or the file
could not be read at any time.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.registry_storm import Outcome, storm
from worktree_runner.core.overlap import overlapping
from worktree_runner.core.reservations import Holder, Request
from worktree_runner.store import identity
from worktree_runner.store.paths import Layout
from worktree_runner.store.registry import Registry

AGENT_MAIL_MS = (135.0, 448.0)


def percentile(values: list[float], share: float) -> float:
    return 1000 * sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measure(name: str, values: list[float]) -> dict[str, object]:
    p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
    return {
        "case": name,
        "calls": len(values),
        "p50_ms": round(p50, 2),
        "p99_ms": round(p99, 2),
        "max_ms": round(1000 * max(values), 2),
        "agent_mail_p50_ratio": round(p50 / AGENT_MAIL_MS[0], 3),
        "agent_mail_p99_ratio": round(p99 / AGENT_MAIL_MS[1], 3),
    }


def alone(standing: int, rounds: int = 500) -> list[float]:
    """Seconds of grants and releases by one process, beside `standing` reservations."""
    owner = identity.of_process()
    with tempfile.TemporaryDirectory() as folder:
        registry = Registry(Layout(Path(folder)))
        if standing:
            patterns = tuple(f"pkg{n % 40}/part{n}/**/*.py" for n in range(standing))
            registry.grant(Request(Holder("r", "other"), patterns, owner=owner))
        holder, seconds = Holder("r", "mine"), []
        for n in range(rounds):
            wanted = (f"src/m{n}/*.py", f"docs/{n}.md", "package.json")
            start = time.perf_counter()
            registry.grant(Request(holder, wanted, owner=owner))
            seconds.append(time.perf_counter() - start)
            start = time.perf_counter()
            registry.release(holder)
            seconds.append(time.perf_counter() - start)
    return seconds


def contending(workers: int, rounds: int, kills: int, *, files: bool = True) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        return storm(Path(folder), workers, rounds, kills=kills, seed=1, files=files)


def overlaps() -> list[float]:
    """Seconds to look up 20 patterns among 1,000, warm."""
    held = [f"src/mod{n % 40}/{'*' if n % 7 == 0 else 'part'}{n}/**/*.py" for n in range(1000)]
    wanted = [f"src/mod{n}/part{n}*/**" for n in range(20)]
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        list(overlapping(wanted, held))
        seconds.append(time.perf_counter() - start)
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [
        measure("one process", alone(0)),
        measure("one process, 1000 standing", alone(1000, 100)),
        measure("1000 x 20 patterns looked up", overlaps()),
    ]
    calm = contending(options.workers, options.rounds, 0, files=False)
    rows.append(measure(f"{options.workers} contending, disjoint", calm.seconds))
    wild = contending(options.workers, options.rounds, options.kills)
    rows.append(measure(f"{options.workers} contending, {wild.kills} kill -9", wild.seconds))
    verdict = {
        "rounds": wild.rounds,
        "granted": wild.granted,
        "denied": wild.denied,
        "kills": wild.kills,
        "double_grants": len(wild.double),
        "lost_records": len(wild.lost),
        "unreadable": len(wild.unreadable),
        "crashed": len(wild.crashed) + len(calm.crashed),
    }
    if options.json:
        print(json.dumps({"cases": rows, "storm": verdict}))
    else:
        for row in rows:
            print("  ".join(f"{key} {value}" for key, value in row.items()))
        print("  ".join(f"{key} {value}" for key, value in verdict.items()))
        print(*wild.double[:5], *wild.lost[:5], *wild.unreadable[:5], *wild.crashed[:5], sep="\n")
    return 0 if wild.clean and calm.clean and calm.denied == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
