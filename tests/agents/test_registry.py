from __future__ import annotations

from pathlib import Path

import pytest

from worktree_runner.agents import registry
from worktree_runner.agents.settings import AgentSettings
from worktree_runner.errors import ExitCode, UsageError


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing but the programs that a test puts there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path, name: str) -> None:
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)


def own(*programs: str) -> AgentSettings:
    return AgentSettings(tables={name: {"argv": [f"{name}-cli"]} for name in programs})


def test_the_single_installed_agent_is_chosen(empty_path: Path) -> None:
    install(empty_path, "b-cli")
    assert registry.choose(own("a", "b")).name == "b"


def test_several_installed_agents_need_a_word(empty_path: Path) -> None:
    install(empty_path, "a-cli")
    install(empty_path, "b-cli")
    with pytest.raises(UsageError, match="several agents are installed: a, b") as caught:
        registry.choose(own("a", "b"))
    assert caught.value.exit_code == ExitCode.USAGE


def test_shell_is_never_chosen_by_itself(empty_path: Path) -> None:
    install(empty_path, "bash")
    with pytest.raises(UsageError, match="no coding agent is installed"):
        registry.choose()
    assert registry.choose(AgentSettings(agent="shell")).name == "shell"


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        registry.load("clod", own("a"))
    assert caught.value.hint is not None
    assert "shell" in caught.value.hint
    assert caught.value.hint.endswith("a")


def test_command_without_a_table_says_what_to_set() -> None:
    with pytest.raises(UsageError, match="has no command") as caught:
        registry.load("command")
    assert "[agents.command]" in (caught.value.hint or "")


def test_every_name_loads_or_says_why() -> None:
    for name in registry.names():
        if name != "command":
            assert registry.load(name).name == name
