"""Records what the real programs of coding agents print, for the parsers' tests.

    python -m scripts.record_streams --scripted-model FILE [--agent NAME]... [--case NAME]...
                                     [--cli NAME=PATH]... [--out tests/agents/streams]

Each program is started by wtrun's own adapter in a linked worktree, with an empty HOME and a model
on loopback that plays a script (see agents_e2e). Standard output, standard error and exit code are
written to OUT/NAME-VERSION/CASE.*; the folder that it all happened in is called `/w`, the port 1.
A new version is a new folder: look at the difference to the old one, then remove that.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.agents_e2e import load_model, placed, settings_for
from tests.support.agents import perform, request_for
from tests.support.repo import Repo, clean_environment
from worktree_runner.agents import registry
from worktree_runner.agents.protocol import McpServer
from worktree_runner.agents.settings import AgentSettings

AGENTS = ("claude", "codex", "opencode", "gemini", "qwen")
OUT = Path(__file__).parents[1] / "tests" / "agents" / "streams"
GONE = "00000000-0000-4000-8000-000000000000"
WRITE = {"write": "HELLO.txt", "content": "hi\n"}
COMMIT = ({"shell": "git add -- HELLO.txt"}, {"shell": "git commit -qm 'feat: a'"})
DONE = {"text": "All done.", "usage": {"input": 5000, "output": 300}}


def failing(status: int, kind: str, message: str, times: int) -> dict[str, Any]:
    return {"fail": {"status": status, "type": kind, "message": message, "times": times}}


@dataclass(frozen=True)
class Case:
    """What the model does, what differs in the request, and which programs know such a case."""

    steps: Sequence[Mapping[str, Any]]
    agents: Sequence[str] = AGENTS
    changes: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=lambda: {"CLAUDE_CODE_MAX_RETRIES": "1"})


OVERLOADED = failing(529, "overloaded_error", "Overloaded", 1)
LIMITED = failing(429, "rate_limit_error", "rate limit reached", 50)
DEAD_SERVER = McpServer(name="wtrun", command=("/nonexistent/mcp",))
CASES = {
    "ok": Case((WRITE, *COMMIT, DONE)),
    "denied": Case(
        (WRITE, {"shell": "python3 -c 1"}, *COMMIT, {"text": "Done."}),
        ("claude", "opencode", "gemini", "qwen"),
    ),
    "auth": Case(({**failing(401, "authentication_error", "invalid x-api-key", 50), "text": "x"},)),
    "rate": Case(
        ({**LIMITED, "text": "x"},), ("claude", "codex")
    ),
    "retry": Case(({**OVERLOADED, "text": "Fine."},), ("claude", "opencode")),
    "mcpbad": Case(
        ({"text": "Done."},),
        ("claude", "codex", "opencode"),
        {"mcp_servers": (DEAD_SERVER,)},
    ),
    "turns": Case((WRITE, *COMMIT, DONE), ("claude",), {"max_turns": 1}),
    "budget": Case((WRITE, *COMMIT, DONE), ("claude",), {"max_cost": 0.0001}),
    "hook": Case((WRITE, {"text": "It is reserved."}), ("claude",)),
    "checkpoint": Case(
        ({"write": "{outbox}/checkpoint.json", "content": '{"type": "decision"}\n'},
         {"text": "## CHECKPOINT REACHED\n\n**Type:** decision\n"}), ("codex",),
    ),
    "gone": Case((DONE,), changes={"resume": GONE}),
}  # fmt: skip
DENY = {
    "hookSpecificOutput": {
        "hookEventName": "PreToolUse",
        "permissionDecision": "deny",
        "permissionDecisionReason": "HELLO.txt is reserved by plan 03-02",
    }
}


def settings_of(agent: str, program: str, url: str, env: Mapping[str, str]) -> AgentSettings:
    """The agent's table, as a user's file would have it."""
    if agent == "qwen":
        variables = {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "dummy",
                     "OPENAI_MODEL": "scripted"}  # fmt: skip
        table: dict[str, Any] = {"args": ["--auth-type", "openai"], "env": variables}
    else:
        table = tomllib.loads(settings_for(agent, program, url))["agents"][agent]
    table = {**table, "program": program, "env": {**table.get("env", {}), **env}}
    return AgentSettings(agent=agent, tables={agent: table})


def record(agent: str, program: str, name: str, model: Any, out: Path) -> None:
    """One case with one program."""
    case = CASES[name]
    server = model.serve()
    base = Path(tempfile.mkdtemp(prefix="wtrun-record-"))
    home = base / "home"
    path = f"{Path(program).parent}:{os.environ['PATH']}"
    os.environ.clear()  # none of the caller's keys, logins and settings
    os.environ |= {**clean_environment(home), "TERM": "dumb", "LANG": "C.UTF-8", "PATH": path}
    for folder, text in ((".gemini", '{"security":{"auth":{"selectedType":"gemini-api-key"}}}'),):
        (home / folder).mkdir(parents=True, exist_ok=True)
        (home / folder / "settings.json").write_text(text)
    try:
        repo = Repo.make(base / "repo", home)
        url = f"http://127.0.0.1:{server.server_address[1]}"
        made = registry.load(agent, settings_of(agent, program, url, case.env))
        request = request_for(repo, "---\n---\n", **case.changes)
        if name == "hook":
            deny = base / "deny"
            deny.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(DENY)}\nEND\n")
            deny.chmod(0o755)
            request = request.model_copy(update={"pre_tool_hook": (str(deny),)})
        like = "gemini" if agent == "qwen" else agent  # both write to absolute paths only
        script = json.dumps({"steps": placed(case.steps, like, request.worktree)})
        script = script.replace("{outbox}", str(request.outbox))
        prompt = f"Do it.\n\n```scripted-model\n{script}\n```\n"
        launch = made.build(request.model_copy(update={"prompt": prompt}))
        for place in launch.folders:
            place.mkdir(parents=True, exist_ok=True)
        code = perform(launch, request.run_dir)
        folder = out / f"{agent}-{made.probe(deep=True).version}"
        folder.mkdir(parents=True, exist_ok=True)
        for stream in ("stdout", "stderr"):
            said = cleaned((request.run_dir / f"{stream}.log").read_text(), base, url)
            file = folder / f"{name}.{stream}.log"
            file.unlink(missing_ok=True)
            if said:
                file.write_text(said)
        (folder / f"{name}.exit").write_text(f"{code}\n")
        print(f"{folder.name} {name}: exit {code}")
    finally:
        server.shutdown()
        shutil.rmtree(base, ignore_errors=True)


def cleaned(text: str, base: Path, url: str) -> str:
    """The text without what belongs to this machine."""
    dashed = re.sub(r"[/.]", "-", str(base))
    text = text.replace(str(base), "/w").replace(dashed, "-w").replace(url, "http://127.0.0.1:1")
    return text.replace(tempfile.gettempdir(), "/t")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scripted-model", type=Path, required=True, metavar="FILE")
    parser.add_argument("--agent", action="append", choices=AGENTS)
    parser.add_argument("--case", action="append", choices=tuple(CASES))
    parser.add_argument("--cli", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    given = dict(item.split("=", 1) for item in options.cli)
    model = load_model(options.scripted_model)
    programs = {name: given.get(name) or shutil.which(name) for name in options.agent or AGENTS}
    for agent, program in programs.items():
        if program is None or not Path(program).exists():
            print(f"SKIPPED {agent}: its program is not on PATH (--cli {agent}=PATH)")
            continue
        for name in options.case or CASES:
            if agent in CASES[name].agents:
                record(agent, program, name, model, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
