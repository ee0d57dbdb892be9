"""Qwen Code: a fork of Gemini CLI whose stream has the shape of Claude Code's.

Edits and the named commands are allowed, the rest is declined, which the model is told; `yolo`
is used only on the user's word.
"""

from __future__ import annotations

import re

from worktree_runner.agents.claude_stream import ClaudeParser
from worktree_runner.agents.common import UNSET, allowed_commands, environment, records
from worktree_runner.agents.probing import Login, look_up
from worktree_runner.agents.protocol import (
    Agent,
    AgentOutcome,
    AgentRequest,
    Capabilities,
    EventParser,
    Launch,
    Probe,
)
from worktree_runner.agents.settings import AgentSettings, ShippedTable, shipped_table

LOGIN = Login(
    files=(".qwen/oauth_creds.json", ".qwen/settings.json"),
    variables=("OPENAI_API_KEY", "DASHSCOPE_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"),
    command="qwen auth",
)

_API_ERROR = re.compile(r"\[API Error: (.*)\]\s*$", re.DOTALL)


class QwenAgent:
    """The adapter."""

    name = "qwen"
    capabilities = Capabilities(
        events=True, resume=True, preset_session_id=True, reports_tokens=True,
        max_turns=True, writes_outbox=False, verifies=True,
    )  # fmt: skip

    def __init__(self, table: ShippedTable) -> None:
        self._table = table
        self._program = table.program or "qwen"

    def probe(self, *, deep: bool = False) -> Probe:
        return look_up(self._program, LOGIN, oldest=(0, 10), deep=deep)

    def build(self, request: AgentRequest) -> Launch:
        argv = [self._program, "-o", "stream-json"]
        if request.model:
            argv += ["-m", request.model]
        if request.resume:
            argv += ["--resume", request.resume]
        elif request.session_id:
            argv += ["--session-id", request.session_id]
        if request.max_turns is not None:
            argv += ["--max-session-turns", str(request.max_turns)]
        argv += self._permissions(request)
        return Launch(
            argv=(*argv, *self._table.args, *request.extra_args),
            cwd=request.worktree,
            env={**environment(request), **self._table.env},
            unset=UNSET,
            stdin=request.prompt_file,
            files=records(request, self.name, "qwen"),
        )

    def _permissions(self, request: AgentRequest) -> list[str]:
        if request.permissions == "full":
            return ["--approval-mode", "yolo"]
        commands = allowed_commands(request)
        tools = [f"run_shell_command({command})" for command in commands]
        return ["--approval-mode", "auto-edit", "--allowed-tools", *tools]

    def attach(self, request: AgentRequest) -> tuple[str, ...]:
        return (self._program, "--resume", request.resume or "", *self._table.args)

    def parser(self) -> EventParser:
        return QwenParser()


class QwenParser(ClaudeParser):
    """A failed call of the service is reported as a result without an error, with exit code 0."""

    def end(self, exit_code: int | None, *, killed: bool, timed_out: bool) -> AgentOutcome:
        found = _API_ERROR.match(self._memory.final)
        if found and not self._memory.error:
            self._memory.failed(found[1])
        return super().end(exit_code, killed=killed, timed_out=timed_out)


def make(settings: AgentSettings) -> Agent:
    """The agent with the user's settings for it."""
    return QwenAgent(shipped_table(settings, "qwen"))
