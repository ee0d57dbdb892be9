"""kill -9 while a phase's goal is verified: one report in the end, and nobody works twice."""

from __future__ import annotations

import pytest

from tests.faults.test_kill import run_killed
from tests.support.goals import REPORT, is_ticked, make, report, writes
from tests.support.repo import Repo


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("type", "moment"),
    [
        ("verify.checked", "after"),
        ("verify.started", "after"),
        ("verify.ended", "before"),
        ("verify.ended", "after"),
        ("verify.reported", "after"),
        ("planning.committed", "before"),
    ],
)
def test_a_killed_verification_goes_on_to_the_same_end(repo: Repo, type: str, moment: str) -> None:
    project = make(repo, writes("passed"))
    assert run_killed(project, type, moment, 1) == -9
    assert not is_ticked(repo)
    project.execute()
    assert is_ticked(repo)
    assert repo.git("show", f"main:{REPORT}") == report("passed").strip()
    assert (project.starts("03-01"), project.starts("verify")) == (1, 1)
    assert project.processes() == []
    assert repo.git("worktree", "list").count("\n") == 0
    assert repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads") == "main"
