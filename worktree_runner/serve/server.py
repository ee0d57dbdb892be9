"""The MCP server: the tools and resources behind the official SDK's low-level server.

The SDK speaks the protocol (both its eras, HTTP and stdio). Its high-level server would make
the schemas and error texts its own way, so tools are described and answered by `calls`.
Each call runs in a thread: a wait for a lock never stops the other connections.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import anyio.to_thread
import mcp_types as wire
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from worktree_runner import __version__
from worktree_runner.errors import WtrunError
from worktree_runner.serve import letters, macros, people, reserving, resources
from worktree_runner.serve.calls import Answer, Caller, Tool, ToolError, call
from worktree_runner.serve.desk import Desk

NAME = "mcp-agent-mail"
"""The name that prompts and clients know, also the key in every client's configuration."""

AGENT = "wtrun.agent"
"""Where the HTTP layer leaves the name that a request's token is bound to."""
JSON = "application/json"

INSTRUCTIONS = (
    "File reservations and messages for agents that share a repository. Register once, use the "
    "returned name, reserve files before editing, release them and report when done."
)

INSTEAD = {
    "summarize_thread": "resource://thread/<thread_id>?include_bodies=true",
    "summarize_recent": "fetch_inbox with include_bodies",
    "fetch_summary": "fetch_inbox with include_bodies",
    "fetch_topic": "fetch_inbox with topic",
    "macro_prepare_thread": "register_agent, then resource://thread/<thread_id>",
    "acquire_build_slot": "file_reservation_paths with a name such as 'tool://build'",
    "renew_build_slot": "renew_file_reservations",
    "release_build_slot": "release_file_reservations",
    "search_messages_product": "search_messages",
    "fetch_inbox_product": "fetch_inbox",
    "ensure_product": "ensure_project",
}
"""Tools of Agent Mail that are left out, and what does the same here."""

TOOLS: Mapping[str, Tool] = {
    **people.TABLE,
    **reserving.TABLE,
    **letters.TABLE,
    **macros.TABLE,
}

log = logging.getLogger(__name__)


def answer(desk: Desk, caller: Caller, name: str, arguments: Mapping[str, Any]) -> Answer:
    """The answer of one tool call; an unknown tool's error names what to use instead."""
    tool = TOOLS.get(name)
    if tool is None:
        instead = f" Use {INSTEAD[name]} instead." if name in INSTEAD else ""
        return Answer(None, f"Unknown tool: '{name}'.{instead}", is_error=True)
    try:
        return call(tool, desk, caller, arguments)
    except (WtrunError, OSError) as error:
        # a full disk or a busy lock: the model should know and can't help it
        log.exception("tool %s failed", name)
        return Answer(None, f"Error calling tool '{name}': {error}", is_error=True)


class Handlers:
    """What the SDK's server calls; `default` is who calls where no HTTP request says it."""

    def __init__(self, desk: Desk, default: Caller) -> None:
        self._desk = desk
        self._default = default

    async def list_tools(self, context: Any, params: Any) -> wire.ListToolsResult:
        return wire.ListToolsResult(tools=[_described(tool) for tool in TOOLS.values()])

    async def call_tool(
        self, context: Any, params: wire.CallToolRequestParams
    ) -> wire.CallToolResult:
        caller, arguments = self._caller(context), params.arguments or {}
        found = await anyio.to_thread.run_sync(answer, self._desk, caller, params.name, arguments)
        content: list[Any] = [wire.TextContent(type="text", text=found.text)]
        return wire.CallToolResult(
            content=content, structured_content=found.structured, is_error=found.is_error
        )

    async def list_resources(self, context: Any, params: Any) -> wire.ListResourcesResult:
        listed = [
            wire.Resource(uri=uri, name=name, description=text, mime_type=JSON)
            for uri, name, text in resources.FIXED
        ]
        return wire.ListResourcesResult(resources=listed)

    async def list_templates(self, context: Any, params: Any) -> wire.ListResourceTemplatesResult:
        listed = [
            wire.ResourceTemplate(uri_template=uri, name=name, description=text, mime_type=JSON)
            for uri, name, text in resources.TEMPLATES
        ]
        return wire.ListResourceTemplatesResult(resource_templates=listed)

    async def read_resource(
        self, context: Any, params: wire.ReadResourceRequestParams
    ) -> wire.ReadResourceResult:
        uri = str(params.uri)
        try:
            text = await anyio.to_thread.run_sync(
                resources.read, self._desk, self._caller(context), uri
            )
        except ToolError as error:
            raise MCPError(code=wire.INVALID_PARAMS, message=str(error)) from None
        content = wire.TextResourceContents(uri=uri, mime_type=JSON, text=text)
        return wire.ReadResourceResult(contents=[content])

    async def list_prompts(self, context: Any, params: Any) -> wire.ListPromptsResult:
        return wire.ListPromptsResult(prompts=[])

    def _caller(self, context: Any) -> Caller:
        request = context.request
        return self._default if request is None else Caller(request.scope.get(AGENT))


def make_server(desk: Desk, default: Caller | None = None) -> Server[Any]:
    """The SDK's server for one desk; `default` is who calls over stdio."""
    handlers = Handlers(desk, default or Caller())
    server: Server[Any] = Server(
        NAME,
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_templates,
        on_read_resource=handlers.read_resource,
        on_list_prompts=handlers.list_prompts,
    )
    # the tracing that the SDK puts first costs time in each call, and nobody exports it here
    server.middleware.clear()
    return server


def _described(tool: Tool) -> wire.Tool:
    hints = wire.ToolAnnotations(read_only_hint=True) if tool.read_only else None
    return wire.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=dict(tool.schema),
        annotations=hints,
    )
