"""The conflict prompt in a real terminal, on a real conflict, applied by the merge engine."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pexpect
import pytest

from tests.support.repo import Repo

BASE = "def guard(req):\n    s = sessions[req]\n    return s\n\n\n# end\n"
OURS = BASE.replace("sessions[req]", "store.get(req)").replace("# end", "# end of main")
THEIRS = BASE.replace("sessions[req]", "session(req)\n    s.touch()").replace("# end", "# the end")


@pytest.fixture
def conflict(repo: Repo) -> Repo:
    repo.write("guard.py", BASE)
    repo.commit("base")
    repo.git("branch", "plan")
    repo.write("guard.py", OURS)
    repo.commit("main side")
    repo.git("checkout", "-q", "plan")
    repo.write("guard.py", THEIRS)
    repo.commit("plan side")
    repo.git("checkout", "-q", "main")
    return repo


def session(repo: Repo, editor: str = "false") -> pexpect.spawn[str]:
    return pexpect.spawn(
        sys.executable,
        ["-m", "tests.support.ui_conflict_session", str(repo.path), "guard.py"],
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", "GIT_EDITOR": editor},
        dimensions=(40, 80),
        encoding="utf-8",
        timeout=30,
    )


def play(child: pexpect.spawn[str], *keys: str) -> dict[str, object]:
    for key in keys:
        child.expect(r"\[\?\](?: more)?: ")
        child.sendline(key)
    child.expect(r"RESULT (.*)\r\n")
    answer: dict[str, object] = json.loads(child.match.group(1))
    return answer


def test_answers_by_hunk_become_the_merged_file(conflict: Repo) -> None:
    answer = play(session(conflict), "m", "p", "y")
    assert answer["left"] == []
    assert answer["text"] == OURS.replace("# end of main", "# the end")


def test_an_edited_hunk_becomes_the_merged_file(conflict: Repo, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text(
        "#!/bin/sh\nsed -i '/^<<<<<<</,/^>>>>>>>/c\\    s = store.get(session(req))' \"$1\"\n"
    )
    editor.chmod(0o755)
    answer = play(session(conflict, str(editor)), "e", "m", "y")
    assert answer["text"] == OURS.replace("store.get(req)", "store.get(session(req))")


def test_the_whole_file_edited_after_one_answer_keeps_that_answer(
    conflict: Repo, tmp_path: Path
) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i '/^<<<<<<</,/^>>>>>>>/c\\# mine' \"$1\"\n")
    editor.chmod(0o755)
    answer = play(session(conflict, str(editor)), "p", "E", "y")
    assert answer["text"] == THEIRS.replace("# the end", "# mine")


def test_both_whole_files_are_exactly_a_sides_file(conflict: Repo) -> None:
    assert play(session(conflict), "M", "y", "y")["text"] == OURS
    assert play(session(conflict), "P", "y", "y")["text"] == THEIRS


def test_ctrl_c_leaves_without_a_choice(conflict: Repo) -> None:
    child = session(conflict)
    child.expect_exact("[?] more: ")
    child.sendline("m")
    child.expect_exact("[?] more: ")
    child.sendintr()
    assert play(child)["kind"] == "Stopped"


def test_ctrl_c_in_the_editor_is_the_editors(conflict: Repo, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text(
        "#!/bin/sh\ntrap 'echo CAUGHT; sed -i s/store/shop/ \"$1\"; exit 4' INT\necho EDITING\n"
        "while :; do sleep 0.1; done\n"
    )
    editor.chmod(0o755)
    child = session(conflict, str(editor))
    child.expect_exact("[?] more: ")
    child.sendline("e")
    child.expect_exact("EDITING")
    child.sendintr()
    child.expect_exact("CAUGHT")
    child.expect(r"warning: the\s+editor[\s\S]*ended\s+with\s+4;")
    assert play(child, "m", "m", "y")["kind"] == "Decided"
