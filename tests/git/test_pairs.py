"""Many branches compared at once say what comparing them one by one says."""

from __future__ import annotations

from tests.support.repo import Repo
from worktree_runner.core.forecast import Touched
from worktree_runner.git import pairs
from worktree_runner.git.gateway import Git
from worktree_runner.git.objects import Objects


def branch(repo: Repo, name: str, files: dict[str, str | bytes], remove: str = "") -> str:
    repo.git("checkout", "-q", "-b", name, "main")
    if remove:
        repo.git("rm", "-q", remove)
    commit = repo.commit(name, files)
    repo.git("checkout", "-q", "main")
    return commit


def test_what_was_touched_and_what_conflicts(repo: Repo) -> None:
    base = repo.commit("base", {"a": "1\n", "b c": "1\n", "d/é": "1\n"})
    one = branch(repo, "one", {"a": "2\n", "b c": "2\n"})
    two = branch(repo, "two", {"a": "3\n", "b c": "3\n", "n": "x"})
    three = branch(repo, "three", {}, remove="d/é")
    four = branch(repo, "four", {"d/é": "4\n"})
    git = Git(repo.path)
    found = pairs.touched(git, [(base, head) for head in (one, two, three, base)])
    assert found[one] == Touched(frozenset({"a", "b c"}))
    assert found[two] == Touched(frozenset({"a", "b c", "n"}), frozenset({"n"}))
    assert found[three] == Touched(frozenset({"d/é"}), frozenset(), frozenset({"d/é"}))
    assert base not in found
    wanted = [(one, two), (one, three), (three, four), (two, two)]
    conflicts = pairs.conflicting(git, wanted)
    assert conflicts == {
        (one, two): ("a", "b c"),
        (one, three): (),
        (three, four): ("d/é",),
        (two, two): (),
    }
    objects = Objects(git)
    assert all(
        set(objects.merge_tree(*pair).stages) == set(paths) for pair, paths in conflicts.items()
    )
    assert pairs.conflicting(git, []) == {} and pairs.touched(git, []) == {}
    assert pairs._one(git, (one, two)) == ("a", "b c")
