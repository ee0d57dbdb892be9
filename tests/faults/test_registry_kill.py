"""kill -9 at random: no path is given twice, no record is lost, the file stays readable."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.registry_storm import storm


@pytest.mark.timeout(300)
def test_killed_holders_neither_break_nor_keep_the_registry(tmp_path: Path) -> None:
    outcome = storm(tmp_path, workers=6, rounds=40, kills=20, seed=7)
    assert outcome.clean, outcome
    assert outcome.kills == 20
    assert outcome.rounds == 6 * 40
    assert outcome.granted > 0 < outcome.denied
