"""Changes that merge cleanly and are the user's to decide all the same, in whole runs."""

from __future__ import annotations

import json

from tests.scenarios.test_conflicts import at_terminal, typed
from tests.scenarios.test_gate import gates, landed
from tests.support.project import Project, plan_text
from tests.support.repo import Repo

MAKEFILE = "test:\n\t! ls bad-* >/dev/null 2>&1\n"


def cheating(repo: Repo) -> Project:
    """A plan that brings what the gate refuses, with a gate that no longer refuses it."""
    steps = [
        {"write": "bad-1", "text": "x\n"},
        {"write": "Makefile", "text": "test:\n\ttrue\n"},
        {"commit": "feat: work"},
        {"summary": True},
    ]
    plans = {"01": plan_text("01", steps=steps, files=["bad-1", "Makefile"])}
    return Project.make(repo, plans, {"Makefile": MAKEFILE})


def test_a_plan_that_changes_what_the_gate_runs_is_asked_about_before_the_gate(repo: Repo) -> None:
    project = cheating(repo)
    stopped = project.execute("--on-conflict", "theirs", expect=3)
    assert gates(project) == []
    assert "wtrun resolve 03-01" in stopped.stderr
    told = project.wtrun("resolve", "03-01", "--list", expect=0).stdout
    assert "Makefile: commands: the branch changes this file, and it decides what the check" in told
    refused = project.wtrun("resolve", "03-01", "--take", "target", expect=1)
    assert "not merged: the check is red with it" in refused.stderr
    assert repo.read("Makefile").decode() == MAKEFILE


def test_on_the_users_word_what_is_run_changes_and_that_is_listed(repo: Repo) -> None:
    project = cheating(repo)
    shown, code = typed(at_terminal(project, "execute", "3"), "?", "p", "y")
    assert code == 0
    assert "what it says is run from then on" in " ".join(shown.split())
    assert landed(project) == ["03-01"]
    assert "Wtrun-Resolved: Makefile (by hand)" in repo.git("log", "--format=%B", "main")
    listed = json.loads(project.wtrun("resolutions", "--json", expect=0).stdout)
    assert [one["path"] for one in listed["resolutions"]] == ["Makefile"]


def test_a_file_that_was_deleted_comes_back_only_on_the_users_word(repo: Repo) -> None:
    repo.commit("old", {"old.py": "x = 1\n", "kept.py": "y = 1\n"})
    repo.git("rm", "-q", "old.py", "kept.py")
    repo.git("commit", "-qm", "feat: drop the old way")
    steps = [
        # not named in the plan's text, as that would declare it
        {"run": ["python3", "-c", "open('ol' + 'd.py', 'w').write('x = 2')"]},
        {"write": "kept.py", "text": "y = 2\n"},
        {"commit": "feat: work"},
        {"summary": True},
    ]
    project = Project.make(repo, {"01": plan_text("01", steps=steps, files=["kept.py"])})
    project.execute("--no-gate", expect=3)
    told = project.wtrun("resolve", "03-01", "--list", expect=0).stdout
    assert "main deleted this file" in told
    assert "feat: drop the old way" in told
    assert "kept.py" not in told  # the plan declared it
    project.wtrun("resolve", "03-01", "--take", "target", expect=0)
    assert not (repo.path / "old.py").exists()
    assert repo.read("kept.py") == b"y = 2\n"
