#!/usr/bin/env python3
"""Executes every phase of real projects in which plans run side by side, and checks each run.

    python scripts/run_corpus.py CORPUS [--only TEXT] [--keep DIR]

CORPUS is a folder with one folder of planning files per project. Each phase gets a fresh
repository with made-up contents for the files that its plans name, and is executed by a scripted
agent; conflicts that wtrun hands over are answered with `wtrun resolve`. What is counted: merges
that git does cleanly (all must land), conflicts settled by rule, conflicts handed over. The exit
code is 1 if anything was lost, left behind, done twice or merged otherwise than git merges it.
--keep leaves repositories and narrations in DIR.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.corpus_check import Outcome, execute_to_the_end
from tests.support.corpus_phases import CorpusPhase, eligible, make_project
from tests.support.repo import Repo

ROW = "{:<66} {:>5} {:>5} {:>5} {:>7} {:>9} {:>6}  {}"


def run_one(source: CorpusPhase, place: Path) -> Outcome:
    """Executes one phase in a repository below `place`; its narration is kept beside it."""
    project = make_project(Repo.make(place / "repo", place / "home"), source)
    outcome, narration = execute_to_the_end(project, source)
    (place / "narration.txt").write_text(narration)
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--only", default="", help="phases whose name contains this text")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    print(ROW.format("phase", "plans", "waves", "clean", "settled", "escalated", "s", ""))
    outcomes = []
    for source in eligible(options.corpus.resolve()):
        if options.only not in source.name:
            continue
        place = (options.keep or Path(tempfile.mkdtemp())) / source.name.replace(":", "+")
        began = time.monotonic()
        outcome = run_one(source, place)
        took = f"{time.monotonic() - began:.1f}"
        waves = len({plan.wave for plan in source.phase.plans})
        counts = (outcome.clean, outcome.settled, outcome.escalated, took)
        name = source.name[:66]
        print(ROW.format(name, outcome.plans, waves, *counts, "; ".join(outcome.problems)))
        sys.stdout.flush()
        outcomes.append(outcome)
        if options.keep is None:
            shutil.rmtree(place.parent)
    bad = sum(bool(outcome.problems) for outcome in outcomes)
    print(
        f"{len(outcomes)} phases, {sum(o.plans for o in outcomes)} plans: "
        f"{sum(o.clean for o in outcomes)} merges that git does cleanly, "
        f"{sum(o.settled for o in outcomes)} conflicts settled by rule, "
        f"{sum(o.escalated for o in outcomes)} handed over; {bad} phases with a problem"
    )
    return 1 if bad or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
