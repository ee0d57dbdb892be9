"""Tools about the project and its agents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from worktree_runner.serve.calls import Caller, Tool, declare
from worktree_runner.serve.desk import Desk, missing, profile
from worktree_runner.store.agents import Agent

TABLE: dict[str, Tool] = {}


@declare("Is the server up?", TABLE, read_only=True)
def health_check(desk: Desk, caller: Caller) -> dict[str, Any]:
    return {
        "status": "ok",
        "environment": "wtrun",
        "http_host": "127.0.0.1",
        "http_port": desk.port,
        "database_url": f"file://{desk.mailbox.folder.parent}",
    }


@declare("Make sure the project exists. human_key: absolute path of the working directory.", TABLE)
def ensure_project(
    desk: Desk, caller: Caller, *, human_key: str, identity_mode: str | None = None
) -> dict[str, Any]:
    return desk.project.ensure(human_key)


@declare("Register yourself. Use the returned name in every later call.", TABLE)
def register_agent(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    program: str,
    model: str,
    name: str | None = None,
    task_description: str = "",
    attachments_policy: str = "auto",
    registration_token: str | None = None,
) -> dict[str, Any]:
    desk.project.require(project_key)
    missing(program=program, model=model)
    hint = caller.name or name
    if registration_token and hint:
        desk.verify(hint, registration_token)
    policy = attachments_policy if attachments_policy in ("inline", "file") else "auto"
    agent = desk.mailbox.register(hint, program, model, task_description, attachments_policy=policy)
    return registered(desk, agent)


@declare("Register a new agent under a new name.", TABLE)
def create_agent_identity(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    program: str,
    model: str,
    name_hint: str | None = None,
    task_description: str = "",
    attachments_policy: str = "auto",
) -> dict[str, Any]:
    desk.project.require(project_key)
    missing(program=program, model=model)
    policy = attachments_policy if attachments_policy in ("inline", "file") else "auto"
    if caller.name is not None:
        agent = desk.mailbox.register(caller.name, program, model, task_description)
    else:
        agent = desk.mailbox.register(
            name_hint, program, model, task_description, always_new=True, attachments_policy=policy
        )
    return registered(desk, agent)


@declare("One agent's profile.", TABLE, read_only=True)
def whois(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    agent_name: str,
    registration_token: str | None = None,
    include_recent_commits: bool = True,
    commit_limit: int = 5,
) -> dict[str, Any]:
    # agents do not commit into the mailbox here, so there are none to list
    return {**profile(desk.agent(project_key, agent_name)), "recent_commits": []}


@declare("All agents of the project.", TABLE, read_only=True)
def list_agents(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    limit: int | None = None,
    active_within_days: int | None = None,
) -> list[dict[str, Any]]:
    desk.project.require(project_key)
    found = [agent for agent in desk.mailbox.agents.all() if agent.retired_ts is None]
    if active_within_days is not None:
        age = active_within_days * 86400
        found = [agent for agent in found if _idle_seconds(desk, agent) <= age]
    return [profile(agent) for agent in found[:limit]]


@declare("Retire an agent: broadcasts skip it, its mail stays.", TABLE)
def retire_agent(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    agent_name: str,
    registration_token: str | None = None,
) -> dict[str, Any]:
    agent = desk.actor(caller, project_key, agent_name, registration_token)
    agent = desk.mailbox.agents.retire(agent.name, desk.clock())
    return {**profile(agent), "retired_ts": agent.retired_ts}


@declare("Same as retire_agent.", TABLE)
def deregister_agent(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    agent_name: str,
    registration_token: str | None = None,
) -> dict[str, Any]:
    return retire_agent(desk, caller, project_key=project_key, agent_name=agent_name,
                        registration_token=registration_token)  # fmt: skip


@declare("Take an agent back.", TABLE)
def unretire_agent(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    agent_name: str,
    registration_token: str | None = None,
) -> dict[str, Any]:
    agent = desk.actor(caller, project_key, agent_name, registration_token)
    agent = desk.mailbox.agents.retire(agent.name, None)
    return {**profile(agent), "retired_ts": agent.retired_ts}


@declare("Contacts need no approval here: always approved.", TABLE)
def request_contact(
    desk: Desk, caller: Caller, *, project_key: str, from_agent: str, to_agent: str,
    reason: str = "",
) -> dict[str, Any]:  # fmt: skip
    one = desk.actor(caller, project_key, from_agent)
    return _link(one, desk.agent(project_key, to_agent))


@declare("Contacts need no approval here: always approved.", TABLE)
def respond_contact(
    desk: Desk, caller: Caller, *, project_key: str, to_agent: str, from_agent: str,
    accept: bool = True,
) -> dict[str, Any]:  # fmt: skip
    one = desk.actor(caller, project_key, to_agent)
    return {**_link(desk.agent(project_key, from_agent), one), "approved": True}


@declare("Everybody is a contact of everybody.", TABLE, read_only=True)
def list_contacts(
    desk: Desk, caller: Caller, *, project_key: str, agent_name: str
) -> list[dict[str, Any]]:
    one = desk.agent(project_key, agent_name)
    return [_link(one, agent) for agent in desk.mailbox.agents.all() if agent.id != one.id]


@declare("Accepted; the policy is always 'open'.", TABLE)
def set_contact_policy(
    desk: Desk, caller: Caller, *, project_key: str, agent_name: str, policy: str
) -> dict[str, Any]:
    return {"agent": desk.actor(caller, project_key, agent_name).name, "policy": "open"}


def registered(desk: Desk, agent: Agent) -> dict[str, Any]:
    return {**profile(agent), "registration_token": desk.tokens.of(agent.name)}


def _link(one: Agent, other: Agent) -> dict[str, Any]:
    return {"from": one.name, "to": other.name, "status": "approved", "expires_ts": None}


def _idle_seconds(desk: Desk, agent: Agent) -> float:
    active = datetime.fromisoformat(agent.last_active_ts)
    return (desk.clock() - active).total_seconds()
