"""How a plan goes on: what the next process is told, and in which session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.project import Project, plan_text
from tests.support.repo import Repo

STARTED = {"say": json.dumps({"kind": "started", "session_id": "S-1"})}
HALF: list[dict[str, Any]] = [STARTED, {"append": "a", "text": "half\n"}, {"commit": "feat: half"}]
WORK: list[dict[str, Any]] = [
    {"append": "a", "text": "rest\n"}, {"commit": "feat: rest"}, {"summary": True},
]  # fmt: skip
STOP = {
    "type": "decision", "plan": "03-01", "task_number": 2, "task_name": "Choose",
    "details": "Which database?", "options": [{"id": "sqlite", "text": "SQLite"}],
}  # fmt: skip
GONE = json.dumps({"kind": "failed", "text": "No conversation found with session ID: S-1"})


def make(repo: Repo, first: list[dict[str, Any]], again: list[dict[str, Any]]) -> Project:
    """One plan whose agent can resume sessions, and settings that answer its checkpoint."""
    steps = {"first": first, "again": again}
    project = Project.make(repo, {"01": plan_text("01", files=["a"], steps=steps)})
    text = repo.read(".wtrun.toml").decode()
    argv = text.partition("argv = ")[2].strip()
    resume = argv.replace("]", ', "--session", "{resume}"]')
    config = f'auto_advance = true\n{text}resume_argv = {resume}\nevents = "jsonl"\n'
    repo.commit("session", {".wtrun.toml": config})
    return project


def attempt(project: Project, n: int) -> Path:
    return next((project.path / ".git/wtrun/runs").glob(f"*/attempts/03-01-a{n}"))


def told(project: Project, n: int) -> tuple[list[str], str]:
    """The command line of an attempt, and its prompt."""
    folder = attempt(project, n)
    launch = json.loads((folder / "launch.json").read_text())
    return launch["argv"], (folder / "prompt.md").read_text()


def test_fresh_process_is_told_the_question_and_its_answer(repo: Repo) -> None:
    project = make(repo, [*HALF, {"checkpoint": STOP}], WORK)
    project.execute()
    argv, prompt = told(project, 2)
    assert "--session" not in argv
    assert prompt.startswith("# Continue plan 03-01")
    for words in ("> Which database?", "> sqlite", "Task: 2 (Choose)", "feat: half"):
        assert words in prompt
    assert "The earlier attempt ended before it was done" not in prompt


def test_crash_after_an_answer_does_not_lose_it(repo: Repo) -> None:
    crash = {"run": ["sh", "-c", "test $WTRUN_ATTEMPT_NUMBER != 2 || kill -9 $PPID"]}
    project = make(repo, [*HALF, {"checkpoint": STOP}], [crash, *WORK])
    project.execute()
    prompt = told(project, 3)[1]
    assert "> sqlite" in prompt
    assert "the agent crashed" in prompt


def test_session_goes_on_after_an_answer_and_after_a_crash(repo: Repo) -> None:
    crash = {"run": ["sh", "-c", "test $WTRUN_ATTEMPT_NUMBER != 2 || kill -9 $PPID"]}
    project = make(repo, [*HALF, {"checkpoint": STOP}], [crash, *WORK])
    done = project.execute("--resume-session")
    assert "goes on in its session" in done.stderr
    for n in (2, 3):
        argv, prompt = told(project, n)
        assert argv[-2:] == ["--session", "S-1"]
        assert prompt.startswith("# Go on with plan 03-01")
        assert "> sqlite" in prompt
    assert repo.read("a") == b"half\nrest\n"


def test_session_that_is_gone_is_said_and_a_fresh_process_goes_on(repo: Repo) -> None:
    says = f"test $WTRUN_ATTEMPT_NUMBER != 2 || {{ echo '{GONE}'; kill -9 $PPID; }}"
    gone = {"run": ["sh", "-c", says]}
    project = make(repo, [*HALF, {"checkpoint": STOP}], [gone, *WORK])
    done = project.execute("--resume-session", "--retries", "0")
    assert "its session can't go on, a fresh process does: No conversation found" in done.stderr
    argv, prompt = told(project, 3)
    assert "--session" not in argv
    assert prompt.startswith("# Continue plan 03-01")
    assert "> sqlite" in prompt
    assert repo.read("a") == b"half\nrest\n"


def test_agent_that_cannot_resume_goes_on_in_a_fresh_process_with_a_word(repo: Repo) -> None:
    project = make(repo, [*HALF, {"kill": 9}], WORK)
    text = repo.read(".wtrun.toml").decode()
    lines = [line for line in text.splitlines() if not line.startswith("resume_argv")]
    repo.commit("no resume", {".wtrun.toml": "\n".join(lines) + "\n"})
    done = project.execute("--resume-session")
    assert "command can't go on with a session: a fresh process goes on" in done.stderr
    assert told(project, 2)[1].startswith("# Continue plan 03-01")
