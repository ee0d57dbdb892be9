"""The git gateway: what it drops from the environment and how it reports failures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repo import Repo
from worktree_runner.errors import PreconditionError
from worktree_runner.git.gateway import Git, GitError


def test_a_failing_command_names_its_arguments_and_the_end_of_stderr(repo: Repo) -> None:
    with pytest.raises(GitError) as caught:
        Git(repo.path).run("rev-parse", "--verify", "nothing-here")
    assert "rev-parse --verify nothing-here" in caught.value.message
    assert "Needed a single revision" in caught.value.message
    assert caught.value.output.code == 128


def test_without_check_the_exit_code_is_a_value(repo: Repo) -> None:
    assert (
        Git(repo.path).run("diff", "--quiet", "--no-index", "/dev/null", __file__, check=False).code
        == 1
    )


def test_bytes_pass_unchanged_both_ways(repo: Repo) -> None:
    data = b"\xff\xfe\r\nno newline"
    oid = Git(repo.path).run("hash-object", "-w", "--stdin", stdin=data).text
    assert Git(repo.path).run("cat-file", "blob", oid).out == data


def test_resolve_gives_full_commit_ids_and_none_for_what_is_not_there(repo: Repo) -> None:
    head = repo.commit("one", {"a": "1"})
    assert Git(repo.path).resolve("main") == head
    assert Git(repo.path).resolve("--all") is None
    assert Git(repo.path).resolve("nowhere") is None


def test_a_folder_with_a_dollar_in_its_name_is_not_another_folder(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = Repo.make(tmp_path / "it costs $HOME", tmp_path / "home")
    repo.commit("where the process stands", {"a": "1"})
    monkeypatch.chdir(repo.path)
    assert Git(odd.path).text("rev-parse", "--show-toplevel") == str(odd.path)


def test_a_stray_git_dir_of_a_hook_does_not_lead_to_another_repository(
    repo: Repo, tmp_path: Path
) -> None:
    other = Repo.make(tmp_path / "other", tmp_path / "home")
    other.commit("other", {"b": "2"})
    head = repo.commit("mine", {"a": "1"})
    program = (
        "import sys; from pathlib import Path; from worktree_runner.git.gateway import Git;"
        "print(Git(Path(sys.argv[1])).text('rev-parse', 'HEAD'))"
    )
    env = {
        **os.environ,
        "GIT_DIR": str(other.path / ".git"),
        "GIT_INDEX_FILE": str(other.path / ".git/index"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-c", program, str(repo.path)], env=env, capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == head


def test_a_folder_that_is_gone_is_said_instead_of_running_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(PreconditionError, match="does not exist"):
        Git(tmp_path / "gone").run("status")


def test_a_time_limit_ends_the_command(repo: Repo) -> None:
    output = Git(repo.path).run("-c", "alias.nap=!sleep 30", "nap", check=False, timeout=0.3)
    assert output.code == -9
