"""The process of an ACP agent: one session, one prompt, its events on stdout.

- It is an agent process: it starts the program by the SDK and ends with it. The program's own
  standard error is ours. If it does not end when its input closes, the launcher ends it.
- `--check ARGV...` opens a session and sends no prompt: what the program is, and whether it lacks
  a login, without a token. The answer is one JSON object.
- Exit codes: 0 the turn ended, 1 it failed, 2 the SDK is not installed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from worktree_runner.agents.acp_rules import refusal
from worktree_runner.agents.common import allowed_commands
from worktree_runner.agents.failures import CUT_OFF
from worktree_runner.agents.jsonl import render
from worktree_runner.agents.protocol import AgentEvent, AgentRequest, McpServer, Usage
from worktree_runner.agents.streams import head, text

ENDING_S = 8.0
CHECK = "--check"
LONGEST_LINE = 64 * 1024 * 1024


def say(event: AgentEvent, stop: str = "") -> None:
    """One event, at once in the log."""
    print(render(event, stop), flush=True)  # noqa: T201 - this process's output is its log


class Bridge:
    """The client side of one session; the SDK calls its methods by name."""

    def __init__(self, request: AgentRequest) -> None:
        self._request = request
        self._said: list[str] = []
        self._tools: dict[str, dict[str, Any]] = {}
        self.cost: float | None = None
        self.quiet = False
        """While an earlier session is loaded, which is told again from its beginning."""

    @property
    def final(self) -> str:
        return "".join(self._said)

    async def session_update(self, session_id: str, update: Any, **kwargs: Any) -> None:
        if self.quiet:
            return
        kind = str(update.session_update)
        if kind == "agent_message_chunk":
            self._said.append(text(getattr(update.content, "text", "")))
        elif kind in ("tool_call", "tool_call_update"):
            self._tool(update, new=kind == "tool_call")
        elif kind == "usage_update" and update.cost is not None:
            self.cost = float(update.cost.amount)

    def _tool(self, update: Any, *, new: bool) -> None:
        """A tool call comes in pieces: shown once when it begins, and again when it ends."""
        known = self._tools.setdefault(str(update.tool_call_id), {})
        for name in ("title", "kind", "locations", "raw_input", "status"):
            value = getattr(update, name, None)
            if value is not None:
                known[name] = value
        if new:
            if self._said and self._said[-1] != "\n\n":
                say(AgentEvent(kind="text", text=self.final))
                self._said = []
            tool, paths = str(known.get("kind", "tool")), tuple(_paths(known))
            shown = _command(known) or str(known.get("title", ""))
            say(AgentEvent(kind="tool", tool=tool, text=head(shown), paths=paths))
        elif known.get("status") in ("completed", "failed"):
            ok, tool = known["status"] == "completed", str(known.get("kind", "tool"))
            say(AgentEvent(kind="tool_ended", tool=tool, ok=ok, text=head(known.get("title"))))

    async def request_permission(
        self, session_id: str, tool_call: Any, options: Sequence[Any], **kwargs: Any
    ) -> Any:
        from acp import schema

        known = dict(self._tools.get(str(tool_call.tool_call_id), {}))
        for name in ("title", "kind", "locations", "raw_input"):
            if (value := getattr(tool_call, name, None)) is not None:
                known[name] = value
        why = self._refusal(known)
        if why:
            say(AgentEvent(kind="denied", tool=str(known.get("kind", "tool")), text=why))
        wanted = ("reject_once", "reject_always") if why else ("allow_once", "allow_always")
        for name in wanted:
            chosen = next((option for option in options if option.kind == name), None)
            if chosen is not None:
                outcome = schema.AllowedOutcome(outcome="selected", option_id=chosen.option_id)
                return schema.RequestPermissionResponse(outcome=outcome)
        return schema.RequestPermissionResponse(outcome=schema.DeniedOutcome(outcome="cancelled"))

    def _refusal(self, known: Mapping[str, Any]) -> str:
        request = self._request
        if request.permissions == "full":
            return ""
        return refusal(
            str(known.get("kind") or "other"),
            _paths(known),
            _command(known),
            worktree=request.worktree,
            protected=request.protected_paths,
            allowed=allowed_commands(request),
        )

    def on_connect(self, conn: Any) -> None:
        """Called by the SDK; nothing to do."""


def _paths(known: Mapping[str, Any]) -> list[str]:
    found = [str(place.path) for place in known.get("locations") or ()]
    given = known.get("raw_input")
    if not found and isinstance(given, dict):
        names = (given.get(key) for key in ("file_path", "filePath", "path"))
        found = [str(name) for name in names if name]
    return found


def _command(known: Mapping[str, Any]) -> str:
    given = known.get("raw_input")
    command = given.get("command") if isinstance(given, dict) else None
    if isinstance(command, list):
        command = command[-1] if command else None
    title = str(known.get("title") or "")
    if not command and known.get("kind") == "execute" and not title.endswith(("...", "…")):
        return title  # some send the whole command line as the title and nothing else
    return str(command or "")


def mcp_server(server: McpServer) -> Any:
    """A server in the SDK's terms."""
    from acp import schema

    if server.url:
        headers = [schema.HttpHeader(name=k, value=v) for k, v in server.headers.items()]
        return schema.HttpMcpServer(type="http", name=server.name, url=server.url, headers=headers)
    program, *arguments = server.command
    env = [schema.EnvVariable(name=k, value=v) for k, v in server.env.items()]
    return schema.McpServerStdio(name=server.name, command=program, args=arguments, env=env)


async def converse(argv: Sequence[str], mode: str | None, request: AgentRequest) -> int:
    """Runs the session; the exit code."""
    import acp

    bridge = Bridge(request)
    transport = {"stderr": None, "limit": LONGEST_LINE}
    program = acp.spawn_agent_process(
        bridge,  # type: ignore[arg-type]  # offers no files, terminals or forms
        *argv,
        env=dict(os.environ),
        cwd=request.worktree,
        transport_kwargs=transport,
    )
    agent, _ = await program.__aenter__()
    try:
        return await _one_turn(agent, bridge, mode, request)
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(program.__aexit__(None, None, None), ENDING_S)


async def _one_turn(agent: Any, bridge: Bridge, mode: str | None, request: AgentRequest) -> int:
    import acp

    session = await _open_session(agent, bridge, request)
    if session is None:
        return 1
    say(AgentEvent(kind="started", session_id=session))
    if mode:
        await agent.set_session_mode(session_id=session, mode_id=mode)
    prompt = acp.text_block(request.prompt_file.read_text(encoding="utf-8"))
    answer = await agent.prompt(session_id=session, prompt=[prompt])
    say(AgentEvent(kind="usage", usage=_usage(answer.usage, bridge.cost)))
    if bridge.final.strip():
        say(AgentEvent(kind="text", text=bridge.final.strip()))
    stop = str(answer.stop_reason)
    if stop == "end_turn":
        say(AgentEvent(kind="finished", text=bridge.final))
        return 0
    say(AgentEvent(kind="failed", text=f"the turn ended with {stop}"), stop)
    return 1


async def _open_session(agent: Any, bridge: Bridge, request: AgentRequest) -> str | None:
    """The id of a new session, or of the one to go on with; None, once said, if that is gone."""
    import acp

    about = await agent.initialize(protocol_version=acp.PROTOCOL_VERSION)
    servers = [mcp_server(server) for server in request.mcp_servers]
    place = str(request.worktree)
    if not request.resume:
        return str((await agent.new_session(cwd=place, mcp_servers=servers)).session_id)
    why = "the program can't load sessions"
    if getattr(about.agent_capabilities, "load_session", False):
        bridge.quiet = True
        try:
            await agent.load_session(cwd=place, session_id=request.resume, mcp_servers=servers)
        except acp.RequestError as error:
            why = _in_words(error)
        else:
            return request.resume
        finally:
            bridge.quiet = False
    say(AgentEvent(kind="failed", text=f"session not found: {why}"))
    return None


def _in_words(error: Exception) -> str:
    """An error with what the program says about it."""
    data = getattr(error, "data", None)
    more = data.get("details") or data.get("message") or data if isinstance(data, dict) else data
    return f"{error}: {text(more)}" if more else str(error)


class Nobody:
    """The client side of a session in which nothing is to happen."""

    async def session_update(self, session_id: str, update: Any, **kwargs: Any) -> None:
        """What it says of itself is not asked for."""

    def on_connect(self, conn: Any) -> None:
        """Called by the SDK; nothing to do."""


async def look(argv: Sequence[str]) -> dict[str, Any]:
    """What a program says of itself, and what is wrong with it."""
    import acp

    place = str(Path.cwd())
    program = acp.spawn_agent_process(
        Nobody(),  # type: ignore[arg-type]
        *argv,
        env=dict(os.environ),
        cwd=place,
        transport_kwargs={"stderr": None, "limit": LONGEST_LINE},
    )
    agent, _ = await program.__aenter__()  # its end is that of this process
    about = await agent.initialize(protocol_version=acp.PROTOCOL_VERSION)
    found: dict[str, Any] = {
        "version": getattr(about.agent_info, "version", None),
        "resume": bool(getattr(about.agent_capabilities, "load_session", False)),
    }
    try:
        await agent.new_session(cwd=place, mcp_servers=[])
    except acp.RequestError as error:
        ways = [str(method.name) for method in about.auth_methods or ()]
        login = f" (it offers: {', '.join(ways)})" if ways else ""
        found["problem"] = f"it opens no session: {_in_words(error)}{login}"
    return found


def _check(argv: Sequence[str]) -> int:
    from acp import RequestError

    try:
        found = asyncio.run(look(argv))
    except (RequestError, OSError) as error:
        found = {"problem": f"it does not speak ACP: {_in_words(error)}"}
    print(json.dumps(found), flush=True)  # noqa: T201 - the answer
    return 0


def _usage(found: Any, cost: float | None) -> Usage:
    if found is None:
        return Usage(cost_usd=cost)
    return Usage(
        input_tokens=found.input_tokens,
        output_tokens=found.output_tokens,
        cached_tokens=found.cached_read_tokens,
        cost_usd=cost,
    )


def main(argv: Sequence[str]) -> int:
    """Performs the task file named in `argv`."""
    try:
        from acp import RequestError
    except ImportError:
        say(AgentEvent(kind="failed", text="the extra is missing: pip install 'wtrun[acp]'"))
        return 2
    if argv[0] == CHECK:
        return _check(argv[1:])
    task = json.loads(Path(argv[0]).read_text())
    request = AgentRequest.model_validate(task["request"])
    try:
        return asyncio.run(converse(task["argv"], task["mode"], request))
    except ConnectionError:
        say(AgentEvent(kind="failed", text=f"{task['argv'][0]} {CUT_OFF}"))
        return 1
    except (RequestError, OSError) as error:
        say(AgentEvent(kind="failed", text=f"{type(error).__name__}: {_in_words(error)}"))
        return 1


if __name__ == "__main__":
    exit_code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(exit_code)  # some programs never end, and would be waited for; the launcher ends them
