"""The live picture: one row per plan, in place, never in the way of anything."""

from __future__ import annotations

import os
import signal

from tests.support.conflicts import check_golden
from tests.support.terminal import screen_after
from tests.ui.test_console import screen
from worktree_runner.ui.board import (
    BoardView,
    LineBoard,
    Row,
    RowState,
    open_board,
    render,
    summary,
)

VIEW = BoardView(
    wave=2,
    waves=3,
    rows=(
        Row("03-01", "session store", RowState.MERGED, 131, tokens=9_100, cost=0.2),
        Row("03-02", "auth middleware", RowState.RUNNING, 252, "editing src/auth/session.ts"),
        Row("03-03", "a title that is much too long for this column", RowState.ASKING, 7500),
        Row("03-04", "mail", RowState.RUNNING, 9, "reading", tokens=18_240, cost=0.41),
        Row("03-05", "routes", RowState.WAITING),
    ),
    notes=("03-02 and 03-04 begin to conflict in src/app.ts",),
)


class Clock:
    """Time that only moves when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def picture(view: BoardView, width: int = 80, height: int = 24) -> list[str]:
    return [
        f"{symbol} {text}" if symbol else text for symbol, _, text in render(view, width, height)
    ]


def test_a_run_at_a_glance() -> None:
    check_golden(
        "board.txt", "\n".join(picture(VIEW)) + "\n\n" + "\n".join(picture(VIEW, 110)) + "\n"
    )


def test_a_title_has_the_room_that_nothing_else_needs() -> None:
    row = Row(
        "03-01", "Amounts of money with a currency, so that a report says", RowState.RUNNING, 3
    )
    assert row.title in picture(BoardView(1, 1, (row,)), 90)[1]


def test_nothing_is_wider_or_taller_than_the_terminal() -> None:
    rows = tuple(
        Row(f"03-{n:02}", "日本語の題名" * 5, RowState.RUNNING, n, "x" * 99) for n in range(60)
    )
    for width in (20, 40, 79, 200):
        for height in (3, 10, 24):
            lines = render(BoardView(1, 1, rows), width, height)
            assert len(lines) <= max(3, height - 1)
            from rich.cells import cell_len

            assert all(cell_len(f"{s} {t}" if s else t) <= width for s, _, t in lines)


def test_too_many_plans_keep_the_busy_ones_and_count_the_rest() -> None:
    states = [RowState.MERGED] * 5 + [RowState.WAITING] * 7 + [RowState.RUNNING, RowState.CONFLICT]
    rows = tuple(Row(f"{n:02}", "t", state) for n, state in enumerate(states))
    lines = picture(BoardView(1, 2, rows), height=8)
    assert lines == [
        "wave 1/2 · 1 waits for you · 1 running · 5 merged · 7 to come",
        "◌ 05  t  to come",
        "● 12  t  running",
        "? 13  t  conflict",
        "… 11 more: 5 merged and 6 to come",
    ]


def test_what_nobody_reported_is_not_shown_as_zero() -> None:
    line = picture(BoardView(1, 1, (Row("1", "t", RowState.RUNNING, 1.0, "x"),)))[1]
    assert "tok" not in line and "$" not in line


def test_a_hostile_title_stays_in_its_row() -> None:
    lines = picture(
        BoardView(1, 1, (Row("1", "a\n\x1b[2Jb", RowState.RUNNING, 1, "\x1b]0;x\x07"),))
    )
    assert len(lines) == 2
    assert "\x1b" not in lines[1] and "\x07" not in lines[1]


def test_a_dialect_uses_its_own_word() -> None:
    assert summary(BoardView(1, 2, (), word="batch")) == "batch 1/2"


def test_narration_stays_above_the_picture_and_the_picture_is_redrawn_in_place() -> None:
    made, _, err = screen(tty=True, NO_COLOR="1", COLUMNS="80", LINES="24")
    clock = Clock()
    with open_board(made, clock) as board:
        board.update(VIEW)
        made.say("03-01 merged")
        clock.now += 1
        board.update(BoardView(2, 3, VIEW.rows[:2]))
        assert screen_after(err.text()) == [
            "03-01 merged",
            "wave 2/3 · 1 running · 1 merged",
            *picture(BoardView(2, 3, VIEW.rows[:2]), 79)[1:],
        ]
    assert screen_after(err.text()) == ["03-01 merged"]


def test_a_question_has_the_screen_for_itself() -> None:
    made, _, err = screen(tty=True, NO_COLOR="1", COLUMNS="80", LINES="24")
    clock = Clock()
    with open_board(made, clock) as board:
        board.update(VIEW)
        with made.hold():
            clock.now += 1
            board.update(VIEW)
            made.say("What now?")
            assert screen_after(err.text()) == ["What now?"]
        assert screen_after(err.text())[:2] == ["What now?", picture(VIEW)[0]]


def test_at_most_four_pictures_a_second() -> None:
    made, _, err = screen(tty=True, NO_COLOR="1", COLUMNS="80", LINES="24")
    clock = Clock()
    with open_board(made, clock) as board:
        for _ in range(100):
            board.update(VIEW)
            clock.now += 0.01
        assert err.text().count("wave 2/3") == 4


def test_after_ctrl_z_the_next_picture_does_not_overwrite_the_shell() -> None:
    made, _, err = screen(tty=True, NO_COLOR="1", COLUMNS="80", LINES="24")
    clock = Clock()
    view = BoardView(1, 1, VIEW.rows[:1])
    with open_board(made, clock) as board:
        board.update(view)
        err.write("[1]+  Stopped\n$ fg\n")
        os.kill(os.getpid(), signal.SIGCONT)
        clock.now += 1
        board.update(view)
        shown = screen_after(err.text())
    assert shown[2:4] == ["[1]+  Stopped", "$ fg"]
    assert shown[4].startswith("wave 1/1")
    assert signal.getsignal(signal.SIGCONT) is signal.SIG_DFL


def test_the_picture_changes_no_mode_of_the_terminal() -> None:
    made, _, err = screen(tty=True, COLUMNS="80", LINES="24")
    with open_board(made, Clock()) as board:
        board.update(VIEW)
    assert "\x1b[?" not in err.text()


def test_symbols_have_plain_forms() -> None:
    made, _, err = screen(tty=True, encoding="ascii", NO_COLOR="1", COLUMNS="80", LINES="24")
    with open_board(made, Clock()) as board:
        board.update(VIEW)
        assert screen_after(err.text())[1].startswith("+ 03-01")


def test_without_a_terminal_one_line_a_minute_says_that_the_run_is_alive() -> None:
    made, _, err = screen()
    clock = Clock()
    with open_board(made, clock) as board:
        assert isinstance(board, LineBoard)
        for _ in range(130):
            board.update(VIEW)
            clock.now += 1
    line = "wave 2/3 · 1 waits for you · 2 running · 1 merged · 1 to come"
    busy = "(03-02 04:12 and 03-04 00:09)"
    assert err.text().splitlines() == [f"[12:03:11] {line} {busy}"] * 2
