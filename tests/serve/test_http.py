"""The HTTP face: paths, statuses, Host and Origin, tokens."""

from __future__ import annotations

import socket

import pytest

from tests.serve.support import JSON_TYPE, Served, make_repo
from worktree_runner.serve import start

INITIALIZE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


@pytest.mark.parametrize("path", ["/mcp/", "/mcp", "/api/", "/api"])
def test_every_path_answers_itself_with_plain_json_and_no_session(
    served: Served, path: str
) -> None:
    status, answer = served.rpc("initialize", INITIALIZE, path=path)
    assert status == 200
    assert answer["result"]["serverInfo"]["name"] == "mcp-agent-mail"
    assert answer["result"]["protocolVersion"] == "2025-06-18"


@pytest.mark.parametrize("accept", ["", "application/json", "*/*", "text/html"])
def test_a_tool_is_called_without_a_handshake_whatever_is_accepted(
    served: Served, accept: str
) -> None:
    headers = {"accept": accept} if accept else {}
    status, answer = served.rpc("tools/call", {"name": "health_check"}, **headers)
    assert (status, answer["result"]["structuredContent"]["status"]) == (200, "ok")
    assert answer["result"]["structuredContent"]["http_port"] == served.info.port


@pytest.mark.parametrize("version", [None, "2025-06-18"])
@pytest.mark.parametrize("method", ["no/such", "server/discover", "logging/setLevel"])
def test_an_unknown_method_is_a_json_rpc_error_with_status_200(
    served: Served, method: str, version: str | None
) -> None:
    headers = {"mcp_protocol_version": version} if version else {}
    status, answer = served.rpc(method, {"level": "info"}, **headers)
    assert (status, answer["error"]["code"], answer["id"]) == (200, -32601, 7)


def test_an_unknown_method_of_the_newest_protocol_has_status_200_too(served: Served) -> None:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    headers = {"mcp_protocol_version": "2026-07-28", "mcp_method": "no/such"}
    status, answer = served.rpc("no/such", {"_meta": meta}, **headers)
    assert (status, answer["error"]["code"]) == (200, -32601)


def test_notifications_are_taken_and_broken_bodies_refused(served: Served) -> None:
    note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert served.request("POST", "/mcp/", note, JSON_TYPE)[0] == 202
    status, answer = served.request("POST", "/mcp/", "{", JSON_TYPE)
    assert status == 400 and answer["error"]["code"] == -32700
    assert served.request("POST", "/mcp/", [note], JSON_TYPE)[0] == 400
    assert served.request("POST", "/mcp/", note, {"content-type": "text/plain"})[0] == 400


def test_get_tells_that_the_server_lives_and_keeps_no_stream_open(served: Served) -> None:
    for path in ("/", "/health", "/health/liveness", "/health/readiness"):
        assert served.request("GET", path)[:2] == (200, {"status": "alive", "server": "wtrun"})
    assert served.request("GET", "/mcp/", headers={"accept": "text/event-stream"})[0] == 405
    assert served.request("DELETE", "/mcp/")[0] == 405
    assert served.request("GET", "/nothing")[0] == 404


@pytest.mark.parametrize("path", ["/mcp/", "/health/liveness"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example:8765"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost:3000"}, 200),
        ({"host": "localhost"}, 200),
    ],
)
def test_host_and_origin_are_checked_everywhere(
    served: Served, path: str, headers: dict[str, str], status: int
) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    method = "GET" if "health" in path else "POST"
    sent = body if method == "POST" else None
    assert served.request(method, path, sent, {**JSON_TYPE, **headers})[0] == status


def test_it_listens_on_loopback_only(served: Served) -> None:
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None)}
    for address in others - {"127.0.0.1", "::1"}:
        with pytest.raises(OSError), socket.create_connection((address, served.info.port), 1):
            pass


def test_a_large_body_is_refused(served: Served) -> None:
    assert served.request("POST", "/mcp/", b"x" * (4 * 2**20 + 1), JSON_TYPE)[0] == 413


def test_a_token_binds_the_name_and_a_foreign_one_is_no_obstacle(
    served: Served, project: str
) -> None:
    agent = start.plan_agent(served.mailbox, "run1", "03-01", 1, program="opencode")
    token = start.token_of(served.place.layout, agent.name)
    given = {"project_key": project, "program": "gsd-executor", "model": "m"}
    assert served.ok("register_agent", token, **given)["name"] == agent.name == "03-01"
    assert served.ok("register_agent", token, name="Somebody", **given)["name"] == agent.name
    other = served.ok("register_agent", "hand-written-token-of-agent-mail", **given)["name"]
    assert other != agent.name
    text = served.error("fetch_inbox", token, project_key=project, agent_name=other)
    assert text.startswith("Error calling tool 'fetch_inbox': ") and "'03-01'" in text
    assert served.ok("fetch_inbox", token, project_key=project, agent_name="03-01") == []
    forged = f"{agent.name}.{'0' * 40}"
    assert served.ok("register_agent", forged, **given)["name"] != agent.name


def test_require_token_refuses_clients_without_one_but_not_liveness(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    served = Served(make_repo(tmp_path_factory.mktemp("r")), "--port", "0", "--require-token")
    try:
        assert served.rpc("tools/call", {"name": "health_check"})[0] == 401
        assert served.rpc("ping", authorization="Bearer x.y")[0] == 401
        served.mailbox.register("plan-03-01", "test")
        token = start.token_of(served.place.layout, "plan-03-01")
        assert served.ok("health_check", token)["status"] == "ok"
        assert served.request("GET", "/health/liveness")[0] == 200
    finally:
        served.stop()
