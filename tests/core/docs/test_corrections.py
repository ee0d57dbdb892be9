"""Whose an uncommitted change is, and the messages of the run's own commits."""

from __future__ import annotations

import pytest

from worktree_runner.core.docs.commits import corrections_message, phase_message, tracking_message
from worktree_runner.core.docs.corrections import LocalChange, sort_changes
from worktree_runner.dialects.schema import load, names

GSD = load("gsd")


def change(path: str, code: str = " M", content: str | None = "new") -> LocalChange:
    return LocalChange(path, code[0], code[1], content)


def test_planning_files_and_what_the_run_wrote_are_the_runs() -> None:
    found = sort_changes(
        [change("src/b.py"), change(".planning/phases/03-x/03-VERIFICATION.md", "??"),
         change("docs/out.md", " M", "w1")],
        GSD, before={}, written={"docs/out.md": "w1"},
    )  # fmt: skip
    assert found.run == (".planning/phases/03-x/03-VERIFICATION.md", "docs/out.md")
    assert found.left == {"src/b.py": "is no planning file and was not written by wtrun"}


@pytest.mark.parametrize(
    ("code", "content", "reason"),
    [
        ("M ", "new", "is staged"),
        ("MM", "new", "is staged"),
        ("A ", "new", "is staged"),
        ("UU", "new", "has a merge conflict"),
        ("AA", "new", "has a merge conflict"),
        (" M", "other", "was changed before wtrun began"),
        (" D", None, "was changed before wtrun began"),
    ],
)
def test_what_may_be_the_users_is_left_with_the_reason(
    code: str, content: str | None, reason: str
) -> None:
    path = ".planning/STATE.md"
    found = sort_changes([change(path, code, content)], GSD, before={path: "old"}, written={})
    assert found.run == ()
    assert found.left == {path: reason}


def test_a_file_that_the_user_edited_after_the_run_is_the_users() -> None:
    path = ".planning/STATE.md"
    found = sort_changes([change(path)], GSD, before={}, written={path: "runs"})
    assert found.left == {path: "was changed after wtrun wrote it"}


def test_worktrees_are_not_looked_at() -> None:
    found = sort_changes(
        [change(".worktrees/wt-03-01/x", "??")], GSD, before={}, written={},
        elsewhere=(".worktrees/",),
    )  # fmt: skip
    assert (found.run, found.left) == ((), {})


@pytest.mark.parametrize("name", names())
def test_messages_have_the_dialects_form(name: str) -> None:
    dialect = load(name)
    told = {
        "phase": phase_message(dialect, "08", "User accounts"),
        "tracking": tracking_message(dialect, "08", "record 2 of 3 plans"),
        "corrections": corrections_message(dialect, "08"),
    }
    if dialect.words.phase == "stage":
        assert told == {
            "phase": "docs(08): complete User accounts stage",
            "tracking": "docs(08): record 2 of 3 plans",
            "corrections": "fix(08): orchestrator corrections",
        }
    else:
        assert told == {
            "phase": "docs(phase-8): complete phase execution",
            "tracking": "docs(phase-8): record 2 of 3 plans",
            "corrections": "fix(08): orchestrator corrections",
        }
