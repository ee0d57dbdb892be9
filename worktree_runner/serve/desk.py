"""What every tool works with: project, mailbox, registry and clock of one repository.

- `Desk.actor` is the one place that decides who acts: a connection's token binds its agent's
  name; without a token the call's own word is taken, as Agent Mail's clients expect.
- Each call refreshes its agent's last activity.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from worktree_runner.core.names import is_placeholder, same
from worktree_runner.core.reservations import By, Holder, Owner
from worktree_runner.serve.calls import Caller, ToolError
from worktree_runner.serve.project import ID, Project, placeholder
from worktree_runner.serve.tokens import Tokens
from worktree_runner.store.activity import name_of
from worktree_runner.store.agents import Agent, Clock, stamp, utc_now
from worktree_runner.store.locate import Place
from worktree_runner.store.mailbox import Mailbox, Message
from worktree_runner.store.registry import Registry

SHOWN_NAMES = 10


class Desk:
    """The services of one repository; shared by all threads of a server."""

    def __init__(self, place: Place, *, clock: Clock = utc_now, owner: Owner | None = None) -> None:
        self.clock = clock
        self.owner = owner
        self.port = 0
        self.mailbox = Mailbox(place.layout, clock=clock)
        self.project = Project(place, clock, self.mailbox.exclusive)
        self.registry = Registry(place.layout, clock=lambda: clock().timestamp())
        self.tokens = Tokens(place.layout)

    def now(self) -> str:
        return stamp(self.clock())

    def agent(self, project_key: str, name: str) -> Agent:
        """The registered agent; the error for an unknown one lists who there is."""
        self.project.require(project_key)
        found = self.mailbox.agents.find(name.strip())
        if found is not None:
            return found
        if is_placeholder(name):
            raise ToolError(placeholder("agent_name", name))
        known = [f"'{agent.name}'" for agent in self.mailbox.agents.all()]
        more = f", ... and {len(known) - SHOWN_NAMES} more" if len(known) > SHOWN_NAMES else ""
        listed = ", ".join(known[:SHOWN_NAMES]) + more
        raise ToolError(
            f"Agent '{name}' not found in project '{self.project.root}'. "
            + (f"Available agents: {listed}. " if known else "No agents are registered yet. ")
            + "Use register_agent to create a new agent, and the name that it returns."
        )

    def actor(self, caller: Caller, project_key: str, name: str, token: str | None = None) -> Agent:
        """The agent on whose behalf a call changes or reads something."""
        if caller.name is not None and not same(caller.name, name.strip()):
            raise ToolError(
                f"Agent '{name}' does not fit this connection: its token belongs to "
                f"'{caller.name}'. Call again with '{caller.name}'."
            )
        agent = self.agent(project_key, name)
        self.verify(agent.name, token)
        self.mailbox.agents.touch(agent.name)
        return agent

    def verify(self, name: str, token: str | None) -> bool:
        """Whether a given token proves the name; a token that proves another one is refused."""
        if not token:
            return False
        owner = self.tokens.owner(token)
        if owner is not None and not same(owner, name):
            raise ToolError(
                f"The given token belongs to agent '{owner}', not to '{name}'. "
                "Leave it out, or pass the registration_token that register_agent returned."
            )
        return owner is not None

    def holder(self, agent: Agent) -> Holder:
        """The party that an agent's reservations belong to: its plan's, if wtrun started it."""
        run, plan = agent.run_and_plan
        return Holder(run=run, plan=plan, name=agent.name, by=By.AGENT)

    def name_of(self, holder: Holder) -> str:
        """A name to write to: the holder's own, or that of its plan's latest agent."""
        return name_of(self.mailbox, holder)


def profile(agent: Agent) -> dict[str, Any]:
    """An agent as clients see it."""
    return {
        "id": agent.id,
        "name": agent.name,
        "program": agent.program,
        "model": agent.model,
        "task_description": agent.task,
        "inception_ts": agent.inception_ts,
        "last_active_ts": agent.last_active_ts,
        "project_id": ID,
        "attachments_policy": agent.attachments_policy,
    }


def header(message: Message) -> dict[str, Any]:
    """The fields that every listing of messages shares."""
    return {
        "id": message.id,
        "project_id": ID,
        "sender_id": message.sender_id,
        "thread_id": message.thread_id,
        "topic": message.topic,
        "subject": message.subject,
        "importance": message.importance,
        "ack_required": message.ack_required,
        "created_ts": message.created_ts,
        "attachments": [dict(attachment) for attachment in message.attachments],
        "from": message.sender,
    }


def payload(message: Message) -> dict[str, Any]:
    """A whole message as its sender sees it."""
    names = {"to": list(message.to), "cc": list(message.cc), "bcc": list(message.bcc)}
    return {**header(message), "body_md": message.body, **names}


def parse_moment(value: str | None) -> datetime | None:
    """An ISO-8601 moment; one without a zone is UTC."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        raise ToolError(
            f"Invalid argument value: since_ts is {value!r}, expected ISO-8601 such as "
            "'2026-01-02T03:04:05+00:00'."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=utc_now().tzinfo)


def missing(**texts: str) -> None:
    """Raises for a required text that is empty."""
    for name, value in texts.items():
        if not value.strip():
            raise ToolError(f"{name} cannot be empty. Pass e.g. {EXAMPLES[name]!r}.")


EXAMPLES: Mapping[str, str] = {
    "program": "opencode",
    "model": "default",
    "subject": "[03-01] Which port?",
}
