from __future__ import annotations

from pathlib import Path

from worktree_runner.planning.reader import DiskFiles


def test_hidden_directories_are_listed_and_the_rest_is_not(tmp_path: Path) -> None:
    for name in (".planning/STATE.md", ".git/config", "src/a.py", ".worktrees/wt/x.md"):
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("x")
    assert DiskFiles(tmp_path).paths() == (".planning/STATE.md",)
    assert DiskFiles(tmp_path, ["src"]).paths() == (".planning/STATE.md", "src/a.py")


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xff")
    assert DiskFiles(tmp_path).read(["a.md", "b.md"]) == {"a.md": b"\xff"}
