"""The agent and the model that the settings ask for."""

from __future__ import annotations

from worktree_runner.agents.protocol import Agent
from worktree_runner.agents.registry import choose, model_for
from worktree_runner.agents.settings import AgentSettings
from worktree_runner.core import routing
from worktree_runner.dialects.schema import Dialect
from worktree_runner.store.settings import Settings


def choose_agent(settings: Settings) -> Agent:
    """The named agent, else the single one that is installed; UsageError with the list."""
    return choose(agent_settings(settings))


def agent_settings(settings: Settings) -> AgentSettings:
    """The part of the settings that agents are built from."""
    tables = {name: table.model_dump(exclude_unset=True) for name, table in settings.agents.items()}
    return AgentSettings(agent=settings.agent, models=settings.models, tables=tables)


def choose_model(
    settings: Settings, dialect: Dialect, agent: Agent, role: str, domain: str = "general"
) -> str | None:
    """The model that an agent is told for a role; None leaves it its own default.

    `--model` (or the setting) goes before a role's own model, and that before the profile.
    """
    by_role = {str(name): model for name, model in settings.role_models.items()}
    wanted = settings.model or by_role.get(role)
    if wanted is None:
        wanted = routing.model({"model_profile": settings.model_profile}, dialect, role, domain)
    return model_for(agent.name, wanted, agent_settings(settings))
