from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.core.test_shell_plan import plan
from worktree_runner.agents.registry import model_for
from worktree_runner.agents.settings import AgentSettings
from worktree_runner.core import routing
from worktree_runner.dialects import schema

GSD = schema.load("gsd")
DOMAINS = GSD.model_copy(
    update={"agents": {"executor": "x-executor", "executor.backend": "x-backend-executor"}}
)


@pytest.mark.parametrize(
    ("config", "role", "expected"),
    [
        ({}, "executor", "sonnet"),
        ({"model_profile": "quality"}, "executor", "opus"),
        ({"model_profile": "quality"}, "verifier", "sonnet"),
        ({"model_profile": "budget"}, "verifier", "haiku"),
        ({"horsepower": "max"}, "continuation", "opus"),
        ({"horsepower": "eco"}, "verifier", "haiku"),
        ({"planning": {"model_profile": "quality"}}, "conflict", "opus"),
        ({"model_profile": "fastest"}, "executor", "sonnet"),
        ({"model_profile": 3}, "executor", "sonnet"),
        ({"model_overrides": {"gsd-executor": "haiku"}}, "executor", "haiku"),
        ({"model_overrides": "haiku"}, "executor", "sonnet"),
    ],
)
def test_model_of_a_role(config: dict[str, Any], role: str, expected: str) -> None:
    assert routing.model(config, GSD, role) == expected


def test_domain_chooses_agent_and_guide() -> None:
    backend = replace(plan(), domain="backend")
    assert routing.route(backend, DOMAINS) == routing.Route("x-backend-executor", "backend.md")
    own = replace(backend, front={"domain_guide": "api.md"})
    assert routing.route(own, DOMAINS).guide == "api.md"
    assert routing.route(plan(), DOMAINS) == routing.Route("x-executor", "")
    assert routing.route(replace(plan(), front={"domain_guide": "~"}), DOMAINS).guide == ""


def test_aliases_mean_what_the_user_bound() -> None:
    settings = AgentSettings(models={"codex": {"sonnet": "gpt-x"}})
    assert model_for("codex", "sonnet", settings) == "gpt-x"
    assert model_for("codex", "haiku", settings) is None
    assert model_for("claude", "haiku", settings) == "haiku"
    assert model_for("codex", "o5-mini", settings) == "o5-mini"
    assert model_for("codex", None, settings) is None
