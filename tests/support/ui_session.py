"""A program with a terminal, for tests: does one thing with it and prints the result as JSON."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path

from tests.support.processes import eventually
from worktree_runner.core.questions import CheckpointKind, checkpoint_question, failure_question
from worktree_runner.ui.ask import Answer, TerminalAsker
from worktree_runner.ui.console import Screen


def make_screen() -> Screen:
    return Screen(stdout=sys.stdout, stderr=sys.stderr, env=os.environ, now=datetime.now)


def main(what: str) -> None:
    screen = make_screen()
    asker = TerminalAsker(screen)
    if go := os.environ.get("ASK_WHEN"):
        eventually(Path(go).exists)
    result: object
    if what == "failure":
        question = failure_question(
            plan="03-04", title="mail", reason="exit 1", elapsed_s=372, skipped=("05-01", "05-02")
        )
        result = asker.ask(question, {"l": lambda: screen.say("THE LOG")})
    elif what == "checkpoint":
        question = checkpoint_question(
            plan="03-03",
            title="dashboard",
            kind=CheckpointKind.HUMAN_VERIFY,
            details="Open it.",
            awaiting='Type "approved".',
        )
        result = asker.ask(question)
    else:
        try:
            result = asker.confirm("Commit these 2 files?")
        except KeyboardInterrupt:
            result = "KeyboardInterrupt"
    if isinstance(result, Answer):
        result = {"key": result.key, "text": result.text}
    print("RESULT " + json.dumps(result, default=lambda value: type(value).__name__))


if __name__ == "__main__":
    main(sys.argv[1])
