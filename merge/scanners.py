"""Texts without their insignificant white space, for languages that nothing here can parse.

Each function gives a value that two texts share only if white space that carries no meaning is
all that differs; None where the text can't be told apart safely (an open string, say).
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import lru_cache

_STRINGS = {
    "js": rb'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|`(?:\\.|[^`\\])*`',
    "go": rb'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|`[^`]*`',
    "rust": rb'b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|b?\'(?:\\.[^\'\n]*|[^\'\\\n])\'',
    "java": rb'"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
    "c": rb'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
    "css": rb'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
    "php": rb'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`(?:\\.|[^`\\])*`',
    "csharp": rb'\$?@\$?"(?:[^"]|"")*"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
    "swift": rb'"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\\n])*"',
    "scala": rb'""".*?"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.[^\'\n]*|[^\'\\\n])\'|`[^`\n]*`',
}
_SAME_STRINGS = {"ts": "js", "kotlin": "java", "gomod": "go"}
_UNREADABLE = {
    "php": re.compile(rb"\A(?!<\?php\s)|\?>|<<<"),  # markup, or text up to a line of its own
    "csharp": re.compile(rb'"""|\$@?"[^"\n]*\{[^}"\n]*"'),  # texts inside texts
}
"""What the scanner of a language could misread."""
_LINES_COUNT = {"js", "ts", "go", "gomod", "kotlin"}
"""Languages in which a line break can end a statement."""
_WORD = rb"[\w$\x80-\xff]+"
_GOES_ON = frozenset(b"{([,;=+-*/%&|<>!?:.~^")
"""A line that ends with one of these signs does not end a statement there."""
_CONTINUES = frozenset(b"})],;.?:=&|%^")
"""Nor does one before a line that starts with one of these."""


def _texts(language: str) -> tuple[bytes, bytes]:
    """What strings and comments look like."""
    line_comment = b"" if language == "css" else rb"|//[^\n]*"
    if language == "php":
        line_comment += rb"|#(?!\[)[^\n]*"
    strings = _STRINGS[language].replace(rb"(#*)", rb"(?P<h>#*)").replace(rb"\1", rb"(?P=h)")
    return strings, rb"/\*.*?\*/" + line_comment


@lru_cache
def _scanner(language: str) -> re.Pattern[bytes] | None:
    """Finds the next token; None for a language of which strings are not known."""
    if language not in _STRINGS:
        return None
    strings, notes = _texts(language)
    return re.compile(
        rb"(?P<text>%s)|(?P<note>%s)|(?P<word>%s)|(?P<gap>[ \t\r\f\v]+)|(?P<line>\n)"
        rb"|(?P<open>[\"'`])|(?P<sign>.)" % (strings, notes, _WORD),
        re.S,
    )


@lru_cache
def _bracket_scanner(language: str) -> re.Pattern[bytes] | None:
    """Finds the next bracket, string or comment; None as above."""
    if language not in _STRINGS:
        return None
    return re.compile(
        rb"(?P<text>%s)|(?P<note>%s)|(?P<open>[\"'`])|(?P<sign>[()\[\]{}/])" % _texts(language),
        re.S,
    )


_REGEX = re.compile(rb"/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/\w*")
_BEFORE_REGEX = frozenset(b"(,=:[!&|?{};+-*%<>~^")


_DIRECTIVE = re.compile(rb"#(?:[^\n\\]|\\\r?\n|\\.)*")
"""A line for the C preprocessor: ends with its line, and `X (a)` is not `X(a)`."""


def _separates(out: list[bytes], token: bytes) -> bool:
    """Whether white space before this token of CSS carries meaning: `a .b` is not `a.b`."""
    return bool(out) and out[-1] not in _CSS_STOPS and token not in _CSS_STOPS


_CSS_STOPS = (b"{", b"}", b";", b",")


def token_meaning(language: str, data: bytes) -> Hashable | None:
    """The tokens of a text in a language with braces, or None if it can't be scanned safely."""
    scanner = _scanner(_SAME_STRINGS.get(language, language))
    if scanner is None or language in _BY_LINES or _misread(language, data):
        return None
    script = language in {"js", "ts"}
    if script and _MARKUP.search(data):
        return _markup_meaning(data)
    out: list[bytes] = []
    brackets: list[bytes] = []
    gap = line = False
    at = 0
    while at < len(data):
        found = scanner.match(data, at)
        if found is None:
            return None
        kind, token = ("text" if found["text"] else found.lastgroup), found.group()
        if script and token == b"/" and (not out or out[-1][-1] in _BEFORE_REGEX):
            literal = _REGEX.match(data, at)
            if literal is None:
                return None
            kind, token = "text", literal.group()
        if language in _DIRECTIVES and token == b"#" and (line or not out):
            directive = _DIRECTIVE.match(data, at)
            if directive is None or b"/*" in directive.group():
                return None
            kind, token = "note", directive.group()
        at += len(token)
        if kind == "open" and language != "rust":
            return None  # an unclosed quote: no telling where the string ends
        if kind in {"gap", "line"}:
            gap, line = True, line or kind == "line"
            continue
        if kind == "note":
            token = b" ".join(token.split())
        if language == "css" and gap and _separates(out, token):
            out.append(b" ")
        _put(out, token, kind or "", gap, line and _line_counts(language, brackets, out, token))
        _track(brackets, token if kind == "sign" else b"")
        gap = line = False
    return tuple(out)


def _markup_meaning(data: bytes) -> Hashable | None:
    """The lines of a script with markup in it, without the white space around each.

    No blank line and no white space at an end of a line says anything there: markup drops it, and
    no statement ends or goes on by it. None where a text may span lines and so hold some.
    """
    if any(line.count(b"`") % 2 for line in data.split(b"\n")) or _SPANS_LINES.search(data):
        return None
    return ("lines", *filter(None, map(bytes.strip, data.split(b"\n"))))


_SPANS_LINES = re.compile(rb"=\s*(?:\"[^\"\n]*|'[^'\n]*)$|\\\r?$", re.M)
"""An attribute or a string that goes on in the next line."""


@lru_cache(maxsize=16)
def balanced(language: str, data: bytes) -> bool | None:
    """Whether every bracket of a text is closed by its like; None where it can't be scanned."""
    scanner = _bracket_scanner(_SAME_STRINGS.get(language, language))
    if scanner is None or (language in _SCRIPTS and _MARKUP.search(data)):
        return None
    if _misread(language, data):
        return None
    waiting: list[bytes] = []
    found = scanner.search(data)
    while found:
        at, token = found.end(), found.group()
        if found.lastgroup == "open" and language not in _LONE_QUOTES:
            return None
        if token == b"/" and language in _SCRIPTS and _before(data, found.start()):
            literal = _REGEX.match(data, found.start())
            if literal is None:
                return None
            at = literal.end()
        elif token in (b"(", b"[", b"{"):
            waiting.append(token)
        elif token in _OPENED_BY and (not waiting or waiting.pop() != _OPENED_BY[token]):
            return False
        found = scanner.search(data, at)
    return not waiting


def _misread(language: str, data: bytes) -> bool:
    return language in _UNREADABLE and _UNREADABLE[language].search(data) is not None


def _before(data: bytes, at: int) -> bool:
    """Whether a regular expression, not a division, may start here."""
    at -= 1
    while at >= 0 and data[at] in b" \t\r\n":
        at -= 1
    return at < 0 or data[at] in _BEFORE_REGEX


_SCRIPTS = ("js", "ts")
_LONE_QUOTES = ("rust", "scala")
_BY_LINES = ("swift", "scala")
"""Of these only the brackets are read here: the space around a sign, or before a line, counts."""
_DIRECTIVES = ("c", "csharp")
_OPENED_BY = {b")": b"(", b"]": b"[", b"}": b"{"}


def _put(out: list[bytes], token: bytes, kind: str, gap: bool, new_line: bool) -> None:
    if new_line:
        out.append(b"\n")
    elif kind == "sign" and gap and out and _glues(out[-1], token):
        out.append(b" ")  # `a + +b` is not `a ++b`
    elif gap and out and out[-1] == b"." and token[:1].isdigit():
        out.append(b" ")
    out.append(token)


def _line_counts(language: str, brackets: list[bytes], out: list[bytes], token: bytes) -> bool:
    """Whether a line break before this token may end a statement."""
    if language not in _LINES_COUNT or not out:
        return False
    if out[-1].startswith(b"//"):
        return True
    if brackets and brackets[-1] in b"([":
        return False
    before = out[-1]
    goes_on = before[-1] in _GOES_ON and before not in (b"+", b"-") and len(before) == 1
    return not goes_on and token[0] not in _CONTINUES


def _track(brackets: list[bytes], sign: bytes) -> None:
    if sign and sign in b"([{":
        brackets.append(sign)
    elif sign and sign in b")]}" and brackets:
        brackets.pop()


def _glues(before: bytes, after: bytes) -> bool:
    if after == b"." and before[-1:].isdigit():
        return True  # `1 . 2` is not `1.2`
    return before[-1:] in b"+-&|=<>!/*:.?" and after[:1] in b"+-&|=<>!/*:.?"


_MARKUP = re.compile(rb"</[A-Za-z>]|/>|\$\{[^}`\n]*`")
"""Text between JSX tags keeps its spaces; templates inside templates hide where strings end."""

_PYTHON = re.compile(
    rb"(?P<text>[A-Za-z]{0,2}(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|\'\'\'(?:\\.|[^\\])*?\'\'\'"
    rb"|\"(?:\\.|[^\"\\\n])*\"|\'(?:\\.|[^\'\\\n])*\'))|(?P<note>#[^\n]*)|(?P<word>[\w\x80-\xff]+)"
    rb"|(?P<gap>(?:[ \t\r\f]|\\\r?\n)+)|(?P<line>\n)|(?P<open>[\"\'])|(?P<sign>.)",
    re.S,
)


def python_meaning(data: bytes) -> Hashable | None:
    """Tokens, statement ends and depths of indentation; also of Python that no longer parses."""
    out: list[bytes | int] = []
    depths = [0]
    brackets = 0
    fresh = True
    for found in _PYTHON.finditer(data):
        kind, token = found.lastgroup, found.group()
        if kind == "open":
            return None
        if kind == "line":
            fresh = fresh or not brackets
            continue
        if kind == "gap":
            continue
        if fresh and kind != "note":
            start = data.rfind(b"\n", 0, found.start()) + 1
            width = len(data[start : found.start()].expandtabs(8))
            while depths[-1] > width:
                depths.pop()
            if depths[-1] < width:
                depths.append(width)
            out.append(len(depths))
            fresh = False
        if kind == "note":
            token = b" ".join(token.split())
        elif kind == "sign":
            brackets = max(0, brackets + (token in b"([{") - (token in b")]}"))
        out.append(token)
    return tuple(out)


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
