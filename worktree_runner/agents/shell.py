"""The `shell` agent: a plan's own commands, with no model. The work is done by `shell_run`.

- Chosen by name only, never because nothing else is installed: it runs code.
- Its output is meant for people; lines that begin with `== ` are its own words, and a command
  that prints one changes the display and nothing else.
"""

from __future__ import annotations

import shutil
import sys
from typing import Literal

from worktree_runner.agents.common import UNSET, environment, records
from worktree_runner.agents.protocol import (
    Agent,
    AgentEvent,
    AgentOutcome,
    AgentRequest,
    Capabilities,
    EventParser,
    FailureKind,
    Launch,
    Probe,
)
from worktree_runner.agents.settings import AgentSettings

REQUEST = "shell-request.json"
SAY = "== "
NOT_RUNNABLE = 2
"""Exit code for a plan that holds no commands to run; a retry can't help."""


class ShellAgent:
    """Runs `python -m worktree_runner.agents.shell_run` on the request."""

    name = "shell"
    capabilities = Capabilities(events=True, resume=True, commits_itself=True, prompt_via="file")

    def probe(self, *, deep: bool = False) -> Probe:
        path = shutil.which("bash") or shutil.which("sh")
        problems = () if shutil.which("bash") else ("bash is not on PATH; only sh blocks can run",)
        return Probe(found=path is not None, path=path, version="built in", problems=problems)

    def build(self, request: AgentRequest) -> Launch:
        file = request.run_dir / REQUEST
        bare = request.model_copy(update={"env": {}, "prompt": "", "mcp_servers": ()})
        return Launch(
            argv=(sys.executable, "-P", "-m", "worktree_runner.agents.shell_run", str(file)),
            cwd=request.worktree,
            env=environment(request),
            unset=UNSET,
            files={
                **records(request, self.name, "shell"),
                file: bare.model_dump_json(indent=1) + "\n",
            },
        )

    def attach(self, request: AgentRequest) -> tuple[str, ...]:
        return ()

    def parser(self) -> EventParser:
        return ShellParser()


class ShellParser:
    """Turns `== ` lines into events; the last failure line is the outcome's message."""

    def __init__(self) -> None:
        self._failure = ""
        self._last = ""

    def feed(self, line: str, stream: Literal["stdout", "stderr"]) -> list[AgentEvent]:
        text = line.rstrip("\n")
        if not text.startswith(SAY):
            kind: Literal["unparsed", "notice"] = "unparsed" if stream == "stdout" else "notice"
            return [AgentEvent(kind=kind, text=text, raw=text)] if text else []
        said = text.removeprefix(SAY)
        word, _, rest = said.partition(": ")
        self._last = said
        if word == "failed":
            self._failure = rest
            return [AgentEvent(kind="failed", text=rest, raw=text)]
        if word == "run":
            return [AgentEvent(kind="tool", tool="shell", text=rest, raw=text)]
        if word == "done":
            return [AgentEvent(kind="finished", text=rest, raw=text)]
        return [AgentEvent(kind="text", text=said, raw=text)]

    def end(self, exit_code: int | None, *, killed: bool, timed_out: bool) -> AgentOutcome:
        message = self._failure
        if timed_out or killed:
            status: Literal["timeout", "killed"] = "timeout" if timed_out else "killed"
            return AgentOutcome(status=status, message=message, exit_code=exit_code)
        if exit_code == 0:
            return AgentOutcome(status="ok", final_text=self._last, exit_code=0)
        kind = FailureKind.CONFIG if exit_code == NOT_RUNNABLE else FailureKind.UNKNOWN
        if not self._failure:  # it always says why it stops, so this one was cut off
            kind = FailureKind.CRASH
        message = message or f"the shell agent ended with exit code {exit_code}"
        return AgentOutcome(status="failed", failure=kind, message=message, exit_code=exit_code)


def make(settings: AgentSettings) -> Agent:
    """The agent; settings change nothing about it."""
    return ShellAgent()
