"""Questions on a real terminal: no answer by accident, none lost, always a way out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pexpect
import pytest

from tests.ui.test_console import screen
from worktree_runner.core.questions import Option, Question, QuestionKind
from worktree_runner.errors import WtrunError
from worktree_runner.ui.ask import Aborted, Answer, LineReader, NonInteractive, TerminalAsker


class Session:
    """A terminal of 80 columns with `tests.support.ui_session` in it."""

    def __init__(self, what: str, **env: str) -> None:
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "tests.support.ui_session", what],
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", **env},
            dimensions=(24, 80),
            encoding="utf-8",
            timeout=20,
        )

    def answer(self, prompt: str, line: str) -> str:
        """Waits for the prompt, types a line, gives what was shown before the prompt."""
        self.child.expect_exact(prompt)
        shown = self.child.before
        self.child.sendline(line)
        return str(shown)

    def result(self) -> object:
        self.child.expect(r"RESULT (.*)\r\n")
        return json.loads(self.child.match.group(1))


@pytest.fixture
def session() -> Iterator[type[Session]]:
    yield Session


def test_a_letter_answers(session: type[Session]) -> None:
    one = session("failure")
    shown = one.answer("[?]: ", "c")
    assert 'Plan 03-04 "mail" failed' in shown
    assert "exit 1 (after 6 min 12 s)." in shown
    assert "[c]ontinue without it (skips 05-01 and 05-02)" in shown
    assert one.result() == {"key": "c", "text": ""}


def test_enter_and_an_unknown_letter_ask_again_and_change_nothing(session: type[Session]) -> None:
    one = session("failure")
    one.answer("[?]: ", "")
    one.answer("[?]: ", "x")
    shown = one.answer("[?]: ", "s")
    assert "'x' is none of: r l c s ?" in shown
    assert one.result() == {"key": "s", "text": ""}


def test_help_says_what_each_choice_does(session: type[Session]) -> None:
    one = session("failure")
    one.answer("[?]: ", "?")
    shown = " ".join(one.answer("[?]: ", "r").split())
    assert "03-04 stays failed; 05-01 and 05-02 are skipped, the others go on." in shown
    assert one.result() == {"key": "r", "text": ""}


def test_looking_at_the_log_comes_back_to_the_question(session: type[Session]) -> None:
    one = session("failure")
    one.answer("[?]: ", "l")
    assert "THE LOG" in one.answer("[?]: ", "stop")
    assert one.result() == {"key": "s", "text": ""}


def test_a_shell_that_nobody_provides_is_not_offered(session: type[Session]) -> None:
    one = session("failure")
    assert "open shell" not in one.answer("[?]: ", "s")


def test_ctrl_c_is_no_choice(session: type[Session]) -> None:
    one = session("failure")
    one.child.expect_exact("[?]: ")
    one.child.sendintr()
    assert one.result() == "Aborted"


def test_a_closed_input_is_no_choice(session: type[Session]) -> None:
    one = session("failure")
    one.child.expect_exact("[?]: ")
    one.child.sendeof()
    assert one.result() == "Aborted"


def test_issues_are_written_in_several_lines(session: type[Session]) -> None:
    one = session("checkpoint")
    one.answer("[?]: ", "i")
    one.answer("> ", "the button is grey")
    one.answer("> ", "and the title is cut: [red]")
    one.answer("> ", "")
    assert one.result() == {
        "key": "i",
        "text": "the button is grey\nand the title is cut: [red]",
    }


def test_issues_without_a_word_ask_again(session: type[Session]) -> None:
    one = session("checkpoint")
    one.answer("[?]: ", "i")
    one.answer("> ", "")
    one.answer("[?]: ", "a")
    assert one.result() == {"key": "a", "text": ""}


@pytest.mark.parametrize(("typed", "result"), [("y", True), ("n", False), ("yes", True)])
def test_confirm(session: type[Session], typed: str, result: bool) -> None:
    one = session("confirm")
    one.answer("[?]: ", "")
    one.answer("[?]: ", typed)
    assert one.result() is result


def test_ctrl_c_at_a_confirmation_interrupts(session: type[Session]) -> None:
    one = session("confirm")
    one.child.expect_exact("[?]: ")
    one.child.sendintr()
    assert one.result() == "KeyboardInterrupt"


def test_what_was_typed_before_the_question_does_not_answer_it(
    session: type[Session], tmp_path: Path
) -> None:
    one = session("confirm", ASK_WHEN=str(tmp_path / "go"))
    one.child.sendline("y")
    one.child.expect_exact("y\r\n")  # its echo: the terminal has it
    (tmp_path / "go").touch()
    one.answer("[?]: ", "n")
    assert one.result() is False


def piped(data: bytes) -> LineReader:
    read, write = os.pipe()
    os.write(write, data)
    os.close(write)
    return LineReader(read)


def test_a_prompt_is_broken_between_choices_only() -> None:
    made, _, err = screen(tty=True, NO_COLOR="1")
    options = tuple(Option(key, f"{key}{'o' * 19}", "") for key in "abcd")
    asked = TerminalAsker(made, piped(b"b\n")).choose("What now?", options)
    assert asked == Answer("b")
    assert err.text().splitlines()[0] == (
        "What now?  [a]ooooooooooooooooooo  [b]ooooooooooooooooooo"
    )
    assert all(len(line) <= 60 for line in err.text().splitlines())


def test_capital_and_small_letters_are_different_answers_where_both_exist() -> None:
    made, _, _ = screen(tty=True)
    options = (Option("b", "both", ""), Option("B", "Both reversed", ""))
    asker = TerminalAsker(made, piped(b"B\nb\n"))
    assert asker.choose("?", options) == Answer("B")
    assert asker.choose("?", options) == Answer("b")


def test_a_look_that_fails_is_said_and_the_question_stays() -> None:
    made, _, err = screen(tty=True, NO_COLOR="1")
    options = (Option("l", "log", "", looks=True), Option("s", "stop", ""))
    question = Question(QuestionKind.OTHER, "03-01", "Title", "", options)

    def broken() -> None:
        raise WtrunError("no pager", hint="export PAGER=less")

    answer = TerminalAsker(made, piped(b"l\ns\n")).ask(question, {"l": broken})
    assert answer == Answer("s")
    assert "warning: no pager" in err.text() and "hint: export PAGER=less" in err.text()


def test_a_loop_that_goes_on_can_abort_the_question_of_another_thread() -> None:
    made, _, _ = screen(tty=True)
    read, _write = os.pipe()
    asker = TerminalAsker(made, LineReader(read))
    with ThreadPoolExecutor(max_workers=1) as desk:
        asked = desk.submit(asker.choose, "?", (Option("y", "yes", ""),))
        asker.interrupt()
        assert isinstance(asked.result(timeout=20), Aborted)


def test_an_aborted_question_is_never_taken_for_a_yes() -> None:
    assert not Aborted()


def test_without_a_person_nothing_is_answered() -> None:
    nobody = NonInteractive()
    assert nobody.choose("?", ()) is None
    assert nobody.text("?") is None
    assert nobody.confirm("?") is False
    assert nobody.confirm("?", yes=True) is True
