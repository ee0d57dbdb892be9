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
from pathlib import Path

from worktree_runner import process
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
from worktree_runner.agents.streams import decode, text

REQUEST = "acp-request.json"
BRIDGE = (sys.executable, "-P", "-m", "worktree_runner.agents.acp_bridge")
CHECK_S = 60.0
"""Some programs take half a minute to start on a machine at work."""


class AcpAgent:
    """An own agent with `events = "acp"`."""

    capabilities = Capabilities(
        events=True, resume=True, mcp=True, pre_edit_guard="permission", reports_tokens=True,
        reports_cost=True, usage_scope="thread", prompt_via="file", verifies=True,
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
        if problems or not deep:
            return Probe(found=not problems, path=path, problems=tuple(problems))
        return self._look(path)

    def _look(self, path: str | None) -> Probe:
        """Has the program open a session, which costs no token, and tells what it says."""
        argv = [item for item in self._table.argv if not item.startswith("{")]
        done = process.run(
            [*BRIDGE, "--check", *argv], Path.cwd(), env=self._table.env, timeout=CHECK_S
        )
        said = decode(done.out.decode(errors="replace").strip().rpartition("\n")[2]) or {}
        problem = text(said.get("problem"))
        if done.timed_out:
            problem = f"it does not answer within {CHECK_S:.0f} s: is this its command for ACP?"
        elif not said:
            problem = f"it does not speak ACP: {done.tail(1) or f'exit code {done.code}'}"
        elif not problem and not said.get("resume"):
            problem = "it can't load sessions: work goes on in fresh processes"
        return Probe(
            found=True,
            path=path,
            version=text(said.get("version")) or None,
            problems=(problem,) if problem else (),
        )

    def build(self, request: AgentRequest) -> Launch:
        file = request.run_dir / REQUEST
        bare = request.model_copy(update={"env": {}, "prompt": ""})
        task = {
            "argv": [*fill(self._table.argv, request), *request.extra_args],
            "mode": self._table.mode,
            "request": bare.model_dump(mode="json"),
        }
        return Launch(
            argv=(*BRIDGE, str(file)),
            cwd=request.worktree,
            env={**self._table.env, **environment(request)},
            unset=UNSET,
            files={**records(request, self.name, "jsonl"), file: json.dumps(task, indent=1) + "\n"},
        )

    def attach(self, request: AgentRequest) -> tuple[str, ...]:
        return ()

    def parser(self) -> EventParser:
        return JsonlParser()
