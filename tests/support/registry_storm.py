"""Processes that reserve and release at random while some of them are killed.

Mutual exclusion is not taken from the registry's own word: who holds a path also holds a marker
file for it, made by link(2), and finding the marker of a living process is a double grant.
Run as `python -m tests.support.registry_storm COMMON_DIR WORKER ROUNDS SEED`.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from worktree_runner.core.overlap import matches
from worktree_runner.core.reservations import Grant, Holder, Life, Owner, Request
from worktree_runner.store import identity, registry_file
from worktree_runner.store.paths import Layout
from worktree_runner.store.registry import Registry

FILES = [f"d{folder}/f{name}.py" for folder in range(12) for name in range(6)]
PATTERNS = [*FILES, *(f"d{n}/**" for n in range(12)), *(f"**/f{n}.py" for n in range(6)), "d1*/*"]


@dataclass
class Outcome:
    """What a storm came to. All four lists must be empty."""

    double: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)
    rounds: int = 0
    granted: int = 0
    denied: int = 0
    kills: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.double or self.lost or self.unreadable or self.crashed)


def storm(
    common: Path, workers: int, rounds: int, *, kills: int, seed: int, files: bool = True
) -> Outcome:
    """Lets the processes run until each has done its rounds; a killed one is started again."""
    chance = random.Random(seed)
    running = {n: _start(common, n, rounds, seed, files) for n in range(workers)}
    outcome = Outcome()
    layout = Layout(common)
    while running:
        time.sleep(chance.uniform(0.005, 0.05))  # when to strike; nothing is waited for
        for number, process in list(running.items()):
            code = process.poll()
            if code is None:
                continue
            del running[number]
            if code != 0:
                outcome.crashed.append(f"worker {number} ended with {code}")
        if running and outcome.kills < kills:
            victim = chance.choice(sorted(running))
            running[victim].kill()
            running[victim].wait()
            outcome.kills += 1
            _check_readable(layout, outcome)
            running[victim] = _start(common, victim, rounds, seed + outcome.kills, files)
    _collect(common, layout, outcome)
    return outcome


def _start(
    common: Path, number: int, rounds: int, seed: int, files: bool
) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "tests.support.registry_storm", str(common), str(number)]
    argv += [str(rounds), str(seed), "files" if files else "disjoint"]
    return subprocess.Popen(argv, cwd=Path(__file__).parents[2])


def _check_readable(layout: Layout, outcome: Outcome) -> None:
    file = layout.registry / "reservations.json"
    try:
        if file.exists():
            registry_file.parse(file.read_bytes())
    except (ValueError, KeyError, TypeError) as error:
        outcome.unreadable.append(f"after kill {outcome.kills}: {error!r}")


def _collect(common: Path, layout: Layout, outcome: Outcome) -> None:
    for file in sorted((common / "storm").glob("worker-*.jsonl")):
        for line in file.read_text().splitlines():
            if not line.endswith("}"):
                continue  # its writer was killed
            row = json.loads(line)
            outcome.rounds += 1
            outcome.granted += row["granted"]
            outcome.denied += not row["granted"]
            outcome.seconds += row["seconds"]
            outcome.double += row["double"]
            outcome.lost += row["lost"]
    registry = Registry(layout)
    left = [held.reservation.id for held in registry.active()]
    if left:
        outcome.lost.append(f"dead owners still hold {left}")
    state = registry_file.parse((layout.registry / "reservations.json").read_bytes())
    rows = list(registry_file.EventLog(layout.registry / "events.jsonl").rows())
    replayed = registry_file.replay(rows)
    # the killed writer's last event may be one ahead of the file, which the next one repeats
    if {one.id for one in state.records} - {one.id for one in replayed.records}:
        outcome.lost.append("records that no event tells of")
    for corrupt in layout.registry.glob("*corrupt*"):
        outcome.unreadable.append(corrupt.name)


def work(common: Path, number: int, rounds: int, seed: int, files: bool) -> None:
    """One worker: goes on where its killed predecessor stopped."""
    place = common / "storm"
    place.mkdir(parents=True, exist_ok=True)
    diary = place / f"worker-{number}.jsonl"
    done = diary.read_text().count("}\n") if diary.exists() else 0
    chance = random.Random(seed * 1000 + number)
    registry = Registry(Layout(common), fold_case=False)
    owner = identity.of_process()
    assert owner is not None
    holder = Holder("storm", f"{number}-{os.getpid()}")
    with diary.open("a") as out:
        for _ in range(rounds - done):
            row = _round(registry, place, holder, owner, chance, number if not files else None)
            out.write(json.dumps(row) + "\n")
            out.flush()


def _round(
    registry: Registry,
    place: Path,
    holder: Holder,
    owner: Owner,
    chance: random.Random,
    own_folder: int | None,
) -> dict[str, object]:
    patterns = tuple(chance.sample(PATTERNS, chance.randint(1, 3)))
    if own_folder is not None:
        patterns = tuple(f"w{own_folder}/{pattern}" for pattern in patterns)
    exclusive = chance.random() < 0.8
    double: list[str] = []
    lost: list[str] = []
    start = time.perf_counter()
    answer = registry.grant(Request(holder, patterns, exclusive=exclusive, owner=owner))
    seconds = [time.perf_counter() - start]
    if isinstance(answer, Grant):
        if exclusive and own_folder is None:
            double = _mark(place, patterns, owner)
        seen = {held.reservation.id for held in registry.active()}
        mine = {one.id for one in answer.reservations}
        if mine - seen:
            lost.append(f"{holder.plan} was granted {sorted(mine)} and sees {sorted(seen)}")
        if exclusive and own_folder is None:
            _unmark(place, patterns)
        start = time.perf_counter()
        gone = registry.release(holder)
        seconds.append(time.perf_counter() - start)
        if {one.id for one in gone} != mine:
            lost.append(f"{holder.plan} released {gone}")
    return {
        "granted": isinstance(answer, Grant),
        "seconds": seconds,
        "double": double,
        "lost": lost,
    }


def _covered(patterns: tuple[str, ...]) -> list[str]:
    return [file for file in FILES if any(matches(pattern, file) for pattern in patterns)]


def _mark(place: Path, patterns: tuple[str, ...], owner: Owner) -> list[str]:
    """Takes the markers of all covered files; those that a living process has are double grants."""
    double = []
    mine = place / f".mine-{owner.pid}"
    mine.write_text(json.dumps([owner.pid, owner.start, owner.host, owner.boot]))
    for file in _covered(patterns):
        marker = place / file.replace("/", "-")
        try:
            os.link(mine, marker)
        except FileExistsError:
            try:
                other = Owner(*json.loads(marker.read_text()))
            except FileNotFoundError:
                double.append(f"{file} was just given up by another holder")
                continue
            if identity.life_of(other) is not Life.DEAD:
                double.append(f"{file} is held by {other.pid} and by {owner.pid}")
            marker.unlink()
            os.link(mine, marker)
    mine.unlink()
    return double


def _unmark(place: Path, patterns: tuple[str, ...]) -> None:
    for file in _covered(patterns):
        (place / file.replace("/", "-")).unlink(missing_ok=True)


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]),
         sys.argv[5] == "files")  # fmt: skip
