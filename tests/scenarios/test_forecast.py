"""Conflicts between plans that are still at work are told while they work."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.scenarios.test_conflicts import BASE
from tests.support.project import Project, plan_text
from tests.support.repo import Repo

IMPORTS = "import os\n\nprint(os)\n"


def waiting(repo: Repo, go: Path) -> Project:
    """Two plans that commit what conflicts and then wait, and one that conflicts with nobody."""

    def steps(text: str, module: str) -> list[dict[str, Any]]:
        return [
            {"replace": "shared.txt", "old": "two\n", "new": text},
            {"replace": "app.py", "old": "import os\n", "new": f"import os\nimport {module}\n"},
            {"commit": "feat: work"},
            {"wait": str(go)},
            {"summary": True},
        ]

    free = [{"write": "free.txt", "text": "x"}, {"commit": "feat: x"}, {"wait": str(go)},
            {"summary": True}]  # fmt: skip
    plans = {
        "01": plan_text("01", steps=steps("first\n", "json")),
        "02": plan_text("02", steps=steps("second\n", "sys")),
        "03": plan_text("03", steps=free),
    }
    return Project.make(repo, plans, {"shared.txt": BASE, "app.py": IMPORTS})


def test_plans_at_work_that_begin_to_conflict_are_told_and_listed(
    repo: Repo, tmp_path: Path
) -> None:
    project = waiting(repo, tmp_path / "go")
    process = project.start("execute", "3")
    journals = repo.path / ".git/wtrun/runs"
    while not any("conflicts.foreseen" in j.read_text() for j in journals.glob("*/journal.jsonl")):
        assert process.poll() is None
        time.sleep(0.1)
    document = json.loads(project.wtrun("conflicts", "--json", expect=0).stdout)
    assert document["foreseen"] == [
        {"plans": ["03-01", "03-02"], "paths": ["shared.txt"], "settled": ["app.py"]}
    ]
    shown = project.wtrun("conflicts", expect=0).stdout
    assert "03-01 and 03-02 in shared.txt; 1 more would be settled by rule" in shown
    (tmp_path / "go").touch()
    _, err = process.communicate(timeout=100)
    assert process.returncode == 3, err
    assert err.count("begin to conflict: 03-01 and 03-02 in shared.txt") == 1
    assert "main and 03-02" not in err
    shown = project.wtrun("conflicts", expect=0).stdout
    assert "03-02: shared.txt; wtrun resolve 03-02" in shown and "will conflict" not in shown
