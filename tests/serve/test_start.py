"""Starting, attaching, ending; and what is said where the extra is not installed."""

from __future__ import annotations

import importlib.metadata
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.serve.support import Served, argv, make_repo
from worktree_runner.core.reservations import Life
from worktree_runner.errors import ExitCode, NoExecutorError, UsageError
from worktree_runner.serve import start
from worktree_runner.serve.tokens import Tokens
from worktree_runner.store import locate
from worktree_runner.store.mailbox import Mailbox
from worktree_runner.store.registry import Registry


def test_server_json_is_private_and_names_the_process(served: Served) -> None:
    file = start.info_file(served.place.layout)
    assert file.stat().st_mode & 0o777 == 0o600
    record = json.loads(file.read_text())
    assert record["pid"] == served.process.pid and record["port"] == served.info.port
    assert record["token_hash"] == Tokens(served.place.layout).mark
    assert (served.place.layout.mail / "secret").stat().st_mode & 0o777 == 0o600


def test_a_second_starter_says_the_address_and_leaves_the_first_alone(served: Served) -> None:
    linked = served.repo.path / ".worktrees/wt-03-01"
    done = subprocess.run(
        argv("-C", str(linked), "serve"), env=served.env, capture_output=True, text=True
    )
    assert done.returncode == 0
    said = f"already served at {served.info.url} by process {served.process.pid}\n"
    assert done.stdout == said
    other = argv("-C", str(linked), "serve", "--port", "1")
    refused = subprocess.run(other, env=served.env, capture_output=True, text=True)
    assert refused.returncode == ExitCode.LOCKED and served.info.url in refused.stderr
    assert served.rpc("ping")[0] == 200
    assert start.start_for_run(served.place).attached == served.info


def test_a_stopped_server_takes_its_record_away_and_a_killed_ones_is_not_believed(
    tmp_path: Path,
) -> None:
    repo = make_repo(tmp_path)
    place = locate.here(repo.path)
    served = Served(repo, "--port", "0")
    served.stop()
    assert served.process.returncode == ExitCode.TERMINATED
    assert not start.info_file(place.layout).exists()
    served = Served(repo, "--port", "0")
    served.process.send_signal(signal.SIGKILL)
    served.process.communicate()
    assert start.info_file(place.layout).exists() and start.running(place.layout) is None
    again = Served(repo, "--port", "0")
    assert again.rpc("ping")[0] == 200
    again.stop()


def test_the_server_of_a_run_ends_when_the_run_is_killed(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    runner = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    served = Served(repo, "--port", "0", "--with-pid", str(runner.pid))
    agent = start.plan_agent(served.mailbox, "r1", "03-01", 1, program="opencode")
    mine = {"project_key": str(repo.path), "agent_name": agent.name, "paths": ["src/a.py"]}
    served.ok("file_reservation_paths", **mine)
    (held,) = Registry(served.place.layout).active()
    assert held.alive is Life.ALIVE
    runner.kill()
    runner.wait()
    _, errors = served.process.communicate(timeout=20)
    assert (served.process.returncode, errors) == (0, "")
    assert Registry(served.place.layout).active() == (), "a plan's reservations end with its run"


def test_a_busy_port_is_refused_if_asked_for(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            argv("-C", str(repo.path), "serve", "--port", port),
            env=Served.environment(repo),
            capture_output=True,
            text=True,
        )
    assert done.returncode == ExitCode.PRECONDITION
    assert f"can't listen on 127.0.0.1:{port}" in done.stderr and "--port 0" in done.stderr


def test_answers_are_not_held_back_for_bigger_packets() -> None:
    from worktree_runner.serve import run

    # asyncio sets TCP_NODELAY on accepted sockets of this protocol number only
    with run._listen(0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
        assert listener.getsockname()[0] == "127.0.0.1"


def test_without_the_sdk_the_command_names_the_install_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo(tmp_path)
    code = (
        "import sys, importlib.metadata as m\n"
        "real = m.version\n"
        "def version(name):\n"
        "    if name == 'mcp': raise m.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "m.version = version\n"
        "sys.modules['mcp'] = None\n"
        f"sys.argv = ['wtrun', '-C', {str(repo.path)!r}, 'serve']\n"
        "from worktree_runner.cli import main; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=Served.environment(repo), capture_output=True, text=True
    )
    assert done.returncode == ExitCode.NO_EXECUTOR
    assert "wtrun[mcp]" in done.stderr and "hint: uv tool install" in done.stderr
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.30.0")
    with pytest.raises(NoExecutorError, match=r"found 1\.30\.0"):
        start.check_extra()


def test_a_plans_agent_and_token_are_the_same_after_a_restart(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    layout = locate.here(repo.path).layout
    first = start.plan_agent(Mailbox(layout), "r1", "03-01", 1, program="opencode")
    again = start.plan_agent(Mailbox(layout), "r1", "03-01", 1, program="opencode")
    assert (first.name, first.id) == (again.name, again.id) == ("03-01", 1)
    assert start.token_of(layout, first.name) == start.token_of(layout, again.name)
    retry = start.plan_agent(Mailbox(layout), "r1", "03-01", 2, program="opencode")
    assert retry.name == "03-01-a2"
    other_run = start.plan_agent(Mailbox(layout), "r2", "03-01", 1, program="opencode")
    assert other_run.name not in (first.name, retry.name)
    done = subprocess.run(
        argv("-C", str(repo.path), "serve", "--token", first.name),
        env=Served.environment(repo), capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == start.token_of(layout, first.name)
    with pytest.raises(UsageError, match="can't be an agent's name"):
        start.token_of(layout, "../x")


def test_the_launch_of_a_run_starts_a_server_that_is_ready(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    place = locate.here(repo.path)
    launch = start.start_for_run(place, port=0)
    assert launch.attached is None
    process = subprocess.Popen(
        launch.argv, env={**os.environ, **launch.env}, stdout=subprocess.DEVNULL
    )
    info = start.wait_ready(place.layout)
    assert info is not None and info.pid == process.pid
    with socket.create_connection(("127.0.0.1", info.port), 5):
        pass
    process.terminate()
    assert process.wait(20) == ExitCode.TERMINATED


def test_waiting_for_a_server_that_never_comes_ends(tmp_path: Path) -> None:
    began = time.monotonic()
    assert start.wait_ready(locate.here(make_repo(tmp_path).path).layout, timeout=0.1) is None
    assert time.monotonic() - began < 5
