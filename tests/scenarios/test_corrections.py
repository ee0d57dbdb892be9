"""What is uncommitted when a run ends: the run's own is committed, the user's is left and named."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.project import PHASE, Project, kill, plan_text
from tests.support.repo import Repo

SUBJECT = "fix(03): orchestrator corrections"
NOTES = ".planning/notes.md"
RESEARCH = f"{PHASE}/03-RESEARCH.md"


def planned(repo: Repo, go: Path | None = None, **files: str) -> Project:
    """A plan that waits for `go`; `files` are committed below `.planning/`."""
    steps: list[dict[str, object]] = [{"wait": str(go)}] if go else []
    steps += [{"write": "a", "text": "x"}, {"commit": "a"}, {"summary": True}]
    text = plan_text("01", files=["a"], steps=steps)
    return Project.make(repo, {"01": text}, {NOTES: "notes\n", RESEARCH: "known\n"})


def during(project: Project, go: Path, change: dict[str, str | None]) -> str:
    """Runs the phase and makes these changes while its agent is at work; what it said."""
    process = project.start("execute", "3")
    assert process.stderr is not None
    said = next(line for line in process.stderr if "started on" in line)
    for path, text in change.items():
        file = project.path / path
        if text is None:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    go.touch()
    rest = process.communicate(timeout=100)[1]
    assert process.returncode == 0, rest
    return said + rest


def corrected(repo: Repo) -> list[str]:
    """The files of the corrections' commit on main."""
    found = repo.git("log", "--format=%H", f"--grep={SUBJECT}", "-F", "main").split()
    assert len(found) <= 1
    names = repo.git("show", "--format=%s", "--name-only", found[0]).split("\n\n") if found else []
    assert not names or names[0] == SUBJECT
    return names[1].splitlines() if names else []


def test_planning_files_that_changed_meanwhile_are_one_commit_by_name(
    repo: Repo, tmp_path: Path
) -> None:
    project = planned(repo, tmp_path / "go")
    new = f"{PHASE}/03-VERIFICATION.md"
    change = {RESEARCH: "known better\n", NOTES: "more\n", new: "status: passed\n"}
    said = during(project, tmp_path / "go", dict(change))
    assert corrected(repo) == sorted(change)
    assert f"committed as '{SUBJECT}'" in said
    assert {path: repo.read(path).decode() for path in change} == change
    assert repo.git("status", "--porcelain") == ""
    subjects = repo.git("log", "--format=%s", "-2").splitlines()
    assert subjects == ["docs(phase-3): record 1 plan as executed", SUBJECT]


def test_what_the_user_staged_edited_before_or_deleted_is_left_and_named(
    repo: Repo, tmp_path: Path
) -> None:
    project = planned(repo, tmp_path / "go")
    repo.write(NOTES, "edited before\n")
    repo.write(".planning/PROJECT.md", "staged\n")
    repo.git("add", ".planning/PROJECT.md")
    repo.write("README.md", "# mine\n")
    repo.write("loose.txt", "mine\n")
    other = ".planning/phases/04-web/04-01-PLAN.md"
    said = during(
        project, tmp_path / "go", {NOTES: "edited again\n", other: "half", RESEARCH: None}
    )
    assert corrected(repo) == []
    for words in (
        f"{NOTES} was changed before wtrun began",
        ".planning/PROJECT.md is staged",
        f"{other} belongs to another phase",
        f"{RESEARCH} is deleted",
        "your own changes, left as they are: README.md and loose.txt",
    ):
        assert words in said
    assert repo.git("status", "--porcelain", "--untracked-files=all").splitlines() == [
        "A  .planning/PROJECT.md", f" M {NOTES}", f" D {RESEARCH}", " M README.md",
        f"?? {other}", "?? loose.txt",
    ]  # fmt: skip
    assert repo.read(NOTES) == b"edited again\n"


def test_a_run_that_was_killed_takes_them_at_its_end(repo: Repo, tmp_path: Path) -> None:
    project = planned(repo, tmp_path / "go")
    process = project.start("execute", "3")
    assert process.stderr is not None
    next(line for line in process.stderr if "started on" in line)
    repo.write(RESEARCH, "known better\n")
    kill(process)
    (tmp_path / "go").touch()
    project.execute()
    assert corrected(repo) == [RESEARCH]


def test_a_checkout_of_another_branch_has_no_corrections(repo: Repo, tmp_path: Path) -> None:
    project = planned(repo, tmp_path / "go")
    config = json.dumps({"branching_strategy": "phase"})
    repo.commit("branching", {".planning/config.json": config})
    during(project, tmp_path / "go", {RESEARCH: "of main\n"})
    assert repo.git("status", "--porcelain") == f" M {RESEARCH}"
    assert repo.show("gsd/phase-03-api", RESEARCH) == b"known\n"
