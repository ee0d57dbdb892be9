"""Planning files on disk are written whole, or left with a reason."""

from __future__ import annotations

from pathlib import Path

from worktree_runner.planning.writer import Change, write_documents


def test_a_file_that_is_as_expected_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / ".planning" / "STATE.md"
    file.parent.mkdir()
    file.write_bytes(b"old\r\n")
    file.chmod(0o640)
    result = write_documents(tmp_path, [Change(".planning/STATE.md", b"old\r\n", b"new\r\n")])
    assert result.written == (".planning/STATE.md",)
    assert file.read_bytes() == b"new\r\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in file.parent.iterdir()] == ["STATE.md"]


def test_an_edit_in_the_meantime_is_kept_and_named(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"users")
    changes = [Change("a.md", b"old", b"new"), Change("b.md", None, b"made")]
    result = write_documents(tmp_path, changes)
    assert (tmp_path / "a.md").read_bytes() == b"users"
    assert result.left == {"a.md": "was changed in the meantime"}
    assert result.written == ("b.md",)
    assert (tmp_path / "b.md").read_bytes() == b"made"


def test_a_file_that_appeared_or_went_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"users")
    changes = [Change("a.md", None, b"new"), Change("gone.md", b"old", b"new")]
    result = write_documents(tmp_path, changes)
    assert sorted(result.left) == ["a.md", "gone.md"]
    assert not (tmp_path / "gone.md").exists()


def test_the_same_change_again_has_nothing_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"new")
    assert write_documents(tmp_path, [Change("a.md", b"old", b"new")]).written == ("a.md",)


def test_a_link_is_followed_inside_the_repository_and_never_out_of_it(tmp_path: Path) -> None:
    root, outside = tmp_path / "repo", tmp_path / "outside.md"
    root.mkdir()
    outside.write_bytes(b"old")
    (root / "real.md").write_bytes(b"old")
    (root / "in.md").symlink_to("real.md")
    (root / "out.md").symlink_to(outside)
    (root / "git.md").symlink_to(".git/config")
    changes = [Change(name, b"old", b"new") for name in ("in.md", "out.md")]
    result = write_documents(root, [*changes, Change("git.md", None, b"new")])
    assert result.written == ("in.md",)
    assert (root / "in.md").is_symlink()
    assert (root / "real.md").read_bytes() == b"new"
    assert outside.read_bytes() == b"old"
    assert sorted(result.left) == ["git.md", "out.md"]


def test_a_directory_in_the_way_is_a_reason_not_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.md").mkdir()
    result = write_documents(tmp_path, [Change("a.md", None, b"new")])
    assert "can't be read" in result.left["a.md"]
