"""The live picture of a run: one row per plan, redrawn in place on a terminal.

- Draws a `BoardView`, a plain value that the run's loop gives; reads no file and no clock but
  the one it is given. At most four times a second, whatever the loop asks for.
- Changes no mode of the terminal and hides no cursor: after kill -9 or Ctrl-Z there is nothing
  to restore. After Ctrl-Z and `fg` the next picture starts on a fresh line.
- Never taller than the screen: what is busy or needs somebody is shown, the rest is counted.
- Without a terminal there is no picture; once a minute a line says what is going on, so that
  nobody takes a quiet run for a dead one.
"""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.style import Style

from worktree_runner.core.texts import clean_line, clock, listing, money, tokens
from worktree_runner.ui.console import Screen, Tone

INTERVAL_S = 0.25
HEARTBEAT_S = 60.0


class RowState(StrEnum):
    """Where a plan is; the value is the word that is shown."""

    WAITING = "to come"
    STARTING = "setting up"
    RUNNING = "running"
    ASKING = "asks you"
    CONFLICT = "conflict"
    QUEUED = "to merge"
    CHECKING = "checking"
    MERGED = "merged"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Row:
    """One plan. What is not known is None or empty, and then nothing is shown for it."""

    plan: str
    title: str
    state: RowState
    elapsed_s: float | None = None
    activity: str = ""
    tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class BoardView:
    """A run at one moment; `word` is the dialect's for a wave."""

    wave: int
    waves: int
    rows: tuple[Row, ...]
    word: str = "wave"
    notes: tuple[str, ...] = ()
    """Lines below the rows, such as two running plans that begin to conflict."""


_LOOK = {
    RowState.WAITING: ("◌", "dim"),
    RowState.STARTING: ("◌", "cyan"),
    RowState.RUNNING: ("●", "cyan"),
    RowState.ASKING: ("?", "bold magenta"),
    RowState.CONFLICT: ("?", "bold magenta"),
    RowState.QUEUED: ("●", ""),
    RowState.CHECKING: ("●", "yellow"),
    RowState.MERGED: ("✓", "green"),
    RowState.FAILED: ("✗", "red"),
    RowState.SKIPPED: ("-", "yellow"),
}
_FIRST = (
    RowState.ASKING,
    RowState.CONFLICT,
    RowState.FAILED,
    RowState.RUNNING,
    RowState.CHECKING,
    RowState.STARTING,
    RowState.QUEUED,
    RowState.SKIPPED,
    RowState.WAITING,
    RowState.MERGED,
)
"""Who keeps its row where there are too many."""


def summary(view: BoardView) -> str:
    """`wave 2/3 · 1 waits for you · 5 running · 3 merged`."""
    states = Counter(row.state for row in view.rows)
    asking = states[RowState.ASKING] + states[RowState.CONFLICT]
    parts = [f"{view.word} {view.wave}/{view.waves}"] if view.waves else []
    if asking:
        parts.append(f"{asking} {'waits' if asking == 1 else 'wait'} for you")
    for state in (
        RowState.STARTING,
        RowState.RUNNING,
        RowState.CHECKING,
        RowState.QUEUED,
        RowState.MERGED,
        RowState.FAILED,
        RowState.SKIPPED,
        RowState.WAITING,
    ):
        if states[state]:
            parts.append(f"{states[state]} {state.value}")
    return " · ".join(parts)


def render(view: BoardView, width: int, height: int) -> list[tuple[str, str, str]]:
    """The picture: symbol, its style and the text of each line, none wider or taller than given."""
    notes = view.notes[-2:]
    room = max(1, height - 4 - len(notes))
    shown = _chosen(view.rows, room)
    plan = max((cell_len(clean_line(row.plan)) for row in shown), default=0)
    title = _title_width(shown, width - plan)
    lines = [("", "", _fit(summary(view), width))]
    for row in shown:
        symbol, style = _LOOK[row.state]
        lines.append((symbol, style, _fit(_text(row, plan, title, width - 2), width - 2)))
    hidden = Counter(row.state for row in view.rows if row not in shown)
    if hidden:
        parts = [f"{n} {state.value}" for state, n in hidden.items()]
        lines.append(("", "", _fit(f"… {hidden.total()} more: {listing(parts)}", width)))
    return [*lines, *(("!", "yellow", _fit(clean_line(note), width - 2)) for note in notes)]


def _title_width(rows: Sequence[Row], room: int) -> int:
    """As wide as the longest title, with room left for what the rows tell besides."""
    longest = max((cell_len(clean_line(row.title)) for row in rows), default=0)
    room -= 27 + 24 * any(row.activity for row in rows) + 18 * any(_usage(row) for row in rows)
    return min(longest, max(18, room))


def _usage(row: Row) -> str:
    return "  ".join(part for part in (tokens(row.tokens), money(row.cost)) if part)


def _chosen(rows: Sequence[Row], room: int) -> list[Row]:
    """The rows to show, in their own order."""
    if len(rows) <= room:
        return list(rows)
    wanted = sorted(range(len(rows)), key=lambda n: (_FIRST.index(rows[n].state), n))
    kept = set(wanted[: max(1, room - 1)])
    return [row for n, row in enumerate(rows) if n in kept]


def _text(row: Row, plan: int, title: int, width: int) -> str:
    usage = _usage(row)
    elapsed = "" if row.elapsed_s is None else clock(row.elapsed_s)
    left = "  ".join(
        (
            set_cell_size(clean_line(row.plan), plan),
            _fit(clean_line(row.title), title, pad=True),
            row.state.value.ljust(10),
            elapsed.rjust(7),
        )
    )
    room = width - cell_len(left) - (cell_len(usage) + 2 if usage else 0) - 2
    activity = _fit(clean_line(row.activity), room, pad=bool(usage))
    return f"{left}  {activity}  {usage}".rstrip()


def _fit(text: str, width: int, *, pad: bool = False) -> str:
    """`text` cut to `width` columns with an ellipsis; filled up with `pad`."""
    if width <= 0:
        return ""
    if cell_len(text) > width:
        return set_cell_size(text, width - 1).rstrip() + "…"
    return set_cell_size(text, width) if pad else text


class Board(Protocol):
    """What the loop tells how things stand."""

    def update(self, view: BoardView) -> None: ...


class LiveBoard:
    """Redraws in place on the screen's terminal."""

    def __init__(self, screen: Screen, monotonic: Callable[[], float]) -> None:
        self._screen = screen
        self._monotonic = monotonic
        self._view: BoardView | None = None
        self._drawn = 0
        self._last = float("-inf")

    def update(self, view: BoardView) -> None:
        """Shows `view`, or keeps it for the next call if the last picture is too young."""
        self._view = view
        now = self._monotonic()
        if now - self._last >= INTERVAL_S:
            self._last = now
            self._screen.redraw()

    def draw(self) -> None:
        """Puts the picture over the last one, in a single write."""
        if self._view is None:
            return
        console = self._screen.console
        width, height = console.size
        up = f"\x1b[{self._drawn}A\r" if self._drawn else "\r"
        lines = render(self._view, width - 1, height)
        console.file.write(
            up + "".join(f"{self._line(*line)}\x1b[K\n" for line in lines) + "\x1b[J"
        )
        console.file.flush()
        self._drawn = len(lines)

    def erase(self) -> None:
        """Takes the picture away; the cursor is where it began."""
        if self._drawn:
            # not flushed: what follows reaches the terminal together with it, without a flicker
            self._screen.console.file.write(f"\x1b[{self._drawn}A\r\x1b[J")
            self._drawn = 0

    def forget(self) -> None:
        """What was drawn is no longer where it was: the next picture starts below."""
        self._drawn = 0

    def _line(self, symbol: str, style: str, text: str) -> str:
        words = self._screen.show(text)
        if not symbol:
            return words
        shown = self._screen.show(symbol)
        if style and self._screen.console.color_system is not None:
            shown = Style.parse(style).render(shown, color_system=ColorSystem.STANDARD)
        return f"{shown} {words}"


class LineBoard:
    """Says once a minute how things stand, where there is no live picture."""

    def __init__(self, screen: Screen, monotonic: Callable[[], float]) -> None:
        self._screen = screen
        self._monotonic = monotonic
        self._last = monotonic()

    def update(self, view: BoardView) -> None:
        now = self._monotonic()
        if now - self._last < HEARTBEAT_S:
            return
        self._last = now
        busy = [
            f"{row.plan} {clock(row.elapsed_s)}"
            for row in view.rows
            if row.state is RowState.RUNNING and row.elapsed_s is not None
        ]
        running = f" ({listing(busy, limit=6)})" if busy else ""
        self._screen.say(f"{summary(view)}{running}", tone=Tone.DIM)


@contextmanager
def open_board(screen: Screen, monotonic: Callable[[], float]) -> Iterator[Board]:
    """The board that this screen can show; a live one is taken away at the end."""
    if not screen.is_live or screen.quiet:
        yield LineBoard(screen, monotonic)
        return
    board = LiveBoard(screen, monotonic)
    screen.attach(board)
    try:
        with _after_stop(board.forget):
            yield board
    finally:
        screen.attach(None)


@contextmanager
def _after_stop(call: Callable[[], None]) -> Iterator[None]:
    """Calls `call` whenever the process goes on after Ctrl-Z; only the main thread can know."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGCONT, lambda *_: call())
    try:
        yield
    finally:
        signal.signal(signal.SIGCONT, before)
