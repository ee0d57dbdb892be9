"""Which model and which of the dialect's agents a role gets, from the project's configuration.

- Profiles are words of the originals: `quality`, `balanced`, `budget` (ACE and RENN also say
  `max` and `eco`). An unknown one counts as `balanced`.
- `opus`, `sonnet` and `haiku` are aliases: what they mean is said by the settings, per agent.
- A plan's domain (Ariadna) chooses the executor and the guide; the general one has no guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worktree_runner.dialects.schema import Dialect
from worktree_runner.models import Plan

ALIASES = ("opus", "sonnet", "haiku")
PROFILE_KEYS = ("model_profile", "horsepower")
_NAMES = {"max": "quality", "eco": "budget"}
_TABLE: dict[str, dict[str, str]] = {
    "quality": {"executor": "opus", "verifier": "sonnet"},
    "balanced": {"executor": "sonnet", "verifier": "sonnet"},
    "budget": {"executor": "sonnet", "verifier": "haiku"},
}
_ROLES = {"continuation": "executor", "conflict": "executor"}


@dataclass(frozen=True, slots=True)
class Route:
    """What a plan's domain chooses. `guide` is as written in the plan, or empty."""

    persona: str
    guide: str


def profile(config: Mapping[str, Any]) -> str:
    """The project's profile in GSD's words."""
    nested = config.get("planning")
    places = [config, *([nested] if isinstance(nested, Mapping) else [])]
    found = next((place[key] for place in places for key in PROFILE_KEYS if place.get(key)), "")
    name = str(found).strip().lower()
    name = _NAMES.get(name, name)
    return name if name in _TABLE else "balanced"


def model(config: Mapping[str, Any], dialect: Dialect, role: str, domain: str = "general") -> str:
    """The model of a role: the project's override for the dialect's agent, else the profile's."""
    role = _ROLES.get(role, role)
    overrides = config.get("model_overrides")
    if isinstance(overrides, Mapping):
        for name in (persona(dialect, role, domain), persona(dialect, role)):
            if name and overrides.get(name):
                return str(overrides[name])
    return _TABLE[profile(config)].get(role, "sonnet")


def persona(dialect: Dialect, role: str, domain: str = "general") -> str:
    """The dialect's own name for the agent of a role and domain, or empty."""
    own = dialect.agents.get(f"{role}.{domain}") if domain != "general" else None
    return own or dialect.agents.get(role, "")


def route(plan: Plan, dialect: Dialect) -> Route:
    """The executor and the guide for a plan's domain."""
    named = plan.front.get("domain_guide")
    guide = "" if named in (None, "", "~", "null", "none") else str(named)
    if not guide and plan.domain != "general" and f"executor.{plan.domain}" in dialect.agents:
        guide = f"{plan.domain}.md"
    return Route(persona(dialect, "executor", plan.domain), guide)
