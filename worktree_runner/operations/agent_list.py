"""`wtrun agents`: which coding agents can be used here, and what each of them can do."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worktree_runner.agents import registry
from worktree_runner.agents.protocol import Capabilities, Probe
from worktree_runner.errors import UsageError
from worktree_runner.operations import trust
from worktree_runner.operations.context.agent_choice import agent_settings
from worktree_runner.operations.settings import read_settings
from worktree_runner.store import locate
from worktree_runner.store.config import Loaded

JSON_VERSION = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One agent; `capabilities` is None where its settings are wrong."""

    name: str
    probe: Probe
    capabilities: Capabilities | None
    chosen: bool


def list_agents(folder: Path, *, check: bool) -> list[Row]:
    """Every known agent; `check` also starts each program once for its version.

    No token is spent, and no credential is read: only whether there is one.
    """
    loaded, _ = read_settings(folder, None)
    settings = agent_settings(loaded.settings)
    try:
        chosen = registry.choose(settings).name
    except UsageError:
        chosen = ""
    untrusted = _untrusted(folder, loaded)
    rows = []
    for name in registry.names(settings):
        try:
            agent = registry.load(name, settings)
        except UsageError as error:
            rows.append(Row(name, Probe(found=False, problems=(error.message,)), None, False))
            continue
        probe = agent.probe(deep=check and name not in untrusted)
        if check and name in untrusted:
            words = "comes with this repository and is not trusted yet ('wtrun trust'): not started"
            probe = probe.model_copy(update={"problems": (*probe.problems, words)})
        full = loaded.settings.permissions == "full"
        if name == "claude" and full and os.geteuid() == 0 and "IS_SANDBOX" not in os.environ:
            words = "refuses permissions = 'full' as root (set IS_SANDBOX=1 inside a container)"
            probe = probe.model_copy(update={"problems": (*probe.problems, words)})
        rows.append(Row(name, probe, agent.capabilities, name == chosen))
    return rows


def _untrusted(folder: Path, loaded: Loaded) -> frozenset[str]:
    """The agents whose program the repository itself names, unless the user trusts it."""
    found = loaded.supplied.get("agents")
    place = locate.find(folder)
    if found is None or (place and trust.is_trusted(place.layout, loaded.supplied)):
        return frozenset()
    return frozenset(found.value)


def to_json(rows: Sequence[Row]) -> Mapping[str, Any]:
    """The list as one document; names are add-only within a version."""
    return {
        "v": JSON_VERSION,
        "agents": [
            {
                "name": row.name,
                "chosen": row.chosen,
                **row.probe.model_dump(mode="json"),
                "capabilities": row.capabilities.model_dump() if row.capabilities else None,
            }
            for row in rows
        ],
    }


def render(rows: Sequence[Row]) -> str:
    """One line an agent, its problems below it."""
    width = max(len(row.name) for row in rows)
    lines = []
    for row in rows:
        mark = "*" if row.chosen else " "
        state = (row.probe.version or "installed") if row.probe.found else "-"
        lines.append(f"{mark} {row.name.ljust(width)}  {state.ljust(10)}  {_abilities(row)}")
        if row.probe.found or row.capabilities is None:
            lines += [f"  {' ' * width}  ! {problem}" for problem in row.probe.problems]
    return "\n".join(line.rstrip() for line in lines)


def _abilities(row: Row) -> str:
    can = row.capabilities
    if can is None or not row.probe.found:
        return "not installed" if can is not None else ""
    words = {
        "resume": can.resume,
        "MCP": can.mcp,
        f"guard by {can.pre_edit_guard}": can.pre_edit_guard != "none",
        "sandbox": can.sandbox,
        "tokens": can.reports_tokens,
        "cost": can.reports_cost,
        "turn limit": can.max_turns,
        "cost limit": can.max_cost,
    }
    return (
        ", ".join(word for word, has in words.items() if has)
        or "follows written commands, no model"
    )
