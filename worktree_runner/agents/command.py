"""Any program as an agent: an argv template, the prompt as a file and on stdin.

- No shell takes part; a placeholder is text inside one argument, `{files}` alone is one
  argument per file. A placeholder that does not exist is an error when settings are loaded.
- The same values are in the environment as `WTRUN_<NAME>`.
- A program that speaks the event stream of a known agent (`events = "claude"`) is read as such.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

from worktree_runner.agents.common import UNSET, check_template, environment, fill, records
from worktree_runner.agents.plain import PlainParser
from worktree_runner.agents.protocol import (
    AgentRequest,
    Capabilities,
    EventParser,
    Launch,
    Probe,
)
from worktree_runner.agents.settings import CommandTable


class CommandAgent:
    """An agent made of a table of `.wtrun.toml`."""

    def __init__(
        self, name: str, table: CommandTable, parser: Callable[[], EventParser] | None = None
    ) -> None:
        place = f"[agents.{name}]"
        for key, template in (
            ("argv", table.argv),
            ("model_args", table.model_args),
            ("resume_argv", table.resume_argv),
            ("attach_argv", table.attach_argv),
        ):
            check_template(template, f"{place} {key}")
        self.name = name
        self._table = table
        self._parser = parser
        self.capabilities = Capabilities(
            events=table.events != "none",
            resume=bool(table.resume_argv),
            prompt_via="stdin" if table.prompt_via == "stdin" else "file",
        )

    def probe(self, *, deep: bool = False) -> Probe:
        program = self._table.argv[0]
        path = shutil.which(program)
        problems = [] if path else [f"{program} is not on PATH"]
        unset = [name for name in self._table.pass_env if not os.environ.get(name)]
        problems += [f"{name} is not set" for name in unset]
        return Probe(found=path is not None, path=path, problems=tuple(problems))

    def build(self, request: AgentRequest) -> Launch:
        table = self._table
        template = table.resume_argv if request.resume and table.resume_argv else table.argv
        argv = fill(template, request)
        if request.model:
            argv += fill(table.model_args, request)
        return Launch(
            argv=(*argv, *request.extra_args),
            cwd=request.worktree,
            env={**table.env, **environment(request)},
            unset=UNSET,
            stdin=request.prompt_file if table.prompt_via == "stdin" else None,
            files=records(request, self.name, table.events),
        )

    def attach(self, request: AgentRequest) -> tuple[str, ...]:
        return fill(self._table.attach_argv, request)

    def parser(self) -> EventParser:
        if self._parser is not None:
            return self._parser()
        return PlainParser(self._table.success_exit_codes)
