"""Imports go one way (the house's plan): a room knows only what lies below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LEAVES = {"errors", "models", "__init__"}
ALLOWED: dict[str, set[str]] = {
    "dialects": LEAVES,
    "core": LEAVES | {"dialects", "core"},
    "git": LEAVES | {"dialects", "core", "git", "store"},
    "store": LEAVES | {"dialects", "core", "store", "proctable"},
    "planning": LEAVES | {"dialects", "core", "planning", "store"},
    "agents": LEAVES | {"dialects", "core", "agents", "store", "process"},
    "serve": LEAVES | {"dialects", "core", "store", "serve"},
    "ui": LEAVES | {"dialects", "core", "store", "ui"},
    "process": LEAVES | {"attempts", "attempt_end", "launcher", "proctable", "supervision"},
    "supervision": LEAVES | {"attempts", "attempt_end", "proctable"},
    "attempts": LEAVES | {"proctable"},
    "launcher": {"attempt_end", "proctable"},
    "attempt_end": {"proctable"},
    "proctable": set(),
}
ALLOWED["dialects"] |= {"dialects"}


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_each_room_imports_only_what_lies_below_it() -> None:
    wrong = []
    for file in sorted((ROOT / "worktree_runner").rglob("*.py")):
        room = file.relative_to(ROOT / "worktree_runner").parts[0].removesuffix(".py")
        for name in imports(file):
            parts = name.split(".")
            if parts[0] != "worktree_runner" or len(parts) == 1 or room not in ALLOWED:
                continue
            known = parts[1] in ALLOWED or parts[1] in {*LEAVES, "operations", "commands", "cli"}
            if known and parts[1] not in ALLOWED[room]:
                wrong.append(f"{file.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_rooms_of_a_run_know_only_those_before_them() -> None:
    rooms = ["context", "attempt", "merging", "goal", "run", "commands"]
    operations = ROOT / "worktree_runner" / "operations"
    wrong, seen = [], set()
    for file in sorted(operations.rglob("*.py")):
        room = rooms.index(file.parent.name if file.parent != operations else "commands")
        for name in imports(file):
            parts = name.split(".")
            if parts[:2] != ["worktree_runner", "operations"] or len(parts) < 3:
                continue
            known = rooms.index(parts[2] if parts[2] in rooms else "commands")
            seen.add((room, known))
            if known > room:
                wrong.append(f"{file.relative_to(ROOT)} imports {name}")
    assert wrong == []
    assert len(seen) > len(rooms)


def test_merge_imports_nothing_but_the_standard_library() -> None:
    optional = {"tree_sitter"}
    allowed = set(__import__("sys").stdlib_module_names) | {"merge", "yaml"} | optional
    wrong = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in sorted((ROOT / "merge").rglob("*.py"))
        for name in imports(file)
        if name.split(".")[0] not in allowed and not name.startswith("tree_sitter")
    ]
    assert wrong == []


def test_only_the_gateway_imports_gitpython() -> None:
    users = [
        str(file.relative_to(ROOT))
        for file in sorted((ROOT / "worktree_runner").rglob("*.py"))
        if any(name.split(".")[0] == "git" for name in imports(file))
    ]
    assert users in ([], ["worktree_runner/git/gateway.py"])


def test_only_process_starts_processes() -> None:
    allowed = {
        "worktree_runner/process.py",
        # an agent itself, in its own process
        "worktree_runner/agents/shell_blocks.py",
        "worktree_runner/agents/shell_git.py",
    }
    users = {
        str(file.relative_to(ROOT))
        for file in sorted((ROOT / "worktree_runner").rglob("*.py"))
        if "subprocess" in set(imports(file))
    }
    assert users <= allowed
