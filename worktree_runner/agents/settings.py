"""The settings that agents are built from: plain values, checked when they are loaded.

An agent of the user's own is a table of `.wtrun.toml`:

    [agents.aider]
    argv = ["aider", "--yes-always", "--message-file", "{prompt_file}", "{files}"]
    model_args = ["--model", "{model}"]
    env = { OPENAI_API_BASE = "http://127.0.0.1:8080/v1" }

A table with the name of a shipped agent (`[agents.claude]`) may hold `program`, `args`, `env`
and `trust_hooks`; it does not replace the adapter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from worktree_runner.agents.protocol import Frozen
from worktree_runner.errors import UsageError


class CommandTable(Frozen):
    """An agent of the user's own, or the shipped `command` agent."""

    argv: tuple[str, ...] = Field(min_length=1)
    model_args: tuple[str, ...] = ()
    """Added at the end when a model is chosen."""
    resume_argv: tuple[str, ...] = ()
    """Used instead of `argv` when a session is resumed; empty: it can't resume."""
    attach_argv: tuple[str, ...] = ()
    """Opens a session for a person (`wtrun attach`), with `{resume}`; empty: a shell instead."""
    prompt_via: Literal["stdin", "file"] = "stdin"
    """The prompt is a file in any case; with `stdin` it is on standard input as well."""
    events: Literal["none", "jsonl", "acp", "claude", "codex", "opencode", "gemini", "qwen"] = (
        "none"
    )
    mode: str | None = None
    """With `acp`: the session mode to switch to."""
    env: Mapping[str, str] = Field(default_factory=dict)
    pass_env: tuple[str, ...] = ()
    """Variables that must be set."""
    success_exit_codes: tuple[int, ...] = (0,)


class ShippedTable(Frozen):
    """What a user may change about a shipped agent."""

    program: str | None = None
    """Another name or path of its program."""
    args: tuple[str, ...] = ()
    """Added to every call."""
    env: Mapping[str, str] = Field(default_factory=dict)
    trust_hooks: bool = False
    """codex only: allow the pre-edit hook, which needs codex to trust every configured hook."""


class AgentSettings(Frozen):
    """The part of wtrun's settings that concerns agents."""

    agent: str | None = None
    """The agent's name, if the user chose one."""
    tables: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    """`[agents.NAME]` as read."""


def shipped_table(settings: AgentSettings, name: str) -> ShippedTable:
    """What the user set about a shipped agent; UsageError that names the key that is wrong."""
    try:
        return ShippedTable.model_validate(dict(settings.tables.get(name, {})))
    except ValidationError as error:
        raise _wrong(name, error) from None


def command_table(settings: AgentSettings, name: str) -> CommandTable:
    """The table of the user's own agent; UsageError that names the key that is wrong."""
    try:
        return CommandTable.model_validate(dict(settings.tables.get(name, {})))
    except ValidationError as error:
        raise _wrong(name, error) from None


def _wrong(name: str, error: ValidationError) -> UsageError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    said = "is not known here" if first["type"] == "extra_forbidden" else first["msg"].lower()
    return UsageError(
        f"[agents.{name}] {key}: {said}",
        hint=f"see 'wtrun agents' and docs/agents.md for what [agents.{name}] may hold",
    )
