"""The agent and the model that the settings ask for."""

from __future__ import annotations

from worktree_runner.agents.protocol import Agent
from worktree_runner.agents.registry import choose
from worktree_runner.agents.settings import AgentSettings
from worktree_runner.dialects.schema import Dialect
from worktree_runner.store import config
from worktree_runner.store.settings import Settings

ALIASES = ("opus", "sonnet", "haiku")


def choose_agent(settings: Settings) -> Agent:
    """The named agent, else the single one that is installed; UsageError with the list."""
    return choose(agent_settings(settings))


def agent_settings(settings: Settings) -> AgentSettings:
    """The part of the settings that agents are built from."""
    tables = {name: table.model_dump(exclude_unset=True) for name, table in settings.agents.items()}
    return AgentSettings(agent=settings.agent, tables=tables)


def choose_model(settings: Settings, dialect: Dialect, agent: Agent, role: str) -> str | None:
    """The model that an agent is told for a role; None leaves it its own default.

    `opus`, `sonnet` and `haiku` mean something to claude only: where a profile names one and the
    user bound nothing to it, another agent keeps its default. `--model` is always passed on.
    """
    name = config.choose_model(settings, dialect, role, agent.name)
    foreign = name in ALIASES and agent.name != "claude" and settings.model is None
    return None if foreign else name
