"""Small texts that people read: cleaned strings, counts, durations, tokens, money.

- Titles, file contents and agents' words are hostile: whatever could steer a terminal or hide
  a character is shown as its escape (`\\x1b`, `\\u202e`) instead of performed.
- Unknown is never shown as zero: a number that nobody reported is an empty string.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


class _Visible(dict[int, str | int]):
    """A translation table that fills itself as characters are met."""

    def __missing__(self, code: int) -> str | int:
        char = chr(code)
        unsafe = unicodedata.category(char) in _UNSAFE and char not in "\n\t"
        shown: str | int = char.encode("unicode_escape").decode() if unsafe else code
        self[code] = shown
        return shown


_VISIBLE = _Visible()


def clean(text: str) -> str:
    """`text` with control, direction and invisible characters written out; \\n and \\t stay."""
    return text.translate(_VISIBLE)


def clean_line(text: str, limit: int = 0) -> str:
    """`text` on one line with single spaces, cut to `limit` characters where that is not 0."""
    line = " ".join(clean(text).split())
    return line if not limit or len(line) <= limit else line[: limit - 1].rstrip() + "…"


def decode(data: bytes) -> str:
    """Bytes as text: UTF-8 where they are, `\\xff` where they are not."""
    return data.decode("utf-8", "backslashreplace")


def count(n: int, word: str, words: str = "") -> str:
    """`1 hunk`, `3 hunks`; `words` where the plural is not just an s."""
    return f"{n} {word if n == 1 else words or word + 's'}"


def listing(items: Sequence[str], limit: int = 0) -> str:
    """`a`, `a and b`, `a, b and c`; beyond `limit` the rest is a number."""
    if limit and len(items) > limit:
        return f"{', '.join(items[:limit])} and {len(items) - limit} more"
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def duration(seconds: float) -> str:
    """`8 s`, `6 min 12 s`, `2 h 5 min`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    hours, minutes = whole // 3600, whole % 3600 // 60
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def clock(seconds: float) -> str:
    """`06:12`, `2:05:00`: for columns."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    tail = f"{minutes:02}:{whole % 60:02}"
    return f"{hours}:{tail}" if hours else tail


def tokens(n: int | None) -> str:
    """`18.2k tok`; empty if nobody counted."""
    if n is None:
        return ""
    if n < 1000:
        return f"{n} tok"
    return f"{n / 1000:.1f}k tok" if n < 999_950 else f"{n / 1_000_000:.1f}M tok"


def money(dollars: float | None) -> str:
    """`$0.41`; empty if nobody reported a cost."""
    return "" if dollars is None else f"${dollars:.2f}"
