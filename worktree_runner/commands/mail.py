"""`wtrun mail`: messages between agents, the run and people, without a server."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import click

from worktree_runner.core.messages import IMPORTANCES, Draft
from worktree_runner.errors import UsageError
from worktree_runner.operations import mail as operation
from worktree_runner.store import locate
from worktree_runner.store.mailbox import Mailbox, as_json

if TYPE_CHECKING:
    from worktree_runner.store.mailbox import Delivery, Message

AS = click.option(
    "--as", "name", metavar="NAME", help="Act as this agent (default: $WTRUN_AGENT, else yourself)."
)
JSON = click.option("--json", "as_object", is_flag=True, help="Print JSON.")


@click.group("mail", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Messages between agents, the run and people.

    They are files of the repository, the same from every worktree; no server is needed.
    """


@command.command("send")
@click.option("--to", multiple=True, metavar="NAME", help="A recipient; may be repeated.")
@click.option("--cc", multiple=True, metavar="NAME", help="Who gets a copy.")
@click.option("-s", "--subject", default="", help="The subject line.")
@click.option("-m", "--message", "body", help="The text (default: read from standard input).")
@click.option("--thread", metavar="ID", help="The thread, such as gsd-03-01.")
@click.option("--reply", type=int, metavar="ID", help="Reply to this message, on its thread.")
@click.option(
    "--importance",
    type=click.Choice(IMPORTANCES),
    default="normal",
    show_default=True,
    help="How soon it should be read.",
)
@click.option("--ack", is_flag=True, help="Ask for an acknowledgement.")
@AS
@JSON
def send(
    *,
    to: tuple[str, ...],
    cc: tuple[str, ...],
    subject: str,
    body: str | None,
    thread: str | None,
    reply: int | None,
    importance: str,
    ack: bool,
    name: str | None,
    as_object: bool,
) -> None:
    """Sends a message to agents, the orchestrator or the user."""
    if not to and reply is None:
        raise UsageError("a message needs a recipient", hint="wtrun mail send --to NAME -s SUBJECT")
    if not subject and reply is None:
        raise UsageError("a message needs a subject", hint="wtrun mail send --to NAME -s SUBJECT")
    text = sys.stdin.read() if body is None else body
    draft = Draft(subject, text, thread, importance, ack)
    mailbox = _mailbox()
    sender = operation.identity(mailbox, os.environ, name)
    sent = operation.send(mailbox, sender, to, draft, cc=cc, reply_to=reply)
    if as_object:
        click.echo(json.dumps(as_json(sent)))
    else:
        click.echo(f"sent message {sent.id} to {', '.join(sent.to or sent.cc)}")


@command.command("inbox")
@click.option("-n", "--limit", default=20, show_default=True, help="How many, newest first.")
@click.option("--unread", is_flag=True, help="Only what was not read yet.")
@click.option("--urgent", is_flag=True, help="Only importance high and urgent.")
@AS
@JSON
def inbox(limit: int, unread: bool, urgent: bool, name: str | None, as_object: bool) -> None:
    """Lists received messages, newest first; `*` marks unread ones.

    Outside of an agent and without --as it lists the whole repository's messages.
    """
    mailbox = _mailbox()
    owner = operation.identity(mailbox, os.environ, name)
    if owner is None:
        messages = mailbox.messages()[: -limit - 1 : -1]
        if urgent:
            messages = [m for m in messages if m.importance in ("high", "urgent")]
        _list(messages, as_object)
        return
    found = mailbox.inbox(owner, limit=limit, unread_only=unread, urgent_only=urgent)
    if as_object:
        click.echo(json.dumps([_delivery(delivery) for delivery in found]))
        return
    for delivery in found:
        click.echo(operation.line(delivery.message, read=delivery.mark.read_at is not None))
    if not found:
        click.echo(f"no messages for {owner}", err=True)


@command.command("read")
@click.argument("numbers", type=int, nargs=-1, metavar="[ID]...")
@click.option("--thread", metavar="ID", help="The messages of this thread, oldest first.")
@AS
@JSON
def read(numbers: tuple[int, ...], thread: str | None, name: str | None, as_object: bool) -> None:
    """Shows messages and marks them as read if they are addressed to you."""
    mailbox = _mailbox()
    if not numbers and thread is None:
        raise UsageError(
            "nothing to read: no message and no thread is named", hint="wtrun mail inbox"
        )
    messages = [_message(mailbox, number) for number in numbers]
    messages += mailbox.thread(thread) if thread else []
    owner = operation.identity(mailbox, os.environ, name) or operation.PERSON
    for message in messages:
        if message.kind_for(owner):
            mailbox.mark_read(owner, message.id)
    if as_object:
        click.echo(json.dumps([as_json(message) for message in messages]))
    else:
        click.echo("\n\n".join(operation.page(message) for message in messages))


@command.command("ack")
@click.argument("numbers", type=int, nargs=-1, required=True, metavar="ID...")
@AS
def ack(numbers: tuple[int, ...], name: str | None) -> None:
    """Tells the sender that messages were read and taken."""
    mailbox = _mailbox()
    owner = operation.identity(mailbox, os.environ, name) or operation.PERSON
    for number in numbers:
        mark = mailbox.acknowledge(owner, number)
        click.echo(f"message {number} acknowledged by {owner} at {mark.acknowledged_at}")


@command.command("agents")
@JSON
def agents(as_object: bool) -> None:
    """Lists the names that can be written to."""
    found = _mailbox().agents.all()
    if as_object:
        click.echo(json.dumps([as_json(agent) for agent in found]))
        return
    width = max((len(agent.name) for agent in found), default=0)
    for agent in found:
        gone = " (retired)" if agent.retired_ts else ""
        about = operation.printable(f"{agent.program} {agent.task}").strip()
        click.echo(f"{agent.name:<{width}}  {about}{gone}")


def _mailbox() -> Mailbox:
    return Mailbox(locate.here().layout)


def _message(mailbox: Mailbox, number: int) -> Message:
    message = mailbox.message(number)
    if message is None:
        raise UsageError(f"there is no message {number}", hint="wtrun mail inbox")
    return message


def _list(messages: list[Message], as_object: bool) -> None:
    if as_object:
        click.echo(json.dumps([as_json(message) for message in messages]))
        return
    for message in messages:
        click.echo(operation.line(message))
    if not messages:
        click.echo("no messages", err=True)


def _delivery(delivery: Delivery) -> dict[str, object]:
    mark = {
        "kind": delivery.kind,
        "read_at": delivery.mark.read_at,
        "acknowledged_at": delivery.mark.acknowledged_at,
    }
    return {**as_json(delivery.message), **mark}
