"""Conflicts written into a file the way git writes them, and read back.

- Styles: `merge` (no base), `diff3` (base shown), `zdiff3` (base shown, equal ends outside).
- Reading what was written gives the same segments, whatever the contents: the marker size grows
  until no line of the file looks like a marker, and a side whose last line has no line end says
  so in its label.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from merge.text import Lines, Segment, all_trimmed, line_end, split_lines, with_context
from merge.types import ConflictHunk

SIZE = 7
STYLES = ("merge", "diff3", "zdiff3")
_OPEN_END = " (no newline at end)"


class MarkerError(ValueError):
    """Conflict markers that do not pair up; the message names the line."""


def render(
    segments: Sequence[Segment],
    *,
    labels: tuple[str, str] = ("ours", "theirs"),
    base_label: str = "base",
    style: str = "zdiff3",
    size: int | None = None,
) -> bytes:
    """The text with markers round each hunk.

    `size` defaults to `marker_size(segments)`; a smaller one than that may not read back.
    """
    if style not in STYLES:
        raise ValueError(f"unknown conflict style {style!r}, expected one of {', '.join(STYLES)}")
    width = size or marker_size(segments)
    end = line_end(_every_line(segments))
    out: list[bytes] = []
    for segment in _laid_out(segments, style):
        if isinstance(segment, ConflictHunk):
            titles = (labels[0], base_label if style != "merge" else None, labels[1])
            out += _marked(segment, titles, width, end)
        else:
            out += segment
    return b"".join(out)


def _laid_out(segments: Sequence[Segment], style: str) -> list[Segment]:
    if style != "zdiff3":
        return list(segments)
    return list(all_trimmed(segments))


def _marked(
    hunk: ConflictHunk, titles: tuple[str, str | None, str], width: int, end: bytes
) -> list[bytes]:
    ours, base, theirs = titles
    out = [_marker(b"<", width, ours, hunk.ours, end), *_ended(hunk.ours, end)]
    if base is not None:
        out += [_marker(b"|", width, base, hunk.base, end), *_ended(hunk.base, end)]
    out += [b"=" * width + end, *_ended(hunk.theirs, end)]
    return [*out, _marker(b">", width, theirs, hunk.theirs, end)]


def _marker(sign: bytes, width: int, label: str, lines: Lines, end: bytes) -> bytes:
    note = _OPEN_END if lines and not lines[-1].endswith(b"\n") else ""
    return sign * width + b" " + label.encode() + note.encode() + end


def _ended(lines: Lines, end: bytes) -> Lines:
    if lines and not lines[-1].endswith(b"\n"):
        return (*lines[:-1], lines[-1] + end)
    return lines


def marker_size(segments: Sequence[Segment]) -> int:
    """At least seven, and longer than any run of marker signs that starts a line."""
    longest = SIZE - 1
    for line in _every_line(segments):
        found = re.match(rb"<+|=+|>+|\|+", line)
        if found:
            longest = max(longest, found.end())
    return longest + 1


def _every_line(segments: Sequence[Segment]) -> list[bytes]:
    out: list[bytes] = []
    for segment in segments:
        if isinstance(segment, ConflictHunk):
            out += [*segment.ours, *segment.base, *segment.theirs]
        else:
            out += segment
    return out


def parse(data: bytes, size: int = SIZE) -> tuple[Segment, ...]:
    """The segments of a text with markers of exactly this size; a missing base reads as empty.

    Raises MarkerError where markers do not pair up.
    """
    signs = {sign: _pattern(sign, size) for sign in (b"<", b"|", b"=", b">")}
    segments: list[Segment] = []
    settled: list[bytes] = []
    parts: dict[bytes, list[bytes]] = {}
    notes: dict[bytes, bool] = {}
    state = b""
    follows = {b"": (b"<",), b"<": (b"|", b"="), b"|": (b"=",), b"=": (b">",)}
    for number, line in enumerate(split_lines(data), 1):
        sign = next((s for s, pattern in signs.items() if pattern.fullmatch(line)), None)
        if sign is None or (sign == b"=" and state == b""):
            (parts[state] if state else settled).append(line)
            continue
        if sign not in follows[state]:
            raise MarkerError(f"line {number}: conflict marker {line.strip()!r} in a wrong place")
        notes[sign] = line.rstrip(b"\r\n").endswith(_OPEN_END.encode())
        if sign != b">":
            parts[sign] = []
            state = sign
            continue
        segments += [tuple(settled), _hunk(parts, notes)]
        settled, parts, notes, state = [], {}, {}, b""
    if state:
        raise MarkerError("the last conflict is not closed")
    return with_context([*segments, tuple(settled)])


def _pattern(sign: bytes, size: int) -> re.Pattern[bytes]:
    rest = rb"" if sign == b"=" else rb"(?: [^\n]*?)?"
    return re.compile(re.escape(sign) + b"{%d}" % size + rest + rb"\r?\n?")


def _hunk(parts: dict[bytes, list[bytes]], notes: dict[bytes, bool]) -> ConflictHunk:
    def lines(name: bytes, label: bytes) -> Lines:
        found = parts.get(name, [])
        if found and notes.get(label):
            found = [*found[:-1], re.sub(rb"\r?\n\Z", b"", found[-1])]
        return tuple(found)

    return ConflictHunk(lines(b"|", b"|"), lines(b"<", b"<"), lines(b"=", b">"))


def holds_markers(data: bytes) -> bool:
    """Whether a conflict of the usual size was left in a text.

    All three markers in order must start a line, so prose underlined with `=======` is none.
    """
    if b"<<<<<<< " not in data or b">>>>>>> " not in data:
        return False
    state = 0
    for found in re.finditer(rb"^(?:(<{7}) |(={7})\r?$|(>{7}) )", data, re.M):
        step = found.lastindex or 0
        if step == 1:
            state = 1
        elif step == state + 1:
            state = step
        if state == 3:
            return True
    return False
