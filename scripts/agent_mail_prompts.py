"""Example calls of Agent Mail in a prompt's text, taken out and made a scripted model's steps."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PHASE, PLAN = "03", "01"

PROMPT = '''
Coordinate by Agent Mail while you work on plan {phase}-{plan} in {WORKTREE_PATH}.

mcp-agent-mail_ensure_project(human_key="{PROJECT_PATH}", identity_mode="directory")
mcp-agent-mail_register_agent(project_key="{PROJECT_PATH}", program="gsd-executor",
    model="opencode-default", task_description="Executing {phase}-{plan}")
mcp-agent-mail_file_reservation_paths(project_key="{PROJECT_PATH}", agent_name="{MY_AGENT_NAME}",
    paths=["src/api/auth.ts", "tests/auth/*.test.ts"], ttl_seconds=3600, exclusive=True,
    reason="gsd-{phase}-{plan}")
mcp-agent-mail_release_file_reservations(project_key="{PROJECT_PATH}",
    agent_name="{MY_AGENT_NAME}")
mcp-agent-mail_send_message(project_key="{PROJECT_PATH}", sender_name="{MY_AGENT_NAME}",
    to=["{ORCHESTRATOR_NAME}"], subject="[gsd-{phase}-{plan}] Plan Complete",
    thread_id="gsd-{phase}-{plan}", body_md="""**Branch:** gsd/{phase}-{plan}""")
mcp-agent-mail_fetch_inbox(project_key="{PROJECT_PATH}", agent_name="{MY_AGENT_NAME}")
'''


@dataclass(frozen=True)
class Call:
    """One example call of a prompt with its placeholders filled."""

    tool: str
    arguments: Mapping[str, Any]


def calls_of(text: str, names: Mapping[str, str]) -> list[Call]:
    """Every complete example call in the text, in order."""
    text = text.replace("mcp-agent-mail_", "MAIL_")
    found = []
    for match in re.finditer(r"MAIL_(\w+)\(", text):
        node = _expression(text, match.start())
        if node is not None:
            pairs = {k.arg: _value(k.value, names) for k in node.keywords if k.arg}
            found.append(Call(match[1], pairs))
    return found


def _expression(text: str, begin: int) -> ast.Call | None:
    for match in re.compile(r"\)").finditer(text, begin):
        try:
            node = ast.parse(text[begin : match.end()], mode="eval").body
        except SyntaxError:
            continue
        return node if isinstance(node, ast.Call) else None
    return None


def _value(node: ast.expr, names: Mapping[str, str]) -> Any:
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.List):
        return [_value(item, names) for item in node.elts]
    if isinstance(node, ast.JoinedStr):
        parts = [
            part.value if isinstance(part, ast.FormattedValue) else part for part in node.values
        ]
        return "".join(str(_value(part, names)) for part in parts)
    value = ast.literal_eval(node)
    return fill(value, names) if isinstance(value, str) else value


def fill(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"[{<](\w+)[}>]", lambda found: names.get(found[1], found[0]), text)


def script_of(calls: list[Call], prefix: str) -> dict[str, Any]:
    """The steps of the scripted model: each call in a turn, work after the first reservation."""
    work = [
        {"write": "src/api/auth.ts", "content": "export const ready = true\n"},
        {"shell": "git add src/api/auth.ts"},
        {"shell": f"git commit -q -m 'feat({PHASE}-{PLAN}): add login'"},
    ]
    steps: list[dict[str, Any]] = []
    for call in calls:
        steps.append({"tool": prefix + call.tool, "args": dict(call.arguments)})
        if call.tool == "file_reservation_paths" and work:
            steps += work
            work = []
    return {"steps": [*steps, {"text": "PLAN COMPLETE"}]}
