"""Merges asked of a git that keeps running: the same ones as those of a command for each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.repo import Repo
from worktree_runner.git import merger
from worktree_runner.git.gateway import Git, GitError, Output
from worktree_runner.git.objects import Objects
from worktree_runner.git.publish import Outcome, publish
from worktree_runner.git.repository import open_repository

TEXT = "".join(f"line {number}\n" for number in range(30))


class Counting(Git):
    """Git, counting the merges for which a command of its own was started."""

    plain = 0

    def run(
        self,
        *args: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        check: bool = True,
        timeout: float | None = None,
        foreground: bool = False,
    ) -> Output:
        self.plain += args[0] == "merge-tree"
        return super().run(
            *args, stdin=stdin, env=env, check=check, timeout=timeout, foreground=foreground
        )


@pytest.fixture(autouse=True)
def fresh_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is: all merges of a test follow one another closely."""
    monkeypatch.setattr(merger, "FRESH_S", 1e9)


@pytest.fixture
def git(repo: Repo) -> Counting:
    repo.commit("base", {"a": TEXT, "b": TEXT, "c": TEXT, "d/e": TEXT})
    return Counting(repo.path)


def branch(repo: Repo, name: str, files: dict[str, str | bytes], *gone: str) -> str:
    """A commit on a branch of its own, made from main."""
    repo.git("switch", "-q", "-C", name, "main")
    for path in gone:
        (repo.path / path).unlink()
    made = repo.commit(name, files)
    repo.git("switch", "-q", "main")
    return made


def test_answers_are_those_of_the_plain_command(repo: Repo, git: Counting) -> None:
    changed = TEXT.replace("line 9", "line nine")
    sides = [
        branch(repo, "clean", {"new": "new\n"}),
        branch(repo, "conflict", {"a": changed}),
        branch(repo, "other", {"a": TEXT.replace("line 9", "line IX"), "b": changed}),
        branch(repo, "combined", {"a": TEXT.replace("line 20", "line xx")}),
        branch(repo, "gone", {}, "a", "b"),
        branch(repo, "renamed", {"f" * 200: TEXT}, "c"),
        branch(repo, "folder", {"a/deep/file": "x\n"}, "a"),
        branch(repo, "odd", {"line\nbreak": "x\n", "-dash": "y\n", '"': "z\n"}),
    ]
    objects, peer = Objects(git), Objects(Git(repo.path))
    for ours in sides:
        for theirs in sides:
            assert objects.merge_tree(ours, theirs) == peer.merger._plain(ours, theirs)
    assert git.plain == 1  # the first one; nothing was known to follow then


def test_commits_made_meanwhile_are_found(repo: Repo, git: Counting) -> None:
    objects = Objects(git)
    tip = repo.git("rev-parse", "HEAD")
    for number in range(4):
        side = branch(repo, f"side-{number}", {f"new-{number}": "new\n"})
        tip = objects.commit_tree(objects.merge_tree(tip, side).tree, (tip, side), "Merge")
        if number == 1:
            repo.git("update-ref", "refs/heads/kept", tip)
            repo.git("repack", "-adq")
    assert git.plain == 1
    assert {f"new-{number}" for number in range(4)} <= objects.listing(tip).keys()


def test_git_that_was_ended_is_replaced_by_the_plain_command(repo: Repo, git: Counting) -> None:
    one, two = branch(repo, "one", {"x": "x\n"}), branch(repo, "two", {"y": "y\n"})
    objects = Objects(git)
    expected = [objects.merge_tree(one, two) for _ in range(2)]
    running = objects.merger._open
    assert running is not None and git.plain == 1
    running.process.kill()
    assert objects.merge_tree(one, two) == expected[0]
    assert git.plain == 2


def test_what_git_cannot_merge_is_git_s_own_error(repo: Repo, git: Counting) -> None:
    one, two = branch(repo, "one", {"x": "x\n"}), branch(repo, "two", {"y": "y\n"})
    repo.git("switch", "-q", "--orphan", "apart")
    apart = repo.commit("apart", {"x": "other\n"})
    repo.git("switch", "-q", "main")
    objects = Objects(git)
    objects.merge_tree(one, two)
    with pytest.raises(GitError, match="unrelated"):
        objects.merge_tree(one, apart)
    assert objects.merge_tree(one, two).clean


def test_driver_may_print(repo: Repo, git: Counting) -> None:
    """A merge driver's output goes where git's own answer goes."""
    repo.git("config", "merge.loud.driver", "printf 'merging %%P'; git merge-file --union %A %O %B")
    repo.commit("attributes", {".gitattributes": "a merge=loud\n"})
    one = branch(repo, "one", {"a": TEXT + "one\n"})
    two = branch(repo, "two", {"a": TEXT + "two\n"})
    objects = Objects(git)
    for _ in range(2):
        merged = objects.merge_tree(one, two)
        assert merged.clean
        assert objects.entries(merged.tree, ["a"]).keys() == {"a"}
        assert repo.show(merged.tree, "a").decode() == TEXT + "one\ntwo\n"


def test_published_attributes_count_at_the_next_merge(repo: Repo, git: Counting) -> None:
    one = branch(repo, "one", {"a": TEXT + "one\n"})
    two = branch(repo, "two", {"a": TEXT + "two\n"})
    attributes = branch(repo, "attributes", {".gitattributes": "a merge=union\n"})
    repository = open_repository(repo.path)
    objects = repository.objects
    for _ in range(2):
        assert not objects.merge_tree(one, two).clean
    assert publish(repository, "main", attributes).outcome is Outcome.PUBLISHED
    for _ in range(2):
        assert objects.merge_tree(one, two).clean


def test_nothing_is_older_than_the_limit(
    repo: Repo, git: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = branch(repo, "one", {"a": TEXT + "one\n"})
    two = branch(repo, "two", {"a": TEXT + "two\n"})
    objects = Objects(git)
    for _ in range(2):
        assert not objects.merge_tree(one, two).clean
    repo.write(".git/info/attributes", "a merge=union\n")
    monkeypatch.setattr(merger, "FRESH_S", -1.0)
    assert objects.merge_tree(one, two).clean


def test_repository_with_long_ids(tmp_path: Path, repo: Repo) -> None:
    other = Repo(tmp_path / "sha256", repo.env)
    other.path.mkdir()
    other.git("init", "-q", "-b", "main", "--object-format=sha256")
    other.commit("base", {"a": TEXT})
    one, two = branch(other, "one", {"x": "x\n"}), branch(other, "two", {"a": TEXT + "two\n"})
    git = Counting(other.path)
    objects = Objects(git)
    trees = {objects.merge_tree(one, two).tree for _ in range(3)}
    assert git.plain == 1
    assert {len(tree) for tree in trees} == {64}
    assert len(trees) == 1


def test_merge_that_does_not_end_is_ended_and_named(
    repo: Repo, git: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.git("config", "merge.slow.driver", "sleep 1000")
    repo.commit("attributes", {".gitattributes": "a merge=slow\n"})
    one = branch(repo, "one", {"a": TEXT + "one\n"})
    two = branch(repo, "two", {"a": TEXT + "two\n"})
    monkeypatch.setattr(merger, "MERGE_TIMEOUT_S", 1.0)
    with pytest.raises(merger.MergeTimeoutError, match=f"merging {two[:10]} into") as raised:
        Objects(git).merge_tree(one, two)
    assert f"git merge-tree --write-tree {one} {two}" in (raised.value.hint or "")


def test_repository_stays_whole(repo: Repo, git: Counting) -> None:
    branch(repo, "one", {"x": "x\n"})
    objects = Objects(git)
    for _ in range(3):
        assert objects.merge_tree("main", "one").clean
    assert git.plain == 1
    objects.close()
    repo.git("fsck", "--full", "--strict")
    repo.git("gc", "-q", "--prune=now")
