"""Whether anything changed below a folder."""

from __future__ import annotations

import os
from pathlib import Path

from worktree_runner.store.changes import change_since


def put(file: Path, at: float) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("x")
    os.utime(file, (at, at))


def settle(root: Path, at: float) -> None:
    for place, _, _ in os.walk(root):
        os.utime(place, (at, at))


def test_a_changed_file_at_any_depth_is_found(tmp_path: Path) -> None:
    put(tmp_path / "a" / "b" / "old", 100)
    put(tmp_path / "a" / "b" / "new", 300)
    settle(tmp_path, 100)
    assert change_since(tmp_path, 200) == 300
    assert change_since(tmp_path, 300) is None


def test_a_removed_file_shows_in_its_folder(tmp_path: Path) -> None:
    put(tmp_path / "a" / "old", 100)
    settle(tmp_path, 100)
    (tmp_path / "a" / "old").unlink()
    assert change_since(tmp_path, 200) is not None


def test_gits_own_files_and_what_links_lead_to_do_not_count(tmp_path: Path) -> None:
    root = tmp_path / "root"
    put(root / ".git" / "index", 300)
    put(root / "file", 100)
    put(tmp_path / "outside" / "new", 300)
    (root / "link").symlink_to(tmp_path / "outside")
    os.utime(root / "link", (100, 100), follow_symlinks=False)
    settle(root, 100)
    assert change_since(root, 200) is None
    assert change_since(tmp_path / "nowhere", 0) is None
