"""Tools that do several things in one call, and the guard's stubs."""

from __future__ import annotations

from typing import Any

from worktree_runner.serve.calls import Caller, Tool, declare
from worktree_runner.serve.desk import Desk, profile
from worktree_runner.serve.letters import delivered
from worktree_runner.serve.people import register_agent
from worktree_runner.serve.reserving import release, reserve

TABLE: dict[str, Tool] = {}


@declare("Register, reserve and read the inbox in one call.", TABLE)
def macro_start_session(
    desk: Desk,
    caller: Caller,
    *,
    human_key: str,
    program: str,
    model: str,
    task_description: str = "",
    agent_name: str | None = None,
    file_reservation_paths: list[str] | None = None,
    file_reservation_reason: str = "macro-session",
    file_reservation_ttl_seconds: int = 3600,
    inbox_limit: int = 10,
) -> dict[str, Any]:
    project = desk.project.ensure(human_key)
    answer = register_agent(
        desk, caller, project_key=project["slug"], program=program, model=model,
        name=agent_name, task_description=task_description,
    )  # fmt: skip
    agent = desk.agent(project["slug"], answer["name"])
    reserved: dict[str, Any] = {"granted": [], "conflicts": []}
    if file_reservation_paths:
        reserved = reserve(
            desk,
            agent,
            file_reservation_paths,
            ttl=file_reservation_ttl_seconds,
            exclusive=True,
            reason=file_reservation_reason,
        )
    inbox = desk.mailbox.inbox(agent.name, limit=max(inbox_limit, 0))
    return {
        "project": project,
        "agent": profile(agent),
        "registration_token": answer["registration_token"],
        "file_reservations": reserved,
        "inbox": [delivered(delivery, bodies=False) for delivery in inbox],
    }


@declare("Reserve paths and, with auto_release, give them back at once.", TABLE)
def macro_file_reservation_cycle(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    agent_name: str,
    paths: list[str],
    ttl_seconds: int = 3600,
    exclusive: bool = True,
    reason: str = "macro-file_reservation",
    auto_release: bool = False,
    registration_token: str | None = None,
) -> dict[str, Any]:
    agent = desk.actor(caller, project_key, agent_name, registration_token)
    reserved = reserve(desk, agent, paths, ttl=ttl_seconds, exclusive=exclusive, reason=reason)
    released = release(desk, agent, paths, None) if auto_release else None
    return {"file_reservations": reserved, "released": released}


@declare("Not needed: wtrun guards the commits of its own attempts.", TABLE)
def install_precommit_guard(
    desk: Desk, caller: Caller, *, project_key: str, code_repo_path: str
) -> dict[str, Any]:
    desk.project.require(project_key)
    return {"hook": ""}


@declare("Not needed: nothing was installed.", TABLE)
def uninstall_precommit_guard(desk: Desk, caller: Caller, *, code_repo_path: str) -> dict[str, Any]:
    return {"removed": False}
