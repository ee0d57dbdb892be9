"""What inserted lines are about: the name, key, label, flag or number that each gives something to.

Two insertions at one place that are about the same thing are two answers to one question, and
keeping both is wrong in most languages: the second wins in silence, or the first does. Only the
outermost lines of an insertion speak; what is deeper is inside of what they name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from merge.languages import language_of
from merge.text import Lines

_QUOTED = rb"\"[^\"\n]*\"|'[^'\n]*'"
_CONTROL = (
    rb"(?:if|for|while|switch|catch|with|return|await|yield|assert|raise|throw|new|else|elif|not"
    rb"|and|or|print|del|defer|go|echo|import|from|use|export|unless|until|when|do|try|match)\b"
)
_DECLARES = (
    rb"(?:def|class|func|function|fn|struct|enum|trait|interface|type|mod|module|object|record"
    rb"|const|let|var|val|#define|message|service|rpc|variable|output|macro|namespace|union|local)"
)
_WAYS: tuple[re.Pattern[bytes], ...] = (
    # case 2:   default:   2 => ...   b) ... ;;
    re.compile(rb"(?P<is>(?:case\s+[^:]+?|default)\s*):"),
    re.compile(rb"(?P<is>[\w.:\"'|& ()]+?)\s*=>(?!\s*\{?\s*$|\s*\()"),
    re.compile(rb"(?P<is>[\w*?|.-]+)\)\s"),
    # def name   const name   func (t *T) name
    re.compile(
        rb"(?:(?!case\b)[a-z]+(?:\([^)]*\))?\s+){0,3}?%s(?:\s*\*)?\s+(?:\([^)]*\)\s*)?(?:mut\s+)?"
        rb"(?P<is>[\w$]+|%s)" % (_DECLARES, _QUOTED)
    ),
    # "key": value   name: value   name = value   self.name = value   @name.part: ...
    re.compile(rb"(?P<is>%s|[\w$.-]+)\s*\??\s*(?::(?![:=])|(?<![=!<>])=(?![=>~]))" % _QUOTED),
    re.compile(rb"(?P<is>[\w$.-]+)\s*:\s*[^=\n]+=(?!=)"),
    # call("name", ...   @option("--name", ...   path("name", ...
    re.compile(rb"(?P<is>[@\w$.:\[\]]*\(\s*(?:%s|\d+))" % _QUOTED),
    # (2, ...   { id: 2, ...   ("name", ...
    re.compile(rb"(?P<is>[(\[{]\s*(?:[\w$]+\s*:\s*)?(?:%s|\d+))\s*," % _QUOTED),
    # a bare entry of a list
    re.compile(rb"(?P<is>%s|[\w$.]+),?$" % _QUOTED),
    # type name(...) {   name(...) {   void name(...);
    re.compile(
        rb"(?!%s)(?:[\w<>\[\],.*&?]+\s+)*[*&]?(?P<is>[\w$]+)\s*\((?!\s*[\"'])[^;]*\{\s*$" % _CONTROL
    ),
    # .selector {   block {   [section]
    re.compile(rb"(?P<is>[^{};()=]+?)\s*\{[^{]*$"),
    re.compile(rb"(?P<is>\[[^\]]+\])$"),
    # heading   12. item   :param name:
    re.compile(rb"(?P<is>#+\s+.*)$"),
    re.compile(rb"(?P<is>\d+[.)])\s"),
    re.compile(rb"(?P<is>:\w+\s+[\w.*]+:|@(?:param|returns?|throws)\b\s*(?:\{[^}]*\}\s*)?\w*)"),
    # <li id="name"   <item name="...">
    re.compile(rb"(?P<is><\w[^>]*?\b(?:id|key|name)=(?:%s))" % _QUOTED),
    # name==1.2 of a requirement
    re.compile(rb"(?P<is>[\w.\[\]-]+)\s*(?:==|>=|~=|<=)\s*\d"),
)
_IMPORT = re.compile(
    rb"import\s+(?:type\b\s*)?(.+?)\s+from\b|(?:from\s+\S+\s+)?import\s+([\w\s,.()]+)$"
)
"""An import of JS or Python, and the names that it brings."""
_WORD = re.compile(rb"(?!(?:as|type)\b)[A-Za-z_$][\w$.]*")
_VARIANT = re.compile(rb"(?P<is>[A-Z]\w*)\s*(?:\([^)]*\)|\{[^}]*\})?,$")
"""One of the values of an enum in Rust."""
_COLUMN = re.compile(rb"(?P<is>[\w$]+)\s+[\w*\[\].()<>]+(?:\s+[^;{]*)?,?$")
"""`name type` of a field or a column, in the languages that write it so."""
_COLUMNS = {"go", "sql"}
_NOT_COLUMNS = re.compile(
    rb"(?i)(?:%s|case|break|continue|package|goto|fallthrough|select|insert|update|delete|where|set"
    rb"|create|alter|drop|constraint|primary|foreign|unique|index|check|key|values|begin|commit)\b"
    % _CONTROL
)
_NEXT = re.compile(rb"^(?P<name>[\w$. \[\]<>]*?[\w$\])]\s*[=:]\s*)(?P<number>\d+)\s*[,;]?$")


def shared_subject(path: str, ours: Lines, theirs: Lines, above: Lines) -> str | None:
    """What the outermost lines of both insertions are about, or None; `above` are the lines
    before, which tell a row that is counted up."""
    depth = min(_depth(ours), _depth(theirs))
    kind = language_of(path) or path.rpartition(".")[2].lower()
    sides = [set(_subjects(kind, side, depth)) for side in (ours, theirs)]
    same = sides[0] & sides[1] or _next_numbers(ours, theirs, above, depth)
    if not same:
        return None
    shown = min(same).decode("utf-8", "replace")
    return shown + ")" * (shown.count("(") - shown.count(")"))


def _depth(lines: Lines) -> int:
    return min((_indent(line) for line in lines if line.strip()), default=0)


def _indent(line: bytes) -> int:
    line = line.expandtabs(8)
    return len(line) - len(line.lstrip())


def _outermost(lines: Lines, depth: int) -> Iterable[bytes]:
    return (line.strip() for line in lines if line.strip() and _indent(line) == depth)


def _subjects(kind: str, lines: Lines, depth: int) -> Iterable[bytes]:
    for line in _outermost(lines, depth):
        brought = _IMPORT.match(line)
        if brought is not None:
            yield from _WORD.findall(brought[1] or brought[2])
            continue
        for way in _WAYS:
            found = way.match(line)
            if found is not None and not _is_flow(found["is"]) and not _is_update(line, found):
                yield _bare(found["is"])
        if kind == "rust" and (variant := _VARIANT.match(line)):
            yield _bare(variant["is"])
        if kind in _COLUMNS and not _NOT_COLUMNS.match(line):
            found = _COLUMN.match(line)
            if found is not None:
                yield _bare(found["is"])


_FLOW = re.compile(
    rb"(?:%s|(?:%s|case|break|continue|pass|end|esac|fi|done|begin)$)" % (_CONTROL, _DECLARES)
)


def _is_flow(text: bytes) -> bool:
    """Whether this is how a text runs, not what it names: `return`, `if x`, `else`."""
    return not re.search(rb"\w", text) or _FLOW.match(text) is not None


def _is_update(line: bytes, found: re.Match[bytes]) -> bool:
    """Whether a value is made from the one before, as in `x = x + 1`: two of these add up."""
    if not found.group().endswith(b"="):
        return False
    return re.search(rb"(?<![\w.])%s\b" % re.escape(found["is"]), line[found.end() :]) is not None


def _bare(text: bytes) -> bytes:
    return b" ".join(text.replace(b'"', b"").replace(b"'", b"").split())


def _next_numbers(ours: Lines, theirs: Lines, above: Lines, depth: int) -> set[bytes]:
    """Numbers that both sides gave out as the next of a row: `B = 2` and `C = 2` below `A = 1`."""
    row = _numbers(above, depth)
    if not row:
        return set()
    top = max(row)
    both = _numbers(ours, depth) & _numbers(theirs, depth)
    return {b"the number %d" % number for number in both if number > top}


def _numbers(lines: Lines, depth: int) -> set[int]:
    found = (_NEXT.match(line) for line in _outermost(lines, depth))
    return {int(one["number"]) for one in found if one is not None}
