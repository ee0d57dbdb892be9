"""Publishing: every way in which a fast-forward could cost the user something."""

from __future__ import annotations

from pathlib import Path

import pytest

from merge.types import Entry
from tests.support.repo import Repo
from worktree_runner.git.publish import Outcome, Publication, publish
from worktree_runner.git.repository import open_repository


def candidate(repo: Repo, files: dict[str, str]) -> str:
    """A commit on top of main that adds or changes these files; main and its files stay."""
    head = repo.git("rev-parse", "main")
    place = repo.path.parent / "making"
    repo.git("worktree", "add", "-q", "--detach", str(place), head)
    for path, text in files.items():
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    repo.git("add", "-A", "-f", cwd=place)
    repo.git("commit", "-q", "-m", "landed", cwd=place)
    made = repo.git("rev-parse", "HEAD", cwd=place)
    repo.git("worktree", "remove", "--force", str(place))
    return made


def run(repo: Repo, commit: str) -> Publication:
    return publish(open_repository(repo.path), "main", commit)


@pytest.fixture
def project(repo: Repo) -> Repo:
    repo.commit("start", {"a.txt": "a\n", "b.txt": "b\n", ".gitignore": ".env\n"})
    return repo


def test_a_clean_checkout_moves_with_its_branch(project: Repo) -> None:
    made = candidate(project, {"new/file.txt": "new\n"})
    assert run(project, made) == Publication(Outcome.PUBLISHED, made)
    assert project.read("new/file.txt") == b"new\n"
    assert project.git("status", "--porcelain") == ""
    assert run(project, made).outcome is Outcome.CURRENT


def test_unrelated_local_edits_survive_staged_and_unstaged(project: Repo) -> None:
    made = candidate(project, {"a.txt": "plan\n"})
    project.write("b.txt", "mine\n")
    project.write("staged.txt", "staged\n")
    project.git("add", "staged.txt")
    assert run(project, made).outcome is Outcome.PUBLISHED
    assert project.read("b.txt") == b"mine\n"
    assert project.git("status", "--porcelain") == " M b.txt\nA  staged.txt"


def test_overlapping_local_edits_hold_it_back_and_stay(project: Repo) -> None:
    made = candidate(project, {"a.txt": "plan\n"})
    project.write("a.txt", "mine\n")
    result = run(project, made)
    assert (result.outcome, result.paths) == (Outcome.HELD, ("a.txt",))
    assert project.read("a.txt") == b"mine\n"
    assert project.git("rev-parse", "main") != made


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("merge.autoStash", "true"),
        ("branch.main.mergeOptions", "--squash"),
        ("branch.main.mergeOptions", "--no-ff"),
        ("merge.ff", "false"),
    ],
)
def test_settings_that_change_a_merge_do_not_change_a_publication(
    project: Repo, key: str, value: str
) -> None:
    made = candidate(project, {"b.txt": "plan\n"})
    project.git("config", key, value)
    project.write("a.txt", "mine\n")
    assert run(project, made).outcome is Outcome.PUBLISHED
    assert project.git("rev-parse", "main") == made
    assert project.git("stash", "list") == ""
    assert project.read("a.txt") == b"mine\n"


def test_autostash_never_carries_overlapping_edits_over_the_plan(project: Repo) -> None:
    made = candidate(project, {"a.txt": "plan\n"})
    project.git("config", "merge.autoStash", "true")
    project.write("a.txt", "mine\n")
    assert run(project, made).outcome is Outcome.HELD
    assert project.read("a.txt") == b"mine\n"


def test_an_ignored_file_in_the_way_is_kept(project: Repo) -> None:
    made = candidate(project, {".env": "SECRET=plan\n"})
    project.write(".env", "SECRET=mine\n")
    result = run(project, made)
    assert (result.outcome, result.paths) == (Outcome.HELD, (".env",))
    assert project.read(".env") == b"SECRET=mine\n"


def test_an_untracked_file_in_the_way_is_kept(project: Repo) -> None:
    made = candidate(project, {"new.txt": "plan\n"})
    project.write("new.txt", "mine\n")
    result = run(project, made)
    assert (result.outcome, result.paths) == (Outcome.HELD, ("new.txt",))
    assert project.read("new.txt") == b"mine\n"


def test_an_untracked_folder_where_a_file_is_added_is_kept(project: Repo) -> None:
    made = candidate(project, {"thing": "plan\n"})
    project.write("thing/mine.txt", "mine\n")
    result = run(project, made)
    assert (result.outcome, result.paths) == (Outcome.HELD, ("thing/mine.txt",))
    assert project.read("thing/mine.txt") == b"mine\n"


def test_an_untracked_file_where_a_folder_is_added_is_kept(project: Repo) -> None:
    made = candidate(project, {"thing/file.txt": "plan\n"})
    project.write("thing", "mine\n")
    result = run(project, made)
    assert (result.outcome, result.paths) == (Outcome.HELD, ("thing",))
    assert project.read("thing") == b"mine\n"


def test_a_symlink_in_the_way_is_kept_and_not_followed(project: Repo, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("outside\n")
    made = candidate(project, {"link": "plan\n"})
    (project.path / "link").symlink_to(outside)
    assert run(project, made).outcome is Outcome.HELD
    assert outside.read_text() == "outside\n"


def test_a_rebase_of_the_target_in_another_worktree_holds_it_back(
    project: Repo, tmp_path: Path
) -> None:
    project.git("switch", "-q", "-c", "other")
    project.commit("theirs", {"a.txt": "other\n"})
    project.git("switch", "-q", "main")
    project.commit("ours", {"a.txt": "main\n"})
    made = candidate(project, {"new.txt": "plan\n"})
    project.git("switch", "-q", "other")
    place = tmp_path / "rebasing"
    project.git("worktree", "add", "-q", str(place), "main")
    project.git("rebase", "other", cwd=place, check=False)
    before = project.git("rev-parse", "main")
    result = run(project, made)
    assert result.outcome is Outcome.HELD
    assert "rebase of main" in result.reason
    assert project.git("rev-parse", "main") == before


def test_a_merge_in_progress_in_the_checkout_holds_it_back(project: Repo) -> None:
    project.git("switch", "-q", "-c", "other")
    project.commit("theirs", {"a.txt": "other\n"})
    project.git("switch", "-q", "main")
    project.commit("ours", {"a.txt": "main\n"})
    made = candidate(project, {"new.txt": "plan\n"})
    project.git("merge", "other", check=False)
    result = run(project, made)
    assert result.outcome is Outcome.HELD
    assert "merge is in progress" in result.reason
    assert not (project.path / "new.txt").exists()


def test_a_target_that_moved_is_never_thrown_back(project: Repo) -> None:
    made = candidate(project, {"new.txt": "plan\n"})
    moved = project.commit("user works on", {"c.txt": "c\n"})
    assert run(project, made) == Publication(Outcome.MOVED, moved, "main has moved on")
    assert project.git("rev-parse", "main") == moved


def test_a_target_that_is_checked_out_nowhere_moves_alone(project: Repo) -> None:
    made = candidate(project, {"new.txt": "plan\n"})
    project.git("switch", "-q", "-c", "feature")
    project.write("a.txt", "mine\n")
    assert run(project, made).outcome is Outcome.PUBLISHED
    assert project.git("rev-parse", "main") == made
    assert not (project.path / "new.txt").exists()
    assert project.read("a.txt") == b"mine\n"


def test_a_target_in_another_worktree_is_moved_there(project: Repo, tmp_path: Path) -> None:
    made = candidate(project, {"new.txt": "plan\n"})
    project.git("switch", "-q", "-c", "feature")
    place = tmp_path / "second"
    project.git("worktree", "add", "-q", str(place), "main")
    assert run(project, made).outcome is Outcome.PUBLISHED
    assert (place / "new.txt").read_text() == "plan\n"


def test_a_post_merge_hook_that_commits_is_noticed(project: Repo) -> None:
    made = candidate(project, {"new.txt": "plan\n"})
    hook = project.write(
        ".git/hooks/post-merge", "#!/bin/sh\ngit commit -q --allow-empty -m hook\n"
    )
    hook.chmod(0o755)
    result = run(project, made)
    assert result.outcome is Outcome.PUBLISHED
    assert result.at == project.git("rev-parse", "main") != made
    assert "moved on" in result.reason


def test_a_post_merge_hook_that_fails_does_not_undo_the_publication(project: Repo) -> None:
    made = candidate(project, {"new.txt": "plan\n"})
    project.write(".git/hooks/post-merge", "#!/bin/sh\nexit 1\n").chmod(0o755)
    assert run(project, made).outcome is Outcome.PUBLISHED
    assert project.git("rev-parse", "main") == made


def test_a_deleted_target_is_said_and_not_made_again(project: Repo) -> None:
    made = candidate(project, {"new.txt": "plan\n"})
    project.git("switch", "-q", "--detach")
    project.git("branch", "-D", "main")
    result = run(project, made)
    assert result.outcome is Outcome.HELD
    assert "is gone" in result.reason


def test_files_that_hold_the_very_same_are_in_nobodys_way(project: Repo) -> None:
    made = candidate(project, {"a.txt": "plan\n", "new.txt": "new\n"})
    project.write("a.txt", "plan\n")
    project.write("new.txt", "new\n")
    project.write("b.txt", "mine\n")
    assert run(project, made).outcome is Outcome.PUBLISHED
    assert project.git("status", "--porcelain") == " M b.txt"


def test_a_refused_fast_forward_leaves_the_index_as_it_was(project: Repo) -> None:
    made = candidate(project, {"a.txt": "plan\n", "new.txt": "new\n", "sub/x": "x"})
    project.write("a.txt", "plan\n")
    project.write("new.txt", "new\n")
    (project.path / "sub").mkdir()
    (project.path / "sub").chmod(0o500)
    hook = project.write(".git/hooks/reference-transaction", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert run(project, made).outcome is Outcome.HELD
    assert project.git("status", "--porcelain", "-uall") == " M a.txt\n?? new.txt"


def test_submodule_moves_again_although_its_checkout_stayed_behind(project: Repo) -> None:
    inner = Repo(project.path / "s", project.env)
    inner.path.mkdir()
    inner.git("init", "-q")
    one, two, three = (inner.commit(text, {"f": text}) for text in ("1", "2", "3"))
    inner.git("checkout", "-q", one)
    project.commit("submodule")
    objects = open_repository(project.path).objects
    for at, wanted in ((one, two), (two, three)):
        head = project.git("rev-parse", "HEAD")
        tree = objects.edit_tree(f"{head}^{{tree}}", {"s": Entry("160000", wanted)})
        made = objects.commit_tree(tree, (head,), f"from {at} to {wanted}")
        assert run(project, made).outcome is Outcome.PUBLISHED
        assert project.git("ls-files", "-s", "s").split()[1] == wanted
        assert inner.git("rev-parse", "HEAD") == one
    project.git("add", "s")  # now the user wants the first one
    tree = objects.edit_tree("HEAD^{tree}", {"s": Entry("160000", two)})
    made = objects.commit_tree(tree, (project.git("rev-parse", "HEAD"),), "back")
    assert run(project, made).outcome is Outcome.HELD
    assert project.git("ls-files", "-s", "s").split()[1] == one
