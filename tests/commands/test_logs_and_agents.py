from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.repo import Repo
from worktree_runner import process
from worktree_runner.agents import registry
from worktree_runner.cli import group, main
from worktree_runner.commands import agents as agents_command
from worktree_runner.commands import logs as logs_command
from worktree_runner.store.paths import Layout

STREAMS = Path(__file__).parent.parent / "agents" / "streams"


def attempt(repo: Repo, plan: str = "03-01", n: int = 1, run: str = "r1") -> Path:
    folder = Layout(repo.path / ".git").run(run).attempt(plan, n)
    folder.mkdir(parents=True)
    (folder.parent.parent / "journal.jsonl").write_text("")
    return folder


def recorded(repo: Repo, agent: str, case: str, **where: object) -> Path:
    folder = attempt(repo, **where)  # type: ignore[arg-type]
    source = next(STREAMS.glob(f"{agent}-*"))
    (folder / "stdout.log").write_bytes((source / f"{case}.stdout.log").read_bytes())
    (folder / "agent.json").write_text(json.dumps({"agent": agent, "events": agent}))
    return folder


@pytest.fixture(autouse=True)
def inside(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.path)


def logs(*args: str) -> Result:
    return CliRunner().invoke(logs_command.command, args)


def test_events_are_told_in_words(repo: Repo) -> None:
    recorded(repo, "claude", "denied")
    shown = logs("03-01")
    assert shown.stdout.splitlines()[1:] == [
        "→ Write /w/repo/.worktrees/wt-03-01/HELLO.txt",
        "→ Bash python3 -c 1",
        "  ✗ This command requires approval",
        "→ Bash git add -- HELLO.txt",
        "→ Bash git commit -qm 'feat: a'",
        "Done.",
        "✗ denied Bash python3 -c 1 (This command requires approval)",
        "(no exit status was written)",
    ]
    assert "03-01, attempt 1, agent claude, of r1" in shown.stderr


def test_raw_lines_reach_the_terminal_without_control_characters(repo: Repo) -> None:
    folder = attempt(repo)
    (folder / "stdout.log").write_bytes(b"\x1b[31mred\x1b[0m \xff\n")
    assert "\x1b" not in logs("03-01", "--raw").stdout
    assert "red" in logs("03-01", "--raw").stdout
    assert "\x1b" not in logs("03-01").stdout


def test_newest_run_and_attempt_are_the_default(repo: Repo) -> None:
    recorded(repo, "codex", "ok", run="r1")
    recorded(repo, "gemini", "ok", run="r2", n=1)
    second = recorded(repo, "qwen", "ok", run="r2", n=2)
    assert logs("03-01", "--path").stdout == f"{second}\n"
    assert "agent gemini, of r2" in logs("03-01", "--attempt", "1").stderr
    assert "agent codex, of r1" in logs("03-01", "--run", "r1").stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("03-02",), "03-02 has not been started"),
        (("03-01", "--attempt", "7"), "03-01 has no attempt 7; there is 1 and 2"),
        (("03-01", "--run", "r9"), "nothing executed is called r9"),
    ],
)
def test_what_is_not_there_is_said(
    repo: Repo, args: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(repo, "codex", "ok")
    recorded(repo, "codex", "ok", n=2)
    with pytest.raises(SystemExit) as ended:
        main(["logs", *args])
    assert ended.value.code in (2, 5)
    assert message in capsys.readouterr().err


def test_following_shows_what_is_added_until_the_attempt_ends(repo: Repo) -> None:
    folder = attempt(repo)
    (folder / "agent.json").write_text(json.dumps({"agent": "shell", "events": "shell"}))
    gate = repo.path / "gate"
    script = (
        "import sys,time,pathlib\nprint('== task 1/1: One', flush=True)\n"
        "while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.02)\n"
        "print('== done: 1 tasks', flush=True)\n"
    )
    spec = process.Spec(
        argv=(sys.executable, "-c", script, str(gate)),
        cwd=repo.path,
        mark=process.Mark("r1", "03-01-a1"),
        timeout_s=60,
    )
    process.start(spec, folder)
    assert "(at work; add -f to follow)" in logs("03-01").stdout
    threading.Timer(0.5, gate.touch).start()
    shown = logs("03-01", "-f").stdout.splitlines()
    assert shown[0] == "task 1/1: One"
    assert shown[-1].startswith("■ ok")


def agents(*args: str) -> Result:
    return CliRunner().invoke(agents_command.command, args)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with git, sh and the programs that a test puts there."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return folder


def install(folder: Path, name: str, says: str, code: int = 0) -> None:
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    (folder / name).chmod(0o755)


def test_agents_shows_what_is_installed_and_which_is_chosen(programs: Path) -> None:
    install(programs, "codex", "codex-cli 0.169.0")
    lines = agents().stdout.splitlines()
    assert any(line.startswith("* codex") and "sandbox" in line for line in lines)
    assert any(line.startswith("  claude") and "not installed" in line for line in lines)
    assert not any(line.startswith("* shell") for line in lines)


def test_check_finds_old_versions_and_missing_logins(programs: Path) -> None:
    install(programs, "claude", "1.0.3 (Claude Code)")
    install(programs, "codex", "boom", code=1)
    rows = {row["name"]: row for row in json.loads(agents("--check", "--json").stdout)["agents"]}
    assert rows["claude"]["version"] == "1.0.3"
    assert rows["claude"]["problems"][0] == "version 1.0.3 is older than 2.0"
    assert any("no login found" in problem for problem in rows["claude"]["problems"])
    assert rows["codex"]["problems"][0] == "codex --version gives no version"
    assert set(rows) == set(registry.names())


def test_own_agents_of_the_project_are_listed_with_their_mistakes(
    repo: Repo, programs: Path
) -> None:
    repo.write(
        ".wtrun.toml", '[agents.mine]\nargv = ["mine", "{plna}"]\n[agents.good]\nargv = ["sh"]\n'
    )
    shown = agents().stdout
    assert "unknown placeholder {plna}" in shown
    assert any(line.startswith("  good") and "installed" in line for line in shown.splitlines())
    repo.write(".wtrun.toml", '[agents.good]\nargv = ["sh"]\n')
    assert any(line.startswith("* good") for line in agents().stdout.splitlines())


def test_both_commands_have_help() -> None:
    shown = CliRunner().invoke(group, ["--help"]).stdout
    assert "agents" in shown
    assert "logs" in shown
