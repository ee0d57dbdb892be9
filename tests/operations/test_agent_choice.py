from __future__ import annotations

import pytest

from worktree_runner.agents import registry
from worktree_runner.dialects import schema
from worktree_runner.operations.agent_choice import agent_settings, choose_model
from worktree_runner.store.settings import Settings


@pytest.mark.parametrize(
    ("settings", "agent", "role", "expected"),
    [
        ({}, "claude", "executor", "sonnet"),
        ({"model_profile": "quality"}, "claude", "continuation", "opus"),
        ({}, "codex", "executor", None),
        ({"model": "opus"}, "codex", "executor", "opus"),
        ({"models": {"codex": {"sonnet": "gpt-x"}}}, "codex", "executor", "gpt-x"),
        ({"role_models": {"verifier": "big"}}, "codex", "verifier", "big"),
        ({"model_profile": "budget"}, "claude", "verifier", "haiku"),
    ],
)
def test_model_of_a_role(
    settings: dict[str, object], agent: str, role: str, expected: str | None
) -> None:
    found = choose_model(
        Settings.model_validate(settings), schema.load("gsd"), registry.load(agent), role
    )
    assert found == expected


def test_tables_of_the_settings_reach_the_agents() -> None:
    settings = Settings.model_validate(
        {"agents": {"mine": {"argv": ["x"]}, "codex": {"trust_hooks": True}}, "agent": "mine"}
    )
    found = agent_settings(settings)
    assert registry.choose(found).name == "mine"
    assert registry.load("codex", found).name == "codex"
