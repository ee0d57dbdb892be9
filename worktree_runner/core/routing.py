"""Which of the dialect's agents, and which guide, a plan's domain chooses (Ariadna)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worktree_runner.dialects.schema import Dialect
from worktree_runner.models import Plan


@dataclass(frozen=True, slots=True)
class Route:
    """What a plan's domain chooses. `guide` is as written in the plan, or empty."""

    persona: str
    guide: str


def persona(dialect: Dialect, role: str, domain: str = "general") -> str:
    """The dialect's own name for the agent of a role and domain, or empty."""
    own = dialect.agents.get(f"{role}.{domain}") if domain != "general" else None
    return own or dialect.agents.get(role, "")


def route(plan: Plan, dialect: Dialect, *, guide: str = "") -> Route:
    """The executor and the guide for a plan's domain; `guide` is the one that the user's settings
    name for the domain, which goes before the dialect's and not before the plan's own."""
    named = plan.front.get("domain_guide")
    guide = guide if named in (None, "", "~", "null", "none") else str(named)
    if not guide and plan.domain != "general" and f"executor.{plan.domain}" in dialect.agents:
        guide = f"{plan.domain}.md"
    return Route(persona(dialect, "executor", plan.domain), guide)


def is_team(setting: str, plans: Sequence[Plan]) -> bool:
    """Whether plans start by their dependencies alone; "auto" is the originals' rule of three
    plans or more in two domains or more."""
    domains = {plan.domain for plan in plans} - {"general"}
    return setting == "on" or (setting == "auto" and len(plans) >= 3 and len(domains) >= 2)
