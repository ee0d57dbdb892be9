"""The commands that a plan holds for the `shell` agent, as values.

- Real plans hold illustrative commands (`git push`, `rm -rf`), so a block is run only if its
  author said so: the fence's info string is `bash wtrun` or `sh wtrun`, or the plan's front
  matter says `agent: shell`, which covers all `bash` and `sh` blocks of its tasks.
- `<verify>`: the text of each `<automated>`; without one, its fenced blocks by the same rule;
  without those, in an `agent: shell` plan, each line of its text as one command.
- A task without any command is a problem and not skipped: a half-run plan would look done.
- Texts are taken as they stand; plan bodies are not XML, so no entity is decoded.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from worktree_runner.core.tasks import action_of, verify_of
from worktree_runner.models import Plan, Task

SHELLS = ("bash", "sh")
COMMIT_TYPES = ("feat", "fix", "test", "refactor", "perf", "chore", "docs", "style", "build", "ci")
_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`]*)$")
_AUTOMATED = re.compile(r"<automated>(.*?)</automated>", re.DOTALL | re.IGNORECASE)
_TYPED_NAME = re.compile(rf"^({'|'.join(COMMIT_TYPES)})(\([^)]*\))?:\s+(\S.*)$")


@dataclass(frozen=True, slots=True)
class ShellBlock:
    """Commands for one shell process; it ends at the first command that fails."""

    text: str
    shell: str = "bash"
    verify: bool = False


@dataclass(frozen=True, slots=True)
class ShellTask:
    """One task: its blocks in order, the verifying ones last. `checkpoint` names its kind."""

    number: int
    name: str
    commit_type: str
    blocks: tuple[ShellBlock, ...]
    checkpoint: str | None = None


def commands_of(plan: Plan) -> list[ShellTask]:
    """Every task of the plan with what the `shell` agent would run for it; pure."""
    return [_shell_task(task, everything=plan.agent == "shell") for task in plan.tasks]


def problems_of(plan: Plan) -> list[str]:
    """Why the `shell` agent can't run this plan; empty if it can."""
    if not plan.tasks:
        return [f"{plan.path} has no <task>"]
    found = [
        f"task {task.number} ({task.name}) has a fence that is not closed"
        for task in plan.tasks
        if _unclosed(action_of(task)) or _unclosed(verify_of(task))
    ]
    tasks = commands_of(plan)
    empty = [task for task in tasks if not task.blocks and task.checkpoint is None]
    if len(empty) == len(tasks):
        return [*found, f"{plan.path} has no block that the shell agent may run"]
    return found + [
        f"task {task.number} ({task.name}) has no block that the shell agent may run"
        for task in empty
    ]


def render_commands(plan: Plan) -> str:
    """The plan's commands for a person to read before they are run."""
    lines = [f"{plan.id}: {plan.title}"]
    for task in commands_of(plan):
        kind = f" [asks you: {task.checkpoint}]" if task.checkpoint else ""
        lines.append(f"  task {task.number}: {task.name}{kind}")
        for block in task.blocks:
            mark = "verify $" if block.verify else "$"
            first, *rest = block.text.splitlines()
            lines.append(f"    {mark} {first}")
            lines += [f"    {' ' * len(mark)} {line}".rstrip() for line in rest]
    return "\n".join(lines)


def blocks_in(text: str, *, everything: bool, verify: bool = False) -> list[ShellBlock]:
    """The closed fenced blocks of `text` that may be run, without their indentation."""
    return [
        ShellBlock(body, words[0], verify)
        for words, body, closed in _fences(text)
        if closed
        and body.strip()
        and words[:1]
        and words[0] in SHELLS
        and (everything or "wtrun" in words[1:])
    ]


def _shell_task(task: Task, *, everything: bool) -> ShellTask:
    commit_type, name = "feat", task.name
    if typed := _TYPED_NAME.match(task.name):
        commit_type, name = typed[1], typed[3]
    elif task.type in COMMIT_TYPES:
        commit_type = task.type
    if task.is_checkpoint:
        kind = task.type.partition(":")[2] or task.type
        return ShellTask(task.number, name, commit_type, (), kind)
    blocks = blocks_in(action_of(task), everything=everything)
    blocks += _verify_blocks(verify_of(task), everything=everything, opted_in=bool(blocks))
    return ShellTask(task.number, name, commit_type, tuple(blocks))


def _verify_blocks(text: str, *, everything: bool, opted_in: bool) -> list[ShellBlock]:
    automated = [textwrap.dedent(found).strip() for found in _AUTOMATED.findall(text)]
    if automated and (everything or opted_in):
        return [ShellBlock(command, "bash", True) for command in automated if command]
    blocks = blocks_in(text, everything=everything, verify=True)
    if blocks or not everything or any(True for _ in _fences(text)):
        return blocks
    lines = (line.strip() for line in text.splitlines())
    return [ShellBlock(line, "bash", True) for line in lines if line]


def _fences(text: str) -> Iterator[tuple[list[str], str, bool]]:
    """(info words, body without the fence's indentation, closed) of each fenced block."""
    opened: re.Match[str] | None = None
    body: list[str] = []
    for line in text.splitlines():
        found = _FENCE.match(line)
        if opened is None:
            opened, body = found, []
        elif found and not found["info"].strip() and found["fence"].startswith(opened["fence"]):
            yield opened["info"].split(), _dedent(body, opened["indent"]), True
            opened = None
        else:
            body.append(line)
    if opened is not None:
        yield opened["info"].split(), "", False


def _dedent(lines: list[str], indent: str) -> str:
    return "\n".join(line.removeprefix(indent) for line in lines)


def _unclosed(text: str) -> bool:
    return any(not closed for _, _, closed in _fences(text))
