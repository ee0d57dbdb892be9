"""White space in languages where a line's end and the space inside it carry meaning.

Of Ruby, Swift, Scala and shell scripts no more is said than this: how far a line is indented, what
trails it, and blank lines mean nothing, in a file in which no text runs over the end of its line.
A file in which one might is not judged at all.
"""

from __future__ import annotations

import re
from collections.abc import Hashable

LINE_LANGUAGES = frozenset({"ruby", "swift", "shell"})
"""Not Scala: in its third version indentation counts."""

_CLOSED = re.compile(rb'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|`(?:\\.|[^`\\\n])*`')
_OPEN: dict[str, re.Pattern[bytes]] = {
    "ruby": re.compile(
        rb"<<[~-]?[\"'`A-Za-z_]"  # a text that ends with a line of its own
        rb"|^=begin\b|^__END__"
        rb"|%[qQrsxW]?[(\[{<|!/](?![^\n]*[)\]}>|!/])"
        rb"|[=(,~|&]\s*/[^/\n]*$"
        rb"|[?$/\\][\"'`]",  # a quote that may open nothing
        re.M,
    ),
    "swift": re.compile(rb'"""|#"|/\*'),
    "shell": re.compile(rb"<<|[$\\][\"'`]"),
}
"""What may hold more than its line, or hides where a text starts."""
_NOTE = {"ruby": b"#", "swift": b"//", "shell": b"#"}
_GOES_ON = (b".", b"&.", b"?.")
"""A line that starts so goes on with the one before, which a blank line may end."""


def line_meaning(language: str, data: bytes) -> Hashable | None:
    """The lines without indentation, trailing space and blank ones; None if a text may be open."""
    if _OPEN[language].search(data):
        return None
    out: list[bytes] = []
    blank = False
    for line in data.split(b"\n"):
        text = line.strip()
        if not text:
            blank = True
            continue
        if not text.startswith(_NOTE[language]) and re.search(rb"[\"'`]", _CLOSED.sub(b"", text)):
            return None
        if text.endswith(b"\\") and not line.rstrip(b"\r").endswith(b"\\"):
            return None  # a space after a backslash ends the line that it would carry on
        if blank and (text.startswith(_GOES_ON) or (out and out[-1].endswith(b"\\"))):
            out.append(b"")
        out.append(text)
        blank = False
    return tuple(out)
