"""Texts without their insignificant white space, for languages that nothing here can parse.

Each function gives a value that two texts share only if white space that carries no meaning is
all that differs; None where the text can't be told apart safely (an open string, say).
"""

from __future__ import annotations

import re
from collections.abc import Hashable

_STRINGS = {
    "js": rb'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|`(?:\\.|[^`\\])*`',
    "go": rb'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|`[^`]*`',
    "rust": rb'b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|b?\'(?:\\.[^\'\n]*|[^\'\\\n])\'',
    "java": rb'"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
    "c": rb'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
    "css": rb'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
}
_SAME_STRINGS = {"ts": "js", "kotlin": "java", "gomod": "go"}
_LINES_COUNT = {"js", "ts", "go", "gomod", "kotlin"}
"""Languages in which a line break can end a statement."""
_WORD = rb"[\w$\x80-\xff]+"


def _scanner(language: str) -> re.Pattern[bytes]:
    line_comment = rb"" if language == "css" else rb"|//[^\n]*"
    return re.compile(
        rb"(?P<text>" + _STRINGS[language].replace(rb"(#*)", rb"(?P<h>#*)").replace(
            rb"\1", rb"(?P=h)") + rb")|(?P<note>/\*.*?\*/" + line_comment + rb")|(?P<word>"
        + _WORD + rb")|(?P<gap>[ \t\r\f\v]+)|(?P<line>\n)|(?P<open>[\"'`])|(?P<sign>.)",
        re.S,
    )  # fmt: skip


_SCANNERS = {language: _scanner(language) for language in _STRINGS}


def token_meaning(language: str, data: bytes) -> Hashable | None:
    """The tokens of a text in a language with braces, or None if it can't be scanned safely."""
    scanner = _SCANNERS.get(_SAME_STRINGS.get(language, language))
    if scanner is None or language == "csharp":
        return None
    keep_lines = language in _LINES_COUNT
    out: list[bytes] = []
    gap = False
    for found in scanner.finditer(data):
        kind, token = found.lastgroup, found.group()
        if kind == "h":
            kind = "text"
        if kind == "open" and language not in {"rust"}:
            return None  # an unclosed quote, or a pattern literal: no telling where it ends
        if kind == "note":
            token = re.sub(rb"\s+", b" ", token).strip()
        if kind == "gap":
            gap = True
            continue
        if kind == "line":
            gap = True
            if keep_lines and out and out[-1] != b"\n":
                out.append(b"\n")
            continue
        if kind == "sign" and gap and out and _glues(out[-1], token):
            out.append(b" ")  # `a + +b` is not `a ++b`
        gap = False
        out.append(token)
    if language in {"js", "ts"} and _may_be_markup(data):
        return None
    return tuple(out)


def _glues(before: bytes, after: bytes) -> bool:
    return before[-1:] in b"+-&|=<>!/*:.?" and after[:1] in b"+-&|=<>!/*:.?"


def _may_be_markup(data: bytes) -> bool:
    """Text between JSX tags keeps its spaces, and a regular expression may look like anything."""
    return re.search(rb"</[A-Za-z>]|/>|[=(,:!&|?{};]\s*/(?![/*\s])", data) is not None


def prose_meaning(data: bytes) -> Hashable | None:
    """Lines without trailing space and runs of blank lines; exact inside fences.

    Leading white space makes lists and code blocks, two spaces at a line's end a line break.
    """
    out: list[bytes] = []
    fence = b""
    for line in data.split(b"\n"):
        mark = re.match(rb" {0,3}(```+|~~~+)", line)
        if mark and (not fence or line.strip().startswith(fence)):
            fence = b"" if fence else mark.group(1)
        if fence:
            out.append(line)
            continue
        text = line.rstrip()
        if text and line.rstrip(b"\r").endswith(b"  "):
            text += b"  "
        if text or (out and out[-1]):
            out.append(text)
    while out and not out[-1]:
        out.pop()
    return tuple(out)


def plain_meaning(data: bytes) -> Hashable | None:
    """Lines without trailing white space, and without blank lines at the end."""
    return tuple(line.rstrip() for line in data.rstrip().split(b"\n"))
