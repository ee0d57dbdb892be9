from __future__ import annotations

from pathlib import Path

import pytest

from worktree_runner.agents.references import references_in, resolve

PLAN = """
<execution_context>
@~/.claude/get-shit-done/workflows/execute-plan.md
@$HOME/.config/opencode/get-shit-done/templates/summary.md
</execution_context>
<context>
@.planning/STATE.md
@src/app/[id]/page.tsx (the page), uses `@scope/package` and @tanstack/query, user@example.com
@/repo/src/a.py
@/Users/someone/else.md
@../outside.md
@~/.ssh/id_rsa
</context>
"""


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    worktree, home = tmp_path / "wt", tmp_path / "home"
    for path in (".planning/STATE.md", "src/app/[id]/page.tsx", "src/a.py"):
        (worktree / path).parent.mkdir(parents=True, exist_ok=True)
        (worktree / path).write_text("x")
    flow = home / ".claude/get-shit-done/workflows/execute-plan.md"
    flow.parent.mkdir(parents=True)
    flow.write_text("the workflow")
    (home / ".ssh").mkdir()
    (home / ".ssh/id_rsa").write_text("secret")
    return worktree, home


def test_references_are_found_and_addresses_are_not() -> None:
    found = references_in(PLAN)
    assert found[:4] == (
        "~/.claude/get-shit-done/workflows/execute-plan.md",
        "$HOME/.config/opencode/get-shit-done/templates/summary.md",
        ".planning/STATE.md",
        "src/app/[id]/page.tsx",
    )
    assert not any("example.com" in name for name in found)


def test_each_reference_is_read_pasted_or_named_as_absent(places: tuple[Path, Path]) -> None:
    worktree, home = places
    found = resolve(PLAN, worktree, Path("/repo"), home)
    assert found.read == (".planning/STATE.md", "src/app/[id]/page.tsx", "src/a.py")
    assert [(d.name, d.text) for d in found.documents] == [
        ("~/.claude/get-shit-done/workflows/execute-plan.md", "the workflow")
    ]
    assert found.absent == (
        "$HOME/.config/opencode/get-shit-done/templates/summary.md",
        "/Users/someone/else.md",
        "../outside.md",
        "~/.ssh/id_rsa",
    )


def test_private_files_are_never_pasted(places: tuple[Path, Path]) -> None:
    worktree, home = places
    (home / ".claude/link.md").symlink_to(home / ".ssh/id_rsa")
    (home / ".claude.md").write_text("beside")
    text = "@~/.claude/../.ssh/id_rsa.md @~/.claude/link.md @~/.claude.md @~/.claude/x.json"
    found = resolve(text, worktree, Path("/repo"), home)
    assert found.documents == ()


def test_document_that_is_too_long_is_only_named(places: tuple[Path, Path]) -> None:
    worktree, home = places
    (home / ".claude/long.md").write_text("x" * 200_000)
    found = resolve("@~/.claude/long.md", worktree, Path("/repo"), home)
    assert (found.documents, found.absent) == ((), ("~/.claude/long.md",))
