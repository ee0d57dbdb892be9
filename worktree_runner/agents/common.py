"""What every adapter shares: environment names, the record of an attempt, placeholders.

- Each adapter exports the same `WTRUN_*` names, so that hooks, MCP servers and the commands
  of a plan know where they run whatever agent started them.
- The record (`agent.json`) says later which parser reads the attempt's log.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from worktree_runner.agents.protocol import AgentRequest
from worktree_runner.errors import UsageError

RECORD = "agent.json"
CHECKPOINT = "checkpoint.json"
UNSET = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
         "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_PREFIX")  # fmt: skip
"""Variables that would send an agent's git to another repository; a hook leaves them behind."""
ALLOWED_COMMANDS = (
    "git add", "git commit", "git status", "git diff", "git log", "git show", "git rm", "git mv",
    "git rev-parse", "wtrun",
)  # fmt: skip
"""What every agent may run without being asked: enough to commit on its own branch."""
_PLACEHOLDER = re.compile(r"\{\{([a-z_]+)\}\}|\{([a-z_]+)\}")


def placeholders(request: AgentRequest) -> dict[str, str]:
    """The values of a request by the names that templates and variables use."""
    return {
        "run_id": request.run_id,
        "plan_id": request.plan_id,
        "phase": request.phase,
        "plan": request.plan_number,
        "attempt_number": str(request.attempt),
        "role": request.role.value,
        "dialect": request.dialect,
        "domain": request.domain,
        "worktree": str(request.worktree),
        "git_dir": str(request.git_dir),
        "git_common_dir": str(request.git_common_dir),
        "run_dir": str(request.run_dir),
        "outbox": str(request.outbox),
        "plan_path": request.plan_path,
        "plan_file": str(request.plan_file),
        "summary_path": request.summary_path,
        "branch": request.branch,
        "base": request.base,
        "prompt_file": str(request.prompt_file),
        "model": request.model or "",
        "session_id": request.session_id or "",
        "resume": request.resume or "",
        "answer": request.answer or "",
    }


PLACEHOLDERS = (
    "run_id", "plan_id", "phase", "plan", "attempt_number", "role", "dialect", "domain",
    "worktree", "git_dir", "git_common_dir", "run_dir", "outbox", "plan_path", "plan_file",
    "summary_path", "branch", "base", "prompt_file", "model", "session_id", "resume", "answer",
)  # fmt: skip


def environment(request: AgentRequest) -> dict[str, str]:
    """Variables for the agent's process: `WTRUN_<NAME>` for each placeholder, no prompts of git."""
    names = {f"WTRUN_{name.upper()}": value for name, value in placeholders(request).items()}
    return {
        **{name: value for name, value in names.items() if "\0" not in value},
        "WTRUN_FILES": "\n".join(request.files),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_EDITOR": "true",
        "NO_COLOR": "1",
        **request.env,
    }


def allowed_commands(request: AgentRequest) -> list[str]:
    """The beginnings of commands that the agent may run, the user's own last."""
    return list(dict.fromkeys((*ALLOWED_COMMANDS, *request.allow_commands)))


def records(request: AgentRequest, agent: str, events: str) -> dict[Path, str]:
    """The files that every launch writes: prompt, record, and the outbox with its purpose."""
    record = {
        "agent": agent,
        "events": events,
        "plan": request.plan_id,
        "attempt": request.attempt,
        "role": request.role.value,
        "model": request.model,
        "session_id": request.session_id,
        "resume": request.resume,
        "worktree": str(request.worktree),
    }
    return {
        request.prompt_file: request.prompt,
        request.run_dir / RECORD: json.dumps(record, indent=1) + "\n",
        request.outbox / "README.txt": f"{request.plan_id} leaves {CHECKPOINT} here.\n",
    }


def fill(template: tuple[str, ...], request: AgentRequest) -> tuple[str, ...]:
    """The argv of a template; `{files}` alone becomes one argument per declared file."""
    values = placeholders(request)
    argv: list[str] = []
    for item in template:
        if item == "{files}":
            argv += request.files
        else:
            argv.append(_PLACEHOLDER.sub(lambda m: values[m[2]] if m[2] else f"{{{m[1]}}}", item))
    return tuple(argv)


def check_template(template: tuple[str, ...], place: str) -> None:
    """UsageError that names the first placeholder which does not exist."""
    for item in template:
        for found in _PLACEHOLDER.finditer(item):
            name = found[2]
            if name == "files" and item != "{files}":
                raise UsageError(
                    f"{place}: {{files}} inside '{item}'",
                    hint="give {files} as an argument of its own; it becomes one per file",
                )
            if name and name != "files" and name not in PLACEHOLDERS:
                known = ", ".join((*PLACEHOLDERS, "files"))
                raise UsageError(
                    f"{place}: unknown placeholder {{{name}}} in '{item}'",
                    hint=f"known: {known}; write {{{{{name}}}}} for literal braces",
                )


def first_line(text: str, limit: int = 300) -> str:
    """The first line with text in it, cut to `limit` characters."""
    line = next((part.strip() for part in text.splitlines() if part.strip()), "")
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def as_mapping(value: object) -> Mapping[str, object]:
    """`value` if it is an object of JSON, else an empty one: parsers must not fail on surprises."""
    return value if isinstance(value, dict) else {}
