"""Editor, merge tool and pager are started as git starts them, and lose no text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repo import Repo
from tests.ui.test_console import screen
from worktree_runner.core.conflicts import FileContents
from worktree_runner.errors import WtrunError
from worktree_runner.git.gateway import Git
from worktree_runner.operations.context.tools import conflict_tools, edit
from worktree_runner.ui.console import Screen

CONTENT = FileContents(b"base\n", b"ours\n", b"theirs\n")


@pytest.fixture
def quiet() -> Screen:
    return screen()[0]


def test_an_editor_with_arguments_gets_the_text_under_its_own_ending(
    repo: Repo, tmp_path: Path, quiet: Screen
) -> None:
    repo.git("config", "core.editor", "sed -i 's/a/b/;$ a added'")
    tools = conflict_tools(Git(repo.path), quiet, tmp_path / "texts")
    assert tools.edit("src/some dir/x y.py", b"a a\n") == b"b a\nadded\n"
    assert (tmp_path / "texts/x-y.py").read_bytes() == b"b a\nadded\n"


def test_an_editor_that_fails_leaves_the_text_and_says_where(
    repo: Repo, tmp_path: Path, quiet: Screen
) -> None:
    repo.git("config", "core.editor", 'echo typed > "$1"; exit 3; :')
    with pytest.raises(WtrunError, match=r"ended with 3; the text is in .*/x\.py"):
        edit(Git(repo.path), quiet, tmp_path, "x.py", b"a\n")


@pytest.mark.parametrize("does", ['rm "$1"', 'rm "$1" && mkdir "$1"'])
def test_a_program_that_leaves_no_text_is_no_answer(
    repo: Repo, tmp_path: Path, quiet: Screen, does: str
) -> None:
    repo.git("config", "core.editor", f"{does}; :")
    repo.git("config", "merge.tool", "mine")
    repo.git("config", "mergetool.mine.cmd", does.replace("$1", "$MERGED"))
    repo.git("config", "mergetool.mine.trustExitCode", "true")
    tools = conflict_tools(Git(repo.path), quiet, tmp_path)
    assert tools.merge_tool is not None
    with pytest.raises(WtrunError, match=r"the editor left no text .*/x\.py"):
        tools.edit("x.py", b"a\n")
    with pytest.raises(WtrunError, match=r"the merge tool left no text .*/x\.py"):
        tools.merge_tool("x.py", CONTENT, b"a\n")


def test_a_merge_tool_of_the_user_gets_all_versions(
    repo: Repo, tmp_path: Path, quiet: Screen
) -> None:
    assert conflict_tools(Git(repo.path), quiet, tmp_path).merge_tool is None
    repo.git("config", "merge.tool", "mine")
    repo.git("config", "mergetool.mine.cmd", 'cat "$BASE" "$LOCAL" "$REMOTE" >> "$MERGED"')
    repo.git("config", "mergetool.mine.trustExitCode", "true")
    tool = conflict_tools(Git(repo.path), quiet, tmp_path).merge_tool
    assert tool is not None
    assert tool("src/x.py", CONTENT, b"text\n") == b"text\nbase\nours\ntheirs\n"


def test_a_merge_tool_whose_exit_code_says_nothing_is_believed_where_it_saved(
    repo: Repo, tmp_path: Path, quiet: Screen, capfd: pytest.CaptureFixture[str]
) -> None:
    repo.git("config", "merge.tool", "mine")
    # a date in the future stands for a save that comes later than the start of the tool
    repo.git(
        "config", "mergetool.mine.cmd", 'echo new > "$MERGED"; touch -t 203801010000 "$MERGED"'
    )
    tool = conflict_tools(Git(repo.path), quiet, tmp_path).merge_tool
    assert tool is not None
    assert tool("src/x.py", CONTENT, b"text\n") == b"new\n"
    assert capfd.readouterr().err == ""


def test_a_merge_tool_that_gives_up_is_no_answer(repo: Repo, tmp_path: Path, quiet: Screen) -> None:
    repo.git("config", "merge.tool", "mine")
    repo.git("config", "mergetool.mine.cmd", "exit 1")
    repo.git("config", "mergetool.mine.trustExitCode", "true")
    tool = conflict_tools(Git(repo.path), quiet, tmp_path).merge_tool
    assert tool is not None
    with pytest.raises(WtrunError, match="the merge tool 'mine' ended with 1"):
        tool("src/x.py", CONTENT, b"text\n")


def test_the_pager_is_gits_and_gets_the_whole_text(
    repo: Repo, tmp_path: Path, quiet: Screen
) -> None:
    shown = tmp_path / "shown"
    repo.git("config", "core.pager", f"cat > '{shown}'")
    conflict_tools(Git(repo.path), quiet, tmp_path).page("wörds\n" * 1000)
    assert shown.read_text() == "wörds\n" * 1000


def test_a_dumb_terminal_needs_no_pager(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _, err = screen()
    monkeypatch.setenv("TERM", "dumb")
    repo.git("config", "core.pager", "exit 1; :")
    conflict_tools(Git(repo.path), made, tmp_path).page("one\n\x1b[31mtwo\n")
    assert "one\n\\x1b[31mtwo\n" in err.text()


def test_the_terminal_is_lent_exactly_while_a_program_has_it(
    repo: Repo, tmp_path: Path, quiet: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worktree_runner import process

    seen: list[bool] = []
    real = process.run

    def recording(*args: object, **named: object) -> object:
        seen.append(quiet.is_lent)
        return real(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(process, "run", recording)
    monkeypatch.setenv("GIT_EDITOR", "true")
    edit(Git(repo.path), quiet, tmp_path, "x", b"a")
    assert seen == [True]
    assert not quiet.is_lent
