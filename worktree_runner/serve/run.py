"""Runs the endpoint until it is stopped: by HTTP for all clients, or by stdio for one."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from worktree_runner.core.reservations import Owner
from worktree_runner.errors import ExitCode, LockedError, PreconditionError
from worktree_runner.serve import start
from worktree_runner.serve.calls import Caller
from worktree_runner.serve.desk import Desk
from worktree_runner.serve.http import Endpoint
from worktree_runner.serve.server import make_server
from worktree_runner.store import identity
from worktree_runner.store.locate import Place
from worktree_runner.store.lock import exclusive

OWNER_POLL_S = 1.0
GRACE_S = 2
KEEP_ALIVE_S = 75
"""Longer than clients keep an idle connection, so that no call meets one that is being closed."""

Say = Callable[[str], None]


def serve_http(
    place: Place, *, port: int | None, require_token: bool, with_pid: int | None, say: Say
) -> ExitCode:
    """Serves until a signal comes or the process `with_pid` ends; says the address first.

    Where a server already runs, its address is said instead, and nothing is started.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(exclusive(start.lock_file(place.layout), timeout=0))
        except LockedError:
            return _attach(place, port, say)
        listener = stack.enter_context(contextlib.closing(_listen(port)))
        stack.callback(start.withdraw, place.layout)
        owner = None if with_pid is None else identity.of_process(with_pid)
        if with_pid is not None and owner is None:
            raise PreconditionError(f"there is no process {with_pid} to serve for")
        desk = Desk(place, owner=owner)
        return asyncio.run(_until_stopped(desk, listener, require_token, say))


def serve_stdio(place: Place, token: str | None) -> ExitCode:
    """Serves the one client at stdin and stdout; `token` binds it to an agent's name."""
    from mcp.server.stdio import stdio_server

    desk = Desk(place)
    owner = desk.tokens.owner(token) if token else None
    server = make_server(desk, Caller(owner))

    async def serve() -> None:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    asyncio.run(serve())
    return ExitCode.DONE


def _attach(place: Place, port: int | None, say: Say) -> ExitCode:
    info = start.wait_ready(place.layout)
    if info is None:
        raise LockedError(
            f"another process holds {start.lock_file(place.layout)} and serves nothing",
            hint="see which one with 'lsof' or 'fuser'",
        )
    if port not in (None, 0, info.port):
        raise LockedError(
            f"this repository is already served at {info.url} by process {info.pid}, "
            f"so not on port {port}",
            hint=f"use that address, or end it first: kill {info.pid}",
        )
    say(f"already served at {info.url} by process {info.pid}")
    return ExitCode.DONE


def _listen(port: int | None) -> socket.socket:
    """A listening socket on loopback; a free port where none was asked for and 8765 is taken."""
    # asyncio switches the delay of small packets off only where the protocol is named: without
    # it each answer took 44 ms
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", start.DEFAULT_PORT if port is None else port))
    except OSError as error:
        if port is not None or error.errno != errno.EADDRINUSE:
            listener.close()
            raise PreconditionError(
                f"can't listen on 127.0.0.1:{port}: {error.strerror}", hint="wtrun serve --port 0"
            ) from None
        listener.bind(("127.0.0.1", 0))
    return listener


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, which would skip our cleaning up."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _until_stopped(
    desk: Desk, listener: socket.socket, require_token: bool, say: Say
) -> ExitCode:
    config = uvicorn.Config(
        Endpoint(desk, require_token=require_token),
        log_level="error",
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        server_header=False,
    )
    server = _Server(config)
    stopped_by: list[int] = []

    def stop(number: int) -> None:
        stopped_by.append(number)
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    watch = loop.create_task(_watch(server, desk.owner))
    serving = loop.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    desk.port = listener.getsockname()[1]
    info = start.announce(desk.project.place.layout, desk.port, desk.tokens.mark)
    say(f"serving {desk.project.root} at {info.url}")
    await serving
    watch.cancel()
    return ExitCode(128 + stopped_by[0]) if _is_code(stopped_by) else ExitCode.DONE


def _is_code(stopped_by: list[int]) -> bool:
    return bool(stopped_by) and stopped_by[0] in (signal.SIGINT, signal.SIGTERM)


async def _watch(server: uvicorn.Server, owner: Owner | None) -> None:
    """Stops the server when the process that it was started for is gone."""
    while owner is not None and start.is_alive(owner.pid, owner.start):
        await asyncio.sleep(OWNER_POLL_S)
    if owner is not None:
        server.should_exit = True
