"""Resources: what a client may read by address instead of calling a tool."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from worktree_runner.serve.calls import Caller, ToolError
from worktree_runner.serve.desk import Desk, header, payload, profile
from worktree_runner.serve.letters import TABLE as LETTERS
from worktree_runner.serve.reserving import active_reservations

Query = Mapping[str, str]
Reader = Callable[[Desk, Caller, str, Query], Any]

TEMPLATES: tuple[tuple[str, str, str], ...] = (
    ("resource://agents/{project_key}", "agents", "Agents of the project, with unread counts."),
    ("resource://file_reservations/{slug}{?active_only}", "file_reservations", "Who holds what."),
    (
        "resource://inbox/{agent}{?project,since_ts,urgent_only,include_bodies,limit}",
        "inbox",
        "An agent's received messages.",
    ),
    ("resource://thread/{thread_id}{?project,include_bodies}", "thread", "A thread's messages."),
    ("resource://message/{id}", "message", "One message."),
    ("resource://project/{slug}", "project", "The project."),
)
FIXED: tuple[tuple[str, str, str], ...] = (
    ("resource://tooling/projects", "projects", "The projects of this endpoint: one."),
)


def read(desk: Desk, caller: Caller, uri: str) -> str:
    """The resource as JSON text; a ToolError if there is none at that address."""
    kind, name, query = split(uri)
    reader = READERS.get(kind)
    if reader is None:
        known = ", ".join(sorted(READERS))
        raise ToolError(f"Unknown resource: {uri}. Known kinds: {known}.")
    return json.dumps(reader(desk, caller, name, query), ensure_ascii=False)


def split(uri: str) -> tuple[str, str, dict[str, str]]:
    """Kind, name and query of an address; a name may hold slashes, plain or percent-coded."""
    path, _, query = uri.removeprefix("resource://").partition("?")
    kind, _, name = path.partition("/")
    return kind, unquote(name), dict(parse_qsl(query))


def _agents(desk: Desk, caller: Caller, name: str, query: Query) -> Any:
    desk.project.require(name)
    boxes = desk.mailbox
    agents = [
        {
            **profile(agent),
            "unread_count": len(boxes.inbox(agent.name, unread_only=True, limit=999)),
        }
        for agent in boxes.agents.all()
        if agent.retired_ts is None
    ]
    project = {"slug": desk.project.slug, "human_key": str(desk.project.root)}
    return {"project": project, "agents": agents}


def _reservations(desk: Desk, caller: Caller, name: str, query: Query) -> Any:
    # released records are not kept, so active_only changes nothing
    desk.project.require(name)
    return active_reservations(desk)


def _inbox(desk: Desk, caller: Caller, name: str, query: Query) -> Any:
    project = query.get("project", desk.project.slug)
    messages = LETTERS["fetch_inbox"].body(
        desk,
        caller,
        project_key=project,
        agent_name=name,
        limit=_number(query, "limit", 20),
        urgent_only=_flag(query, "urgent_only"),
        include_bodies=_flag(query, "include_bodies"),
        since_ts=query.get("since_ts"),
    )
    return {"project": desk.project.slug, "agent": name, "count": len(messages),
            "messages": messages}  # fmt: skip


def _thread(desk: Desk, caller: Caller, name: str, query: Query) -> Any:
    desk.project.require(query.get("project", desk.project.slug))
    bodies = _flag(query, "include_bodies")
    messages = [
        {**header(message), "to": list(message.to), **({"body_md": message.body} if bodies else {})}
        for message in desk.mailbox.thread(name)
    ]
    return {"project": desk.project.slug, "thread_id": name, "messages": messages}


def _message(desk: Desk, caller: Caller, name: str, query: Query) -> Any:
    message = desk.mailbox.message(int(name)) if name.isdecimal() else None
    if message is None:
        raise ToolError(f"Message {name} not found.")
    shown = payload(message)
    del shown["bcc"]
    return shown


def _project(desk: Desk, caller: Caller, name: str, query: Query) -> Any:
    desk.project.require(name)
    agents = [profile(agent) for agent in desk.mailbox.agents.all()]
    return {**desk.project.ensure(str(desk.project.root)), "agents": agents}


def _tooling(desk: Desk, caller: Caller, name: str, query: Query) -> Any:
    if name != "projects":
        raise ToolError(f"Unknown resource: resource://tooling/{name}. Known: projects.")
    return [desk.project.ensure(str(desk.project.root))]


def _flag(query: Query, name: str) -> bool:
    return query.get(name, "").lower() in ("1", "true", "yes", "on")


def _number(query: Query, name: str, default: int) -> int:
    text = query.get(name, "")
    return int(text) if text.isdecimal() else default


READERS: dict[str, Reader] = {
    "agents": _agents,
    "file_reservations": _reservations,
    "inbox": _inbox,
    "message": _message,
    "project": _project,
    "thread": _thread,
    "tooling": _tooling,
}
