"""Plan files gone wrong: seeded mutations of real or made-up texts, for fuzz runs."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

_TOKENS = (
    b"---\n", b"\n---", b"```\n", b"~~~", b"<task", b"</task>", b"<tasks>", b"<objective>", b"[",
    b"]", b"{", b"}", b"\"", b"'", b": ", b"- ", b"&a", b"*a", b"|", b">", b"!", b"%", b"@", b"`",
    b"\t", b"\r\n", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xe2\x80\xae", b"wave: ",
    b"wave: x\n", b"depends_on: [03-01]\n",
    b"depends_on:\n  - ", b"files_modified: [", b"<files>", b"..", b"/",
    b"#", b" #", b"<<<<<<< a\n", b"9" * 40, b"autonomous: ", b"phase: 010\n", b"\xf0\x9f\x98\x80",
)  # fmt: skip


def _cut(data: bytes, random: Random) -> bytes:
    start = random.randrange(len(data) + 1)
    return data[:start] + data[start + random.randrange(200) :]


def _truncate(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _insert(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice(_TOKENS) * random.choice((1, 1, 1, 2, 70)) + data[at:]


def _flip(data: bytes, random: Random) -> bytes:
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]


def _repeat(data: bytes, random: Random) -> bytes:
    start = random.randrange(len(data) + 1)
    part = data[start : start + random.randrange(120)]
    return data[:start] + part * random.choice((2, 3, 40)) + data[start:]


def _swap_lines(data: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if len(lines) < 2:
        return data
    first, second = random.randrange(len(lines)), random.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"".join(lines)


def _indent(data: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    at = random.randrange(len(lines))
    lines[at] = b" " * random.randrange(9) + lines[at].lstrip(b" ")
    return b"".join(lines)


_WAYS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _cut, _truncate, _insert, _insert, _insert, _flip, _repeat, _swap_lines, _indent,
)  # fmt: skip


def mutate(data: bytes, random: Random) -> bytes:
    """The text after one to six mutations; most of them hit the front matter."""
    head, tail = data[:1500], data[1500:]
    for _ in range(random.randrange(1, 7)):
        if random.random() < 0.7:
            head = random.choice(_WAYS)(head, random)
        else:
            tail = random.choice(_WAYS)(tail, random)
    return head + tail
