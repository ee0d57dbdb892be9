"""Runs prompts made for MCP Agent Mail with a real agent CLI against `wtrun serve`.

    python scripts/agent_mail_cli.py --scripted-model FILE [--prompt FILE]... [--cli NAME=PATH]...

No model and no key: a scripted stand-in for the model's service (`--scripted-model`, a module with
`serve(dump=...)`) makes the CLI perform the calls. They are not written here: every
`mcp-agent-mail_<tool>(...)` example of the prompt's text is taken out of it, its placeholders are
filled as a coordinator fills them, and played in order, with an edit and a commit after the
reservation. Without --prompt a short executor prompt in this file is used.

Each CLI runs in a linked worktree with an empty HOME, told of the endpoint by its own flags and by
a token that belongs to its plan. It passes if every call was made, none was answered by an error,
and mailbox and registry hold what the prompt wanted. A CLI that is not there is skipped, loudly;
if all are, the exit code is 77.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent_mail_prompts import PHASE, PLAN, PROMPT, Call, calls_of, fill, script_of

from worktree_runner.serve import start
from worktree_runner.store import locate
from worktree_runner.store.mailbox import Mailbox
from worktree_runner.store.registry import Registry

LIMIT_S = 180
SKIPPED = 77
TOOL_PREFIX = {"opencode": "mcp-agent-mail_", "claude": "mcp__mcp-agent-mail__", "codex": ""}
"""How each CLI names the tools of the server mcp-agent-mail; codex keeps the server apart."""
REFUSALS = re.compile(r"Error calling tool|validation errors? for call\[|Unknown tool")


@dataclass(frozen=True)
class Site:
    """A repository with a linked worktree, served; the agent and the orchestrator are known."""

    repo: Path
    worktree: Path
    url: str
    agent: str
    orchestrator: str

    def names(self) -> dict[str, str]:
        """What a coordinator puts into the prompt."""
        return {
            "PROJECT_PATH": str(self.repo),
            "absolute_project_path": str(self.repo),
            "WORKTREE_PATH": str(self.worktree),
            "MY_AGENT_NAME": self.agent,
            "YourAgentName": self.agent,
            "ORCHESTRATOR_NAME": self.orchestrator,
            "TASK_ID": f"{PHASE}-{PLAN}",
            "phase": PHASE,
            "plan": PLAN,
        }


def environment(home: Path, **more: str) -> dict[str, str]:
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "TERM": "dumb",
        "LANG": "C.UTF-8",
        **more,
    }


@dataclass(frozen=True)
class Session:
    """What a CLI is started with: the endpoint, its token, the model's service and a home."""

    program: str
    url: str
    token: str
    model_url: str
    home: Path


Launch = tuple[list[str], dict[str, str]]


def claude(session: Session) -> Launch:
    server = {"type": "http", "url": session.url, "headers": start.bearer(session.token)}
    config = json.dumps({"mcpServers": {start.SERVER_KEY: server}})
    argv = [
        *(session.program, "-p", "--output-format", "stream-json", "--verbose"),
        *("--permission-mode", "acceptEdits", "--strict-mcp-config", "--mcp-config", config),
        *("--allowedTools", f"mcp__{start.SERVER_KEY}"),
        *("Bash(git add *)", "Bash(git commit *)"),
    ]
    more = {"ANTHROPIC_BASE_URL": session.model_url, "ANTHROPIC_API_KEY": "dummy"}
    quiet = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    return argv, environment(session.home, **more, **quiet)


def codex(session: Session) -> Launch:
    server = f"mcp_servers.{start.SERVER_KEY}"
    base = f"{session.model_url}/v1"
    settings = {
        "model": "scripted",
        "model_provider": "scripted",
        "model_providers.scripted": f'{{name="scripted",base_url="{base}",'
        'env_key="KEY",wire_api="responses"}',
        f"{server}.url": f'"{session.url}"',
        f"{server}.bearer_token_env_var": '"WTRUN_TOKEN"',
        f"{server}.default_tools_approval_mode": '"approve"',
    }
    # its sandbox needs user namespaces, which not every machine has; the folder is temporary
    argv = [session.program, "exec", "--json", "--sandbox", "danger-full-access"]
    argv += [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    return [*argv, "-"], environment(session.home, KEY="dummy", WTRUN_TOKEN=session.token)


def opencode(session: Session) -> Launch:
    headers = start.bearer(session.token)
    remote = {"type": "remote", "url": session.url, "headers": headers, "enabled": True}
    model = {"cost": {"input": 1, "output": 2}, "limit": {"context": 200000, "output": 8000}}
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{session.model_url}/v1", "apiKey": "dummy"},
        "models": {"scripted": model},
    }
    config = {
        "autoupdate": False,
        "share": "disabled",
        "model": "scripted/scripted",
        "small_model": "scripted/scripted",
        "provider": {"scripted": provider},
        "mcp": {start.SERVER_KEY: remote},
        "permission": {"edit": "allow", "bash": "allow", "external_directory": "deny"},
    }
    quiet = ("MODELS_FETCH", "AUTOUPDATE", "LSP_DOWNLOAD", "DEFAULT_PLUGINS")
    more = {f"OPENCODE_DISABLE_{what}": "1" for what in quiet}
    more["OPENCODE_CONFIG_CONTENT"] = json.dumps(config)
    return [session.program, "run", "--format", "json"], environment(session.home, **more)


LAUNCHES = {"opencode": opencode, "claude": claude, "codex": codex}


def play(
    name: str, program: str, prompts: list[str], model: Any, folder: Path
) -> tuple[int, list[str]]:
    """How many calls the CLI had to make, and what went wrong."""
    with served(folder) as site:
        wanted: list[Call] = []
        problems: list[str] = []
        layout = locate.here(site.repo).layout
        for number, text in enumerate(prompts):
            names = site.names()
            calls = calls_of(text, names)
            wanted += calls
            is_orchestrator = any(
                call.arguments.get("program") == "gsd-orchestrator" for call in calls
            )
            who = site.orchestrator if is_orchestrator else site.agent
            token = start.token_of(layout, who)
            home = folder / f"home{number}"
            home.mkdir()
            dump = folder / f"requests{number}"
            server = model.serve(dump=str(dump))
            url = f"http://127.0.0.1:{server.server_address[1]}"
            argv, env = LAUNCHES[name](Session(program, site.url, token, url, home))
            script = json.dumps(script_of(calls, TOOL_PREFIX[name]))
            prompt = f"{fill(text, names)}\n```scripted-model\n{script}\n```\n"
            done = subprocess.run(
                argv, cwd=site.worktree, env=env, input=prompt, text=True, capture_output=True,
                timeout=LIMIT_S,
            )  # fmt: skip
            server.shutdown()
            problems += judge_session(server.seen, dump, calls, TOOL_PREFIX[name], done)
        return len(wanted), [*problems, *judge_state(site, wanted)]


def judge_session(
    seen: list[dict[str, Any]], dump: Path, calls: list[Call], prefix: str, done: Any
) -> Iterator[str]:
    """Whether each call was made as the prompt has it and none was answered by an error."""
    made = [tuple(call) for row in seen for call in row.get("calls", ())]
    for call in calls:
        if (prefix + call.tool, dict(call.arguments)) not in made:
            yield f"{call.tool} was not called: {json.dumps(dict(call.arguments))}"
    for row in seen:
        if "lookup_error" in row:
            yield str(row["lookup_error"])
    bodies = sorted(dump.glob("*.json")) if dump.is_dir() else []
    answered = bodies[-1].read_text() if bodies else ""
    for refusal in sorted(set(re.findall(REFUSALS.pattern + r"[^\"\\]*", answered))):
        yield f"a call was refused: {refusal}"
    if done.returncode != 0 or not any(row.get("text") == "PLAN COMPLETE" for row in seen):
        yield f"the CLI ended with {done.returncode}: {(done.stderr or done.stdout)[-600:]}"


def judge_state(site: Site, calls: list[Call]) -> Iterator[str]:
    """Whether the mailbox and the registry hold what the calls asked for."""
    layout = locate.here(site.repo).layout
    box = Mailbox(layout)
    received = {
        (d.message.sender, d.message.subject, d.message.thread_id, d.message.importance)
        for d in box.inbox(site.orchestrator, limit=100)
    }
    for call in calls:
        if call.tool != "send_message":
            continue
        given = call.arguments
        row = (
            site.agent,
            given["subject"],
            given.get("thread_id"),
            given.get("importance", "normal"),
        )
        if row not in received:
            yield f"the orchestrator did not receive {row}, but {sorted(map(str, received))}"
    registry = Registry(layout)
    granted = {
        (record["pattern"], record["reason"])
        for event in registry.events.rows()
        if event["op"] == "grant"
        for record in event["records"]
    }
    for call in calls:
        if call.tool == "file_reservation_paths":
            missing = {(p, call.arguments["reason"]) for p in call.arguments["paths"]} - granted
            yield from (f"not reserved: {pair}" for pair in sorted(missing))
    if any(call.tool == "release_file_reservations" for call in calls) and registry.active():
        yield f"still reserved at the end: {[h.reservation.pattern for h in registry.active()]}"
    if any(call.tool == "file_reservation_paths" for call in calls):
        log = git(site.worktree, "log", "--format=%s", "main..HEAD")
        if "add login" not in log:
            yield "the work was not committed"


class served:
    """A repository with a running server; both are gone after the block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Site:
        repo = (self.folder / "repo").resolve()
        repo.mkdir()
        git(repo, "init", "-q", "-b", "main")
        for key, value in (("user.name", "tester"), ("user.email", "tester@example.org")):
            git(repo, "config", key, value)
        (repo / "README.md").write_text("demo\n")
        git(repo, "add", "-A")
        git(repo, "commit", "-q", "-m", "init")
        worktree = repo / ".worktrees" / f"wt-{PHASE}-{PLAN}"
        git(repo, "worktree", "add", "-q", str(worktree), "-b", f"gsd/{PHASE}-{PLAN}")
        place = locate.here(repo)
        launch = start.start_for_run(place, port=0)
        self.process = subprocess.Popen(
            launch.argv, env={**os.environ, **launch.env}, stdout=subprocess.DEVNULL
        )
        info = start.wait_ready(place.layout)
        if info is None:
            raise SystemExit("wtrun serve did not start")
        box = Mailbox(place.layout)
        agent = start.plan_agent(box, "run1", f"{PHASE}-{PLAN}", 1, program="gsd-executor")
        orchestrator = box.register(None, "gsd-orchestrator", seed="run1")
        return Site(repo, worktree, info.url, agent.name, orchestrator.name)

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        self.process.wait()


def git(folder: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def load_model(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location("scripted_model", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise SystemExit(f"{file} is no scripted model; name it by --scripted-model")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scripted-model", type=Path, required=True, metavar="FILE")
    parser.add_argument("--prompt", type=Path, action="append", metavar="FILE")
    parser.add_argument("--cli", action="append", metavar="NAME=PATH", default=[])
    options = parser.parse_args()
    model = load_model(options.scripted_model)
    prompts = [file.read_text() for file in options.prompt or ()] or [PROMPT]
    programs = {name: shutil.which(name) for name in TOOL_PREFIX}
    programs |= dict(pair.split("=", 1) for pair in options.cli)
    failed = ran = 0
    for name, program in programs.items():
        if program is None or not Path(program).exists():
            print(f"SKIPPED {name}: not installed (name it by --cli {name}=PATH)", file=sys.stderr)
            continue
        ran += 1
        with tempfile.TemporaryDirectory() as folder:
            count, problems = play(name, program, prompts, model, Path(folder))
        count = sum(
            len(calls_of(text, Site(*[Path()] * 2, "", "", "").names())) for text in prompts
        )
        print(f"{'FAIL' if problems else 'PASS'} {name}: {count} calls of {len(prompts)} prompts")
        for problem in problems:
            print(f"  {problem}")
        failed += bool(problems)
    return 1 if failed else 0 if ran else SKIPPED


if __name__ == "__main__":
    sys.exit(main())
