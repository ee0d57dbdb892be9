"""What `wtrun mail` does: who is writing, sending, replying, and the lines that are printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from worktree_runner.core import names
from worktree_runner.core.messages import Draft
from worktree_runner.errors import UsageError
from worktree_runner.store.agents import Agent
from worktree_runner.store.mailbox import Mailbox, Message

PERSON = "user"
"""The name of whoever types at a terminal."""


def identity(mailbox: Mailbox, env: Mapping[str, str], chosen: str | None) -> str | None:
    """The agent that acts: `--as`, else what the attempt's environment says, else None."""
    name = chosen or env.get("WTRUN_AGENT") or env.get("AGENT_NAME")
    if name:
        if not names.is_safe(name):
            raise UsageError(f"{name!r} can't be the name of an agent", hint="wtrun mail agents")
        known = mailbox.agents.find(name) or _with_seed(mailbox, _seed(name))
        return known.name if known else name
    plan = env.get("WTRUN_PLAN")
    if not plan:
        return None
    work = (env.get("WTRUN_RUN", ""), plan)
    found = [agent.name for agent in mailbox.agents.all() if agent.run_and_plan == work]
    return found[-1] if found else plan


def send(
    mailbox: Mailbox,
    sender: str | None,
    to: Sequence[str],
    draft: Draft,
    *,
    cc: Sequence[str] = (),
    reply_to: int | None = None,
) -> Message:
    """The sent message. A reply goes to the original's sender and keeps thread and importance."""
    author = introduced(mailbox, sender or PERSON)
    if reply_to is not None:
        original = mailbox.message(reply_to)
        if original is None:
            raise UsageError(f"there is no message {reply_to}", hint="wtrun mail inbox")
        draft = original.reply(draft.body, subject=draft.subject)
        to = to or (original.sender,)
    return mailbox.send(author.name, to, draft, cc=cc, reply_to=reply_to)


def line(message: Message, *, read: bool | None = None) -> str:
    """One line of a listing; `read` is left out where it is nobody's own inbox."""
    flags = "" if read is None else (" " if read else "*")
    loud = f" [{message.importance}]" if message.importance in ("high", "urgent") else ""
    ack = " [ack]" if message.ack_required else ""
    to = ", ".join(message.to or message.cc)
    when = message.created_ts[:16].replace("T", " ")
    return printable(
        f"{message.id:>4}{flags} {when}  {message.sender} -> {to}  {message.subject}{loud}{ack}"
    )


def page(message: Message) -> str:
    """The whole message as text."""
    head = [
        f"message {message.id}",
        f"from:    {message.sender}",
        f"to:      {', '.join(message.to)}",
        *([f"cc:      {', '.join(message.cc)}"] if message.cc else []),
        f"date:    {message.created_ts}",
        f"thread:  {message.thread}",
        *([f"marked:  {message.importance}"] if message.importance != "normal" else []),
        *(["asks for: an acknowledgement"] if message.ack_required else []),
        f"subject: {message.subject}",
    ]
    return "\n".join([*map(printable, head), "", printable(message.body, keep="\n\t").rstrip()])


def printable(text: str, keep: str = "") -> str:
    """`text` without control characters: a message must not move the reader's cursor."""
    return "".join(c if c.isprintable() or c in keep else "\N{REPLACEMENT CHARACTER}" for c in text)


def introduced(mailbox: Mailbox, name: str) -> Agent:
    """The record of this name, made if there is none: it can be written to from then on."""
    known = mailbox.agents.find(name)
    return known or mailbox.register(name, "wtrun mail", seed=_seed(name))


def _seed(name: str) -> str:
    """For a name that is not honoured: makes its made-up one the same every time."""
    return "" if names.honoured(name) else f"mail/{name.casefold()}"


def _with_seed(mailbox: Mailbox, seed: str) -> Agent | None:
    return next((agent for agent in mailbox.agents.all() if seed and agent.seed == seed), None)
