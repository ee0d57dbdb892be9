"""Agents that leave their own ground in whole runs: stopped, or found and asked about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.project import Project, plan_text
from tests.support.repo import Repo

Steps = list[dict[str, Any]]


def work(file: str, *attacks: str) -> Steps:
    """Honest work on one file, then shell commands in the worktree, then the summary."""
    return [
        {"write": file, "text": f"{file}\n"},
        {"commit": f"feat: {file}"},
        *({"run": ["sh", "-c", attack]} for attack in attacks),
        {"summary": True},
    ]


def plans(**steps: Steps) -> dict[str, str]:
    return {
        number[1:]: plan_text(number[1:], files=[f"src/{number}.txt"], steps=given)
        for number, given in steps.items()
    }


def said(project: Project, kind: str) -> dict[str, list[str]]:
    """The texts of the findings that the run recorded, by plan."""
    found: dict[str, list[str]] = {}
    for event in project.events():
        if event["type"] == kind:
            texts = [str(one["text"]) for one in event["data"]["findings"]]
            found.setdefault(event["plan"], []).extend(texts)
    return found


def refs(repo: Repo) -> dict[str, str]:
    lines = repo.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return {name: oid for name, oid in map(str.split, lines) if not name.startswith("refs/wtrun")}


STOPPED = (
    "git stash list; echo x >> src/p01.txt; git stash; git checkout -q -- src/p01.txt",
    "git push -q . HEAD:refs/heads/main",
    "git update-ref refs/heads/main HEAD",
    "git branch -f side HEAD",
    "git branch -D side",
    "git tag v1",
    "git gc -q",
    "git -C ../.. commit -q --allow-empty -m x",
    "git -C ../.. commit -q --no-verify --allow-empty -m x",
    "git worktree remove ../wt-03-02; git worktree remove --force ../wt-03-02",
    "git branch -D gsd/03-02",
)
"""Attacks that leave no trace: a guard or a lock stops each."""


def test_what_the_guards_stop_changes_nothing_and_the_plan_lands(
    repo: Repo, tmp_path: Path
) -> None:
    go, ready = tmp_path / "go", tmp_path / "ready"
    tries = [f"({attack}) && touch {tmp_path}/passed-{n} || true" for n, attack in
             enumerate(STOPPED) if n]  # fmt: skip
    first = work("src/p01.txt", f"({STOPPED[0]}) || true", *tries)
    sibling = [{"touch": str(ready)}, {"wait": str(go)}, *work("src/p02.txt")]
    project = Project.make(
        repo,
        plans(p01=[{"wait": str(ready)}, *first[:-1], {"touch": str(go)}, first[-1]], p02=sibling),
    )
    repo.git("branch", "side")
    before = refs(repo)
    repo.write("users.txt", "the user works here meanwhile\n")
    done = project.execute()
    assert sorted(file.name for file in tmp_path.glob("passed-*")) == []
    assert project.statuses() == {"03-01": "landed", "03-02": "landed"}
    assert "breach" not in done.stderr
    after = refs(repo)
    assert {name for name in after if after[name] != before.get(name)} == {"refs/heads/main"}
    assert repo.git("stash", "list") == ""
    assert repo.read("users.txt") == b"the user works here meanwhile\n"
