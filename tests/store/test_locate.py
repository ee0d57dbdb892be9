"""Finding the common dir from any folder agrees with git and starts no process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repo import Repo
from worktree_runner.errors import PreconditionError
from worktree_runner.store import locate


def common_by_git(repo: Repo, folder: Path) -> Path:
    return Path(
        repo.git("rev-parse", "--path-format=absolute", "--git-common-dir", cwd=folder)
    ).resolve()


def test_main_worktree_linked_worktree_and_subfolders_share_one_common_dir(repo: Repo) -> None:
    repo.commit("first", {"src/a.py": "x = 1\n"})
    repo.git("worktree", "add", "-q", ".worktrees/wt-03-01", "-b", "gsd/03-01")
    linked = repo.path / ".worktrees/wt-03-01"
    for folder in (repo.path, repo.path / "src", linked, linked / "src"):
        place = locate.here(folder)
        assert place.common_dir == common_by_git(repo, folder)
        assert place.root == repo.path.resolve()
    assert locate.here(linked / "src").worktree == linked.resolve()
    assert str(locate.here(linked).git_dir) == repo.git(
        "rev-parse", "--absolute-git-dir", cwd=linked
    )
    assert locate.worktrees(place.common_dir) == (repo.path.resolve(), linked.resolve())


def test_bare_repository_with_linked_worktrees(repo: Repo, tmp_path: Path) -> None:
    repo.commit("first", {"a": "1\n"})
    bare = tmp_path / "bare.git"
    repo.git("clone", "-q", "--bare", str(repo.path), str(bare))
    repo.git("-C", str(bare), "worktree", "add", "-q", str(tmp_path / "wt"), "-b", "x")
    place = locate.here(tmp_path / "wt")
    assert place.common_dir == bare.resolve() and place.root == bare.resolve()
    assert locate.here(bare / "refs").worktree is None
    assert locate.worktrees(place.common_dir) == ((tmp_path / "wt").resolve(),)


def test_submodule_leads_to_its_own_common_dir_and_worktree(repo: Repo, tmp_path: Path) -> None:
    inner = Repo.make(tmp_path / "inner", tmp_path / "home")
    inner.commit("inner", {"b": "1\n"})
    repo.commit("first", {"a": "1\n"})
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.path), "sub")
    place = locate.here(repo.path / "sub")
    assert place.common_dir == common_by_git(repo, repo.path / "sub")
    assert place.root == (repo.path / "sub").resolve()


def test_a_folder_outside_of_every_repository_is_refused_with_a_hint(tmp_path: Path) -> None:
    assert locate.find(tmp_path) is None
    with pytest.raises(PreconditionError) as caught:
        locate.here(tmp_path)
    assert "-C DIR" in str(caught.value.hint)


def test_symbolic_link_into_the_repository_is_resolved(repo: Repo, tmp_path: Path) -> None:
    repo.commit("first", {"src/a.py": "x\n"})
    (tmp_path / "link").symlink_to(repo.path / "src")
    assert locate.here(tmp_path / "link").root == repo.path.resolve()
