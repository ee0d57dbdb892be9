"""The engine on the command line, alone and as git's merge driver."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from merge.command import main
from tests.support.repo import Repo

ROOT = Path(__file__).parent.parent.parent


def three(folder: Path, base: str, ours: str, theirs: str) -> list[str]:
    for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_text(text)
    return [str(folder / name) for name in ("base", "ours", "theirs")]


def test_settled_file_is_written_and_the_rule_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = three(tmp_path, "x = 1\ny = 1\n", "x = 2\ny = 1\n", "x = 1\ny = 3\n")
    out = tmp_path / "out"
    assert main([*files, "-p", "a.py", "-o", str(out)]) == 0
    assert out.read_text() == "x = 2\ny = 3\n"
    assert "settled by adjacent (proven)" in capsys.readouterr().err


@pytest.mark.parametrize("more", [["-p", "Dockerfile"], ["-p", "a.txt", "--resolve", "none"]])
def test_what_merges_line_by_line_is_no_conflict_anywhere(tmp_path: Path, more: list[str]) -> None:
    files = three(tmp_path, "a\nb\nc\nd\n", "A\nb\nc\nd\n", "a\nb\nc\nD\n")
    out = tmp_path / "out"
    assert main([*files, *more, "-o", str(out)]) == 0
    assert out.read_text() == "A\nb\nc\nD\n"


def test_conflict_is_written_with_markers_and_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = three(tmp_path, "x = a\n", "x = b\n", "x = c\n")
    out = tmp_path / "out"
    labels = ["-L", "main", "-L", "03-02"]
    assert main([*files, "-p", "a.py", "-o", str(out), "--style", "merge", *labels]) == 1
    assert out.read_text() == "<<<<<<< main\nx = b\n=======\nx = c\n>>>>>>> 03-02\n"
    assert "both sides changed the same lines" in capsys.readouterr().err


def test_wrong_use_and_missing_files_write_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["only-one"]) == 2
    assert main(["no", "such", "files", "-p", "a", "-o", str(out)]) == 2
    assert not out.exists()


def test_module_runs_alone_from_a_folder_with_another_merge_package(tmp_path: Path) -> None:
    (tmp_path / "merge").mkdir()
    (tmp_path / "merge" / "__main__.py").write_text("raise SystemExit(9)\n")
    files = three(tmp_path, "a\n", "a\n", "b\n")
    command = [sys.executable, "-P", "-m", "merge", *files, "-p", "a", "-o", "out"]
    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=False)
    assert (done.returncode, (tmp_path / "out").read_text()) == (0, "b\n")


def test_git_uses_it_as_a_merge_driver(repo: Repo) -> None:
    driver = f"{sys.executable} -P -m merge %O %A %B -p %P -o %A --marker-size %L -q"
    repo.git("config", "merge.wtrun.driver", driver)
    repo.env["PYTHONPATH"] = str(ROOT)
    repo.commit("base", {".gitattributes": "*.py merge=wtrun\n", "a.py": "x = 1\ny = 1\n"})
    repo.git("checkout", "-q", "-b", "plan")
    repo.commit("theirs", {"a.py": "x = 1\ny = 3\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("ours", {"a.py": "x = 2\ny = 1\n"})
    repo.git("merge", "-q", "--no-edit", "plan")
    assert repo.read("a.py") == b"x = 2\ny = 3\n"
