"""Tools about file reservations: a face of the registry that the run and the commands use.

- A call gets what is free; paths that others hold are listed with their holders and not granted.
- An agent that wtrun started belongs to its plan: what the run reserved for the plan is its own.
- A lease is between a minute and a year; the registry caps the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from worktree_runner.core.messages import released_reservation
from worktree_runner.core.patterns import PatternError, compiled
from worktree_runner.core.reservations import (
    Activity,
    Conflict,
    Request,
    Reservation,
    stale_reasons,
)
from worktree_runner.errors import UsageError
from worktree_runner.serve.calls import Caller, Tool, ToolError, declare
from worktree_runner.serve.desk import Desk
from worktree_runner.store.activity import activity_of
from worktree_runner.store.agents import Agent, stamp
from worktree_runner.store.registry import ForcedRelease, StillActiveError

TABLE: dict[str, Tool] = {}
MAX_PATHS = 200
MIN_TTL_S = 60


@declare(
    "Reserve paths or globs before editing them. Paths in `granted` are yours; paths in "
    "`conflicts` are not: leave them alone, or write to their holders.",
    TABLE,
)
def file_reservation_paths(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    agent_name: str,
    paths: list[str],
    ttl_seconds: int = 3600,
    exclusive: bool = True,
    reason: str = "",
    registration_token: str | None = None,
) -> dict[str, Any]:
    agent = desk.actor(caller, project_key, agent_name, registration_token)
    return reserve(desk, agent, paths, ttl=ttl_seconds, exclusive=exclusive, reason=reason)


@declare(
    "What a reservation of these paths would run into; changes nothing.", TABLE, read_only=True
)
def check_file_reservation_conflicts(
    desk: Desk, caller: Caller, *, project_key: str, agent_name: str, paths: list[str]
) -> dict[str, Any]:
    agent = desk.agent(project_key, agent_name)
    patterns = _patterns(desk, paths)
    holder = desk.holder(agent)
    request = Request(holder, tuple(patterns))
    found = desk.registry.conflicts(request)
    taken = {conflict.pattern for conflict in found}
    own = [
        _granted(held.reservation)
        for held in desk.registry.active()
        if held.reservation.holder.party == holder.party
    ]
    return {
        "conflict_free": not found,
        "conflicts": _conflicts(desk, found, patterns),
        "own_active": own,
        "clear_paths": [given for pattern, given in patterns.items() if pattern not in taken],
        "checked_paths": list(patterns.values()),
        "total_conflicting_reservations": len({conflict.held.id for conflict in found}),
        "output_truncated": False,
        "project": desk.project.slug,
        "snapshot_ts": desk.now(),
        "authoritative_source": "registry",
        "read_only": True,
    }


@declare("Give reservations back: all of yours, or those with these paths and ids.", TABLE)
def release_file_reservations(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    agent_name: str,
    paths: list[str] | None = None,
    file_reservation_ids: list[int] | None = None,
    registration_token: str | None = None,
) -> dict[str, Any]:
    agent = desk.actor(caller, project_key, agent_name, registration_token)
    return release(desk, agent, paths, file_reservation_ids)


@declare("Extend the lease of your reservations.", TABLE)
def renew_file_reservations(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    agent_name: str,
    extend_seconds: int = 1800,
    paths: list[str] | None = None,
    file_reservation_ids: list[int] | None = None,
    registration_token: str | None = None,
) -> dict[str, Any]:
    agent = desk.actor(caller, project_key, agent_name, registration_token)
    patterns = list(_patterns(desk, paths)) if paths else None
    extend = max(extend_seconds, MIN_TTL_S)
    pairs = desk.registry.renew(desk.holder(agent), extend, file_reservation_ids, patterns)
    rows = [
        {
            "id": new.id,
            "path_pattern": new.pattern,
            "old_expires_ts": _moment(old.until),
            "new_expires_ts": _moment(new.until),
        }
        for old, new in pairs
    ]
    return {"renewed": len(rows), "file_reservations": rows}


@declare("Release another agent's reservation if its holder is gone or long inactive.", TABLE)
def force_release_file_reservation(
    desk: Desk,
    caller: Caller,
    *,
    project_key: str,
    agent_name: str,
    file_reservation_id: int,
    notify_previous: bool = True,
    note: str = "",
    registration_token: str | None = None,
) -> dict[str, Any]:
    agent = desk.actor(caller, project_key, agent_name, registration_token)
    seen: list[Activity] = []

    def signs(record: Reservation) -> Activity:
        seen.append(activity_of(desk.mailbox, record, desk.project.root))
        return seen[-1]

    try:
        forced = desk.registry.force_release(
            file_reservation_id, desk.holder(agent), activity=signs
        )
    except StillActiveError:
        raise ToolError(
            "Reservation still shows recent activity; refusing forced release."
        ) from None
    except UsageError:
        if seen or _existed(desk, file_reservation_id):
            return {"released": 0, "released_at": desk.now(), "already_released": True}
        raise ToolError(
            f"File reservation id={file_reservation_id} not found for project "
            f"'{desk.project.root}'. resource://file_reservations/{desk.project.slug} lists them."
        ) from None
    told = _notify(desk, agent, forced, note) if notify_previous else {"notified": False}
    row = {
        **_row(desk, forced.reservation, seen[-1]),
        "released_ts": desk.now(),
        "stale_reasons": list(forced.reasons),
        **told,
    }
    return {"released": 1, "released_at": row["released_ts"], "reservation": row}


def active_reservations(desk: Desk) -> list[dict[str, Any]]:
    """Every reservation that blocks others, for the resource."""
    rows = []
    for held in desk.registry.active():
        activity = activity_of(desk.mailbox, held.reservation, desk.project.root)
        now = desk.clock().timestamp()
        reasons = stale_reasons(held.reservation, now, held.alive, activity)
        row = _row(desk, held.reservation, activity)
        rows.append({**row, "released_ts": None, "stale": bool(reasons),
                     "stale_reasons": list(reasons)})  # fmt: skip
    return rows


def reserve(
    desk: Desk, agent: Agent, paths: Sequence[str], *, ttl: int, exclusive: bool, reason: str
) -> dict[str, Any]:
    """Grants what is free of these paths and lists the rest."""
    if not paths:
        raise ToolError(
            "paths list cannot be empty. Provide at least one file path or glob pattern "
            "(e.g. ['src/app.py', 'tests/**'])."
        )
    patterns = _patterns(desk, paths)
    holder = desk.holder(agent)
    request = Request(
        holder,
        tuple(patterns),
        exclusive=exclusive,
        ttl=max(ttl, MIN_TTL_S),
        reason=reason,
        # a plan's reservations end with its run; others have their lease only
        owner=desk.owner if holder.plan else None,
    )
    found = desk.registry.grant_each(request)
    return {
        "granted": [_granted(record) for record in found.granted],
        "conflicts": _conflicts(desk, found.conflicts, patterns),
    }


def release(
    desk: Desk, agent: Agent, paths: Sequence[str] | None, ids: Sequence[int] | None
) -> dict[str, Any]:
    """Gives back the agent's own reservations; None means any path, any id."""
    patterns = None if paths is None else list(_patterns(desk, paths))
    gone = desk.registry.release(desk.holder(agent), ids, patterns)
    return {"released": len(gone), "released_at": desk.now()}


def _patterns(desk: Desk, paths: Sequence[str]) -> dict[str, str]:
    """Patterns of the repository and how the caller wrote them."""
    if len(paths) > MAX_PATHS:
        raise ToolError(f"{len(paths)} paths in one call; {MAX_PATHS} are the limit.")
    patterns = {desk.project.pattern(path): path for path in paths}
    for pattern, given in patterns.items():
        try:
            compiled(pattern)
        except PatternError as error:
            raise ToolError(f"Path '{given}' can't be reserved: {error}.") from None
    return patterns


def _granted(record: Reservation) -> dict[str, Any]:
    return {
        "id": record.id,
        "path_pattern": record.pattern,
        "exclusive": record.exclusive,
        "reason": record.reason,
        "expires_ts": _moment(record.until),
    }


def _conflicts(
    desk: Desk, found: Sequence[Conflict], patterns: Mapping[str, str]
) -> list[dict[str, Any]]:
    """One entry for each path as the caller wrote it, with everyone in its way."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for conflict in found:
        holder = {
            "agent": desk.name_of(conflict.held.holder),
            "path_pattern": conflict.held.pattern,
            "exclusive": conflict.held.exclusive,
            "expires_ts": _moment(conflict.held.until),
        }
        grouped.setdefault(patterns[conflict.pattern], []).append(holder)
    return [{"path": path, "holders": holders} for path, holders in grouped.items()]


def _row(desk: Desk, record: Reservation, activity: Activity) -> dict[str, Any]:
    times = {
        "last_agent_activity_ts": activity.agent,
        "last_mail_activity_ts": activity.mail,
        "last_filesystem_activity_ts": activity.files,
        "last_git_activity_ts": activity.git,
    }
    return {
        "id": record.id,
        "agent": desk.name_of(record.holder),
        "path_pattern": record.pattern,
        "exclusive": record.exclusive,
        "reason": record.reason,
        "created_ts": _moment(record.created),
        "expires_ts": _moment(record.until),
        **{name: None if at is None else _moment(at) for name, at in times.items()},
    }


def _existed(desk: Desk, number: int) -> bool:
    """Whether a reservation of that id was given at some time."""
    return any(
        record.get("id") == number
        for row in desk.registry.events.rows()
        for record in row.get("records", ())
    )


def _notify(desk: Desk, by: Agent, forced: ForcedRelease, note: str) -> dict[str, Any]:
    """Tells the old holder, if it has a mailbox; says whether that went well."""
    holder = desk.name_of(forced.reservation.holder)
    if desk.mailbox.agents.find(holder) is None:
        return {"notified": False, "notification_error": f"'{holder}' has no mailbox"}
    draft = released_reservation(forced.reservation.pattern, by.name, forced.reasons, note)
    desk.mailbox.send(by.name, [holder], draft)
    return {"notified": True}


def _moment(seconds: float) -> str:
    return stamp(datetime.fromtimestamp(seconds, UTC))
