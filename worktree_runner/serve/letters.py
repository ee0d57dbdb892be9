"""Tools about messages."""

from __future__ import annotations

from typing import Any

from worktree_runner.core.messages import Draft
from worktree_runner.errors import UsageError
from worktree_runner.serve.calls import Caller, Tool, ToolError, declare
from worktree_runner.serve.desk import Desk, header, missing, parse_moment, payload
from worktree_runner.store.mailbox import Delivery, Mark, Message, UnknownRecipientError

TABLE: dict[str, Tool] = {}


@declare("Send a message to agents by name.", TABLE)
def send_message(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    sender_name: str,
    to: list[str],
    subject: str,
    body_md: str,
    cc: list[str] | None = None,
    bcc: list[str] | None = None,
    attachment_paths: list[str] | None = None,
    convert_images: bool | None = None,
    importance: str = "normal",
    ack_required: bool = False,
    thread_id: str | None = None,
    broadcast: bool = False,
    topic: str | None = None,
    auto_contact_if_blocked: bool | None = None,
    sender_token: str | None = None,
) -> dict[str, Any]:
    sender = desk.actor(caller, project_key, sender_name, sender_token)
    if broadcast:
        others = [agent for agent in desk.mailbox.agents.all() if agent.id != sender.id]
        to = [agent.name for agent in others if agent.retired_ts is None]
    draft = Draft(subject, body_md, thread_id or None, importance, ack_required)
    files = [{"type": "file", "path": path} for path in attachment_paths or ()]
    sent = _send(desk, sender.name, to, draft, cc=cc, bcc=bcc, topic=topic, attachments=files)
    proved = caller.name is not None or desk.verify(sender.name, sender_token)
    return {**_deliveries(desk, sent), "verified_sender": proved, "attachments": files}


@declare("Reply on a message's thread; goes to its sender unless `to` is given.", TABLE)
def reply_message(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    message_id: int,
    sender_name: str,
    body_md: str,
    to: list[str] | None = None,
    cc: list[str] | None = None,
    bcc: list[str] | None = None,
    subject_prefix: str = "Re:",
    sender_token: str | None = None,
) -> dict[str, Any]:
    sender = desk.actor(caller, project_key, sender_name, sender_token)
    original = _message(desk, message_id)
    draft = original.reply(body_md, prefix=subject_prefix)
    recipients = to or [original.sender]
    sent = _send(desk, sender.name, recipients, draft, cc=cc, bcc=bcc, topic=original.topic,
                 reply_to=original.id)  # fmt: skip
    return {**payload(sent), "reply_to": original.id, **_deliveries(desk, sent)}


@declare("Your messages, newest first; marks nothing as read.", TABLE, read_only=True)
def fetch_inbox(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    agent_name: str,
    limit: int = 20,
    urgent_only: bool = False,
    include_bodies: bool = False,
    since_ts: str | None = None,
    topic: str | None = None,
    unread_only: bool = False,
    registration_token: str | None = None,
) -> list[dict[str, Any]]:
    agent = desk.actor(caller, project_key, agent_name, registration_token)
    found = desk.mailbox.inbox(
        agent.name,
        limit=max(limit, 0),
        urgent_only=urgent_only,
        unread_only=unread_only,
        since=parse_moment(since_ts),
        topic=topic,
    )
    return [delivered(delivery, include_bodies) for delivery in found]


@declare("Mark a received message as read.", TABLE)
def mark_message_read(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    agent_name: str,
    message_id: int,
    registration_token: str | None = None,
) -> dict[str, Any]:
    agent = desk.actor(caller, project_key, agent_name, registration_token)
    mark = _marked(desk, agent.name, message_id, acknowledge=False)
    return {"message_id": message_id, "read": True, "read_at": mark.read_at}


@declare("Acknowledge a received message; marks it as read too.", TABLE)
def acknowledge_message(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    agent_name: str,
    message_id: int,
    registration_token: str | None = None,
) -> dict[str, Any]:
    agent = desk.actor(caller, project_key, agent_name, registration_token)
    mark = _marked(desk, agent.name, message_id, acknowledge=True)
    return {
        "message_id": message_id,
        "acknowledged": True,
        "acknowledged_at": mark.acknowledged_at,
        "read_at": mark.read_at,
    }


@declare(
    'Search messages: words, "a phrase", start*, OR, NOT, subject:word.', TABLE, read_only=True
)
def search_messages(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    query: str,
    limit: int = 20,
    agent_name: str | None = None,
) -> list[dict[str, Any]]:
    name = desk.agent(project_key, agent_name).name if agent_name else None
    desk.project.require(project_key)
    wanted = ("id", "subject", "importance", "ack_required", "created_ts", "thread_id", "from")
    found = desk.mailbox.search(query, limit=max(limit, 0), name=name)
    return [{key: header(message)[key] for key in wanted} for message in found]


def delivered(delivery: Delivery, bodies: bool) -> dict[str, Any]:
    """A message as its recipient sees it."""
    body = {"body_md": delivery.message.body} if bodies else {}
    return {**header(delivery.message), "kind": delivery.kind, **body}


def _send(
    desk: Desk, sender: str, to: list[str], draft: Draft, *, cc: list[str] | None,
    bcc: list[str] | None, **more: Any,
) -> Message:  # fmt: skip
    missing(subject=draft.subject)
    try:
        return desk.mailbox.send(sender, to, draft, cc=cc or (), bcc=bcc or (), **more)
    except UnknownRecipientError as error:
        slug = desk.project.slug
        raise ToolError(
            f"Unable to send message - local recipients {', '.join(error.unknown)} are not "
            f"registered in project '{desk.project.root}'; Use resource://agents/{slug} to list "
            "the registered agents."
        ) from None
    except UsageError as error:
        raise ToolError(f"Invalid argument value: {error.message}") from None


def _marked(desk: Desk, name: str, number: int, *, acknowledge: bool) -> Mark:
    mark = desk.mailbox.acknowledge if acknowledge else desk.mailbox.mark_read
    try:
        return mark(name, number)
    except UsageError:
        raise ToolError(
            f"Message {number} not found in the inbox of '{name}'. "
            "Use fetch_inbox to see the ids of received messages."
        ) from None


def _message(desk: Desk, number: int) -> Message:
    found = desk.mailbox.message(number)
    if found is None:
        raise ToolError(f"Message {number} not found. Use fetch_inbox to see existing ids.")
    return found


def _deliveries(desk: Desk, sent: Message) -> dict[str, Any]:
    delivery = {"project": str(desk.project.root), "payload": payload(sent)}
    return {"deliveries": [delivery], "count": 1}
