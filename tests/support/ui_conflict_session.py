"""The conflict prompt on a real conflict of a real repository; prints the merged file."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from merge import merge_commits
from tests.support.objects import GitObjects
from tests.support.repo import Repo
from tests.support.ui_session import make_screen
from worktree_runner.core.conflicts import ConflictFacts, FileContents, PlanFacts
from worktree_runner.git.gateway import Git
from worktree_runner.operations.context.tools import conflict_tools
from worktree_runner.ui.ask import TerminalAsker
from worktree_runner.ui.conflict import Decided, decide_conflicts


def main(place: str, path: str) -> None:
    repo = Repo(Path(place), dict(os.environ))
    store = GitObjects(repo)
    outcome = merge_commits(store, "main", "plan", labels=("main", "03-02"))
    contents = {
        one.path: FileContents(
            *(store.read_blob(one.stages[n].oid) if n in one.stages else None for n in (1, 2, 3))
        )
        for one in outcome.conflicts
    }
    screen = make_screen()
    decided = decide_conflicts(
        outcome.conflicts,
        ConflictFacts(PlanFacts("03-02", "auth", "guard"), "main", contents=contents),
        asker=TerminalAsker(screen),
        screen=screen,
        tools=conflict_tools(Git(repo.path), screen, repo.path / ".git" / "texts"),
    )
    answer = {"kind": type(decided).__name__, "text": ""}
    if isinstance(decided, Decided):
        merged = merge_commits(store, "main", "plan", choices=decided.choices)
        answer["left"] = [one.why for one in merged.conflicts]
        if merged.tree is not None:
            answer["text"] = repo.show(merged.tree, path).decode()
    print("RESULT " + json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
