"""Worktrees on real repositories that others use as well."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.repo import Repo
from worktree_runner.errors import PreconditionError, WtrunError
from worktree_runner.git import entries, transient, worktrees
from worktree_runner.git.entries import empty_trash, record_of
from worktree_runner.git.exclude import exclude_worktrees
from worktree_runner.git.gateway import Git, GitError
from worktree_runner.git.worktrees import (
    BranchExistsError,
    Mark,
    Worktree,
    add,
    delete_branch,
    list_all,
    list_own,
    remark,
    remove,
)
from worktree_runner.store.paths import Layout

MARK = Mark("20260102-run", "03-01")


class Place:
    """A repository with one commit, and short ways to the functions under test."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.git = Git(repo.path)
        self.layout = Layout((repo.path / ".git").resolve())
        self.base = repo.commit("first", {"a.txt": "a\n", "src/b.txt": "b\n"})

    def add(
        self, name: str = "03-01", branch: str | None = "gsd/03-01", base: str | None = None
    ) -> Worktree:
        return add(
            self.git,
            self.layout,
            path=self.repo.path / ".worktrees" / f"wt-{name}",
            branch=branch,
            base=base or self.base,
            mark=Mark(MARK.run, name),
        )

    def branches(self) -> list[str]:
        return self.repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split("\n")


@pytest.fixture
def place(repo: Repo) -> Place:
    return Place(repo)


def test_a_new_worktree_stands_at_the_base_on_its_branch_with_all_files(place: Place) -> None:
    older = place.base
    place.repo.commit("second", {"a.txt": "newer\n"})
    tree = place.add(base=older)
    assert place.repo.git("rev-parse", "HEAD", cwd=tree.path) == older
    assert place.repo.git("symbolic-ref", "HEAD", cwd=tree.path) == "refs/heads/gsd/03-01"
    assert place.repo.git("status", "--porcelain", cwd=tree.path) == ""
    assert (tree.path / "a.txt").read_text() == "a\n"
    assert tree in list_all(place.git)
    assert place.repo.git("config", "--get-regexp", r"^branch\.", check=False) == ""


def test_a_worktree_without_branch_is_detached(place: Place) -> None:
    tree = place.add(branch=None)
    assert tree.branch is None
    assert place.repo.git("rev-parse", "--symbolic-full-name", "HEAD", cwd=tree.path) == "HEAD"
    assert place.branches() == ["main"]


def test_the_mark_tells_wtruns_worktrees_from_others(place: Place) -> None:
    place.repo.git("worktree", "add", "-q", "--lock", "../theirs")
    own = place.add()
    odd = add(
        place.git,
        place.layout,
        path=place.repo.path / ".worktrees" / "odd",
        branch="gsd/odd",
        base=place.base,
        mark=Mark("run 2", "04 b/ü", 3),
    )
    assert [tree.path for tree in list_own(place.git)] == [odd.path, own.path]
    assert [tree.mark for tree in list_own(place.git)] == [Mark("run 2", "04 b/ü", 3), MARK]
    assert list_own(place.git, "run 2") == (odd,)
    main, *_ = list_all(place.git)
    assert (main.main, main.path, main.branch) == (True, place.repo.path, "main")


def test_a_foreign_prune_or_remove_leaves_a_marked_worktree_alone(place: Place) -> None:
    tree = place.add()
    shutil.move(tree.path, place.repo.path / "away")
    place.repo.git("worktree", "prune", "--expire=now")
    shutil.move(place.repo.path / "away", tree.path)
    assert place.repo.git("status", "--porcelain", cwd=tree.path) == ""
    with pytest.raises(AssertionError, match="wtrun clean"):
        place.repo.git("worktree", "remove", "--force", str(tree.path))


def test_who_unlocks_a_worktree_takes_it_over(place: Place) -> None:
    tree = place.add()
    place.repo.git("worktree", "unlock", str(tree.path))
    assert list_own(place.git) == ()
    with pytest.raises(PreconditionError, match="not marked as wtrun's"):
        remove(place.git, place.layout, tree)
    assert tree.path.is_dir()


def test_an_existing_branch_with_commits_is_never_touched(place: Place) -> None:
    place.repo.git("switch", "-qc", "gsd/03-01")
    tip = place.repo.commit("precious", {"c.txt": "c"})
    place.repo.git("switch", "-q", "main")
    with pytest.raises(BranchExistsError, match=f"already exists at {tip[:10]}") as caught:
        place.add()
    assert caught.value.tip == tip
    assert place.repo.git("rev-parse", "gsd/03-01") == tip
    assert list_own(place.git) == ()


def test_a_left_over_branch_at_the_base_is_taken_unless_it_is_in_use(place: Place) -> None:
    place.repo.git("branch", "gsd/03-01")
    assert place.add().branch == "gsd/03-01"
    place.repo.git("worktree", "add", "-q", "-b", "gsd/03-02", "../elsewhere")
    with pytest.raises(BranchExistsError, match=r"checked out at .*elsewhere"):
        place.add("03-02", "gsd/03-02")


@pytest.mark.parametrize("blocker", ["gsd", "gsd/03-01/old"])
def test_a_branch_that_blocks_the_name_is_named(place: Place, blocker: str) -> None:
    place.repo.git("branch", blocker)
    with pytest.raises(PreconditionError, match=f"branch {blocker} is in the way") as caught:
        place.add()
    assert caught.value.hint is not None
    subprocess.run(caught.value.hint, shell=True, check=True, cwd=place.repo.path)
    assert place.add().branch == "gsd/03-01"


def test_an_invalid_branch_name_is_an_error_without_traces(place: Place) -> None:
    with pytest.raises(PreconditionError, match=r"'gsd/a\.\.b' is no valid branch name"):
        place.add(branch="gsd/a..b")
    assert not (place.repo.path / ".worktrees").exists()


def test_a_folder_in_the_way_is_left_alone(place: Place) -> None:
    file = place.repo.write(".worktrees/wt-03-01/mine.txt", "mine")
    with pytest.raises(PreconditionError, match="is in the way of a new worktree"):
        place.add()
    assert file.read_text() == "mine"
    assert place.branches() == ["main"]


def test_a_worktree_that_still_exists_is_named_with_its_owner(place: Place) -> None:
    place.add()
    with pytest.raises(PreconditionError, match=r"still the worktree of 03-01, attempt 1 of "):
        place.add()


def test_no_worktree_inside_another_repository(place: Place) -> None:
    (place.repo.path / ".worktrees" / "x").mkdir(parents=True)
    place.repo.git("init", "-q", cwd=place.repo.path / ".worktrees")
    with pytest.raises(PreconditionError, match="inside another repository"):
        place.add()


def test_a_worktree_may_lie_in_one_of_the_same_repository(repo: Repo) -> None:
    """A bare repository with its worktrees beside it: the user stands in one of them."""
    repo.commit("first", {"a": "1\n"})
    around = repo.path.parent / "around"
    repo.git("clone", "-q", "--bare", str(repo.path), str(around / ".bare"))
    repo.git("worktree", "add", "-q", str(around / "main"), "main", cwd=around / ".bare")
    place = Place(Repo(around / "main", repo.env))
    place.layout = Layout((around / ".bare").resolve())
    assert place.add().path == around / "main/.worktrees/wt-03-01"


def test_a_record_whose_folder_is_gone_is_cleared_only_if_it_is_ours(place: Place) -> None:
    tree = place.add()
    shutil.rmtree(tree.path)
    (listed,) = list_own(place.git)
    assert listed.missing
    with pytest.raises(BranchExistsError):  # the branch is on that record until it is cleared
        place.add("03-09", "gsd/03-01")
    assert place.add().head == place.base
    place.repo.git("worktree", "add", "-q", "../theirs")
    theirs = place.repo.path.parent / "theirs"
    shutil.rmtree(theirs)
    with pytest.raises(PreconditionError, match="its folder is gone") as caught:
        add(place.git, place.layout, path=theirs, branch="gsd/x", base=place.base, mark=MARK)
    assert caught.value.hint is not None
    subprocess.run(caught.value.hint, shell=True, check=True, cwd=place.repo.path)
    add(place.git, place.layout, path=theirs, branch="gsd/x", base=place.base, mark=MARK)


def test_a_checkout_that_fails_leaves_neither_worktree_nor_branch(place: Place) -> None:
    base = place.repo.commit("filtered", {".gitattributes": "*.bin filter=broken\n", "x.bin": "x"})
    place.repo.git("config", "filter.broken.smudge", "false")
    place.repo.git("config", "filter.broken.required", "true")
    with pytest.raises(GitError, match=r"x\.bin"):
        place.add(base=base)
    assert list_own(place.git) == ()
    assert place.branches() == ["main"]
    assert not (place.repo.path / ".worktrees" / "wt-03-01").exists()


def test_the_environment_reaches_the_checkout(place: Place) -> None:
    place.repo.git("config", "filter.env.smudge", 'sh -c "cat; echo $SMUDGE"')
    base = place.repo.commit("filtered", {".gitattributes": "*.bin filter=env\n", "x.bin": "x\n"})
    path = place.repo.path / ".worktrees" / "wt"
    add(
        place.git,
        place.layout,
        path=path,
        branch="gsd/1",
        base=base,
        mark=MARK,
        env={"SMUDGE": "skipped"},
    )
    assert (path / "x.bin").read_text() == "x\nskipped\n"


def test_a_moved_branch_is_noticed_before_an_agent_starts(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = place.repo.commit("second", {"a.txt": "newer\n"})
    make = worktrees._make_record

    def move_branch_after(git: Git, new: worktrees._New) -> None:
        make(git, new)
        place.repo.git("update-ref", "refs/heads/gsd/03-01", other)

    monkeypatch.setattr(worktrees, "_make_record", move_branch_after)
    with pytest.raises(WtrunError, match=f"stands at {other}"):
        place.add(base=place.repo.git("rev-parse", "main~1"))
    # not ours any more: somebody put something on it
    assert place.repo.git("rev-parse", "gsd/03-01") == other
    assert list_own(place.git) == ()


def test_a_known_transient_error_is_tried_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A half-made record of another git process, which ends as soon as it was met once."""
    half = place.layout.common_dir / "worktrees" / "other"
    half.mkdir(parents=True)
    (half / "gitdir").write_text(f"{place.repo.path}/other/.git\n")
    (half / "HEAD").write_text("ref: refs/heads/main\n")
    (half / "commondir").write_text("")
    met = []

    def other_goes_on(seconds: float) -> None:
        met.append(seconds)
        (half / "commondir").write_text("../..\n")

    monkeypatch.setattr(transient.time, "sleep", other_goes_on)
    assert place.add().head == place.base
    assert len(met) == 1


def test_a_lasting_error_is_not_tried_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transient.time, "sleep", lambda _: pytest.fail("tried again"))
    with pytest.raises(GitError):
        place.add(base="1" * 40)


def test_a_record_that_a_foreign_prune_took_is_made_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_run = Git.run
    taken = []

    def run(self: Git, *args: str, **options: object) -> object:
        output = real_run(self, *args, **options)  # type: ignore[arg-type]
        if args[:2] == ("worktree", "add") and not taken:
            taken.append(True)
            shutil.rmtree(place.layout.common_dir / "worktrees" / "wt-03-01")
        return output

    monkeypatch.setattr(Git, "run", run)
    tree = place.add()
    assert taken
    assert place.repo.git("status", "--porcelain", cwd=tree.path) == ""


CRASH = """
import os, sys
from pathlib import Path
from worktree_runner.git import gateway, worktrees
from worktree_runner.store.paths import Layout
repo, stop = Path(sys.argv[1]), int(sys.argv[2])
calls = 0
real_run = gateway.Git.run
def run(self, *args, **options):
    global calls
    output = real_run(self, *args, **options)
    calls += 1
    if calls == stop:
        os.kill(os.getpid(), 9)
    return output
gateway.Git.run = run
git = gateway.Git(repo)
worktrees.add(git, Layout(repo / ".git"), path=repo / ".worktrees" / "wt-03-01",
              branch="gsd/03-01", base=sys.argv[3], mark=worktrees.Mark("20260102-run", "03-01"))
print("made", flush=True)
"""


def test_after_a_kill_at_any_git_call_the_mark_leads_to_what_is_left(place: Place) -> None:
    for stop in range(1, 10):
        argv = [sys.executable, "-c", CRASH, str(place.repo.path), str(stop), place.base]
        done = subprocess.run(argv, cwd=Path(__file__).parents[2], capture_output=True, check=False)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        for tree in list_own(place.git):
            assert tree.mark == MARK
            remove(place.git, place.layout, tree)
        tree = place.add()  # the left-over branch at the base is no obstacle
        remove(place.git, place.layout, tree)
        delete_branch(place.git, place.layout, "gsd/03-01", place.base)
        assert place.branches() == ["main"]
    else:
        pytest.fail("it never got to its end")
    assert stop > 3


def test_removal_takes_exactly_that_worktree_and_keeps_the_branch(place: Place) -> None:
    first, second = place.add(), place.add("03-02", "gsd/03-02")
    place.repo.git("worktree", "add", "-q", "../theirs")
    shutil.rmtree(place.repo.path.parent / "theirs")  # a global prune would drop this one
    remove(place.git, place.layout, first)
    names = {tree.path.name for tree in list_all(place.git)}
    assert names == {"repo", "theirs", "wt-03-02"}
    assert second.path.is_dir()
    assert "gsd/03-01" in place.branches()
    assert not first.path.exists()
    trash = list(place.layout.trash.iterdir())
    assert len(trash) == 2
    assert empty_trash(place.layout) == 0
    assert list(place.layout.trash.iterdir()) == []
    assert place.repo.git("fsck", "--no-dangling") == ""


def test_removal_finishes_what_a_crash_left_half_done(place: Place) -> None:
    tree = place.add()
    entries.discard(place.layout, tree.path, label="crashed")
    remove(place.git, place.layout, tree)
    assert list_own(place.git) == ()
    remove(place.git, place.layout, tree)  # and nothing is left to do


def test_removal_refuses_what_another_run_has_taken_over(place: Place) -> None:
    tree = place.add()
    later = remark(place.git, place.layout, tree, Mark("later-run", "03-01"))
    assert list_own(place.git, "later-run") == (later,)
    with pytest.raises(PreconditionError, match="not marked as wtrun's"):
        remove(place.git, place.layout, tree)
    remove(place.git, place.layout, later)


def test_a_worktree_on_another_file_system_goes_to_a_trash_beside_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = place.add()
    rename = os.rename

    def refuse(source: Path, target: Path) -> None:
        if Path(source) == tree.path and target.parent == place.layout.trash:
            raise OSError(18, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(entries.os, "rename", refuse)
    remove(place.git, place.layout, tree)
    (beside,) = (place.repo.path / ".worktrees").glob(".wtrun-trash-*")
    assert (beside / "a.txt").is_file()
    assert record_of(place.layout, tree.path) is None
    assert empty_trash(place.layout) == 0
    assert not beside.exists()


def test_a_branch_is_deleted_only_where_it_was_seen(place: Place) -> None:
    place.repo.git("branch", "gsd/03-01")
    with pytest.raises(PreconditionError, match="moved to"):
        delete_branch(place.git, place.layout, "gsd/03-01", "1" * 40)
    tree = place.add()
    with pytest.raises(PreconditionError, match="is checked out at"):
        delete_branch(place.git, place.layout, "gsd/03-01", place.base)
    remove(place.git, place.layout, tree)
    delete_branch(place.git, place.layout, "gsd/03-01", place.base)
    delete_branch(place.git, place.layout, "gsd/03-01", place.base)
    assert place.branches() == ["main"]


def test_the_worktree_root_is_kept_out_of_status_once(place: Place) -> None:
    exclude = place.repo.path / ".git" / "info" / "exclude"
    exclude.write_bytes(b"# mine\n*.swp")
    root = place.repo.path / ".worktrees"
    assert exclude_worktrees(place.git, place.layout, root)
    assert not exclude_worktrees(place.git, place.layout, root)
    assert exclude.read_bytes() == b"# mine\n*.swp\n/.worktrees/\n"
    place.add()
    assert place.repo.git("status", "--porcelain") == ""


def test_an_ignored_or_outside_root_changes_nothing(place: Place, tmp_path: Path) -> None:
    place.repo.commit("ignore", {".gitignore": ".worktrees\n"})
    assert not exclude_worktrees(place.git, place.layout, place.repo.path / ".worktrees")
    assert not exclude_worktrees(place.git, place.layout, tmp_path / "elsewhere")
    assert exclude_worktrees(place.git, place.layout, place.repo.path / "tr[e]es")
    place.repo.write("tr[e]es/x", "x")
    assert place.repo.git("status", "--porcelain") == ""


def test_many_at_once_beside_foreign_git_commands(place: Place) -> None:
    """The small form of scripts/race_worktrees.py."""
    stop = threading.Event()

    def others() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            place.repo.git("worktree", "add", "-q", "--detach", f"../other{number}", check=False)
            place.repo.git("worktree", "prune", "--expire=now", check=False)
            place.repo.git("worktree", "remove", "--force", f"../other{number}", check=False)

    thread = threading.Thread(target=others)
    thread.start()
    try:
        with ThreadPoolExecutor(8) as pool:
            trees = list(pool.map(lambda n: place.add(f"p{n}", f"gsd/p{n}"), range(32)))
    finally:
        stop.set()
        thread.join()
    assert len(list_own(place.git)) == 32
    for tree in trees:
        assert place.repo.git("status", "--porcelain", cwd=tree.path) == ""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda tree: remove(place.git, place.layout, tree), trees))
    assert list_own(place.git) == ()
