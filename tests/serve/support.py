"""A running `wtrun serve` for tests, and a plain client that shows exactly what is on the wire."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.repo import Repo, clean_environment
from worktree_runner.serve import start
from worktree_runner.store import locate
from worktree_runner.store.mailbox import Mailbox

ROOT = Path(__file__).parents[2]
JSON_TYPE = {"content-type": "application/json"}


def argv(*args: str) -> list[str]:
    return [sys.executable, "-P", "-m", "worktree_runner", *args]


def make_repo(folder: Path) -> Repo:
    """A repository with one commit and a linked worktree `.worktrees/wt-03-01`."""
    repo = Repo.make(folder / "repo", folder / "home")
    repo.commit("first", {"src/a.py": "x = 1\n"})
    repo.git("worktree", "add", "-q", ".worktrees/wt-03-01", "-b", "gsd/03-01")
    return repo


class Served:
    """The server process of one repository."""

    def __init__(self, repo: Repo, *args: str) -> None:
        self.repo = repo
        self.place = locate.here(repo.path)
        self.mailbox = Mailbox(self.place.layout)
        self.env = self.environment(repo)
        self.process = subprocess.Popen(
            argv("-C", str(repo.path), "serve", *args),
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        info = start.wait_ready(self.place.layout, timeout=30)
        if info is None:
            self.process.kill()
            raise AssertionError(f"no server: {self.process.communicate()}")
        self.info = info
        self._connection = http.client.HTTPConnection("127.0.0.1", info.port, timeout=30)

    @staticmethod
    def environment(repo: Repo) -> dict[str, str]:
        return {**clean_environment(repo.path.parent / "home"), "PYTHONPATH": str(ROOT)}

    def stop(self) -> None:
        self._connection.close()
        self.process.terminate()
        self.process.communicate(timeout=20)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Status and body of one request over a kept connection; JSON is parsed."""
        data = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
        self._connection.request(method, path, data, dict(headers or {}))
        answer = self._connection.getresponse()
        text = answer.read()
        is_json = (answer.headers.get_content_type() or "") == "application/json"
        return answer.status, json.loads(text) if is_json and text else text

    def rpc(
        self, method: str, params: Any = None, *, path: str = "/mcp/", **headers: str
    ) -> tuple[int, Any]:
        """One JSON-RPC call with no handshake before it."""
        body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params or {}}
        sent = {**JSON_TYPE, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.request("POST", path, body, sent)

    def tool(self, tool: str, token: str | None = None, /, **arguments: Any) -> dict[str, Any]:
        """The result object of a tools/call."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        status, answer = self.rpc("tools/call", {"name": tool, "arguments": arguments}, **headers)
        assert status == 200, answer
        result: dict[str, Any] = answer["result"]
        return result

    def ok(self, tool: str, token: str | None = None, /, **arguments: Any) -> Any:
        """What the tool's text says, after a check that both forms of the result agree."""
        result = self.tool(tool, token, **arguments)
        assert result["isError"] is False, result["content"]
        value = json.loads(result["content"][0]["text"])
        expected = {"result": value} if isinstance(value, list) else value
        assert result["structuredContent"] == expected
        return value

    def error(self, tool: str, token: str | None = None, /, **arguments: Any) -> str:
        """The text of a tool's error, after a check that it has no structured content."""
        result = self.tool(tool, token, **arguments)
        assert result["isError"] is True and "structuredContent" not in result, result
        text: str = result["content"][0]["text"]
        return text
