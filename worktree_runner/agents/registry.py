"""Agents by name: the shipped ones, and the user's own from `.wtrun.toml`."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from worktree_runner.agents.protocol import Agent, EventParser
from worktree_runner.agents.settings import AgentSettings, command_table
from worktree_runner.errors import UsageError

SHIPPED: dict[str, str] = {
    name: name for name in ("claude", "codex", "opencode", "gemini", "qwen", "shell")
}
"""Name -> module in this package with `make(settings) -> Agent`; the order is that of lists."""
COMMAND = "command"
BY_NAME_ONLY = ("shell", COMMAND)
"""Never chosen because nothing else is installed."""


def names(settings: AgentSettings | None = None) -> list[str]:
    """Every agent that `--agent` accepts, shipped ones first."""
    own = sorted(set((settings or AgentSettings()).tables) - set(SHIPPED) - {COMMAND})
    return [*SHIPPED, COMMAND, *own]


def load(name: str, settings: AgentSettings | None = None) -> Agent:
    """The agent of that name; UsageError if there is none or its settings are wrong."""
    settings = settings or AgentSettings()
    if name in SHIPPED:
        module = importlib.import_module(f"worktree_runner.agents.{SHIPPED[name]}")
        made: Agent = module.make(settings)
        return made
    if name in settings.tables:
        from worktree_runner.agents.acp import AcpAgent
        from worktree_runner.agents.command import CommandAgent

        table = command_table(settings, name)
        if table.events == "acp":
            return AcpAgent(name, table)
        return CommandAgent(name, table, _parser_of(table.events))
    if name == COMMAND:
        raise UsageError(
            "the command agent has no command",
            hint="set [agents.command] argv = [\"program\", \"{prompt_file}\"] in .wtrun.toml",
        )  # fmt: skip
    raise UsageError(f"no agent named {name}", hint=f"known agents: {', '.join(names(settings))}")


def choose(settings: AgentSettings | None = None) -> Agent:
    """The agent that the settings name, else the single one that is installed."""
    settings = settings or AgentSettings()
    if settings.agent:
        return load(settings.agent, settings)
    candidates = [load(name, settings) for name in names(settings) if name not in BY_NAME_ONLY]
    if COMMAND in settings.tables:
        candidates.append(load(COMMAND, settings))
    found = [agent for agent in candidates if agent.probe().found]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"several agents are installed: {', '.join(agent.name for agent in found)}",
            hint=f"choose one: wtrun execute PHASE --agent {found[0].name}",
        )
    known = ", ".join(agent.name for agent in candidates) or "none"
    raise UsageError(
        f"no coding agent is installed (looked for: {known})",
        hint="see 'wtrun agents', or use --agent shell where the work is written down as commands",
    )


def parser_for(events: str) -> EventParser:
    """The parser of an attempt's record; plain text if its agent is not known any more."""
    from worktree_runner.agents.plain import PlainParser

    made = _parser_of(events)
    return made() if made is not None else PlainParser()


def _parser_of(events: str) -> Callable[[], EventParser] | None:
    if events == "jsonl":
        from worktree_runner.agents.jsonl import JsonlParser

        return JsonlParser
    if events not in SHIPPED:
        return None
    return lambda: load(events).parser()
