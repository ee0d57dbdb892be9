"""The agent that the settings ask for, built from them."""

from __future__ import annotations

from worktree_runner.agents.protocol import Agent
from worktree_runner.agents.registry import choose
from worktree_runner.agents.settings import AgentSettings
from worktree_runner.store.settings import Settings


def choose_agent(settings: Settings) -> Agent:
    """The named agent, else the single one that is installed; UsageError with the list."""
    return choose(agent_settings(settings))


def agent_settings(settings: Settings) -> AgentSettings:
    """The part of the settings that agents are built from."""
    tables = {name: table.model_dump(exclude_unset=True) for name, table in settings.agents.items()}
    return AgentSettings(agent=settings.agent, tables=tables)
