"""The HTTP face: the SDK's transport behind a small layer of our own, on loopback only.

What the SDK's own application can't give and this layer does:
- `/mcp`, `/mcp/`, `/api`, `/api/` are all served, without a redirect between them;
- GET says that the server lives (405 at the MCP paths: no event stream is kept open);
- any Accept header will do, and an unknown method is a JSON-RPC error with status 200, because
  clients take a 4xx for a dead server;
- a bearer token of ours binds the connection to its agent. Other tokens are no obstacle (prompts
  and files made for Agent Mail carry their own), unless the server was told to require one.

Host and Origin are checked by the SDK's own guard before anything else: 421 and 403, so a web
page can't reach the server by a name that points to loopback.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.requests import Request

from worktree_runner.serve.calls import Caller
from worktree_runner.serve.desk import Desk
from worktree_runner.serve.server import AGENT, make_server

PATHS = frozenset({"/mcp", "/mcp/", "/api", "/api/"})
HEALTH = frozenset({"/", "/health", "/health/liveness", "/health/readiness"})
BODY_LIMIT = 4 * 1024 * 1024

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Endpoint:
    """An ASGI application for one desk."""

    def __init__(self, desk: Desk, *, require_token: bool = False) -> None:
        self._desk = desk
        self._require_token = require_token
        names = ("127.0.0.1", "localhost", "[::1]")
        self._guard = TransportSecurityMiddleware(
            TransportSecuritySettings(
                enable_dns_rebinding_protection=True,
                allowed_hosts=[*names, *(f"{name}:*" for name in names)],
                allowed_origins=[f"http://{name}{port}" for name in names for port in ("", ":*")],
            )
        )
        self._manager = StreamableHTTPSessionManager(
            app=make_server(desk),
            json_response=True,
            stateless=True,
            max_request_body_size=BODY_LIMIT,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_post = scope["method"] == "POST"
        refused = await self._guard.validate_request(Request(scope), is_post=is_post)
        if refused is not None:
            await refused(scope, receive, send)
        elif scope["path"] in HEALTH and scope["method"] in ("GET", "HEAD"):
            await _reply(send, 200, {"status": "alive", "server": "wtrun"})
        elif scope["path"] not in PATHS:
            await _reply(send, 404, {"error": f"no such path; the endpoint is {sorted(PATHS)}"})
        elif not is_post:
            await _reply(send, 405, {"error": "POST only"}, allow="POST")
        else:
            await self._post(scope, receive, send)

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = self._caller(scope)
        if caller is None:
            error = "a bearer token of this repository is required: see 'wtrun serve --help'"
            await _reply(send, 401, {"error": error}, www_authenticate="Bearer")
            return
        # the SDK hands the request of a call to its handler, so the name travels in the scope
        scope[AGENT] = caller.name
        others = [(name, value) for name, value in scope["headers"] if name != b"accept"]
        scope["headers"] = [*others, (b"accept", b"application/json, text/event-stream")]
        await self._manager.handle_request(scope, receive, _status_200(send))

    def _caller(self, scope: Scope) -> Caller | None:
        """The caller by its bearer token; None if one is required and this is none of ours."""
        given = next(
            (v.decode("latin-1") for n, v in scope["headers"] if n == b"authorization"), ""
        )
        scheme, _, token = given.partition(" ")
        owner = self._desk.tokens.owner(token.strip()) if scheme.lower() == "bearer" else None
        return None if owner is None and self._require_token else Caller(owner)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self._manager.run():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def _status_200(send: Send) -> Send:
    """`send` with a JSON-RPC error's 404 (the newer protocol's unknown method) turned into 200."""

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start" and message["status"] == 404:
            message = {**message, "status": 200}
        await send(message)

    return sending


async def _reply(send: Send, status: int, body: dict[str, Any], **headers: str) -> None:
    data = json.dumps(body).encode()
    extra = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    fixed = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *extra]})
    await send({"type": "http.response.body", "body": data})
