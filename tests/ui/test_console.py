"""The screen: what is printed where, in which form, and that nothing steers the terminal."""

from __future__ import annotations

import io
import threading
from datetime import datetime

from worktree_runner.ui.console import Screen, Tone

NOON = datetime(2026, 1, 2, 12, 3, 11)


class Stream(io.TextIOWrapper):
    """A stream with an encoding of its own that can pretend to be a terminal."""

    def __init__(self, encoding: str = "utf-8", tty: bool = False) -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding=encoding, write_through=True)
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty

    def text(self) -> str:
        self.flush()
        return self.bytes.getvalue().decode(self.encoding)


def screen(
    tty: bool = False, encoding: str = "utf-8", progress: str = "auto", **env: str
) -> tuple[Screen, Stream, Stream]:
    out, err = Stream(), Stream(encoding, tty)
    made = Screen(
        stdout=out,
        stderr=err,
        env={"TERM": "xterm-256color", "COLUMNS": "60", **env},
        now=lambda: NOON,
        progress=progress,
    )
    return made, out, err


def test_without_a_terminal_an_event_is_one_stamped_line() -> None:
    made, out, err = screen()
    made.say("merged (3 commits)", plan="03-02", tone=Tone.GOOD)
    made.say("word " * 40)
    lines = err.text().splitlines()
    assert lines[0] == "[12:03:11] 03-02 merged (3 commits)"
    assert lines[1].startswith("[12:03:11] word word") and len(lines) == 2
    assert out.text() == ""


def test_further_lines_are_marked_so_that_no_log_reader_takes_them_for_commands() -> None:
    made, _, err = screen()
    made.say("failed:\n::error file=x::boo", plan="03-02", tone=Tone.BAD)
    assert err.text().splitlines()[1] == "           | ::error file=x::boo"


def test_on_a_terminal_narration_wraps_at_its_width_with_a_symbol() -> None:
    made, _, err = screen(tty=True, NO_COLOR="1")
    made.say("merged, " + "and then more words " * 6, plan="03-02", tone=Tone.GOOD)
    lines = err.text().splitlines()
    assert lines[0].startswith("✓ 03-02 merged,")
    assert len(lines) > 1
    assert max(map(len, lines)) <= 60


def test_a_path_that_is_longer_than_the_terminal_stays_whole() -> None:
    path = "/home/me/" + "a-long-folder/" * 6 + "report.md"
    made, _, err = screen(tty=True, NO_COLOR="1")
    made.say(f"its report is {path} and there is more to say about it", plan="03-02")
    assert any(line.strip() == path for line in err.text().splitlines())


def test_no_color_and_dumb_terminals_get_no_escape() -> None:
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        made, _, err = screen(tty=True, **env)
        made.heading("Wave 1")
        made.say("merged", tone=Tone.GOOD)
        assert "\x1b" not in err.text(), env


def test_force_color_colours_a_pipe_without_making_it_live() -> None:
    made, _, err = screen(FORCE_COLOR="1")
    made.say("merged", tone=Tone.GOOD)
    assert "\x1b[32m" in err.text()
    assert not made.is_live


def test_live_needs_a_terminal_that_can_and_no_ci() -> None:
    assert screen(tty=True)[0].is_live
    assert not screen(tty=True, TERM="dumb")[0].is_live
    assert not screen(tty=True, CI="true")[0].is_live
    assert not screen(tty=True, progress="plain")[0].is_live
    assert not screen(progress="live")[0].is_live


def test_an_encoding_without_symbols_gets_plain_ones() -> None:
    made, _, err = screen(tty=True, encoding="ascii", NO_COLOR="1")
    made.say("merged … done → next, café", tone=Tone.GOOD)
    assert err.text() == "+ merged ... done -> next, caf\\xe9\n"


def test_a_hostile_title_is_neither_markup_nor_an_escape_sequence() -> None:
    made, _, err = screen(tty=True, NO_COLOR="1")
    made.say("[red]x[/red] \x1b[2J\x1b]0;owned\x07 \u202edcba", plan="03-\x1b[1m02")
    shown = err.text()
    assert "\x1b" not in shown and "\u202e" not in shown and "\x07" not in shown
    assert "[red]x[/red]" in shown
    assert "\\x1b[2J" in shown and "\\u202e" in shown


def test_commands_are_never_broken() -> None:
    made, _, err = screen(tty=True, NO_COLOR="1")
    made.command("wtrun resolve 03-02 --take target --path src/auth/middleware.ts --path x")
    assert err.text().count("\n") == 1


def test_answers_go_to_stdout_and_keep_every_character() -> None:
    made, out, err = screen(tty=True)
    made.answer('{"title": "[red] → x"}')
    assert out.text() == '{"title": "[red] → x"}\n'
    assert err.text() == ""


def test_quiet_keeps_warnings_only() -> None:
    made, _, err = screen(progress="none")
    made.say("started")
    made.heading("Wave 1")
    made.warn("03-02 changed a lock file", hint="wtrun resolutions 03-02")
    assert err.text().splitlines() == [
        "[12:03:11] warning: 03-02 changed a lock file",
        "  hint: wtrun resolutions 03-02",
    ]


def test_a_table_shows_hostile_cells_and_keeps_them_in_their_row() -> None:
    made, _, err = screen(tty=True, NO_COLOR="1")
    made.table(("Plan", "What"), [("03-01", "[b]one\n\x1b[2Jtwo"), ("03-02", "x")])
    assert [line.rstrip() for line in err.text().splitlines()] == [
        "  Plan   What",
        "  03-01  [b]one \\x1b[2Jtwo",
        "  03-02  x",
    ]


class Board:
    """Records when it was drawn and taken away."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def draw(self) -> None:
        self.calls.append("draw")

    def erase(self) -> None:
        self.calls.append("erase")


def test_while_one_thread_asks_the_others_wait_their_turn_and_the_board_stops() -> None:
    made, _, err = screen(tty=True, NO_COLOR="1")
    board = Board()
    made.attach(board)
    with made.hold(), made.hold():
        other = threading.Thread(target=made.say, args=("from the loop",))
        other.start()
        other.join()
        made.say("the question")
        made.redraw()
        assert board.calls == ["erase"]
        assert err.text() == "the question\n"
    assert err.text() == "the question\nfrom the loop\n"
    assert board.calls == ["erase", "draw"]
