"""A terminal that understands just what the board writes, for tests of what is on the screen."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\x1b\[(\d*)([A-Za-z])|(\r)|(\n)|([^\x1b\r\n]+)")


def screen_after(written: str) -> list[str]:
    """The lines on the screen after this output, without empty ones at the end.

    Raises AssertionError for a sequence that it doesn't know.
    """
    lines, row, column = [""], 0, 0
    at = 0
    while at < len(written):
        token = _TOKEN.match(written, at)
        assert token, f"unknown output {written[at : at + 12]!r}"
        at = token.end()
        number, letter, carriage, newline, text = token.groups()
        if letter == "A":
            row = max(0, row - int(number or 1))
        elif letter == "K":
            lines[row] = lines[row][:column]
        elif letter == "J":
            lines[row] = lines[row][:column]
            del lines[row + 1 :]
        elif letter == "m":
            pass
        elif letter:
            raise AssertionError(f"unknown sequence {token.group()!r}")
        elif carriage:
            column = 0
        elif newline:
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        else:
            lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
            column += len(text)
    while lines and not lines[-1]:
        lines.pop()
    return lines
