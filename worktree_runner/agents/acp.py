"""Any agent that speaks the Agent Client Protocol, by a small bridge as the agent's process.

    [agents.opencode-acp]
    argv = ["opencode", "acp"]
    events = "acp"

- The bridge (`acp_bridge`) starts the program, sends the prompt, answers its questions for
  permission by `acp_rules` and prints our own event stream. It needs the extra `wtrun[acp]`.
- File and terminal services are never offered: agents use their own tools in the worktree.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys

from worktree_runner.agents.common import UNSET, check_template, environment, fill, records
from worktree_runner.agents.jsonl import JsonlParser
from worktree_runner.agents.protocol import (
    AgentRequest,
    Capabilities,
    EventParser,
    Launch,
    Probe,
)
from worktree_runner.agents.settings import CommandTable

REQUEST = "acp-request.json"


class AcpAgent:
    """An own agent with `events = "acp"`."""

    capabilities = Capabilities(
        events=True, mcp=True, pre_edit_guard="permission", reports_tokens=True, reports_cost=True,
        usage_scope="thread", prompt_via="file",
    )  # fmt: skip

    def __init__(self, name: str, table: CommandTable) -> None:
        check_template(table.argv, f"[agents.{name}] argv")
        self.name = name
        self._table = table

    def probe(self, *, deep: bool = False) -> Probe:
        program = self._table.argv[0]
        path = shutil.which(program)
        problems = [] if path else [f"{program} is not on PATH"]
        if importlib.util.find_spec("acp") is None:
            problems.append("the extra is missing: pip install 'wtrun[acp]'")
        return Probe(found=not problems, path=path, problems=tuple(problems))

    def build(self, request: AgentRequest) -> Launch:
        file = request.run_dir / REQUEST
        bare = request.model_copy(update={"env": {}, "prompt": ""})
        task = {
            "argv": [*fill(self._table.argv, request), *request.extra_args],
            "mode": self._table.mode,
            "request": bare.model_dump(mode="json"),
        }
        return Launch(
            argv=(sys.executable, "-P", "-m", "worktree_runner.agents.acp_bridge", str(file)),
            cwd=request.worktree,
            env={**self._table.env, **environment(request)},
            unset=UNSET,
            files={**records(request, self.name, "jsonl"), file: json.dumps(task, indent=1) + "\n"},
        )

    def attach(self, request: AgentRequest) -> tuple[str, ...]:
        return ()

    def parser(self) -> EventParser:
        return JsonlParser()
