"""Phases of real projects, executed to their end (WTRUN_CORPUS).

What must hold stands in `tests.support.corpus_check`: whatever git merges cleanly has landed with
git's own tree, the rest is settled or handed over with a reason, there is one merge per plan, no
agent ran twice, nothing that a plan added is lost, and nothing is left behind. The phases here are
those with the most plans side by side, one per project; `scripts/run_corpus.py` executes all.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.support.corpus import NAMED
from tests.support.corpus_check import execute_to_the_end
from tests.support.corpus_phases import CorpusPhase, eligible, make_project
from tests.support.repo import Repo

PHASES = 10
MOST_PLANS = 6


def widest() -> list[CorpusPhase]:
    """The phases with the most plans in a wave, at most one of each project."""
    if not NAMED or not Path(NAMED).is_dir():
        return []
    found: dict[Path, CorpusPhase] = {}
    for source in sorted(eligible(Path(NAMED).resolve()), key=_width, reverse=True):
        if len(source.phase.plans) <= MOST_PLANS:
            found.setdefault(source.project, source)
    return list(found.values())[:PHASES]


def _width(source: CorpusPhase) -> int:
    return max(Counter(plan.wave for plan in source.phase.plans).values())


@pytest.mark.corpus
@pytest.mark.timeout(180)
@pytest.mark.parametrize("source", widest(), ids=lambda source: source.name)
def test_a_real_phase_is_executed_to_its_end(repo: Repo, source: CorpusPhase) -> None:
    outcome, narration = execute_to_the_end(make_project(repo, source), source)
    assert outcome.problems == [], narration
    assert outcome.clean + outcome.settled + outcome.escalated == outcome.plans
