"""The guard of an attempt on real repositories: what it stops, and what it must leave alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.attempt import ALICE, SIBLING, Attempt
from tests.support.repo import Repo
from worktree_runner.git import guard


@pytest.fixture
def attempt(repo: Repo) -> Attempt:
    repo.commit("first", {"src/a.py": "1\n", "src/b.py": "1\n", "README.md": "x\n"})
    repo.git("branch", "other")
    return Attempt(repo)


def hook(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


# -- what goes on as always -------------------------------------------------------------------


def test_ordinary_work_on_the_own_branch_passes_and_is_not_logged(attempt: Attempt) -> None:
    attempt.ok(
        """
        echo 2 > src/a.py; git add -A; git commit -qm one
        echo 3 > src/a.py; git commit -qam two; git commit -q --amend -m three
        git rm -q README.md; git commit -qm gone
        git reset -q --hard HEAD~1; git checkout -q HEAD~1 -- src/a.py; git commit -qm back
        git rebase -q -f main; git bisect start >/dev/null; git bisect bad >/dev/null
        git bisect good main >/dev/null; git bisect reset -q 2>/dev/null || git bisect reset
        git checkout -q --detach; git checkout -q gsd/03-01
        git update-ref refs/worktree/mine HEAD
        git cherry-pick HEAD~1 >/dev/null 2>&1 || git cherry-pick --abort
        git merge -q --no-ff -m m main
        """
    )
    assert attempt.log() == []
    assert attempt.refs()["refs/heads/main"] == attempt.base


def test_nothing_of_the_repository_changes_and_the_users_own_git_is_free(attempt: Attempt) -> None:
    before = (attempt.common / "config").read_bytes()
    attempt.refused("git tag v1")
    attempt.repo.git("tag", "v1", cwd=attempt.worktree)
    attempt.repo.git("stash", "list")
    attempt.repo.commit("users own", {"src/z.py": "1\n"})
    assert (attempt.common / "config").read_bytes() == before
    assert not list((attempt.common / "hooks").glob("*[!e]"))


def test_settings_that_the_environment_has_already_are_kept(attempt: Attempt) -> None:
    env = guard.install(
        attempt.spec,
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Env"},
    )
    assert "GIT_CONFIG_KEY_0" not in env
    attempt.env |= {"GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Env", **env}
    assert attempt.ok("git config user.name; git config gc.auto; git config core.hooksPath") == (
        f"Env\n0\n{attempt.spec.folder}/guard/hooks\n"
    )
    attempt.refused("git tag v1")


def test_other_repositories_of_the_agent_are_left_alone(attempt: Attempt, tmp_path: Path) -> None:
    attempt.reserve(ALICE, "src/")
    hook(tmp_path / "other/.git/hooks", "pre-commit", "echo theirs ran >&2")
    done = attempt.sh(
        f"""
        cd {tmp_path}/other; git init -q -b main; mkdir -p src; echo 1 > src/a.py
        git add -A; git commit -qm one; git branch x; git tag v1; echo 2 > src/a.py; git stash -q
        git init -q --bare ../remote.git; git push -q ../remote.git main
        git -C ../remote.git rev-parse main
        """
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "theirs ran\n"
    assert attempt.log() == []


# -- refs and pushes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        "git update-ref refs/heads/main HEAD",
        "git branch mine",
        "git branch -D other",
        "git branch -m renamed",
        "git update-ref -d refs/heads/gsd/03-01",
        "git checkout -q -b mine",
        "git tag v1",
        "git notes add -m x",
        "echo 2 > src/a.py; git stash",
        "git update-ref refs/remotes/origin/main HEAD",
        "git update-ref main-worktree/HEAD HEAD",
        "git pack-refs --all --prune",
        "git gc -q --prune=now",
        "git worktree add -q ../wt-more HEAD",
        "git replace HEAD $(git commit-tree -m x HEAD^{tree})",
    ],
)
def test_no_ref_but_the_own_branch_moves(attempt: Attempt, script: str) -> None:
    attempt.ok("echo 1 > new.py; git add -A; git commit -qm mine")
    before = attempt.refs()
    said = attempt.refused(script)
    assert attempt.refs() == before
    assert "may move only its own branch gsd/03-01" in said or "only in its own worktree" in said
    row = attempt.log()[-1]
    assert (row["kind"], row["refused"]) == ("ref", True)
    assert row["refs"]


@pytest.mark.parametrize(
    "script",
    [
        "git commit -q --allow-empty -m theirs",
        "git checkout -q --detach",
        "git reset -q --soft HEAD~1",
        "git -c core.bare=false merge -q gsd/03-01",
        "git stash -q",
    ],
)
def test_the_main_worktree_is_not_its_place(attempt: Attempt, repo: Repo, script: str) -> None:
    repo.commit("second", {"src/a.py": "2\n"})
    attempt.ok("echo 1 > new.py; git add -A; git commit -qm mine")
    repo.write("src/a.py", "users edit\n")
    before = (attempt.refs(), repo.git("symbolic-ref", "HEAD"))
    attempt.refused(f"cd {repo.path}; {script}")
    assert (attempt.refs(), repo.git("symbolic-ref", "HEAD")) == before
    assert repo.read("src/a.py") == b"users edit\n"


def test_git_dash_c_to_the_main_worktree_is_covered(attempt: Attempt, repo: Repo) -> None:
    said = attempt.refused(f"git -C {repo.path} commit -q --allow-empty -m x")
    assert "only in its own worktree" in said
    assert repo.git("rev-parse", "HEAD") == attempt.base


def test_every_push_is_refused(attempt: Attempt, repo: Repo, tmp_path: Path) -> None:
    repo.git("init", "-q", "--bare", str(tmp_path / "remote.git"))
    repo.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    said = attempt.refused("git push -q origin HEAD:refs/heads/main")
    assert "pushes nothing" in said
    assert repo.git("ls-remote", "origin") == ""
    assert attempt.log()[-1]["refs"] == ["refs/heads/main"]


# -- reservations -----------------------------------------------------------------------------


def test_a_commit_of_a_path_that_a_person_reserved_is_refused(attempt: Attempt) -> None:
    attempt.reserve(ALICE, "src/*.py", reason="renaming everything")
    said = attempt.refused("echo 2 > src/a.py; echo 2 > x.txt; git add -A; git commit -qm one")
    assert "src/a.py is reserved by alice (src/*.py) until " in said
    assert "renaming everything" in said
    assert "wtrun mail send --to alice" in said
    assert "x.txt" not in said
    (row,) = attempt.log()
    assert (row["kind"], row["paths"], row["holder"]) == ("commit", ["src/a.py"], "alice")
    attempt.ok("git restore --staged --worktree src; git commit -qm one")


def test_no_verify_does_not_help(attempt: Attempt) -> None:
    attempt.reserve(ALICE, "src/")
    attempt.refused("echo 2 > src/a.py; git commit -q --no-verify -am one")


def test_what_one_commit_was_allowed_says_nothing_about_the_next(attempt: Attempt) -> None:
    hook(attempt.common / "hooks", "commit-msg", "exit 1")
    assert attempt.sh("echo 2 > src/a.py; git commit -qam one").returncode == 1
    assert (attempt.git_dir / "wtrun-checked").exists()
    attempt.reserve(ALICE, "src/")
    attempt.refused("git commit -q --no-verify -am one")


@pytest.mark.parametrize(
    "change", ["git mv src/a.py lib.py", "git rm -q src/a.py", "echo n > src/n.py; git add -A"]
)
def test_renames_deletions_and_new_files_count(attempt: Attempt, change: str) -> None:
    attempt.reserve(ALICE, "src/")
    attempt.refused(f"{change}; git commit -qm one")


def test_a_sibling_s_path_passes_with_one_notice_by_default(attempt: Attempt) -> None:
    attempt.reserve(SIBLING, "src/a.py")
    first = attempt.sh("echo 2 > src/a.py; git commit -qam one")
    assert first.returncode == 0, first.stderr
    assert first.stderr.count("wtrun: notice: src/a.py is reserved by 03-02") == 1
    again = attempt.sh("echo 3 > src/a.py; git commit -qam two")
    assert again.stderr == ""
    assert [(row["refused"], row["paths"]) for row in attempt.log()] == [(False, ["src/a.py"])]


def test_strict_refuses_a_sibling_s_path(repo: Repo) -> None:
    repo.commit("first", {"src/a.py": "1\n"})
    attempt = Attempt(repo, reservations="strict")
    attempt.reserve(SIBLING, "src/a.py")
    assert "reserved by 03-02" in attempt.refused("echo 2 > src/a.py; git commit -qam one")


def test_own_shared_and_expired_reservations_are_no_hindrance(attempt: Attempt) -> None:
    attempt.reserve(ALICE, "src/a.py", exclusive=False)
    attempt.reserve(ALICE, "src/b.py", ttl=0)
    done = attempt.sh("echo 2 > src/a.py; echo 2 > src/b.py; git commit -qam one")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_merge_brings_what_others_committed(attempt: Attempt, repo: Repo) -> None:
    attempt.reserve(ALICE, "src/a.py")
    attempt.ok("echo 1 > mine.py; git add -A; git commit -qm mine")
    repo.commit("alices", {"src/a.py": "2\n"})
    attempt.ok("git merge -q --no-commit main; git commit -qm merged; git rebase -q main")


# -- the user's hooks -------------------------------------------------------------------------


def test_users_hooks_run_with_argv_stdin_and_exit_code(attempt: Attempt) -> None:
    hooks = attempt.common / "hooks"
    hook(hooks, "commit-msg", 'echo "msg: $(cat "$1")" >&2; grep -q good "$1"')
    hook(hooks, "reference-transaction", '[ "$1" = prepared ] || exit 0; cat > "$OUT"')
    hook(hooks, "post-commit", "echo after >&2; exit 7")
    attempt.env["OUT"] = str(attempt.common / "seen")
    bad = attempt.sh("git commit -q --allow-empty -m bad")
    assert bad.returncode == 1
    assert "msg: bad" in bad.stderr
    good = attempt.sh("git commit -q --allow-empty -m good")
    assert (good.returncode, good.stderr) == (0, "msg: good\nafter\n")
    seen = (attempt.common / "seen").read_text()
    head = attempt.ok("git rev-parse HEAD").strip()
    assert seen.splitlines()[-1] == f"{attempt.base} {head} refs/heads/gsd/03-01"
    assert seen.endswith("\n")


def test_hooks_that_are_set_up_later_count_wherever_they_lie(attempt: Attempt) -> None:
    attempt.ok("git commit -q --allow-empty -m one")
    hook(attempt.worktree / ".husky/_", "pre-commit", '. "${0%/*}/h"')
    (attempt.worktree / ".husky/_/h").write_text("echo husky says no >&2; exit 1\n")
    attempt.repo.git("config", "core.hooksPath", ".husky/_")
    done = attempt.sh("git commit -q --allow-empty -m two")
    assert (done.returncode, done.stderr) == (1, "husky says no\n")
    attempt.ok("git commit -q --allow-empty --no-verify -m two")
    attempt.refused("git tag v1")


def test_files_that_are_no_executable_hooks_are_not_run(attempt: Attempt) -> None:
    hook(attempt.common / "hooks", "pre-commit", "exit 1").chmod(0o644)
    hook(attempt.common / "hooks", "commit-msg.sample", "exit 1")
    (attempt.common / "hooks/post-commit").mkdir()
    attempt.ok("git commit -q --allow-empty -m one")


def test_users_hooks_can_be_left_out_and_the_guard_stays(repo: Repo) -> None:
    repo.commit("first", {"src/a.py": "1\n"})
    attempt = Attempt(repo, hooks="skip")
    hook(attempt.common / "hooks", "pre-commit", "exit 1")
    attempt.ok("git commit -q --allow-empty -m one")
    attempt.refused("git tag v1")


def test_a_fixing_hook_that_stages_a_reserved_path_is_seen(attempt: Attempt) -> None:
    attempt.reserve(ALICE, "src/a.py")
    hook(attempt.common / "hooks", "pre-commit", "echo fixed > src/a.py; git add src/a.py")
    attempt.refused("git commit -q --allow-empty -m one")


# -- robustness -------------------------------------------------------------------------------


def test_without_an_answer_a_commit_passes_with_a_word_and_refs_stay_shut(
    attempt: Attempt,
) -> None:
    for file in (attempt.spec.folder / "guard/hooks").iterdir():
        file.write_text(file.read_text().replace(sys.executable, "/no/such/python"))
    done = attempt.sh("git commit -q --allow-empty -m one")
    assert done.returncode == 0
    assert "could not check this pre-commit" in done.stderr
    before = attempt.refs()
    assert "moves its own branch only" in attempt.refused("git tag v1")
    assert attempt.refs() == before


def test_a_log_that_can_not_be_written_goes_to_the_worktrees_git_dir(attempt: Attempt) -> None:
    (attempt.spec.folder / "guard/log.jsonl").mkdir()
    attempt.refused("git tag v1")
    assert [row["kind"] for row in attempt.log()] == ["ref"]


def test_odd_names_are_no_way_round(repo: Repo, tmp_path: Path) -> None:
    odd = Repo.make(tmp_path / 'it\'s a $(repo) "x"', tmp_path / "home")
    odd.commit("first", {"a b/ü 'x'.py": "1\n"})
    attempt = Attempt(odd)
    attempt.reserve(ALICE, "a b/*")
    assert "ü 'x'.py is reserved" in attempt.refused(
        'for f in a*/*; do echo 2 > "$f"; done; git commit -qam one'
    )
    attempt.refused("git tag v1")
    attempt.ok("git restore --staged --worktree .; git commit -q --allow-empty -m two")


# -- before an edit ---------------------------------------------------------------------------


def test_edits_in_the_own_worktree_are_not_talked_about(attempt: Attempt) -> None:
    attempt.reserve(SIBLING, "src/b.py")
    for path in ("src/a.py", "src/b.py", "new/deep/x.py", str(attempt.worktree / "README.md")):
        assert attempt.asked(tool_name="Edit", tool_input={"file_path": path}) == ""
    assert attempt.asked(tool_name="Bash", tool_input={"command": "rm -rf /"}) == ""
    assert attempt.asked(tool_name="Write", tool_input={"file_path": "/tmp/scratch.txt"}) == ""
    folder = str(attempt.spec.folder / "checkpoint.json")
    hooks = str(attempt.spec.folder / "guard/hooks/pre-push")
    assert "belongs to git" in attempt.asked(tool_name="Write", tool_input={"file_path": hooks})
    assert attempt.asked(tool_name="Write", tool_input={"file_path": folder}) == ""


def test_edits_outside_and_of_reserved_paths_are_denied(attempt: Attempt, repo: Repo) -> None:
    attempt.reserve(ALICE, "src/")
    other = repo.path / ".worktrees/wt-03-02"
    repo.git("worktree", "add", "-q", str(other), "--detach")
    (attempt.worktree / "link").symlink_to(repo.path)

    def why(path: Path | str, key: str = "file_path") -> str:
        return attempt.asked(tool_name="Write", tool_input={key: str(path)})

    assert "another worktree" in why(repo.path / "src/a.py")
    assert "another worktree" in why("../../src/a.py")
    assert "another worktree" in why("link/src/a.py")
    assert "another worktree" in why(other / "x.ipynb", "notebook_path")
    assert "outside of the agent's own worktree" in why("/etc/passwd")
    assert "belongs to git" in why(attempt.common / "config")
    assert "belongs to git" in why(attempt.worktree / ".git")
    assert "src/a.py is reserved by alice (src/)" in why("src/a.py")
    assert [row["kind"] for row in attempt.log()] == ["edit"] * 8


def test_every_file_of_a_patch_counts(attempt: Attempt, repo: Repo) -> None:
    patch = f"*** Begin Patch\n*** Update File: src/a.py\n*** Move to: {repo.path}/x.py\n"
    assert "another worktree" in attempt.asked(tool_name="apply_patch", tool_input={"input": patch})


@pytest.mark.parametrize("text", ["", "[]", "{", '{"tool_input": 3}', '{"tool_input": {}}'])
def test_a_call_that_makes_no_sense_is_passed(attempt: Attempt, text: str) -> None:
    for argv in (
        guard.pre_tool_hook(attempt.spec),
        (sys.executable, "-m", "worktree_runner", "hook", "pre-tool"),
    ):
        done = subprocess.run(
            argv, input=text, capture_output=True, text=True, env=attempt.env, check=False
        )
        assert (done.returncode, done.stdout) == (0, "")


def test_the_command_line_answers_the_same(attempt: Attempt, repo: Repo) -> None:
    call = json.dumps({"tool_input": {"file_path": str(repo.path / "x")}})
    argv = [sys.executable, "-m", "worktree_runner", "hook", "pre-tool"]
    done = subprocess.run(argv, input=call, capture_output=True, text=True, env=attempt.env)
    assert "another worktree" in done.stdout
    free = {key: value for key, value in attempt.env.items() if key != "WTRUN_GUARD"}
    done = subprocess.run(argv, input=call, capture_output=True, text=True, env=free)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
