from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.test_shell_plan import plan as a_plan
from worktree_runner.agents import registry
from worktree_runner.agents.settings import CommandTable, ShippedTable
from worktree_runner.dialects import schema
from worktree_runner.operations.context.agent_choice import (
    agent_settings,
    choose_model,
    choose_persona,
)
from worktree_runner.store.settings import AgentTable, Settings


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


def test_both_tables_of_an_agent_know_the_same_keys() -> None:
    own = set(CommandTable.model_fields) | set(ShippedTable.model_fields)
    assert set(AgentTable.model_fields) == own
    for name, field in CommandTable.model_fields.items():
        if name != "argv":
            assert AgentTable.model_fields[name].default == field.default, name


@pytest.mark.parametrize(
    ("dialect", "domain", "agent", "place", "expected"),
    [
        ("ariadna", "backend", "claude", "home/.claude/agents", "ariadna-backend-executor"),
        ("ariadna", "backend", "claude", "wt/.claude/agents", "ariadna-backend-executor"),
        ("ariadna", "backend", "opencode", "wt/.opencode/agent", "ariadna-backend-executor"),
        ("ariadna", "backend", "codex", "home/.claude/agents", None),
        ("ariadna", "backend", "claude", "elsewhere", None),
        ("ariadna", "general", "claude", "home/.claude/agents", None),
        ("gsd", "backend", "claude", "home/.claude/agents", None),
    ],
)
def test_a_domain_chooses_the_dialects_own_agent_where_it_is_installed(
    tmp_path: Path, dialect: str, domain: str, agent: str, place: str, expected: str | None
) -> None:
    folder = tmp_path / place
    folder.mkdir(parents=True)
    for name in ("ariadna-backend-executor", "ariadna-executor", "gsd-executor"):
        (folder / f"{name}.md").write_text("---\n---\n")
    chosen = schema.load(dialect)
    plan = replace(a_plan(), domain=domain)
    found = choose_persona(plan, chosen, registry.load(agent), tmp_path / "wt", tmp_path / "home")
    assert found == expected
