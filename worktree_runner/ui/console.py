"""The terminal: narration on stderr, answers on stdout, and who may write when.

- stdout carries what a command was asked for (a table, JSON, a report) and nothing else.
- On a terminal narration is wrapped words; elsewhere each event is one line with its time,
  `[12:03:11] 03-02 merged (3 commits)`, never wrapped, so that logs can be searched.
- Meaning is in words. Symbols and colours only repeat it; both go away where they can't be
  shown (NO_COLOR, TERM=dumb, an encoding without them).
- Everything printed is cleaned first (`core.texts`), and no text is read as markup.
- `hold()` gives the terminal to a question: the live board stops, and what other threads say
  meanwhile is kept and printed after it.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from worktree_runner.core.texts import clean, clean_line


class Tone(StrEnum):
    """How a line is meant; shown by a symbol and a colour beside the words."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    ASK = "ask"
    RUN = "run"
    DIM = "dim"


_SYMBOL = {
    Tone.PLAIN: "",
    Tone.GOOD: "✓",
    Tone.BAD: "✗",
    Tone.WARN: "!",
    Tone.ASK: "?",
    Tone.RUN: "●",
    Tone.DIM: "",
}
_STYLE = {
    Tone.PLAIN: "",
    Tone.GOOD: "green",
    Tone.BAD: "red",
    Tone.WARN: "yellow",
    Tone.ASK: "magenta",
    Tone.RUN: "cyan",
    Tone.DIM: "dim",
}
_ASCII = str.maketrans(
    {
        "✓": "+", "✗": "x", "●": "*", "◌": ".", "…": "...", "→": "->", "·": "-", "–": "-",
        "—": "-", "│": "|", "─": "-", "␍": "<CR>", "“": '"', "”": '"', "’": "'", "▸": ">",
    }
)  # fmt: skip


class Display(Protocol):
    """Something that stays below the narration and is redrawn, such as the live board."""

    def draw(self) -> None:
        """Shows it, over what it showed before."""

    def erase(self) -> None:
        """Takes it away; the cursor is then where it began."""


class _LastingConsole(Console):
    """A console whose reader may go away: a run goes on in silence, its journal tells the rest."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        with suppress(OSError, ValueError):
            # what is still buffered must not raise again at the next write or at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


class Screen:
    """One per process. Safe to call from several threads; a line is never cut by another."""

    def __init__(
        self,
        *,
        stdout: TextIO,
        stderr: TextIO,
        env: Mapping[str, str],
        now: Callable[[], datetime],
        progress: str = "auto",
        quiet: bool = False,
    ) -> None:
        """`progress` is `auto`, `live`, `plain` or `none`; `quiet` keeps warnings and errors."""
        dumb = env.get("TERM", "") in ("", "dumb", "unknown")
        self.is_terminal = stderr.isatty()
        """Whether a person sees the narration as it comes; a dumb terminal is one too."""
        self.is_live = progress == "live" or (
            progress == "auto" and self.is_terminal and not dumb and not env.get("CI")
        )
        self.is_live = self.is_live and self.is_terminal and not dumb
        self.quiet = quiet or progress == "none"
        self.plain_symbols = not _speaks_utf8(stderr)
        self.is_lent = False
        """Whether another program has the terminal: a Ctrl-C is meant for that one."""
        self._stdout = stdout
        self._now = now
        self._stamped = not self.is_terminal or progress == "plain"
        self._lock = threading.RLock()
        self._holder: int | None = None
        self._kept: list[Callable[[], None]] = []
        self._display: Display | None = None
        forced = env.get("FORCE_COLOR", "") not in ("", "0")
        colour = (forced or (self.is_terminal and not dumb)) and not env.get("NO_COLOR")
        self.console = _LastingConsole(
            file=stderr,
            force_terminal=self.is_terminal or forced,
            color_system="auto" if colour else None,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
            _environ=env,
        )

    @property
    def width(self) -> int:
        """Columns to wrap at; 80 where there is no terminal to ask."""
        return self.console.width if self.is_terminal else 80

    def say(self, text: str, *, plan: str = "", tone: Tone = Tone.PLAIN) -> None:
        """One event of the narration; `plan` is put before it."""
        if not self.quiet or tone in (Tone.WARN, Tone.BAD, Tone.ASK):
            self._when_free(lambda: self._line(text, plan, tone))

    def warn(self, text: str, *, hint: str = "", plan: str = "") -> None:
        """Something that the user should know, with a command to paste where there is one."""
        word = "" if text.startswith(("warning", "error")) else "warning: "
        self.say(f"{word}{text}", plan=plan, tone=Tone.WARN)
        if hint:
            self._when_free(lambda: self._raw(f"  hint: {hint}"))

    def heading(self, text: str) -> None:
        """The start of a part, with an empty line before it."""
        if not self.quiet:
            self._when_free(lambda: self._heading(text))

    def command(self, text: str) -> None:
        """A command to paste: on its own line, indented, never wrapped."""
        self._when_free(lambda: self._raw(f"  {text}"))

    def block(self, lines: Sequence[tuple[str, str]]) -> None:
        """Lines that are laid out already, each with a rich style; never wrapped again."""
        self._when_free(lambda: self._block(lines))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table of the narration, without frames; the last column wraps."""
        if not self.quiet:
            self._when_free(lambda: self._table(columns, rows))

    def answer(self, text: str) -> None:
        """What the command was asked for, on stdout, exactly as given plus a line end."""
        with self._lock:
            if self._display is not None and self._holder is None:
                self._display.erase()
                self.console.file.flush()
            encoding = getattr(self._stdout, "encoding", None) or "utf-8"
            safe = text.encode(encoding, "backslashreplace").decode(encoding)
            self._stdout.write(safe if safe.endswith("\n") else safe + "\n")
            self._stdout.flush()

    def show(self, text: str) -> str:
        """`text` with symbols that this terminal can show."""
        if not self.plain_symbols:
            return text
        encoding = self.console.encoding
        return text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)

    def attach(self, display: Display | None) -> None:
        """The display below the narration, gone while somebody is asked; None takes it away."""
        with self._lock:
            if self._display is not None and self._holder is None:
                self._display.erase()
                self.console.file.flush()
            self._display = display

    def redraw(self) -> None:
        """Draws the display anew, unless a question has the terminal."""
        with self._lock:
            if self._display is not None and self._holder is None:
                self._display.draw()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """The terminal for the calling thread alone, until the block ends. Nests."""
        with self._lock:
            outer, self._holder = self._holder, threading.get_ident()
            if outer is None and self._display is not None:
                self._display.erase()
                self.console.file.flush()
        try:
            yield
        finally:
            with self._lock:
                self._holder = outer
                if outer is None:
                    kept, self._kept = self._kept, []
                    for write in kept:
                        write()
                    if self._display is not None:
                        self._display.draw()

    @contextmanager
    def lend(self) -> Iterator[None]:
        """The terminal for another program, such as an editor; `is_lent` until it ends."""
        with self.hold():
            self.console.file.flush()
            before, self.is_lent = self.is_lent, True
            try:
                yield
            finally:
                self.is_lent = before

    @property
    def is_held(self) -> bool:
        """Whether another thread has the terminal for a question."""
        return self._holder not in (None, threading.get_ident())

    def _when_free(self, write: Callable[[], None]) -> None:
        with self._lock:
            if self.is_held:
                self._kept.append(write)
            elif self._display is None or self._holder is not None:
                write()
            else:
                self._display.erase()
                write()
                self._display.draw()

    def _line(self, text: str, plan: str, tone: Tone) -> None:
        words = f"{clean_line(plan)} {clean(text)}" if plan else clean(text)
        first, *rest = words.rstrip("\n").split("\n")
        if self._stamped:
            stamp = f"[{self._now():%H:%M:%S}] "
            self._print(Text.assemble((stamp, "dim"), (first, _STYLE[tone])), wrap=False)
            for line in rest:
                self._print(Text(f"{' ' * len(stamp)}| {line}"), wrap=False)
            return
        lead = f"{_SYMBOL[tone]} " if _SYMBOL[tone] else ""
        style = "dim" if tone is Tone.DIM else ""
        self._hang(Text.assemble((lead, _STYLE[tone]), (first, style)))
        for line in rest:
            self._hang(Text(f"  {line}"))

    def _heading(self, text: str) -> None:
        if self._stamped:
            self._line(text, "", Tone.PLAIN)
        else:
            self._print(Text())
            self._print(Text(clean_line(text), "bold"))

    def _hang(self, text: Text) -> None:
        """Wrapped words, with all lines but the first moved in, so that events stay apart.

        A word that is longer than a line, such as a path, stays whole: it is there to be copied.
        """
        shown = Text(self.show(text.plain)) if self.plain_symbols else text
        for number, line in enumerate(_rows(shown, max(20, self.console.width - 4))):
            line.rstrip()
            self._print(Text.assemble("    ", line) if number else line, wrap=False)

    def _raw(self, text: str) -> None:
        self._print(Text(clean(text)), wrap=False)

    def _block(self, lines: Sequence[tuple[str, str]]) -> None:
        for text, style in lines:
            self._print(Text(clean(text), style), wrap=False)

    def _table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for number, name in enumerate(columns):
            last = number == len(columns) - 1
            table.add_column(Text(self.show(clean_line(name))), no_wrap=not last, overflow="fold")
        for row in rows:
            table.add_row(*(Text(self.show(clean_line(cell))) for cell in row))
        wide = None if self.is_terminal else 200
        self.console.print(Padding(table, (0, 0, 0, 2)), width=wide)

    def _print(self, text: Text, *, wrap: bool = True) -> None:
        shown = Text(self.show(text.plain)) if self.plain_symbols else text
        free: dict[str, Any] = {} if wrap and not self._stamped else {"soft_wrap": True}
        self.console.print(shown, **free)


def _speaks_utf8(stream: TextIO) -> bool:
    encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "")
    return encoding in ("utf8", "utf8sig", "")


def _rows(text: Text, width: int) -> Sequence[Text]:
    """The text in lines of at most `width` columns, broken between words only."""
    breaks, column = [], 0
    for word in re.finditer(r"\S+\s*|\s+", text.plain):
        if column and column + cell_len(word[0].rstrip()) > width:
            breaks.append(word.start())
            column = 0
        column += cell_len(word[0])
    return list(text.divide(breaks))
