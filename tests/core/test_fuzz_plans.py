"""Mutated plan files: whatever they hold, reading them gives a phase and its problems.

WTRUN_FUZZ sets the number of files (20,000 for the long run), WTRUN_CORPUS the texts to start
from; without it, small made-up plans are mutated.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from random import Random

import pytest

from tests.support import corpus
from tests.support.mutate import mutate
from tests.support.planning import PhaseBuilder
from worktree_runner.core.inventory import as_json, inspect, render
from worktree_runner.core.plans import find_phase, read_phase
from worktree_runner.core.waves import arrange
from worktree_runner.dialects import load
from worktree_runner.errors import WtrunError

COUNT = int(os.environ.get("WTRUN_FUZZ", "400"))
PHASE = ".planning/phases/03-accounts"
GSD = load("gsd")


def texts() -> list[bytes]:
    if corpus.NAMED:
        found = sorted(Path(corpus.NAMED).glob("*/.*planning/**/*PLAN*.md"))
        return [file.read_bytes() for file in found]
    builder = PhaseBuilder()
    for number in range(1, 6):
        builder.plan(
            f"{number:02d}", wave=number % 3, files=(f"src/{number}.py", "app/[id]/x.tsx"),
            depends_on=(f"03-{number - 1:02d}",) if number > 1 else (), checkpoint=number == 4,
            requirements=("AUTH-01",),
        )  # fmt: skip
    found_text = [text for path, text in builder.files().items() if path.endswith("-PLAN.md")]
    return [text.encode() for text in found_text if isinstance(text, str)]


@pytest.mark.timeout(3600)
def test_mutated_plans_are_read_without_an_exception_or_a_hang() -> None:
    random = Random(20260102)
    originals = texts()
    slowest = 0.0
    arranged = 0
    for start in range(0, COUNT, 4):
        files = {
            f"{PHASE}/03-{number:02d}-PLAN.md": mutate(random.choice(originals), random)
            for number in range(1, 5)
        }
        begun = time.process_time()
        phase = read_phase(find_phase(files, GSD, "3"), files, GSD)
        inventory = inspect(phase, GSD)
        json.dumps(as_json(inventory))
        assert render(inventory).startswith("Phase 03: Accounts")
        assert [plan.id for plan in phase.plans] == ["03-01", "03-02", "03-03", "03-04"]
        assert all(plan.wave >= 0 and plan.title and plan.order for plan in phase.plans)
        try:
            waves = arrange(phase, words=GSD.words).waves
        except WtrunError:
            assert inventory.has_errors, start
        else:
            arranged += 1
            when = {plan.id: wave.number for wave in waves for plan in wave.plans}
            assert all(when[dep] < when[plan.id] for plan in phase.plans for dep in plan.depends_on)
        slowest = max(slowest, time.process_time() - begun)
    assert slowest < 5, "one phase of four small files took that many seconds"
    assert arranged > COUNT / 4 / 10, "nearly nothing could be read, so nothing was tested"


RUNS = (" ", "\t", "a ", "- ", "A-", "a.", "1.", "1-", "(", "`", "*", "/", "# ", ": ", ", ", "A1-",
        "— ", "a\n\n", "\n  ", "'", "x", "<", "[", "|")  # fmt: skip
PLACES = (
    "---\nwave: {}x\n---\n", "---\nautonomous: {}x\n---\n", "---\ntitle: {}x\n---\n",
    "---\ndepends_on:\n  - 03{}x\n---\n", "---\nrequirements: [{}x]\n---\n",
    "---\nfiles_modified:\n  - a{}x\n---\n", "---\n{}\n---\n", "<objective>\n{}x\n</objective>",
    "# {}x\n\n{}y", "<task {}>\n<name>{}x</name><files>{}x</files>\n</task>", "## Task 1{}x\n",
    "---\nx: 'a\nwave: {}x\nfiles_modified: [{}x\ndepends_on: {}\n---\n",
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_no_field_takes_more_time_than_its_length_deserves(place: str) -> None:
    begun = time.process_time()
    for run in RUNS:
        data = place.replace("{}", run * 10_000).encode()
        path = f"{PHASE}/03-01-PLAN.md"
        phase = read_phase(find_phase([path], GSD, "3"), {path: data}, GSD)
        render(inspect(phase, GSD))
    assert time.process_time() - begun < 8
