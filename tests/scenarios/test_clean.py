"""`wtrun clean` on what real runs left behind: only wtrun's own, only with a proof or a salvage."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.scenarios.test_execute import wait_for
from tests.support.project import PHASE, Project, kill, plan_text
from tests.support.repo import Repo
from worktree_runner.git.gateway import Git
from worktree_runner.operations.merging.cleanup import snapshot

WORK = [{"write": "work.txt", "text": "work\n"}, {"commit": "feat: work"}, {"exit": 1}]
NOTHING = [{"exit": 1}]
PLAN = f"{PHASE}/03-01-PLAN.md"
INNER: list[dict[str, object]] = [
    {"run": ["git", "init", "-q", "inner"]},
    {"write": "inner/a", "text": "a"},
    {"run": ["git", "-C", "inner", "add", "-A"]},
    {"run": ["git", "-C", "inner", "commit", "-q", "-m", "inner"]},
]
LOOSE = [{"write": "loose.txt", "text": "loose\n"}, {"exit": 1}]


def failed(repo: Repo, steps: list[dict[str, object]], **files: str) -> Project:
    """A project whose only plan has failed after these steps; its run is finished."""
    project = Project.make(repo, {"01": plan_text("01", steps=steps)}, files)
    project.execute(expect=1)
    return project


def place_of(repo: Repo) -> Path:
    return repo.path / ".worktrees/wt-03-01"


def branches(repo: Repo) -> list[str]:
    return repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()


def salvaged(repo: Repo) -> list[str]:
    return repo.git("for-each-ref", "--format=%(refname)", "refs/wtrun/salvage").split()


def test_a_failed_plan_without_work_is_safe_and_goes_with_its_branch(repo: Repo) -> None:
    project = failed(repo, NOTHING)
    listed = project.wtrun("clean", "--dry-run", expect=0)
    assert f"{place_of(repo)} (branch gsd/03-01)\n  safe: every commit" in listed.stdout
    assert place_of(repo).is_dir()
    done = project.wtrun("clean", expect=0)
    assert done.stdout.startswith(f"removed {place_of(repo)} (branch gsd/03-01)\n  safe")
    assert not place_of(repo).exists()
    assert branches(repo) == ["main"]
    assert list((repo.path / ".git/wtrun/trash").iterdir()) == []
    assert project.wtrun("clean", expect=0).stdout == "nothing is left over\n"


def test_commits_stay_until_they_are_merged_or_forced_into_a_salvage_ref(repo: Repo) -> None:
    project = failed(repo, WORK)
    tip = repo.git("rev-parse", "gsd/03-01")
    done = project.wtrun("clean", expect=0)
    assert f"not safe: commits that are nowhere else: {tip[:10]}" in done.stdout
    assert "wtrun clean --force" in done.stderr
    assert place_of(repo).is_dir()
    repo.git("branch", "mine", "gsd/03-01")
    assert "safe: every commit" in project.wtrun("clean", "--dry-run").stdout
    repo.git("branch", "-D", "mine")
    done = project.wtrun("clean", "--force", expect=0)
    assert not place_of(repo).exists()
    (ref,) = salvaged(repo)
    assert f"kept in {ref}\n" in done.stdout
    assert repo.git("rev-parse", ref) == tip


def test_uncommitted_and_untracked_files_are_work(repo: Repo) -> None:
    steps = [{"append": "README.md", "text": "edited\n"}, *LOOSE]
    project = failed(repo, steps)
    done = project.wtrun("clean", expect=0)
    assert "not safe: uncommitted files: README.md and loose.txt" in done.stdout
    project.wtrun("clean", "--force", expect=0)
    (ref,) = salvaged(repo)
    assert repo.show(ref, "loose.txt") == b"loose\n"
    assert repo.show(ref, "README.md").endswith(b"edited\n")
    assert repo.git("rev-parse", f"{ref}^") == repo.git("rev-parse", "main")


def test_a_salvage_keeps_staged_content_that_the_files_do_not_show(repo: Repo) -> None:
    repo.commit("start", {"a": "1\n"})
    repo.write("a", "staged\n")
    repo.git("add", "a")
    repo.write("a", "later\n")
    before = repo.git("status", "--porcelain")
    kept = snapshot(repo.path)
    assert repo.show(kept, "a") == b"later\n"
    assert repo.show(f"{kept}^2", "a") == b"staged\n"
    assert repo.git("status", "--porcelain") == before


def test_a_commit_that_only_the_worktrees_reflog_knows_is_work(repo: Repo) -> None:
    steps = [*WORK[:2], {"run": ["git", "reset", "-q", "--hard", "HEAD~1"]}, {"exit": 1}]
    project = failed(repo, steps)
    for ref in salvaged(repo):  # the run itself has kept it
        repo.git("update-ref", "-d", ref)
    assert "not safe: commits that are nowhere else" in project.wtrun("clean").stdout
    project.wtrun("clean", "--force", expect=0)
    (ref,) = salvaged(repo)
    assert repo.show(ref, "work.txt") == b"work\n"


def test_a_repository_inside_a_worktree_is_never_removed(repo: Repo) -> None:
    project = failed(repo, [*INNER, {"exit": 1}])
    done = project.wtrun("clean", "--force", expect=0)
    assert "kept: it holds other repositories: inner" in done.stdout
    assert (place_of(repo) / "inner/.git").is_dir()


def test_a_repository_that_was_committed_is_no_finished_work_and_is_never_removed(
    repo: Repo,
) -> None:
    """What `git add` makes of a folder in which a scaffolder ran `git init`: a link."""
    work: list[dict[str, object]] = [*INNER, {"commit": "feat: inner"}, {"summary": True}]
    declared = '[submodule "inner"]\n\tpath = inner\n\turl = https://example.com/inner\n'
    named = [{"write": ".gitmodules", "text": declared}, *work]
    plans = {"01": plan_text("01", steps=work), "02": plan_text("02", steps=named)}
    project = Project.make(repo, plans)
    done = project.execute("--on-failure", "continue", expect=1)
    assert "03-01 failed: inner became a git repository of its own" in done.stderr
    assert project.statuses() == {"03-01": "failed", "03-02": "landed"}
    assert "03-02 its worktree or branch stays: it holds other repositories: inner" in done.stderr
    cleaned = project.wtrun("clean", "--force", expect=0).stdout
    assert cleaned.count("it holds other repositories: inner") == 2, cleaned
    for name in ("wt-03-01", "wt-03-02"):
        assert (repo.path / ".worktrees" / name / "inner/a").read_text() == "a"


def test_a_worktree_whose_folder_was_deleted_by_hand(repo: Repo) -> None:
    project = failed(repo, WORK)
    tip = repo.git("rev-parse", "gsd/03-01")
    shutil.rmtree(place_of(repo))
    done = project.wtrun("clean", expect=0)
    assert "whose folder is gone\n  not safe: commits that are nowhere else" in done.stdout
    project.wtrun("clean", "--force", expect=0)
    assert len(repo.git("worktree", "list").splitlines()) == 1
    assert [repo.git("rev-parse", ref) for ref in salvaged(repo)] == [tip]
    assert branches(repo) == ["main"]


def test_a_killed_run_whose_folder_was_deleted_is_still_recognised(
    repo: Repo, tmp_path: Path
) -> None:
    go, ready = tmp_path / "go", tmp_path / "ready"
    steps = [*WORK[:2], {"touch": str(ready)}, {"wait": str(go)}]
    project = Project.make(repo, {"01": plan_text("01", steps=steps)})
    process = project.start("execute", "3")
    wait_for(ready)
    kill(process)
    kept = project.wtrun("clean", "--force", expect=0)
    assert "kept: 03-01 of the unfinished run" in kept.stdout
    assert "wtrun execute 03" in kept.stdout
    (pid,) = project.processes()[:1]
    shutil.rmtree(repo.path / ".git/wtrun/runs")
    kept = project.wtrun("clean", "--force", expect=0)
    assert "still at work in it" in kept.stdout
    assert str(pid) in kept.stdout
    assert place_of(repo).is_dir()
    go.touch()
    wait_until_gone(project, place_of(repo))
    project.wtrun("clean", "--force", expect=0)
    assert branches(repo) == ["main"]
    assert repo.show(salvaged(repo)[0], "work.txt") == b"work\n"


def wait_until_gone(project: Project, place: Path) -> None:
    """Until no process works in the worktree any more; the test's own time limit ends it."""
    while "still at work" in project.wtrun("clean", "--dry-run").stdout:
        assert place.is_dir()


def test_a_run_in_progress_is_never_cleaned(repo: Repo, tmp_path: Path) -> None:
    go, ready = tmp_path / "go", tmp_path / "ready"
    steps = [{"touch": str(ready)}, {"wait": str(go)}, {"exit": 1}]
    project = Project.make(repo, {"01": plan_text("01", steps=steps)})
    process = project.start("execute", "3")
    wait_for(ready)
    assert "kept: 03-01" in project.wtrun("clean", "--dry-run", expect=0).stdout
    done = project.wtrun("clean", "--force", expect=6)
    assert "Another wtrun is at work" in done.stderr
    go.touch()
    process.communicate(timeout=100)
    assert place_of(repo).is_dir()


def test_nothing_that_wtrun_did_not_make_is_touched(repo: Repo) -> None:
    project = failed(repo, NOTHING)
    project.wtrun("clean", expect=0)
    # the user's own, under the very names of the attempt that is gone
    repo.git("worktree", "add", "-q", str(place_of(repo)), "-b", "gsd/03-01")
    repo.git("branch", "gsd/03-02")
    repo.git("branch", "wtrun-like")
    before = repo.git("for-each-ref"), repo.git("worktree", "list")
    assert project.wtrun("clean", "--force", expect=0).stdout == "nothing is left over\n"
    assert (repo.git("for-each-ref"), repo.git("worktree", "list")) == before


def test_what_the_user_took_over_is_the_users(repo: Repo) -> None:
    project = failed(repo, NOTHING)
    repo.git("worktree", "unlock", str(place_of(repo)))
    done = project.wtrun("clean", "--force", expect=0)
    assert f"branch gsd/03-01\n  kept: it is checked out at {place_of(repo)}" in done.stdout
    repo.git("worktree", "lock", "--reason", "mine", str(place_of(repo)))
    project.wtrun("clean", "--force", expect=0)
    assert place_of(repo).is_dir()
    repo.git("branch", "-m", "gsd/03-01", "keep-this")
    repo.git("worktree", "unlock", str(place_of(repo)))
    repo.git("worktree", "remove", str(place_of(repo)))
    assert project.wtrun("clean", "--force", expect=0).stdout == "nothing is left over\n"
    assert branches(repo) == ["keep-this", "main"]


def test_a_branch_without_a_worktree_is_cleaned_and_not_while_it_is_checked_out(
    repo: Repo,
) -> None:
    project = failed(repo, NOTHING)
    repo.git("worktree", "remove", "-f", "-f", str(place_of(repo)))
    repo.git("checkout", "-q", "gsd/03-01")
    done = project.wtrun("clean", "--force", expect=0)
    assert f"kept: it is checked out at {repo.path}" in done.stdout
    repo.git("checkout", "-q", "main")
    assert "removed branch gsd/03-01" in project.wtrun("clean", expect=0).stdout
    assert branches(repo) == ["main"]


def test_it_refuses_to_saw_off_the_branch_it_sits_on(repo: Repo) -> None:
    project = failed(repo, NOTHING)
    project.path = place_of(repo)
    project.trusting = False
    done = project.wtrun("clean", "--force", expect=5)
    assert "is a worktree that wtrun made for an agent" in done.stderr
    assert place_of(repo).is_dir()


def test_a_merged_plan_is_removed_with_the_proof_printed_and_its_space_given_back(
    repo: Repo,
) -> None:
    project = Project.make(repo, {"01": plan_text("01", files=["a.txt"])})
    done = project.execute()
    merge = repo.git("log", "-1", "--format=%H", "--merges")
    head = repo.git("rev-parse", f"{merge}^2")
    assert f"worktree and branch removed: {head[:10]} is in {merge[:10]}" in done.stderr
    assert list((repo.path / ".git/wtrun/trash").iterdir()) == []


@pytest.mark.parametrize("taken", ["unlock", "inside"])
def test_a_landed_plans_worktree_that_can_not_go_stays_and_the_run_goes_on(
    repo: Repo, taken: str
) -> None:
    common = str(repo.path / ".git")
    steps: list[dict[str, object]] = [
        {"write": "a", "text": "a"}, {"commit": "feat: a"}, {"summary": True}]  # fmt: skip
    if taken == "unlock":
        steps.append({"run": ["git", f"--git-dir={common}", "worktree", "unlock", "wt-03-01"]})
    else:
        steps += INNER
    project = Project.make(repo, {"01": plan_text("01", steps=steps)})
    done = project.execute(expect=None)
    assert done.returncode in (0, 4), done.stderr
    if done.returncode == 0:
        assert "its worktree or branch stays:" in done.stderr
    assert place_of(repo).is_dir()


def test_commits_of_a_submodule_that_are_nowhere_else_hold_their_worktree(repo: Repo) -> None:
    library = Repo.make(repo.path.parent / "library", repo.path.parent / "home")
    library.commit("library", {"lib.txt": "1\n"})
    allow = ("-c", "protocol.file.allow=always")
    repo.git(*allow, "submodule", "add", "-q", str(library.path), "lib")
    project = failed(repo, NOTHING)
    git = Git(place_of(repo))
    git.run(*allow, "submodule", "update", "--init", "--quiet")
    assert "safe: every commit" in project.wtrun("clean", "--dry-run").stdout
    inner = Repo(place_of(repo) / "lib", repo.env)
    inner.commit("only here", {"lib.txt": "2\n"})
    subprocess.run(
        ["git", "update-index", "--assume-unchanged", "lib"], cwd=git.path, env=repo.env, check=True
    )
    done = project.wtrun("clean", "--force", expect=0)
    assert "kept: it holds other repositories: lib" in done.stdout


def test_an_unfinished_run_can_be_given_up(repo: Repo) -> None:
    steps = [*WORK[:2], {"checkpoint": {"type": "decision"}}]
    project = Project.make(repo, {"01": plan_text("01", steps=steps)})
    project.execute(expect=4)
    run = project.status()["run"]
    assert f"wtrun clean --give-up {run}" in project.wtrun("clean", "--force", expect=0).stdout
    wrong = project.wtrun("clean", "--give-up", "x", expect=2)
    assert f"unfinished: {run}" in wrong.stderr
    done = project.wtrun("clean", "--give-up", run, "--force", expect=0)
    assert f"gave up run {run}; 'wtrun execute 03' starts a new one" in done.stdout
    assert branches(repo) == ["main"]
    assert repo.show(salvaged(repo)[0], "work.txt") == b"work\n"
    repo.commit("planned anew", {PLAN: plan_text("01", files=["new.txt"])})
    project.execute()
    assert repo.read("new.txt") == b"line of 03-01\n"
