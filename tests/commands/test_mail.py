"""`wtrun mail` works from any worktree, without a server, and starts without heavy imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.support.repo import Repo
from worktree_runner.commands.mail import command
from worktree_runner.errors import PreconditionError, UsageError
from worktree_runner.store import locate
from worktree_runner.store.mailbox import Mailbox


@pytest.fixture
def linked(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A linked worktree, entered; its repository knows BoldMarsh and 03-01."""
    repo.commit("first", {"a": "1\n"})
    repo.git("worktree", "add", "-q", ".worktrees/wt-03-01", "-b", "gsd/03-01")
    box = Mailbox(locate.here(repo.path).layout)
    box.register("BoldMarsh", "wtrun", task="phase 3")
    box.register("03-01", "opencode")
    monkeypatch.chdir(repo.path / ".worktrees/wt-03-01")
    return repo.path / ".worktrees/wt-03-01"


def run(*args: str, stdin: str | None = None, **env: str) -> Result:
    result = CliRunner().invoke(command, args, input=stdin, env=env, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def out(*args: str, **env: str) -> Any:
    return json.loads(run(*args, "--json", **env).stdout)


def test_a_plan_writes_from_its_worktree_and_the_main_worktree_reads_it(
    linked: Path, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = ("send", "--to", "boldmarsh", "-s", "[gsd-03-01] Plan Complete", "--thread", "gsd-03-01")
    sent = run(*args, "--ack", "--importance", "high", stdin="## done\n", WTRUN_PLAN="03-01")
    assert sent.stdout == "sent message 1 to BoldMarsh\n"
    monkeypatch.chdir(repo.path)
    (message,) = out("inbox", "--as", "BoldMarsh", "--unread")
    assert (message["sender"], message["body"]) == ("03-01", "## done\n")
    assert (message["importance"], message["ack_required"]) == ("high", True)
    line = run("inbox", "--as", "BoldMarsh").stdout
    assert line.startswith("   1*") and line.endswith(
        "03-01 -> BoldMarsh  [gsd-03-01] Plan Complete [high] [ack]\n"
    )
    page = run("read", "1", "--as", "BoldMarsh").stdout
    assert "thread:  gsd-03-01\n" in page and page.endswith("\n\n## done\n")
    assert out("inbox", "--as", "BoldMarsh", "--unread") == []
    assert "acknowledged by BoldMarsh" in run("ack", "1", "--as", "BoldMarsh").stdout
    assert out("inbox", "--as", "BoldMarsh")[0]["acknowledged_at"]


def test_a_reply_stays_on_the_thread_and_goes_to_the_sender(linked: Path) -> None:
    run("send", "--to", "03-01", "-s", "Stop?", "-m", "b", "--ack", "--as", "BoldMarsh")
    run("send", "--reply", "1", "-m", "yes", WTRUN_AGENT="03-01")
    first, second = out("read", "--thread", "1")
    assert second["subject"] == "Re: Stop?" and second["to"] == ["BoldMarsh"]
    assert (second["reply_to"], second["thread_id"], second["ack_required"]) == (1, "1", True)
    assert first["id"] == 1


def test_outside_of_an_agent_everything_is_listed_and_the_writer_is_user(linked: Path) -> None:
    run("send", "--to", "BoldMarsh", "-s", "hello", "-m", "b")
    run("send", "--to", "03-01", "-s", "urgent", "-m", "b", "--importance", "urgent")
    assert [m["sender"] for m in out("inbox")] == ["user", "user"]
    assert [m["subject"] for m in out("inbox", "--urgent")] == ["urgent"]
    assert [m["subject"] for m in out("inbox", "-n", "1")] == ["urgent"]
    assert "user" in [agent["name"] for agent in out("agents")]


def test_a_programs_name_is_replaced_by_one_that_stays(linked: Path) -> None:
    for _ in range(2):
        run("send", "--to", "BoldMarsh", "-s", "s", "-m", "b", AGENT_NAME="claude-code")
    senders = {m["sender"] for m in out("inbox")}
    assert len(senders) == 1 and "claude-code" not in senders
    run("send", "--to", *senders, "-s", "answer", "-m", "b")
    assert [m["subject"] for m in out("inbox", AGENT_NAME="claude-code")] == ["answer"]


def test_an_attempt_acts_under_the_name_that_its_run_gave_it(linked: Path) -> None:
    box = Mailbox(locate.here().layout)
    name = box.register("03-01", "opencode", seed="run2/03-01/1").name
    assert name != "03-01", "another agent has that name"
    run("send", "--to", "BoldMarsh", "-s", "s", "-m", "b", WTRUN_RUN="run2", WTRUN_PLAN="03-01")
    run("send", "--to", "BoldMarsh", "-s", "s", "-m", "b", WTRUN_RUN="run3", WTRUN_PLAN="03-01")
    assert [m["sender"] for m in out("inbox")] == ["03-01", name]


def test_control_characters_of_a_message_never_reach_the_terminal(linked: Path) -> None:
    run("send", "--to", "BoldMarsh", "-s", "a\x1b[2Jb", "-m", "c\x1b]0;x\x07\n\td")
    assert "\x1b" not in run("inbox").stdout + run("read", "1").stdout
    assert run("read", "1").stdout.endswith("\n\td\n")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("send", "--to", "Nobody", "-s", "s", "-m", "b"), "no agent is named Nobody"),
        (("send", "-s", "s", "-m", "b"), "needs a recipient"),
        (("send", "--to", "BoldMarsh", "-m", "b"), "needs a subject"),
        (("send", "--reply", "9", "-m", "b"), "no message 9"),
        (("read",), "nothing to read"),
        (("read", "9"), "no message 9"),
        (("ack", "9"), "no message 9 in the inbox of user"),
        (("inbox", "--as", "../x"), "can't be the name"),
    ],
)
def test_mistakes_are_refused_with_a_hint(linked: Path, args: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        CliRunner().invoke(command, args, catch_exceptions=False)
    assert caught.value.hint
    assert Mailbox(locate.here().layout).messages() == []


def test_a_mail_folder_that_cannot_be_written_is_named(linked: Path) -> None:
    mail = locate.here().layout.mail
    (mail / "messages").write_text("in the way")
    with pytest.raises(PreconditionError, match="messages can't be written") as caught:
        CliRunner().invoke(
            command, ["send", "--to", "BoldMarsh", "-s", "s", "-m", "b"], catch_exceptions=False
        )
    assert caught.value.hint


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PreconditionError, match="not inside a git repository"):
        CliRunner().invoke(command, ["inbox"], catch_exceptions=False)


def test_the_command_starts_without_pydantic_gitpython_and_rich(linked: Path) -> None:
    code = (
        "import sys; sys.argv = ['wtrun', 'mail', 'inbox']\n"
        "from worktree_runner.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "print(sorted({'pydantic', 'git', 'rich', 'psutil', 'filelock', 'mcp'} & set(sys.modules)))"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
