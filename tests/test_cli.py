"""The command line's own promises: never a traceback, an exit code for everything."""

from __future__ import annotations

import errno
import re
import signal
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from tests.support.project import ROOT, Project, plan_text
from tests.support.repo import Repo
from worktree_runner import cli
from worktree_runner.errors import ExitCode

Runner = Callable[[BaseException], tuple[int, str]]


@pytest.fixture
def fail_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], repo: Repo
) -> Runner:
    """Runs a command that raises this, in a repository; exit code and stderr."""

    def run(error: BaseException) -> tuple[int, str]:
        @click.command("boom")
        def command() -> None:
            raise error

        module = types.ModuleType("worktree_runner.commands.boom")
        module.command = command  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(cli.COMMANDS, "boom", ("boom", "Fails."))
        monkeypatch.chdir(repo.path)
        before = signal.getsignal(signal.SIGINT)
        try:
            with pytest.raises(SystemExit) as ended:
                cli.main(["boom"])
        finally:
            signal.signal(signal.SIGINT, before)
        assert isinstance(ended.value.code, int)
        return ended.value.code, capsys.readouterr().err

    return run


def test_a_mistake_in_wtrun_is_one_message_and_a_log_with_the_traceback(
    fail_with: Runner, repo: Repo
) -> None:
    code, said = fail_with(KeyError("a key that is not there"))
    assert code == ExitCode.INTERNAL
    assert "Traceback" not in said
    assert said.startswith("error: wtrun failed in a way that it should not (KeyError")
    log = Path(re.search(r"(/\S+\.log)", said)[1])  # type: ignore[index]
    assert log.parent == repo.path / ".git/wtrun/errors"
    text = log.read_text()
    assert "Traceback" in text
    assert "command: wtrun boom" in text
    assert f"Python {sys.version.split()[0]}" in text


def test_the_log_goes_to_the_temporary_folder_where_the_repository_takes_none(
    fail_with: Runner, repo: Repo
) -> None:
    repo.write(".git/wtrun", "a file where the folder should be")
    _, said = fail_with(ValueError("odd"))
    log = Path(re.search(r"(/\S+\.log)", said)[1])  # type: ignore[index]
    assert repo.path not in log.parents
    assert "ValueError: odd" in log.read_text()
    log.unlink()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full: {place} could not be written"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EACCES, "{place} can't be used: permission denied"),
        (errno.EROFS, "{place} can't be used: it lies on a read-only file system"),
        (errno.EMFILE, "too many files are open"),
    ],
)
def test_what_the_machine_refuses_is_said_with_the_path_and_what_to_do(
    fail_with: Runner, repo: Repo, number: int, words: str
) -> None:
    place = str(repo.path / "some" / "file")
    code, said = fail_with(OSError(number, "in the system's words", place))
    assert code == ExitCode.PRECONDITION
    assert words.format(place=place) in said
    assert "\nhint: " in said
    assert not (repo.path / ".git/wtrun").exists()


def test_ctrl_c_is_one_line_and_its_own_code(fail_with: Runner) -> None:
    assert fail_with(KeyboardInterrupt()) == (ExitCode.INTERRUPTED, "\ninterrupted\n")


def test_ctrl_c_while_python_still_imports_prints_no_traceback() -> None:
    program = "import worktree_runner.cli; raise KeyboardInterrupt"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


def test_a_reader_that_goes_away_is_no_error(repo: Repo) -> None:
    project = Project.make(repo, {"01": plan_text("01")})
    program = (
        "import os, sys; from worktree_runner.cli import main;"
        "r, w = os.pipe(); os.close(r); os.dup2(w, 1); main(sys.argv[1:])"
    )
    for args in (["plan", "3"], ["config", "--explain"], ["--help"]):
        done = subprocess.run(
            [sys.executable, "-c", program, *args],
            cwd=repo.path, env=project.env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stderr == ""
        assert done.returncode in (ExitCode.READER_GONE, 1)


def test_a_run_goes_on_when_nobody_reads_its_narration_any_more(repo: Repo) -> None:
    project = Project.make(repo, {n: plan_text(n, files=[f"{n}.txt"]) for n in ("01", "02")})
    program = (
        "import os, sys; from worktree_runner.cli import main;"
        "r, w = os.pipe(); os.close(r); os.dup2(w, 2); os.dup2(w, 1); main(['execute', '3'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=repo.path, env=project.env, check=False
    )
    assert done.returncode == 0
    assert project.statuses() == {"03-01": "landed", "03-02": "landed"}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["exeucte", "3"], "No such command 'exeucte'. Did you mean 'execute'?\nhint: wtrun"),
        (["execute"], "Missing argument 'PHASE'.\nhint: wtrun execute --help"),
        (["execute", "3", "--wave", "two"], "'two' is not a valid integer"),
        (["-C", "/nowhere/at/all", "status"], "can't enter /nowhere/at/all: No such file"),
    ],
)
def test_wrong_use_is_an_error_with_the_help_to_read(
    args: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(args)
    assert ended.value.code == ExitCode.USAGE
    assert capsys.readouterr().err.startswith("error: ")
    with pytest.raises(SystemExit):
        cli.main(args)
    assert said in capsys.readouterr().err


def test_a_current_folder_that_was_deleted_is_said(repo: Repo, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    program = f"import os; os.rmdir({str(gone)!r}); from worktree_runner.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, "execute", "3"],
        cwd=gone, env=Project(repo).env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == ExitCode.PRECONDITION, done.stderr
    assert done.stderr == (
        "error: the current folder does not exist any more\n"
        "hint: cd into the project, then try again\n"
    )
