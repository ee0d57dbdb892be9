"""The definition, heading, table or key that a line of a file stands in, for a person to see.

- Python is parsed. Languages with braces, YAML and JSON are read by indentation, Markdown by its
  headings, TOML and INI by their tables.
- Conservative: where the text does not tell plainly, the answer is empty rather than a guess.
- For showing only: nothing is decided by it.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence

from merge.languages import language_of
from merge.types import FileConflict
from worktree_runner.core.texts import clean_line, decode

MOST_BYTES = 2_000_000
"""Longer files are not read: a screen is waiting."""
LEVELS = 2
"""How many definitions are named, innermost last."""

_BRACES = frozenset(
    {"js", "ts", "go", "rust", "java", "kotlin", "c", "csharp", "css", "php", "ruby", "swift"}
)
_ENDINGS = {"php": "php", "rb": "ruby", "swift": "swift", "scala": "java", "hpp": "c"}
_MODIFIERS = (
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub"
    r"(?:\([^)]*\))?|unsafe|extern|const|override|virtual|sealed|partial|open|data|declare|inline"
    r"|readonly)\s+)*"
)
_DEFINES = re.compile(
    rf"\s*{_MODIFIERS}(?:function\b|class\b|interface\b|enum\b|struct\b|trait\b|impl\b|fn\b|func\b"
    r"|def\b|module\b|namespace\b|mod\b|fun\b|object\b|record\b|type\s+\w+\s+struct\b)"
)
_BOUND = re.compile(r"\s*(?:export\s+)?(?:const|let|var)\s+[\w$]+\b.*(?:=>|function\b).*[({]\s*$")
_METHOD = re.compile(
    rf"\s*{_MODIFIERS}(?:[\w$<>\[\].,:*&?]+\s+)*~?[\w$]+\s*(?:<[^>]*>)?\([^;]*\)[^;]*\{{\s*$"
)
_NO_METHOD = re.compile(
    r"\s*(?:\}\s*)?(?:if|for|while|switch|catch|else|return|do|try|with|match)\b"
)
_COMMENT = re.compile(r"\s*(?://|/\*|\*|#(?!\[)|--)")
_PYTHON = re.compile(r"\s*(?:async\s+def|def|class)\s+\w+")
_HEADING = re.compile(r" {0,3}#{1,6}\s+(.+?)\s*#*\s*$")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_TABLE = re.compile(r"\s*(\[\[?[^\[\]]+\]?\])\s*(?:[#;].*)?$")
_KEY = re.compile(r"""\s*(?:-\s+)?(?:"([^"]+)"|'([^']+)'|([\w./$@-]+))\s*:(?:\s|$)""")


def enclosing_of(one: FileConflict, target: bytes | None) -> dict[int, str]:
    """What each hunk of a file stands in, by its 0-based number; hunks in nothing are absent."""
    if target is None or len(target) > MOST_BYTES:
        return {}
    found = {}
    for number, hunk in enumerate(one.hunks):
        if hunk.ours_line:
            indent = _first_indent(hunk.ours or hunk.theirs or hunk.base)
            words = enclosing(one.path, target, hunk.ours_line, indent)
            if words:
                found[number] = words
    return found


def enclosing(path: str, data: bytes, line: int, indent: int | None = None) -> str:
    """What the 1-based `line` of a file stands in, such as `class Store, def save`.

    `indent` is that of the text in question where it isn't the line's own (an insertion).
    """
    rows = decode(data).splitlines()
    language = language_of(path) or _ENDINGS.get(path.rpartition(".")[2], "")
    if indent is None:
        indent = _first_indent(tuple(row.encode() for row in rows[line - 1 : line]))
    above = rows[: line - 1]
    if language == "python":
        found = _in_python(data, line)
        return ", ".join((_by_indent(above, indent, _PYTHON) if found is None else found)[-LEVELS:])
    if path.endswith((".md", ".mdx", ".markdown")):
        return _heading(above)
    if language == "toml" or path.endswith((".ini", ".cfg", ".editorconfig")):
        tables = [match[1] for row in above if (match := _TABLE.match(row))]
        return clean_line(tables[-1], 60) if tables else ""
    if language in ("yaml", "json"):
        return ".".join(_keys(above, indent)[-3:])
    if language in _BRACES:
        return ", ".join(_by_indent(above, indent, None)[-LEVELS:])
    return ""


def _in_python(data: bytes, line: int) -> list[str] | None:
    """The definitions around a line, outermost first; None if the file does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = []
    nodes: Sequence[ast.AST] = tree.body
    while nodes:
        inside = [node for node in nodes if _first_line(node) < line <= _last_line(node)]
        for node in inside:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.append(f"def {node.name}")
            elif isinstance(node, ast.ClassDef):
                found.append(f"class {node.name}")
        nodes = [child for node in inside for child in ast.iter_child_nodes(node)]
    return found


def _first_line(node: ast.AST) -> int:
    places = (node, *getattr(node, "decorator_list", ()))
    return min(int(getattr(one, "lineno", 1 << 30)) for one in places)


def _last_line(node: ast.AST) -> int:
    return int(getattr(node, "end_lineno", 0) or 0)


def _by_indent(above: Sequence[str], indent: int, pattern: re.Pattern[str] | None) -> list[str]:
    """Definitions that the indentation puts a line in, outermost first."""
    found: list[str] = []
    for row in reversed(above):
        own = _indent(row)
        if own is None or own >= indent or _COMMENT.match(row):
            continue
        indent = own
        if pattern.match(row) if pattern is not None else _defines(row):
            found.insert(0, _signature(row))
        if indent == 0:
            break
    return found


def _defines(row: str) -> bool:
    if _DEFINES.match(row) or _BOUND.match(row):
        return True
    return bool(_METHOD.match(row)) and not _NO_METHOD.match(row)


def _signature(row: str) -> str:
    """`export function guard(req)`: the line without its opening brace, not too long."""
    return clean_line(row.strip().rstrip("{:").rstrip(" =>").strip(), 56)


def _heading(above: Sequence[str]) -> str:
    """The nearest Markdown heading that is not in a fenced block."""
    found, fence = "", ""
    for row in above:
        mark = _FENCE.match(row)
        if mark and (not fence or mark[1] == fence):
            fence = "" if fence else mark[1]
        elif not fence and (heading := _HEADING.match(row)):
            found = heading[1]
    return f'"{clean_line(found, 56)}"' if found else ""


def _keys(above: Sequence[str], indent: int) -> list[str]:
    """The keys of YAML or pretty-printed JSON that the indentation puts a line in."""
    found: list[str] = []
    for row in reversed(above):
        own = _indent(row)
        if own is None or own >= indent or row.lstrip().startswith("#"):
            continue
        indent = own
        if key := _KEY.match(row):
            found.insert(0, clean_line(next(name for name in key.groups() if name), 30))
        if indent == 0:
            break
    return found


def _indent(row: str) -> int | None:
    """The columns before the first sign; None for an empty line."""
    wide = row.expandtabs(4)
    text = wide.lstrip()
    return len(wide) - len(text) if text else None


def _first_indent(lines: Sequence[bytes]) -> int:
    for line in lines:
        own = _indent(decode(line.rstrip(b"\r\n")))
        if own is not None:
            return own
    return 0
