"""A run's endpoint starts and ends with it, and its messages are sent once."""

from __future__ import annotations

import http.client
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.repo import Repo
from worktree_runner.agents.protocol import McpServer
from worktree_runner.core.messages import Draft, PlanFacts
from worktree_runner.dialects.schema import load
from worktree_runner.operations.context.run_mail import RunMail
from worktree_runner.serve import start
from worktree_runner.store import locate
from worktree_runner.store.mailbox import Mailbox

EPOCH = "2026-01-01T00:00:00.000000+00:00"
FACTS = PlanFacts("03-01", ".worktrees/wt-03-01", "gsd/03-01")


@pytest.fixture
def mail(repo: Repo, tmp_path: Path) -> RunMail:
    repo.commit("first", {"a": "1\n"})
    place = locate.here(repo.path)
    return RunMail(place, "run1", load("gsd"), place.layout.run("run1").path)


def call(server: McpServer, tool: str, **arguments: Any) -> Any:
    assert server.url is not None
    connection = http.client.HTTPConnection(server.url.split("/")[2], timeout=30)
    params = {"name": tool, "arguments": arguments}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {"content-type": "application/json", **server.headers}
    connection.request("POST", "/mcp/", json.dumps(body), headers)
    return json.loads(connection.getresponse().read())["result"]["structuredContent"]


def test_the_endpoint_knows_the_attempt_and_ends_with_the_run(mail: RunMail) -> None:
    mail.open()
    try:
        assert mail.notice is None
        agent = mail.agent("03-01", 1, "opencode")
        (server,) = mail.servers(agent)
        assert server.name == "mcp-agent-mail"
        given = {"project_key": str(mail.place.root), "program": "gsd-executor", "model": "m"}
        assert call(server, "register_agent", **given)["name"] == agent.name == "03-01"
        second = RunMail(mail.place, "run2", mail.dialect, mail.folder)
        second.open()
        assert second.servers(agent)[0].url == server.url, "a second run attaches"
        second.close()
        assert call(server, "health_check")["status"] == "ok"
    finally:
        mail.close()
    assert start.running(mail.place.layout) is None and mail.servers(agent) == ()
    mail.open()
    assert mail.servers(agent), "a folder is started once, so a second start takes another"
    mail.close()


def test_the_endpoint_does_not_outlive_a_killed_run(mail: RunMail) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from worktree_runner.dialects.schema import load\n"
        "from worktree_runner.operations.context.run_mail import RunMail\n"
        "from worktree_runner.store import locate\n"
        "mail = RunMail(locate.here(Path(sys.argv[1])), 'r', load('gsd'), Path(sys.argv[2]))\n"
        "mail.open()\n"
        "print(mail.servers(mail.agent('03-01', 1, 'x'))[0].url, flush=True)\n"
        "input()\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code, str(mail.place.root), str(mail.folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert run.stdout is not None and run.stdout.readline().startswith("http://127.0.0.1:")
    info = start.running(mail.place.layout)
    assert info is not None
    server = psutil.Process(info.pid)
    run.kill()
    run.wait()
    server.wait(30)
    assert start.running(mail.place.layout) is None


def test_without_the_extra_the_run_goes_on_and_says_why(
    mail: RunMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    mail.open()
    agent = mail.agent("03-01", 1, "opencode")
    assert mail.notice is not None and "wtrun[mcp]" in mail.notice
    assert mail.servers(agent) == ()
    assert mail.complete(agent, FACTS, EPOCH) is not None


def test_the_run_reports_what_its_agent_did_not_and_only_once(mail: RunMail) -> None:
    box = Mailbox(mail.place.layout)
    one, two = mail.agent("03-01", 1, "opencode"), mail.agent("03-02", 1, "opencode")
    to = mail.orchestrator.name
    assert RunMail(mail.place, "run1", mail.dialect, mail.folder).orchestrator.name == to
    box.send(one.name, [to], Draft("[gsd-03-01] Plan Complete", "own words", "gsd-03-01"))
    assert mail.complete(one, FACTS, EPOCH) is None
    facts = PlanFacts("03-02", ".worktrees/wt-03-02", "gsd/03-02")
    sent = mail.failed(two, facts, "no summary", EPOCH)
    assert sent is not None and (sent.sender, sent.importance) == (two.name, "high")
    assert mail.failed(two, facts, "no summary", EPOCH) is None
    subjects = [delivery.message.subject for delivery in box.inbox(to)]
    assert subjects == ["[gsd-03-02] Plan FAILED", "[gsd-03-01] Plan Complete"]
