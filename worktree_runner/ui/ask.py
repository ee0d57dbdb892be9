"""Asking a person: one question at a time, one letter and Enter, nothing taken for granted.

- No answer by default: an empty line shows the choices again, so a stray Enter does nothing.
- Ctrl-C and a closed input are `Aborted`, which is no choice; without a terminal the answer is
  None, and the caller says which command answers instead.
- Letters typed before a question was on the screen are thrown away on a terminal.
- One thread asks. A loop that has to go on meanwhile gives its questions to a
  `ThreadPoolExecutor(max_workers=1)` and calls `TerminalAsker.interrupt` on Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from worktree_runner.core.questions import Option, Question, QuestionKind
from worktree_runner.core.texts import clean, clean_line
from worktree_runner.errors import WtrunError
from worktree_runner.ui.console import Screen

__all__ = [
    "Aborted",
    "Answer",
    "Asker",
    "LineReader",
    "NonInteractive",
    "Option",
    "Question",
    "QuestionKind",
    "TerminalAsker",
]


@dataclass(frozen=True, slots=True)
class Answer:
    """The key of the option that was chosen, and the words where the option asks for them."""

    key: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Aborted:
    """Ctrl-C or a closed input: nobody chose anything. False, so that it is never taken as yes."""

    def __bool__(self) -> bool:
        return False


class Asker(Protocol):
    """How a question reaches a person, or doesn't."""

    @property
    def interactive(self) -> bool: ...

    def ask(
        self, question: Question, looks: Mapping[str, Callable[[], None]] | None = None
    ) -> Answer | Aborted | None: ...

    def choose(self, line: str, options: tuple[Option, ...]) -> Answer | Aborted | None: ...

    def confirm(self, text: str, *, yes: bool = False) -> bool: ...

    def text(self, prompt: str) -> str | Aborted | None: ...

    def fresh(self) -> None:
        """Forgets what was typed before now; called when something new is shown."""

    def interrupt(self) -> None:
        """Aborts the open question and every later one; safe in other threads and handlers."""


class NonInteractive:
    """Nobody is there: every question stays open, nothing is confirmed but by `yes`."""

    interactive = False

    def ask(
        self, question: Question, looks: Mapping[str, Callable[[], None]] | None = None
    ) -> Answer | Aborted | None:
        return None

    def choose(self, line: str, options: tuple[Option, ...]) -> Answer | Aborted | None:
        return None

    def confirm(self, text: str, *, yes: bool = False) -> bool:
        return yes

    def text(self, prompt: str) -> str | Aborted | None:
        return None

    def fresh(self) -> None:
        """Nothing is typed where nobody is."""

    def interrupt(self) -> None:
        """No question is ever open."""


class LineReader:
    """Lines of a file descriptor; a wait for one can be ended from another thread."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._rest = b""
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)

    def line(self) -> str | None:
        """The next line without its end; None at the end of input.

        Raises KeyboardInterrupt after `interrupt()`, as Ctrl-C does in the main thread.
        """
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._fd, self._wake_read], [], [])
            if self._wake_read in ready:
                raise KeyboardInterrupt
            data = os.read(self._fd, 65536)
            if not data:
                last, self._rest = self._rest, b""
                return last.decode("utf-8", "backslashreplace") if last else None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "backslashreplace")

    def interrupt(self) -> None:
        """Ends the wait in `line` and every later one: whoever calls this is leaving."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"!")

    def forget_typed(self) -> None:
        """Drops what was typed ahead; input that is not a terminal keeps everything."""
        if os.isatty(self._fd):
            self._rest = b""
            termios.tcflush(self._fd, termios.TCIFLUSH)


class TerminalAsker:
    """Asks on stderr, reads lines from a terminal."""

    interactive = True

    def __init__(self, screen: Screen, reader: LineReader | None = None) -> None:
        self._screen = screen
        self._reader = reader or LineReader(sys.stdin.fileno())

    def interrupt(self) -> None:
        self._reader.interrupt()

    def ask(
        self, question: Question, looks: Mapping[str, Callable[[], None]] | None = None
    ) -> Answer | Aborted | None:
        """The answer. `looks` performs the options that only show something, by key."""
        done = looks or {}
        options = tuple(o for o in question.options if not o.looks or o.key in done)
        with self._screen.hold():
            self.fresh()
            self._show(question)
            while True:
                answer = self.choose("What now?", options)
                if not isinstance(answer, Answer) or answer.key not in done:
                    return answer
                try:
                    done[answer.key]()
                except WtrunError as error:
                    self._screen.warn(error.message, hint=error.hint or "")

    def choose(self, line: str, options: tuple[Option, ...]) -> Answer | Aborted | None:
        """One of `options`, asked with one line; Enter repeats it, `?` explains it."""
        with self._screen.hold():
            while True:
                typed = self._read(_prompt(line, options, self._screen.width))
                if typed is None:
                    return Aborted()
                if typed == "":
                    continue
                if typed == "?":
                    self._explain(options)
                    continue
                option = _match(typed, options)
                if option is None:
                    keys = " ".join(o.key for o in options)
                    self._screen.say(f"{clean_line(typed, 20)!r} is none of: {keys} ?")
                    continue
                if not option.text_prompt:
                    return Answer(option.key)
                words = self.text(option.text_prompt)
                if isinstance(words, Aborted):
                    return words
                if words:
                    return Answer(option.key, words)

    def confirm(self, text: str, *, yes: bool = False) -> bool:
        """True for a typed yes, or for `yes` (a flag such as --yes), which is said.

        Raises KeyboardInterrupt on Ctrl-C or a closed input.
        """
        if yes:
            self._screen.say(f"{text} yes (by --yes)")
            return True
        options = (Option("y", "yes", "Go on."), Option("n", "no", "Change nothing."))
        with self._screen.hold():
            self.fresh()
            answer = self.choose(text, options)
        if isinstance(answer, Aborted):
            raise KeyboardInterrupt
        return isinstance(answer, Answer) and answer.key == "y"

    def text(self, prompt: str) -> str | Aborted | None:
        """Lines up to an empty one, joined; empty if nothing was written."""
        lines: list[str] = []
        with self._screen.hold():
            self._screen.say(prompt)
            while True:
                line = self._read("> ")
                if line is None:
                    return Aborted()
                if not line:
                    return "\n".join(lines)
                lines.append(clean(line))

    def fresh(self) -> None:
        self._reader.forget_typed()

    def _show(self, question: Question) -> None:
        self._screen.block([("", ""), (clean_line(question.title), "bold")])
        if question.body:
            self._screen.block([("", "")])
            self._screen.block([(line, "") for line in question.body.splitlines()])
        self._screen.block([("", "")])

    def _explain(self, options: tuple[Option, ...]) -> None:
        width = self._screen.width - 1
        for option in options:
            words = clean_line(option.consequence)
            rows = textwrap.wrap(words, width - 7, break_on_hyphens=False) or [""]
            lines = [f"  {option.key}  {rows[0]}", *(f"     {row}" for row in rows[1:])]
            self._screen.block([(line, "") for line in lines])

    def _read(self, prompt: str) -> str | None:
        """A typed line without spaces around it; None for Ctrl-C and the end of input."""
        console = self._screen.console
        try:
            console.print(self._screen.show(clean(prompt)), end="", soft_wrap=True)
            console.file.flush()
            line = self._reader.line()
        except KeyboardInterrupt:
            line = None
        if line is None:
            console.print()
        return None if line is None else line.strip()


def _prompt(line: str, options: tuple[Option, ...], width: int) -> str:
    """The question's line with its choices, broken between choices only."""
    rows, row = [], line
    more = "[?] more" if any(o.rare for o in options) else "[?]"
    for label in (*(o.label for o in options if not o.rare), more):
        if len(row) + 2 + len(label) + 2 > width:
            rows.append(row)
            row = f"  {label}"
        else:
            row = f"{row}  {label}"
    return "\n".join((*rows, row)) + ": "


def _match(typed: str, options: tuple[Option, ...]) -> Option | None:
    """The option of a key, of a key in the other case where that is no key, or of its word."""
    for option in options:
        if typed in (option.key, option.word):
            return option
    loose = [o for o in options if o.key.lower() == typed.lower()]
    return loose[0] if len(loose) == 1 else None
