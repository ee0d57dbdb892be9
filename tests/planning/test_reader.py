from __future__ import annotations

from pathlib import Path

from worktree_runner.planning.reader import DiskFiles, find_dialect


def test_planning_roots_are_listed_and_the_rest_is_not(tmp_path: Path) -> None:
    for name in (
        ".planning/STATE.md",
        ".git/config",
        "src/a.py",
        ".worktrees/wt/x.md",
        ".next/cache/x",
        ".wtrun/notes.md",
        ".renn/pulse.md",
        ".planning/node_modules/x.md",
    ):
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("x")
    found = (".planning/STATE.md", ".renn/pulse.md", ".wtrun/notes.md")
    assert DiskFiles(tmp_path).paths() == found
    assert DiskFiles(tmp_path, ["src"]).paths() == (*found, "src/a.py")


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xff")
    assert DiskFiles(tmp_path).read(["a.md", "b.md"]) == {"a.md": b"\xff"}


def test_a_dialect_by_name_by_file_and_of_the_project_is_found(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "worktree_runner" / "dialects" / "gsd.toml"
    own = source.read_text().replace('name = "gsd"', 'name = "mine"')
    own = own.replace('root = ".planning"', 'root = "plans"')
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "STATE.md").write_text("x")
    file = tmp_path / "mine.toml"
    file.write_text(own)
    dialect, files = find_dialect(tmp_path, str(file))
    assert (dialect.name, files.paths()) == ("mine", ("plans/STATE.md",))
    (tmp_path / ".wtrun" / "dialects").mkdir(parents=True)
    file.rename(tmp_path / ".wtrun" / "dialects" / "mine.toml")
    assert find_dialect(tmp_path)[0].name == "mine"
    assert "plans/STATE.md" in DiskFiles(tmp_path).paths()
