"""The agent and the model that the settings ask for, for a run and for each of its plans."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from worktree_runner.agents.protocol import Agent
from worktree_runner.agents.registry import choose, load
from worktree_runner.agents.settings import AgentSettings
from worktree_runner.core.routing import route
from worktree_runner.dialects.schema import Dialect
from worktree_runner.models import Plan
from worktree_runner.store import config
from worktree_runner.store.settings import Settings, domain_table

PERSONAS = {
    "claude": (".claude/agents",),
    "opencode": (".opencode/agent", ".opencode/agents", ".config/opencode/agent"),
}
"""Where programs keep agents of a person or a project, below the home or the worktree."""
ALIASES = ("opus", "sonnet", "haiku")


def choose_programs(
    settings: Settings, plans: Sequence[Plan], *, for_all: bool = False
) -> dict[str, Agent]:
    """The agent of each plan by its id: what its domain's table names, else the run's own, which
    is the named one or the single one that is installed. `for_all`: the run's own for every plan.

    Raises UsageError with what there is, only if a plan needs what can't be chosen.
    """
    tables = agent_settings(settings)
    made: dict[str, Agent] = {}
    found: dict[str, Agent] = {}
    for plan in plans:
        name = "" if for_all else domain_table(settings, plan.domain).agent or ""
        if name not in made:
            made[name] = load(name, tables) if name else choose(tables)
        found[plan.id] = made[name]
    return found


def load_agent(settings: Settings, name: str) -> Agent:
    """The agent of that name with the user's settings for it."""
    return load(name, agent_settings(settings))


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


def choose_persona(
    plan: Plan, dialect: Dialect, agent: Agent, worktree: Path, home: Path
) -> str | None:
    """The dialect's own agent for the plan's domain (`ariadna-backend-executor`), where the program
    has it installed; None for plans of no special domain."""
    persona = route(plan, dialect).persona
    if f"executor.{plan.domain}" not in dialect.agents:
        return None
    folders = PERSONAS.get(agent.name, ())
    places = [root / folder / f"{persona}.md" for root in (worktree, home) for folder in folders]
    return persona if any(place.is_file() for place in places) else None
