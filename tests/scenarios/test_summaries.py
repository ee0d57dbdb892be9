"""What a plan's summary proves, and where it goes."""

from __future__ import annotations

import json

import pytest

from tests.support.project import PHASE, Project, plan_text
from tests.support.repo import Repo

SUMMARY = f"{PHASE}/03-01-SUMMARY.md"


def with_summary(repo: Repo, created: str) -> Project:
    """A plan that writes app/Widget.swift, and a summary that calls something created."""
    steps = [
        {"write": "app/Widget.swift", "text": "widget\n"},
        {"write": SUMMARY, "text": f"---\nkey-files:\n  created:\n    - {created}\n---\n# Done\n"},
        {"commit": "feat: widget"},
    ]
    return Project.make(repo, {"01": plan_text("01", steps=steps)})


@pytest.mark.parametrize("created", ["app/Widget.swift", "Widget.swift", "0", "a few helpers"])
def test_a_created_file_may_be_named_without_its_folder(repo: Repo, created: str) -> None:
    project = with_summary(repo, created)
    project.execute()
    assert project.statuses() == {"03-01": "landed"}


@pytest.mark.parametrize("created", ["app/Gadget.swift", "Gadget.swift", "idget.swift"])
def test_a_created_file_that_is_not_there_fails_the_plan(repo: Repo, created: str) -> None:
    project = with_summary(repo, created)
    done = project.execute(expect=1)
    assert f"the SUMMARY says that it created {created}" in done.stderr


def test_a_lock_that_a_killed_git_left_stops_nobody(repo: Repo) -> None:
    lock = "touch $(git rev-parse --git-dir)/index.lock"
    steps = [
        {"write": "a", "text": "a\n"},
        {"commit": "feat: a"},
        {"summary": "uncommitted"},
        {"run": ["sh", "-c", lock]},
    ]
    project = Project.make(repo, {"01": plan_text("01", steps=steps)})
    done = project.execute()
    assert "wtrun committed it" in done.stderr
    assert project.statuses() == {"03-01": "landed"}


@pytest.mark.parametrize("how", [True, "uncommitted"])
def test_planning_files_that_git_has_but_that_are_not_to_be_committed(
    repo: Repo, how: bool | str
) -> None:
    """`commit_docs: false` in a project that has committed its planning files all the same."""
    steps = [{"append": "b", "text": "b\n"}, {"commit": "feat: b"}, {"summary": how}]
    plans = {"01": plan_text("01", files=["b"], steps=steps), "02": plan_text("02", files=["c"])}
    config = json.dumps({"commit_docs": False})
    project = Project.make(repo, plans, {".planning/config.json": config})
    done = project.execute()
    assert "2 of 2 plans merged into main" in done.stderr
    assert "by whom is not known" not in done.stderr
    assert b"Did it" in repo.read(SUMMARY)
    assert repo.read("b") == b"b\n"
    assert repo.git("log", "-1", "--format=%s").startswith("Merge gsd/03-02")
    assert b"Plan: 2 of 2" in repo.read(".planning/STATE.md")
    assert "nothing to do" in project.execute().stderr
