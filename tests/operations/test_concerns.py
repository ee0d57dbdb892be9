"""What of a merge is a question though nothing conflicts, asked of real repositories."""

from __future__ import annotations

import pytest

from merge.policy import Declared
from merge.types import Entry
from tests.support.repo import Repo
from worktree_runner.core.what_runs import Trusted
from worktree_runner.git.repository import open_repository
from worktree_runner.operations.merging.concerns import MOST_PATHS, Concerns


def concerns(repo: Repo, *names: str, declared: Declared | None = None) -> Concerns:
    commands = tuple(Trusted((name,), f"the gate '{name}'") for name in names)
    head = repo.git("rev-parse", "HEAD")
    return Concerns(open_repository(repo.path), commands, head, "main", declared or Declared())


@pytest.mark.parametrize("others", [0, MOST_PATHS])
def test_only_what_was_there_once_comes_back(repo: Repo, others: int) -> None:
    repo.commit("old", {"dir/old.py": "1\n", "moved.py": "2\n"})
    repo.git("rm", "-q", "dir/old.py")
    repo.git("mv", "moved.py", "here.py")
    repo.commit("feat: drop it")
    blob = Entry("100644", repo.git("rev-parse", "HEAD:here.py"))
    paths = ["dir/old.py", "moved.py", "new.py", *(f"n/{n}" for n in range(others))]
    found = concerns(repo)(dict.fromkeys(paths, (None, blob)))
    assert sorted(found) == ["dir/old.py", "moved.py"]
    assert "feat: drop it" in found["dir/old.py"].why
    said = Declared(patterns=("dir/",), exact=frozenset({"moved.py"}))
    assert not concerns(repo, declared=said)(dict.fromkeys(paths, (None, blob)))


def test_a_script_of_the_gate_counts_by_its_mode_too(repo: Repo) -> None:
    repo.commit("check", {"check.sh": "true\n"})
    oid = repo.git("rev-parse", "HEAD:check.sh")
    changes = {"check.sh": (Entry("100755", oid), Entry("100644", oid))}
    assert "the gate './check.sh'" in concerns(repo, "./check.sh")(changes)["check.sh"].why
    assert not concerns(repo, "make")(changes)
