"""What was settled is listed with its reason and change, and can be undone."""

from __future__ import annotations

import json
from typing import Any

from tests.scenarios.test_conflicts import BASE, rewrite
from tests.support.project import Project, plan_text
from tests.support.repo import Repo

APP = "import os\n\nprint(os)\n"


def settled(repo: Repo, *, conflict: bool = False) -> Project:
    """Two plans that both add an import (settled by rule); with a real conflict if wanted."""
    second: list[dict[str, Any]] = [
        {"replace": "app.py", "old": "import os\n", "new": "import os\nimport sys\n"},
    ]
    first = [{**second[0], "new": "import os\nimport json\n"}]
    lines = [rewrite("first\n")[0]], [rewrite("second\n")[0]]
    end = [{"commit": "feat: import"}, {"summary": True}]
    plans = {
        "01": plan_text("01", steps=[*first, *(lines[0] if conflict else []), *end]),
        "02": plan_text("02", steps=[*second, *(lines[1] if conflict else []), *end]),
    }
    return Project.make(repo, plans, {"app.py": APP, "shared.txt": BASE})


def test_every_resolution_is_listed_with_rule_reason_and_change(repo: Repo) -> None:
    project = settled(repo)
    done = project.execute()
    assert "settled app.py by rule 'imports'" in done.stderr
    listed = project.wtrun("resolutions", expect=0).stdout
    assert "app.py  (03-02, 1 hunk, merged as " in listed
    assert "rule 'imports' [proven]: imports were merged by name" in listed
    assert "  +import sys" in listed
    assert project.wtrun("resolutions", "03-01", expect=0).stdout.endswith("was settled\n")
    document = json.loads(project.wtrun("resolutions", "03-02", "--json", expect=0).stdout)
    (one,) = document["resolutions"]
    assert (one["path"], one["rule"], one["tier"], one["plan"]) == (
        "app.py", "imports", "proven", "03-02",
    )  # fmt: skip
    assert "no plan 09" in project.wtrun("resolutions", "09", expect=2).stderr


def test_a_landed_resolution_is_undone_by_a_commit_on_top(repo: Repo) -> None:
    project = settled(repo)
    project.execute()
    head = repo.git("rev-parse", "main")
    asked = project.wtrun("unresolve", "app.py", expect=2)
    assert "its resolution was undone" in asked.stdout
    assert "hint: wtrun unresolve app.py --take target, or --take plan" in asked.stderr
    assert repo.git("rev-parse", "main") == head
    project.wtrun("unresolve", "app.py", "--take", "plan", expect=0)
    assert repo.read("app.py") == APP.replace("import os", "import os\nimport sys").encode()
    assert repo.git("rev-parse", "main~1") == head
    assert "Wtrun-Unresolved: app.py" in repo.git("log", "-1", "--format=%B")
    assert "decided by you" in project.wtrun("resolutions", "--no-diff", expect=0).stdout
    assert repo.git("status", "--porcelain") == ""


def test_undoing_keeps_what_was_changed_in_the_file_since(repo: Repo) -> None:
    project = settled(repo)
    project.execute()
    repo.commit("later", {"app.py": repo.read("app.py") + b"# later\n"})
    project.wtrun("unresolve", "app.py", "--take", "target", expect=0)
    assert repo.read("app.py") == APP.replace("import os", "import os\nimport json").encode() + (
        b"# later\n"
    )
    repo.commit("same place", {"app.py": repo.read("app.py").replace(b"json", b"csv")})
    head = repo.git("rev-parse", "main")
    refused = project.wtrun("unresolve", "app.py", "--take", "plan", expect=5)
    assert "was changed at the same place" in refused.stderr
    assert repo.git("rev-parse", "main") == head


def test_a_resolution_of_a_plan_in_conflict_becomes_a_question_of_it(repo: Repo) -> None:
    project = settled(repo, conflict=True)
    project.execute(expect=3)
    pending = project.wtrun("resolutions", expect=0).stdout
    assert "app.py  (03-02, 1 hunk, not merged yet)" in pending
    undone = project.wtrun("unresolve", "app.py", expect=3)
    assert "wtrun resolve 03-02" in undone.stderr
    listed = project.wtrun("resolve", "03-02", "--list", expect=0).stdout
    assert "app.py: content" in listed and "shared.txt: content" in listed
    project.wtrun("resolve", "03-02", "--take", "target", "--path", "shared.txt", expect=3)
    project.wtrun("resolve", "03-02", "--take", "both", "--path", "app.py", expect=0)
    assert b"import json\nimport sys\n" in repo.read("app.py")


def test_an_answer_of_ones_own_can_be_undone_before_the_plan_has_landed(repo: Repo) -> None:
    project = settled(repo, conflict=True)
    project.execute(expect=3)
    again = project.wtrun("unresolve", "app.py", "--take", "plan", expect=3)
    assert "wtrun resolve 03-02 --take plan --path app.py" in again.stderr
    project.wtrun("resolve", "03-02", "--take", "plan", "--path", "shared.txt", expect=3)
    project.wtrun("unresolve", "shared.txt", expect=3)
    listed = project.wtrun("resolve", "03-02", "--list", expect=0).stdout
    assert "shared.txt: content" in listed


def test_one_hunk_of_several_that_were_decided_by_hand_is_undone_alone(repo: Repo) -> None:
    def work(name: str) -> list[dict[str, Any]]:
        return [
            {"replace": "s.txt", "old": "one\n", "new": f"{name} one\n"},
            {"replace": "s.txt", "old": "two\n", "new": f"{name} two\n"},
            {"commit": "feat: work"},
            {"summary": True},
        ]

    plans = {"01": plan_text("01", steps=work("a")), "02": plan_text("02", steps=work("b"))}
    project = Project.make(repo, plans, {"s.txt": "one\n" + "-\n" * 9 + "two\n"})
    project.execute(expect=3)
    for number, side in (("1", "plan"), ("2", "both")):
        project.wtrun("resolve", "03-02", "--take", side, "--path", "s.txt", "--hunk", number)
    project.wtrun("unresolve", "s.txt", "--take", "target", "--hunk", "1", expect=0)
    assert repo.read("s.txt") == b"a one\n" + b"-\n" * 9 + b"a two\nb two\n"
    project.wtrun("unresolve", "s.txt", "--take", "plan", "--hunk", "2", expect=0)
    assert repo.read("s.txt") == b"a one\n" + b"-\n" * 9 + b"b two\n"


def test_a_commit_on_top_whose_event_was_lost_is_found_again(repo: Repo) -> None:
    project = settled(repo, conflict=True)
    project.execute(expect=3)
    project.wtrun("resolve", "03-02", "--take", "plan", expect=0)
    project.wtrun("unresolve", "shared.txt", "--take", "target", expect=0)
    journal = next((repo.path / ".git/wtrun/runs").glob("*/journal.jsonl"))
    lines = journal.read_text().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if "resolution.replaced" in line)
    journal.write_text("".join(lines[:at]))
    project.execute(expect=0)
    assert "resolution.replaced" in journal.read_text()
    assert repo.read("shared.txt") == b"one\nfirst\nthree\n"


def test_the_gate_of_the_run_checks_what_replaces_a_resolution(repo: Repo) -> None:
    project = settled(repo)
    project.execute("--gate", "grep -q json app.py || ! grep -q sys app.py")
    head = repo.git("rev-parse", "main")
    refused = project.wtrun("unresolve", "app.py", "--take", "plan", expect=5)
    assert "is not green with this decision (exit code 1), so nothing was changed" in refused.stderr
    assert repo.git("rev-parse", "main") == head
    assert repo.git("worktree", "list").count("\n") == 0
    project.wtrun("unresolve", "app.py", "--take", "target", expect=0)
    assert b"sys" not in repo.read("app.py")
