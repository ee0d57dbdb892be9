"""What a user runs into before a run: message, cause, a command to paste, and nothing is touched.

Each case is real: a real repository in that state, and `wtrun execute 3` on it.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.project import PHASE, ROOT, Project, plan_text, trust_commands
from tests.support.repo import Repo
from worktree_runner import cli
from worktree_runner.errors import ExitCode


class Said(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def hint(self) -> str:
        """The last line, without its label."""
        last = self.err.rstrip("\n").rpartition("\n")[2]
        assert last.startswith("hint: "), self.err
        return last.removeprefix("hint: ")


Wtrun = Callable[..., Said]
Place = str | Path


@pytest.fixture
def wtrun(repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Wtrun:
    """`wtrun ARGS` in this process, in the repository or in `cwd`; no traceback in any case."""
    monkeypatch.setenv("HOME", str(repo.path.parent / "home"))

    def run(*args: str, cwd: Path | None = None) -> Said:
        before = signal.getsignal(signal.SIGINT)
        monkeypatch.chdir(cwd or repo.path)
        try:
            with pytest.raises(SystemExit) as ended:
                cli.main(list(args))
        finally:
            signal.signal(signal.SIGINT, before)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, out, err)

    return run


def two_plans(repo: Repo) -> Project:
    plans = {number: plan_text(number, files=[f"{number}.txt"]) for number in ("01", "02")}
    return Project.make(repo, plans)


def refused(wtrun: Wtrun, repo: Repo, code: ExitCode = ExitCode.PRECONDITION) -> Said:
    """`wtrun execute 3` that must not start: that code, and the repository as it was."""
    trust_commands(repo.path)
    before = picture(repo)
    said = wtrun("execute", "3")
    assert said.code == code, said.err
    assert len([line for line in said.err.splitlines() if line.startswith("error: ")]) == 1
    assert picture(repo) == before
    assert not list((repo.path / ".git/wtrun").glob("runs/*"))
    return said


def picture(repo: Repo) -> str:
    """Everything of the user's: refs, HEAD, worktrees, state of the files."""
    commands = (("for-each-ref",), ("rev-parse", "-q", "--verify", "HEAD"), ("worktree", "list"),
                ("status", "--porcelain", "--ignored"))  # fmt: skip
    return "\n".join(repo.git(*command, check=False) for command in commands)


def paste(repo: Repo, command: str) -> None:
    """Runs a hint as a user would who pastes it."""
    subprocess.run(["bash", "-ec", command], cwd=repo.path, env=repo.env, check=True)


# --- the wrong place -------------------------------------------------------------------------


def test_outside_of_a_repository(wtrun: Wtrun, tmp_path: Path) -> None:
    said = wtrun("execute", "3", cwd=tmp_path)
    assert said.code == ExitCode.PRECONDITION
    assert f"{tmp_path} is not inside a git repository" in said.err
    assert "git init && git add -A && git commit -m 'Start'" in said.hint


def test_a_repository_without_a_commit(wtrun: Wtrun, repo: Repo) -> None:
    repo.write(f"{PHASE}/03-01-PLAN.md", plan_text("01"))
    said = refused(wtrun, repo)
    assert "the branch main has no commit yet" in said.err
    paste(repo, said.hint)
    assert repo.git("rev-list", "--count", "HEAD") == "1"


def test_a_repository_without_planning_files(wtrun: Wtrun, repo: Repo) -> None:
    repo.commit("no plans", {"a": "a"})
    said = refused(wtrun, repo)
    assert "no planning directory" in said.err
    assert ".planning (GSD)" in said.err
    assert "wtrun demo" in said.hint


def test_planning_files_that_lie_elsewhere_are_named(wtrun: Wtrun, repo: Repo) -> None:
    two_plans(repo)
    inner = Repo.make(repo.path / "inner", repo.path.parent / "home")
    inner.commit("nothing planned", {"a": "a"})
    said = wtrun("execute", "3", cwd=inner.path)
    assert f", in {inner.path}\n" in said.err
    assert said.hint == f"the repository around it has one: cd {repo.path}"
    other = Repo.make(repo.path.parent / "other", repo.path.parent / "home")
    other.commit("planned below", {f"app/{PHASE}/03-01-PLAN.md": plan_text("01")})
    said = wtrun("execute", "3", cwd=other.path)
    assert f"app/{PHASE}/03-01-PLAN.md is deeper" in said.hint


def test_a_bare_repository(wtrun: Wtrun, repo: Repo) -> None:
    two_plans(repo)
    bare = repo.path.parent / "bare.git"
    repo.git("clone", "-q", "--bare", str(repo.path), str(bare))
    said = wtrun("execute", "3", cwd=bare)
    assert said.code == ExitCode.PRECONDITION
    assert "is a bare repository: it has no files to work on" in said.err
    paste(Repo(bare, repo.env), said.hint)
    assert (repo.path.parent / "bare.work/.planning").is_dir()


def test_the_git_folder_itself(wtrun: Wtrun, repo: Repo) -> None:
    two_plans(repo)
    said = wtrun("execute", "3", cwd=repo.path / ".git")
    assert "lies inside a .git folder" in said.err
    assert said.hint == f"cd {repo.path}"


def test_a_plans_own_worktree_and_a_folder_in_it(wtrun: Wtrun, repo: Repo) -> None:
    project = Project.make(repo, {"01": plan_text("01", steps=[{"exit": 1}])})
    project.execute(expect=1)
    place = repo.path / ".worktrees/wt-03-01"
    (place / "deep").mkdir()
    for folder in (place, place / "deep"):
        said = wtrun("execute", "3", cwd=folder)
        assert said.code == ExitCode.PRECONDITION
        assert f"{place} is a worktree that wtrun made" in said.err
        assert said.hint == f"cd {repo.path}"


def test_a_damaged_repository_is_not_called_none(wtrun: Wtrun, repo: Repo) -> None:
    two_plans(repo)
    repo.write(".git/HEAD", "garbage")
    said = wtrun("execute", "3")
    assert f"{repo.path}/.git is damaged" in said.err
    repo.write(".git/HEAD", "ref: refs/heads/main\n")
    repo.write(".git/config", "[core\n")
    assert "bad config line 1" in wtrun("execute", "3").err


def test_a_worktree_whose_repository_was_moved(wtrun: Wtrun, repo: Repo) -> None:
    two_plans(repo)
    linked = repo.path.parent / "linked"
    repo.git("worktree", "add", "-q", str(linked))
    moved = repo.path.rename(repo.path.with_name("moved"))
    said = wtrun("execute", "3", cwd=linked)
    assert "points to a repository that is not there" in said.err
    repair = said.hint.partition(": ")[2]
    paste(Repo(moved, repo.env), repair)
    assert repo.git("rev-parse", "--abbrev-ref", "HEAD", cwd=linked) == "linked"


def test_a_path_with_a_line_break(wtrun: Wtrun, repo: Repo) -> None:
    odd = Repo.make(repo.path.parent / "two\nlines", repo.path.parent / "home")
    two_plans(odd)
    said = wtrun("execute", "3", cwd=odd.path)
    assert said.code == ExitCode.PRECONDITION
    assert "has a line break in it" in said.err


def test_another_users_repository(repo: Repo) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a repository to another user")
    project = two_plans(repo)
    os.chown(repo.path, 12345, 12345)
    os.chown(repo.path / ".git", 12345, 12345)
    done = project.execute(expect=5)
    assert "belongs to another user" in done.stderr
    paste(repo, done.stderr.rpartition("if you do: ")[2])
    assert project.execute("--dry-run").returncode == 0


def test_a_stray_git_dir_is_mentioned_where_it_may_be_missed(repo: Repo, tmp_path: Path) -> None:
    project = two_plans(repo)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "worktree_runner", "execute", "3"],
        cwd=tmp_path, env={**project.env, "GIT_DIR": str(repo.path / ".git")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == ExitCode.PRECONDITION
    assert "is not inside a git repository (GIT_DIR is not looked at)" in done.stderr


# --- the wrong moment ------------------------------------------------------------------------


def test_a_detached_head(wtrun: Wtrun, repo: Repo) -> None:
    two_plans(repo)
    repo.git("checkout", "-q", "--detach")
    said = refused(wtrun, repo)
    assert f"HEAD is detached in {repo.path}" in said.err
    assert said.hint.startswith("git switch main")


def test_a_branch_that_is_not_born_yet(wtrun: Wtrun, repo: Repo) -> None:
    two_plans(repo)
    repo.git("checkout", "-q", "--orphan", "fresh")
    assert "the branch fresh has no commit yet" in refused(wtrun, repo).err


OPERATIONS = {
    "a merge": (["merge", "side"], "merge --abort"),
    "a rebase": (["rebase", "side"], "rebase --abort"),
    "a cherry-pick": (["cherry-pick", "side"], "cherry-pick --abort"),
    "a revert": (["revert", "--no-edit", "HEAD~1"], "revert --abort"),
    "'git am'": (["am", "-q", "../one.patch"], "am --abort"),
    "a bisect": (["bisect", "start", "HEAD", "HEAD~1"], "bisect reset"),
}


@pytest.mark.parametrize("words", OPERATIONS)
def test_an_operation_of_git_in_progress(wtrun: Wtrun, repo: Repo, words: str) -> None:
    two_plans(repo)
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("theirs", {"README.md": "theirs\n"})
    patch = repo.git("format-patch", "-1", "--stdout") + "\n"
    (repo.path.parent / "one.patch").write_text(patch)
    repo.git("checkout", "-q", "main")
    repo.commit("ours", {"README.md": "ours\n"})
    repo.commit("more", {"README.md": "more\n"})
    command, ends = OPERATIONS[words]
    repo.git(*command, check=False)
    said = refused(wtrun, repo)
    assert f"{words} is in progress in {repo.path}" in said.err
    assert f"'git {ends}'" in said.hint
    paste(repo, f"git {ends}")
    assert wtrun("execute", "3", "--dry-run").code == 0


# --- the plans -------------------------------------------------------------------------------


def test_no_such_phase_names_what_there_is(wtrun: Wtrun, repo: Repo) -> None:
    two_plans(repo)
    for typed in ("4", "apii", "03-apis", ""):
        said = wtrun("execute", typed)
        assert said.code == ExitCode.USAGE
        assert f"no phase '{typed}'" in said.err
        assert said.hint == "phases here: 03-api"


def test_several_phases_of_one_number(wtrun: Wtrun, repo: Repo) -> None:
    two_plans(repo)
    repo.commit("another", {".planning/phases/03-web/03-01-PLAN.md": plan_text("01")})
    said = refused(wtrun, repo, ExitCode.USAGE)
    assert "2 phases are called '3': 03-api, 03-web" in said.err
    assert wtrun("execute", "03-web", "--dry-run").code == 0


def test_a_plans_id_does_not_execute_its_whole_phase(wtrun: Wtrun, repo: Repo) -> None:
    two_plans(repo)
    said = wtrun("execute", "03-01")
    assert said.code == ExitCode.USAGE
    assert "wtrun execute 03 --only 03-01" in said.hint


def test_a_phase_without_plans(wtrun: Wtrun, repo: Repo) -> None:
    Project.make(repo, {}, {f"{PHASE}/03-RESEARCH.md": "read this\n"})
    said = refused(wtrun, repo)
    assert f"phase 03 has no plans in {PHASE}" in said.err
    assert said.hint == "make them with /gsd:plan-phase 03"


def test_a_phase_that_is_not_committed_at_all(wtrun: Wtrun, repo: Repo) -> None:
    Project.make(repo, {})
    repo.write(f"{PHASE}/03-01-PLAN.md", plan_text("01", files=["a"]))
    said = refused(wtrun, repo)
    assert "planning files of phase 03 are not committed" in said.err
    paste(repo, said.hint)
    assert "Phase 03 API: 1 plan" in wtrun("execute", "3", "--dry-run").out


CYCLE = {"01": plan_text("01", depends_on=["02"]), "02": plan_text("02", depends_on=["01"])}
BAD_PLANS = {
    "empty": ({"01": ""}, "03-01-PLAN.md: is empty"),
    "blank": ({"01": "\n  \n"}, "03-01-PLAN.md: is empty"),
    "yaml": ({"01": "---\nwave: {{\n---\n<objective>x</objective>\n"}, "wave '{{' is no number"),
    "cycle": (CYCLE, "dependency cycle: 03-01 -> 03-02 -> 03-01"),
    "itself": ({"01": plan_text("01", depends_on=["01"])}, "cycle: 03-01 -> 03-01"),
    "nobody": ({"01": plan_text("01", depends_on=["09"])}, "'09' names no plan of phase 03"),
    "same": ({"01": plan_text("01"), "1": plan_text("01")}, "2 files mean plan 03-01"),
}


@pytest.mark.parametrize("kind", BAD_PLANS)
def test_plans_that_can_not_be_executed(wtrun: Wtrun, repo: Repo, kind: str) -> None:
    plans, words = BAD_PLANS[kind]
    Project.make(repo, plans)
    said = refused(wtrun, repo)
    assert f"{PHASE} can't be executed as it is:" in said.err
    assert said.err.count(words) == 1
    assert said.hint


def test_a_plan_that_is_a_link_is_followed_and_never_read_as_its_targets_name(
    wtrun: Wtrun, repo: Repo
) -> None:
    two_plans(repo)
    repo.write(".planning/shared.md", plan_text("01").replace("Part 01", "The shared part"))
    plan = repo.path / PHASE / "03-01-PLAN.md"
    plan.unlink()
    plan.symlink_to("../../shared.md")
    repo.commit("a link")
    assert "The shared part of the API" in wtrun("execute", "3", "--dry-run").out
    plan.unlink()
    plan.symlink_to("nowhere.md")
    repo.commit("a link to nowhere")
    assert "03-01-PLAN.md: can't be read" in refused(wtrun, repo).err


# --- names that are taken --------------------------------------------------------------------


def test_a_branch_that_blocks_the_plans_branches(wtrun: Wtrun, repo: Repo) -> None:
    two_plans(repo)
    repo.git("branch", "gsd")
    said = refused(wtrun, repo)
    assert "the branch gsd is in the way: git can't have gsd/03-01 beside it" in said.err
    paste(repo, said.hint)
    assert repo.git("branch", "--format=%(refname:short)").split() == ["gsd-old", "main"]
    assert wtrun("execute", "3", "--dry-run").code == 0


def test_a_branch_and_a_folder_of_the_same_name_that_wtrun_did_not_make(
    wtrun: Wtrun, repo: Repo
) -> None:
    project = two_plans(repo)
    repo.git("worktree", "add", "-q", ".worktrees/wt-03-01", "-b", "mine")
    repo.git("branch", "gsd/03-01")
    repo.write(".git/info/exclude", ".worktrees/\n")
    repo.write(".worktrees/wt-03-02/notes.txt", "mine\n")
    said = refused(wtrun, repo)
    assert "the branch gsd/03-01 exists already, and wtrun did not make it" in said.err
    assert f"{repo.path}/.worktrees/wt-03-02 exists already, and wtrun did not make it" in said.err
    paste(repo, said.hint)
    assert repo.git("rev-parse", "gsd/03-01-old") == repo.git("rev-parse", "main")
    assert repo.read(".worktrees/wt-03-02.old/notes.txt") == b"mine\n"
    project.execute()
    assert "wt-03-01.old" in repo.git("worktree", "list")


def test_a_file_where_the_worktrees_should_be(wtrun: Wtrun, repo: Repo) -> None:
    two_plans(repo)
    repo.write(".worktrees", "mine\n")
    said = refused(wtrun, repo)
    assert f"{repo.path}/.worktrees is in the way" in said.err
    paste(repo, said.hint)
    assert repo.read(".worktrees.old") == b"mine\n"


# --- the machine -----------------------------------------------------------------------------


def test_an_agent_whose_program_is_missing(wtrun: Wtrun, repo: Repo) -> None:
    two_plans(repo)
    config = '[agents.mine]\nargv = ["no-such-program-here", "{plan_file}"]\n'
    repo.commit("another agent", {".wtrun.toml": f'agent = "mine"\n{config}'})
    said = refused(wtrun, repo, ExitCode.NO_EXECUTOR)
    assert "the agent mine can't be run: no-such-program-here is not on PATH" in said.err
    assert "wtrun agents" in said.hint


def test_no_agent_at_all_and_one_that_nobody_knows(
    wtrun: Wtrun, repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    two_plans(repo)
    repo.commit("no settings", {".wtrun.toml": ""})
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(bin_folder))
    said = refused(wtrun, repo, ExitCode.USAGE)
    assert "no coding agent is installed (looked for: claude, codex, opencode" in said.err
    assert "no agent named nobody" in wtrun("execute", "3", "--agent", "nobody").err


def test_git_that_is_missing_or_too_old(
    wtrun: Wtrun, repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    two_plans(repo)
    monkeypatch.setenv("PATH", str(tmp_path))
    said = wtrun("execute", "3")
    assert (said.code, said.hint) == (ExitCode.PRECONDITION, "install git 2.38 or newer")
    old = tmp_path / "git"
    old.write_text("#!/bin/sh\necho git version 2.34.1\n")
    old.chmod(old.stat().st_mode | stat.S_IXUSR)
    said = wtrun("execute", "3")
    assert f"wtrun needs git 2.38 or newer (merging in memory); {old} is" in said.err


def test_signing_that_can_not_work_is_found_before_any_agent_starts(
    wtrun: Wtrun, repo: Repo
) -> None:
    two_plans(repo)
    repo.git("config", "commit.gpgSign", "true")
    repo.git("config", "gpg.program", "/nowhere/gpg")
    said = refused(wtrun, repo)
    assert "commit.gpgSign is on, but a test commit could not be signed" in said.err
    assert "/nowhere/gpg" in said.err
    paste(repo, said.hint.partition(": ")[2])
    assert repo.git("config", "commit.gpgSign") == "false"


def test_nobody_to_commit_as(wtrun: Wtrun, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    two_plans(repo)
    for name in ("user.name", "user.email"):
        repo.git("config", "--unset", name)
    repo.git("config", "user.useConfigOnly", "true")
    for name in ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL"):
        monkeypatch.delenv(f"GIT_{name}")
    said = refused(wtrun, repo)
    assert "git does not know who commits here" in said.err
    assert "git config --global user.name" in said.hint


def test_native_windows_is_refused_at_once(
    wtrun: Wtrun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    said = wtrun("execute", "3")
    assert said.code == ExitCode.PRECONDITION
    assert "native Windows is not supported" in said.err
    assert "WSL" in said.hint
    assert wtrun("--help").code == 0


def test_settings_that_can_not_be_read(wtrun: Wtrun, repo: Repo) -> None:
    two_plans(repo)
    repo.write(".wtrun.toml", 'agent = "command\n')
    said = wtrun("execute", "3")
    assert said.code == ExitCode.USAGE
    assert ".wtrun.toml: is no valid TOML" in said.err
    repo.write(".wtrun.toml", 'max_parallel = "many"\n')
    assert 'max_parallel: "many" is not allowed; expected a whole number' in (
        wtrun("execute", "3").err
    )


# --- odd places that work --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["with space", "ünï-çødé", 'it\'s "$HOME" ~', "-dash", "x.git"])
def test_odd_folder_names_work(repo: Repo, name: str) -> None:
    odd = Repo.make(repo.path.parent / name, repo.path.parent / "home")
    project = Project.make(odd, {"01": plan_text("01", files=["src/ä b.txt"])})
    project.execute()
    assert odd.read("src/ä b.txt") == b"line of 03-01\n"


def test_a_linked_worktree_lands_on_its_own_branch(repo: Repo) -> None:
    project = two_plans(repo)
    linked = repo.path.parent / "linked"
    repo.git("worktree", "add", "-q", str(linked), "-b", "feature")
    subprocess.run(
        [sys.executable, "-P", "-m", "worktree_runner", "execute", "3"],
        cwd=linked, env=project.env, check=True, capture_output=True,
    )  # fmt: skip
    assert len(project.merges("feature")) == 2
    assert project.merges("main") == []
    assert repo.git("status", "--porcelain") == ""


def test_a_poor_environment_is_enough(repo: Repo) -> None:
    project = two_plans(repo)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LC_ALL": "C", "PYTHONUTF8": "0",
           "PYTHONCOERCECLOCALE": "0"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-P", "-m", "worktree_runner", "execute", "3"],
        cwd=repo.path, env=env, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert project.statuses() == {"03-01": "landed", "03-02": "landed"}


def test_an_unfinished_run_is_not_taken_for_that_of_a_phase_with_the_same_number(
    repo: Repo,
) -> None:
    stops = [{"checkpoint": {"type": "x"}}]
    project = Project.make(repo, {"01": plan_text("01", steps=stops)})
    text = plan_text("02", files=["web.txt"], steps=stops)
    repo.commit("another", {".planning/phases/03-web/03-02-PLAN.md": text})
    said = project.wtrun("execute", "03-api", expect=4)
    assert "wtrun execute 03-api\n" in said.stderr
    project.wtrun("execute", "03-web", expect=4)
    assert project.statuses() == {"03-02": "asking"}
    either = project.wtrun("execute", "3", expect=2)
    assert "may be the run of 03-api and 03-web" in either.stderr
    assert project.wtrun("execute", "03-api").returncode == 4


def test_an_agent_that_is_gone_at_a_resume_costs_nothing(repo: Repo) -> None:
    stops = plan_text("01", steps=[{"checkpoint": {"type": "x"}}])
    after = plan_text("02", wave=2, depends_on=["01"])
    project = Project.make(repo, {"01": stops, "02": after})
    project.execute(expect=4)
    before = len(project.events())
    config = '[agents.command]\nargv = ["no-such-program-here"]\n'
    repo.commit("broken", {".wtrun.toml": f'agent = "command"\n{config}'})
    assert "can't be run" in project.execute(expect=7).stderr
    assert len(project.events()) == before
