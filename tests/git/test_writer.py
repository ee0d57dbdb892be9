"""Commits and refs written through commands that keep running, as the plain commands write them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.repo import Repo
from worktree_runner.errors import PreconditionError
from worktree_runner.git.gateway import Git, GitError
from worktree_runner.git.objects import Objects

REF = "refs/wtrun/test/tip"
MESSAGE = "Merge gsd/03-01: ünïcode\n\nWtrun-Plan: 03-01"


@pytest.fixture
def objects(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Objects:
    for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
        monkeypatch.delenv(name, raising=False)
    repo.commit("base", {"a": "1\n"})
    return Objects(Git(repo.path))


def without_dates(repo: Repo, commit: str) -> list[str]:
    lines = repo.git("cat-file", "commit", commit).split("\n")
    return [line.rpartition("> ")[0] if "> " in line else line for line in lines]


def test_commit_is_the_one_that_commit_tree_makes(repo: Repo, objects: Objects) -> None:
    head, tree = repo.git("rev-parse", "HEAD"), repo.git("rev-parse", "HEAD^{tree}")
    for message in (MESSAGE, MESSAGE + "\n", "x\n\n\n"):
        made = objects.commit_tree(tree, (head, head), message)
        plain = objects.writer.plain_commit(tree, (head, head), message)
        assert without_dates(repo, made) == without_dates(repo, plain)
        assert repo.git("log", "-1", "--format=%an <%ae> %cn", made) == repo.git(
            "log", "-1", "--format=%an <%ae> %cn", plain
        )
        assert abs(int(repo.git("log", "-1", "--format=%ct", made)) - int(
            repo.git("log", "-1", "--format=%ct", plain))) < 60  # fmt: skip


def test_given_date_makes_the_same_commit_again(repo: Repo, objects: Objects) -> None:
    tree = repo.git("rev-parse", "HEAD^{tree}")
    first, second = (objects.commit_tree(tree, (), "x", at="1700000000 +0100") for _ in range(2))
    assert first == second
    assert repo.git("log", "-1", "--format=%ad", "--date=raw", first) == "1700000000 +0100"


def test_ref_moves_only_from_where_it_is(repo: Repo, objects: Objects) -> None:
    one = repo.git("rev-parse", "HEAD")
    two = repo.commit("two")
    assert objects.move_ref(REF, one, None)
    assert not objects.move_ref(REF, two, None)
    assert not objects.move_ref(REF, two, two)
    assert repo.git("rev-parse", REF) == one
    assert objects.move_ref(REF, two, one)
    assert repo.git("rev-parse", REF) == two
    repo.git("update-ref", REF, one)  # somebody else
    assert not objects.move_ref(REF, one, two)
    assert objects.move_ref(REF, two, one)


def test_commands_that_were_ended_are_no_answer(repo: Repo, objects: Objects) -> None:
    one, tree = repo.git("rev-parse", "HEAD"), repo.git("rev-parse", "HEAD^{tree}")
    two = objects.commit_tree(tree, (one,), "two")
    assert objects.move_ref(REF, one, None)
    for conversation in (objects.writer._commits, objects.writer._refs):
        assert conversation is not None
        conversation.process.kill()
        conversation.process.wait()
    assert objects.move_ref(REF, two, one)
    three = objects.commit_tree(tree, (two,), "three")
    assert repo.git("rev-parse", f"{three}^") == two
    assert objects.move_ref(REF, three, two)


def test_missing_tree_is_no_commit(repo: Repo, objects: Objects) -> None:
    with pytest.raises(GitError):
        objects.commit_tree("nonsense", (), "x")


def test_hook_that_says_a_lot_does_not_stop_the_command(repo: Repo, objects: Objects) -> None:
    hook = repo.write(".git/hooks/reference-transaction", "#!/bin/sh\nseq 1 20000 >&2\n")
    hook.chmod(0o755)
    one = repo.git("rev-parse", "HEAD")
    for number in range(3):
        assert objects.move_ref(f"{REF}{number}", one, None)


def test_threads_share_one_store(repo: Repo, objects: Objects) -> None:
    head, tree = repo.git("rev-parse", "HEAD"), repo.git("rev-parse", "HEAD^{tree}")

    def work(number: int) -> bool:
        made = objects.commit_tree(tree, (head,), f"commit {number}")
        return objects.move_ref(f"{REF}{number}", made, None) and bool(objects.read_blobs([]) == {})

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(12)))
    objects.close()
    assert objects.move_ref(f"{REF}0", head, repo.git("rev-parse", f"{REF}0"))


def test_commit_that_cannot_be_signed_says_how_to_try(repo: Repo, objects: Objects) -> None:
    repo.git("config", "gpg.program", "false")
    tree = repo.git("rev-parse", "HEAD^{tree}")
    with pytest.raises(PreconditionError, match=r"could not be signed: .*gpg") as raised:
        objects.commit_tree(tree, (), "x", sign=True)
    assert "git commit-tree -S" in (raised.value.hint or "")
