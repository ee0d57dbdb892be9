"""Which server serves a repository, and how a run gets one. Imports nothing of the SDK.

- At most one HTTP server per repository: it holds `registry/server.lock` for its life, and says
  in `registry/server.json` (mode 0600) where it listens. The kernel frees the lock of a killed
  server; a file that it left is told from a living one by pid and start time.
- A second starter attaches: it takes the address from the file. Nobody ends another's server.
- A server that a run starts ends by itself when the run's process is gone.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from worktree_runner.core.names import is_safe
from worktree_runner.errors import NoExecutorError, UsageError
from worktree_runner.serve.tokens import Tokens
from worktree_runner.store import identity
from worktree_runner.store.agents import Agent
from worktree_runner.store.atomic import save_text
from worktree_runner.store.locate import Place
from worktree_runner.store.mailbox import Mailbox
from worktree_runner.store.paths import Layout

DEFAULT_PORT = 8765
"""Agent Mail's own port: configuration files made for it name this one."""
SERVER_KEY = "mcp-agent-mail"
"""The key that the prompts' tool names begin with, in every client's configuration."""
MINIMUM_SDK = (2, 3)
INSTALL = "uv tool install 'wtrun[mcp]'   (or: pipx install 'wtrun[mcp]')"


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """A running server."""

    pid: int
    start: str
    port: int
    url: str
    token_hash: str


@dataclass(frozen=True, slots=True)
class EndpointStart:
    """A process to start, as values; with `attached` there is nothing to start."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    attached: ServerInfo | None = None


def check_extra() -> None:
    """Raises the error that names the install command if the SDK is absent or too old."""
    try:
        version = importlib.metadata.version("mcp")
    except importlib.metadata.PackageNotFoundError:
        raise NoExecutorError(
            "the MCP endpoint needs the extra wtrun[mcp], which is not installed; "
            "'wtrun mail' and 'wtrun reserve' work without it",
            hint=INSTALL,
        ) from None
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if not MINIMUM_SDK <= numbers < (MINIMUM_SDK[0] + 1,):
        raise NoExecutorError(
            f"the MCP endpoint needs the mcp package 2.3 or a later 2.x, found {version}",
            hint=INSTALL,
        )


def start_for_run(place: Place, *, port: int | None = None) -> EndpointStart:
    """What to start so that this process's run has an endpoint; NoExecutorError without the SDK.

    After the start, `wait_ready` gives the address. The server ends when this process does.
    """
    attached = running(place.layout)
    check_extra()
    argv = [
        *(sys.executable, "-P", "-m", "worktree_runner", "-C", str(place.root), "serve"),
        *("--with-pid", str(os.getpid())),
        *(("--port", str(port)) if port is not None else ()),
    ]
    return EndpointStart(tuple(argv), {}, attached)


def plan_agent(
    mailbox: Mailbox, run_id: str, plan_id: str, attempt: int, *, program: str, model: str = ""
) -> Agent:
    """The mailbox's agent for one attempt: the same one, with the same name, after a restart."""
    hint = plan_id if attempt == 1 else f"{plan_id}-a{attempt}"
    task = f"Executing {plan_id}"
    return mailbox.register(hint, program, model, task, seed=f"{run_id}/{plan_id}/{attempt}")


def token_of(layout: Layout, agent_name: str) -> str:
    """The bearer token that binds a connection to this agent; stable over restarts."""
    if not is_safe(agent_name):
        raise UsageError(f"{agent_name!r} can't be an agent's name", hint="wtrun mail agents")
    return Tokens(layout).of(agent_name)


def bearer(token: str) -> dict[str, str]:
    """The headers of a client that holds this token."""
    return {"Authorization": f"Bearer {token}"}


def running(layout: Layout) -> ServerInfo | None:
    """The living server of this repository, or None."""
    try:
        record = json.loads(info_file(layout).read_bytes())
        known = {one.name for one in fields(ServerInfo)}
        info = ServerInfo(**{key: value for key, value in record.items() if key in known})
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return info if is_alive(info.pid, info.start) else None


def wait_ready(layout: Layout, *, timeout: float = 10.0, poll: float = 0.02) -> ServerInfo | None:
    """The server's record as soon as it listens; None if it does not within the time."""
    deadline = time.monotonic() + timeout
    while True:
        info = running(layout)
        if info is not None or time.monotonic() >= deadline:
            return info
        time.sleep(poll)


def announce(layout: Layout, port: int, token_hash: str) -> ServerInfo:
    """Writes `server.json` for this process."""
    owner = identity.of_process()
    start = owner.start if owner else ""
    info = ServerInfo(os.getpid(), start, port, f"http://127.0.0.1:{port}/mcp/", token_hash)
    text = json.dumps({"v": 1, **asdict(info)}, indent=1) + "\n"
    save_text(info_file(layout), text, durable=False, mode=0o600)
    return info


def withdraw(layout: Layout) -> None:
    """Removes `server.json` if it is this process's."""
    info = running(layout)
    if info is not None and info.pid == os.getpid():
        info_file(layout).unlink(missing_ok=True)


def info_file(layout: Layout) -> Path:
    return layout.registry / "server.json"


def lock_file(layout: Layout) -> Path:
    return layout.registry / "server.lock"


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of loopback now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def is_alive(pid: int, start: str) -> bool:
    """Whether that very process lives; a start time tells a reused pid from the old process."""
    owner = identity.of_process(pid)
    return owner is not None and owner.start == start
