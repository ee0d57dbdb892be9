"""Which words of another dialect a text holds, and everything that wtrun says in a whole run."""

from __future__ import annotations

import contextlib
import io
import re
import signal
from pathlib import Path

import pytest

from tests.support.project import ROOT, Project
from worktree_runner import cli
from worktree_runner.store.mailbox import Mailbox
from worktree_runner.store.paths import Layout

_NOT_OF_ACE = (
    r"plans?|phases?|waves?|summary|summaries|road ?map|checkpoints?|deviations?|runs? 20\d{6}-\S+"
)
FOREIGN = {
    "ace": rf"\b(?:{_NOT_OF_ACE}|gsd|renn|ariadna)\b",
    "renn": rf"\b(?:{_NOT_OF_ACE}|gsd|ace|ariadna)\b",
    "ariadna": r"\b(?:stages?|batch(?:es)?|recaps?|track|pulse|gates?|drifts?|gsd|ace|renn)\b",
}
"""Words of the other dialects; in ACE and RENN a run is a plan, and never what wtrun executes."""
_COMMANDS = re.compile(
    r"wtrun plan\b|wtrun execute PHASE|--take \S+|--(?:no-)?gate\b|gate\.command|--wave\b"
    r"|checkpoint:[*\w-]+|checkpoint\.json|\"plan\":|Wtrun-Plan:|Stage each file"
    r"|/(?:ace|renn)\.plan-stage"
)
"""What has one name in all dialects: commands, options, settings, formats, trailers."""
_HEADING = re.compile(r"^### Batch Summary$", re.MULTILINE)
"""A heading that ACE and RENN themselves have."""
_BLOCK = re.compile(r"^```agent\n.*?^```", re.DOTALL | re.MULTILINE)


def foreign_words(dialect: str, text: str) -> list[str]:
    """The lines of `text` with a word that the dialect does not have."""
    for known in (_BLOCK, _HEADING, _COMMANDS):
        text = known.sub("", text)
    wrong = re.compile(FOREIGN[dialect], re.IGNORECASE)
    return [line for line in text.splitlines() if wrong.search(line)]


class Listening:
    """Runs `wtrun` on a project and keeps what it answered and said."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.base = project.repo.git("rev-parse", "main")
        self.heard: list[str] = []

    def wtrun(self, line: str, expect: int = 0) -> str:
        """`wtrun LINE` in this process: its output, which has no terminal."""
        out = io.TextIOWrapper(io.BytesIO(), write_through=True)
        before = signal.getsignal(signal.SIGINT)
        try:
            with (
                contextlib.chdir(self.project.path),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(out),
                pytest.raises(SystemExit) as ended,
            ):
                cli.main(line.split())
        finally:
            signal.signal(signal.SIGINT, before)
        out.seek(0)
        self.heard.append(out.read())
        assert ended.value.code == expect, f"wtrun {line}\n{self.heard[-1]}"
        return self.heard[-1]

    def everything(self) -> dict[str, str]:
        """All of it by where it was found: commands, prompts, reports, logs, mail, commits."""
        repo = self.project.repo
        layout = Layout(repo.path / ".git")
        found = {f"command {n}": text for n, text in enumerate(self.heard)}
        for pattern in ("report.md", "attempts/*/prompt.md", "attempts/*/stderr.log",
                        "attempts/*/outbox/README.txt", "conflicts/**/*.md"):  # fmt: skip
            for file in sorted(layout.runs.glob(f"*/{pattern}")):
                found[str(file.relative_to(layout.runs))] = file.read_text()
        box = Mailbox(layout)
        for number in range(1, 100):
            message = box.message(number)
            if message is None:
                break
            found[f"mail {number}"] = f"{message.sender}\n{message.subject}\n{message.body}"
        found["commits"] = repo.git("log", "--format=%B", f"{self.base}..main")
        changes = repo.git("diff", "-U0", self.base, "main", "--", ":(glob).*/*.md").splitlines()
        found["planning"] = "\n".join(line for line in changes if re.match(r"\+(?!\+)", line))
        places = (str(Path(repo.path).resolve()), str(ROOT))
        return {name: _without(text, places) for name, text in found.items()}


def _without(text: str, places: tuple[str, ...]) -> str:
    for place in places:
        text = text.replace(place, "")
    return text
