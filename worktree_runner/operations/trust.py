"""Commands that a repository brings along run only after the user has trusted exactly those.

- Whoever can push to a repository can write its `.wtrun.toml`, `[tool.wtrun]` and config.json. What
  these say about commands and permissions (`store.config.COMMAND_KEYS`) is one content with one
  digest; the smallest change needs the user's word again. Flags, WTRUN_* variables and the
  user's own file need none: they are the user's word.
- The files are read in the user's checkout, not from the run's base: the digest is of what they
  say, so it does not matter who wrote them there, and what was shown is what runs.
- The digest is kept beside the repository's runs, where neither a clone nor a pull brings it.
- It covers the commands, not what they start in turn: `make test` is trusted as these two words.
  A plan that changes what they start is asked about when it is merged (core/what_runs.py).
- A gate that wtrun found itself is one of its own fixed commands (core/gate_command.py): it is
  shown here and by every run, and not asked about.
- `--yes` does not trust; an agent can't, for an attempt's environment is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from worktree_runner.core.gate import shown
from worktree_runner.core.texts import clean_line, count
from worktree_runner.errors import PreconditionError, UsageError
from worktree_runner.operations.context.project import Project
from worktree_runner.operations.merging.gate import find_command
from worktree_runner.store.atomic import save_text
from worktree_runner.store.config import Supplied
from worktree_runner.store.paths import Layout
from worktree_runner.ui.ask import Asker
from worktree_runner.ui.console import Screen

SHORT = 12
SHORTEST = 8
_MEANING = {
    "worktrees.setup": "runs in every new worktree",
    "gate.command": "runs on every merge",
    "agents": "is started as an agent",
    "extra_args": "is added to every agent's command line",
    "allow_commands": "agents may run it without asking",
    "permissions": "agents are not asked for anything",
    "sandbox": "agents run without their sandbox",
}


def digest(supplied: Mapping[str, Supplied]) -> str:
    """What the user trusts, as one hash; the files and keys it comes from don't matter."""
    content = {key: supplied[key].value for key in sorted(supplied)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def is_trusted(layout: Layout, supplied: Mapping[str, Supplied]) -> bool:
    """Whether there is nothing to trust, or exactly this was trusted."""
    return not supplied or (layout.trust / f"{digest(supplied)}.json").is_file()


def require(project: Project, screen: Screen, asker: Asker) -> None:
    """Asks once for new commands of the repository; PreconditionError unless they are trusted."""
    layout, supplied = project.repository.layout, project.supplied
    if is_trusted(layout, supplied):
        return
    if asker.interactive:
        show(supplied, screen)
        if asker.confirm("Trust exactly these?"):
            save(layout, supplied)
            return
    lines = "".join(f"\n  {line}" for line in render(supplied))
    raise PreconditionError(
        f"This repository brings commands along that are not trusted yet:{lines}",
        hint=f"read them, then wtrun trust {digest(supplied)[:SHORT]}",
    )


def show(supplied: Mapping[str, Supplied], screen: Screen) -> None:
    screen.heading("This repository brings these commands along:")
    screen.block([(line, "") for line in render(supplied)])


def render(supplied: Mapping[str, Supplied]) -> tuple[str, ...]:
    """One line for each command: where it stands, what it is, and when it would run."""
    return tuple(
        f"{clean_line(str(supplied[key].origin))}{place} = {clean_line(text)}  ({_MEANING[key]})"
        for key in sorted(supplied)
        for place, text in _lines(key, supplied[key].value)
    )


def _lines(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if key == "agents":
        for name, table in sorted(value.items()):
            for field, part in sorted(table.items()):
                yield f".{name}.{field}", json.dumps(part, ensure_ascii=False)
    elif key in ("worktrees.setup", "gate.command"):
        for argv in value if key == "worktrees.setup" else [value]:
            shell = len(argv) == 3 and argv[:2] == ["sh", "-c"]
            yield "", json.dumps(argv[2] if shell else argv, ensure_ascii=False)
    else:
        yield "", json.dumps(value, ensure_ascii=False)


def save(layout: Layout, supplied: Mapping[str, Supplied]) -> None:
    """Trusts exactly this content from now on. Refuses inside an attempt: no agent decides that."""
    if "WTRUN_ATTEMPT" in os.environ:
        raise PreconditionError("A coding agent can't trust a repository's commands.")
    facts = {"v": 1, "at": datetime.now(UTC).isoformat(), "commands": list(render(supplied))}
    save_text(layout.trust / f"{digest(supplied)}.json", json.dumps(facts, indent=1) + "\n")


def trust(project: Project, wanted: str | None, screen: Screen, asker: Asker, *, yes: bool) -> bool:
    """Trusts the repository's present commands; False if the user says no.

    `wanted` is the beginning of the digest that was read: UsageError if it is another one now.
    """
    layout, supplied = project.repository.layout, project.supplied
    _say_found_gate(project, screen)
    if not supplied:
        screen.say("this repository brings no commands along; there is nothing to trust")
        return True
    present = digest(supplied)
    if wanted is not None and (len(wanted) < SHORTEST or not present.startswith(wanted)):
        raise UsageError(
            f"{wanted} is not what the repository says now, which is {present[:SHORT]}.",
            hint="wtrun trust, to read it",
        )
    if is_trusted(layout, supplied):
        screen.say(f"{present[:SHORT]} is trusted already")
        return True
    show(supplied, screen)
    if wanted is None and not asker.confirm("Trust exactly these?", yes=yes):
        if not asker.interactive:
            raise PreconditionError(
                "Nobody is here to be asked.", hint=f"wtrun trust {present[:SHORT]}"
            )
        return False
    save(layout, supplied)
    screen.say(f"{present[:SHORT]} is trusted until one of these commands changes")
    return True


def _say_found_gate(project: Project, screen: Screen) -> None:
    """Names the gate that is found where none is set: it runs without being asked about."""
    head = project.repository.git.resolve("HEAD")
    gate = project.settings.gate
    if head is None or not gate.enabled or gate.command:
        return
    found = find_command(gate, project.repository.objects, head)
    if found is not None:
        command = f"'{shown(found.argv)}' (found in {found.origin})"
        screen.say(
            f"merges are checked with {command}; that needs no trust, --no-gate leaves it out"
        )


def revoke(layout: Layout, screen: Screen) -> None:
    """Takes back everything that was ever trusted in this repository."""
    files = sorted(layout.trust.glob("*.json"))
    for file in files:
        file.unlink(missing_ok=True)
    sets = count(len(files), "trusted set of commands", "trusted sets of commands")
    screen.say(f"took back {sets}")
