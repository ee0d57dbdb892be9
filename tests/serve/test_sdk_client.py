"""The SDK's own client runs every tool, over HTTP and stdio, in both of the protocol's eras."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest

from tests.serve.support import ROOT, Served, make_repo
from tests.support.repo import clean_environment
from worktree_runner.serve import start
from worktree_runner.store import locate
from worktree_runner.store.mailbox import Mailbox

Era = Literal["auto", "legacy"]


def example_calls(project: str, one: str, two: str) -> list[tuple[str, dict[str, Any]]]:
    """One call of each tool with the parameters that prompts give them, in a working order."""
    key = {"project_key": project}
    return [
        ("health_check", {}),
        ("ensure_project", {"human_key": project, "identity_mode": "directory"}),
        ("register_agent", {**key, "program": "gsd-orchestrator", "model": "m", "name": one,
                            "task_description": "Phase 3 Execution Orchestrator"}),
        ("create_agent_identity", {**key, "program": "p", "model": "m", "name_hint": two}),
        ("whois", {**key, "agent_name": one, "commit_limit": 5}),
        ("list_agents", {**key, "limit": 100}),
        ("file_reservation_paths", {**key, "agent_name": one, "paths": ["src/*.py", "a/b.ts"],
                                    "ttl_seconds": 3600, "exclusive": True, "reason": "gsd-1"}),
        ("check_file_reservation_conflicts", {**key, "agent_name": two, "paths": ["src/x.py"]}),
        ("renew_file_reservations", {**key, "agent_name": one, "extend_seconds": 1800}),
        ("release_file_reservations", {**key, "agent_name": one}),
        ("force_release_file_reservation", {**key, "agent_name": one, "file_reservation_id": 1}),
        ("send_message", {**key, "sender_name": one, "to": [two], "subject": "s", "body_md": "b",
                          "thread_id": "gsd-03-01", "importance": "high"}),
        ("reply_message", {**key, "message_id": 1, "sender_name": two, "body_md": "ok"}),
        ("fetch_inbox", {**key, "agent_name": two, "include_bodies": True}),
        ("mark_message_read", {**key, "agent_name": two, "message_id": 1}),
        ("acknowledge_message", {**key, "agent_name": two, "message_id": 1}),
        ("search_messages", {**key, "query": "s", "limit": 5}),
        ("macro_start_session", {"human_key": project, "program": "p", "model": "m",
                                 "file_reservation_paths": ["macro/**/*.ts"]}),
        ("macro_file_reservation_cycle", {**key, "agent_name": one, "paths": ["c"],
                                          "auto_release": True}),
        ("request_contact", {**key, "from_agent": one, "to_agent": two}),
        ("respond_contact", {**key, "to_agent": two, "from_agent": one, "accept": True}),
        ("list_contacts", {**key, "agent_name": one}),
        ("set_contact_policy", {**key, "agent_name": one, "policy": "open"}),
        ("install_precommit_guard", {**key, "code_repo_path": project}),
        ("uninstall_precommit_guard", {"code_repo_path": project}),
        ("retire_agent", {**key, "agent_name": two}),
        ("unretire_agent", {**key, "agent_name": two}),
        ("deregister_agent", {**key, "agent_name": two}),
    ]  # fmt: skip


async def run_everything(transport: Any, era: Era, project: str) -> int:
    """The size of tools/list; every tool was called and its two forms of result agree."""
    from mcp.client import Client

    one, two = f"one-{era}", f"two-{era}"
    async with Client(transport, mode=era) as client:
        listed = await client.list_tools()
        called = set()
        for name, arguments in example_calls(project, one, two):
            result = await client.call_tool(name, arguments)
            text = result.content[0].text
            assert not result.is_error, (name, text)
            value = json.loads(text)
            wrapped = {"result": value} if isinstance(value, list) else value
            assert result.structured_content == wrapped, name
            called.add(name)
        assert called == {tool.name for tool in listed.tools}
        failed = await client.call_tool("whois", {"project_key": project, "agent_name": "NoSuch"})
        assert failed.is_error and failed.structured_content is None
        templates = await client.list_resource_templates()
        assert len(templates.resource_templates) >= 4
        inbox = await client.read_resource(f"resource://inbox/{two}?include_bodies=true")
        assert json.loads(inbox.contents[0].text)["messages"][0]["body_md"] == "b"
        size = listed.model_dump_json(by_alias=True, exclude_none=True)
        return len(size.encode())


@pytest.mark.parametrize("era", ["auto", "legacy"])
def test_every_tool_over_http(tmp_path: Path, era: Era) -> None:
    served = Served(make_repo(tmp_path), "--port", "0")
    try:
        size = anyio.run(run_everything, served.info.url, era, str(served.repo.path))
    finally:
        served.stop()
    assert size < 16_000, "every client puts this into every model's context"


@pytest.mark.parametrize("era", ["auto", "legacy"])
def test_every_tool_over_stdio(tmp_path: Path, era: Era) -> None:
    repo = make_repo(tmp_path)
    with stdio(repo.path, tmp_path) as transport:
        anyio.run(run_everything, transport, era, str(repo.path))
    assert not start.info_file(locate.here(repo.path).layout).exists()


async def executor(url: str, project: str, orchestrator: str) -> None:
    """What the worktree variant's executor does, with the name that it was given, no token."""
    from mcp.client import Client

    async with Client(url) as client:

        async def call(tool: str, **arguments: Any) -> Any:
            result = await client.call_tool(tool, {"project_key": project, **arguments})
            assert not result.is_error, result.content[0].text
            return result.structured_content

        thread = "gsd-03-01"
        me = (await call("register_agent", program="gsd-executor", model="opencode-default",
                         task_description="Executing 03-01"))["name"]  # fmt: skip
        paths = ["src/api/auth.ts", "src/types/user.ts", "tests/auth/*.test.ts"]
        reserved = await call("file_reservation_paths", agent_name=me, paths=paths,
                              ttl_seconds=3600, exclusive=True, reason=thread)  # fmt: skip
        assert len(reserved["granted"]) == 3
        await call("send_message", sender_name=me, to=[orchestrator], thread_id=thread,
                   subject="[gsd-03-01] Plan Complete", body_md="done")  # fmt: skip
        assert (await call("release_file_reservations", agent_name=me))["released"] == 3


def test_an_executor_without_a_token_reports_to_its_orchestrator(
    served: Served, project: str
) -> None:
    given = {"project_key": project, "program": "gsd-orchestrator", "model": "m"}
    orchestrator = served.ok("register_agent", **given)["name"]
    anyio.run(executor, served.info.url, project, orchestrator)
    (received,) = served.ok("fetch_inbox", project_key=project, agent_name=orchestrator)
    assert received["subject"] == "[gsd-03-01] Plan Complete"
    assert received["thread_id"] == "gsd-03-01"


def test_a_token_in_the_environment_binds_a_stdio_client(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    layout = locate.here(repo.path).layout
    agent = start.plan_agent(Mailbox(layout), "r1", "03-01", 1, program="opencode")
    token = start.token_of(layout, agent.name)

    async def name(transport: Any) -> str:
        from mcp.client import Client

        async with Client(transport) as client:
            given = {"project_key": str(repo.path), "program": "gsd-executor", "model": "m"}
            answer = await client.call_tool("register_agent", given)
            return str(answer.structured_content["name"])

    with stdio(repo.path, tmp_path, WTRUN_TOKEN=token) as transport:
        assert anyio.run(name, transport) == agent.name
    with stdio(repo.path, tmp_path) as transport:
        assert anyio.run(name, transport) != agent.name


@contextmanager
def stdio(repo: Path, folder: Path, **env: str) -> Iterator[Any]:
    """`wtrun serve --stdio` as the client's child, started from inside the linked worktree."""
    from mcp.client.stdio import StdioServerParameters, stdio_client

    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-P", "-m", "worktree_runner", "serve", "--stdio"],
        env={**clean_environment(folder / "home"), "PYTHONPATH": str(ROOT), **env},
        cwd=repo / ".worktrees/wt-03-01",
    )
    yield stdio_client(parameters)
