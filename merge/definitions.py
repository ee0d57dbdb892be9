"""Which names a file defines at its top level, to find one that a merge would define twice.

What is counted may be too little, never another thing: two definitions that are rightly there
(overloads, setters, parts of one class) must not be taken for one thing given twice.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from merge.languages import BROKEN, language_of, read_python

Definitions = Counter[str]


def definitions(path: str, data: bytes) -> Definitions | None:
    """How often each top-level name is defined, None where that is not known.

    Python counts names of each scope; other languages only what starts a line.
    """
    language = language_of(path)
    if language == "python":
        try:
            return Counter(_python_names(read_python(data).body, ""))
        except BROKEN:
            return None
    if language == "ruby":
        return Counter(_ruby_names(data))
    pattern = _DEFINES.get(language)
    if pattern is None:
        return None
    return Counter(
        b" ".join(part for part in found.groups() if part).decode("utf-8", "replace")
        for found in pattern.finditer(data)
    )


DECORATED = "@"
"""What the name of a decorated definition begins with: a few may share one on purpose."""
_SHARING = {"overload", "setter", "getter", "deleter", "register"}


def _python_names(body: Sequence[ast.stmt], scope: str) -> Iterator[str]:
    """The functions and classes of every scope; each arm of a branch or a loop is one of its own,
    since only one of two arms may ever run."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            marks = {_last_name(mark) for mark in node.decorator_list}
            if not marks & _SHARING:
                yield f"{DECORATED if marks else ''}{scope}{node.name}"
            yield from _python_names(node.body, f"{scope}{node.name}.")
            continue
        arms = [getattr(node, name, ()) for name in ("body", "orelse", "finalbody")]
        arms += [handler.body for handler in getattr(node, "handlers", ())]
        for number, arm in enumerate(arms):
            if any(isinstance(one, _HOLDS) for one in arm):
                test = ast.unparse(node.test) if isinstance(node, ast.If | ast.While) else ""
                yield from _python_names(arm, f"{scope}{_ARM}{number} {test}{_ARM}")


def _last_name(mark: ast.expr) -> str:
    """`setter` of `@x.setter`, `get` of `@app.get("/")`."""
    if isinstance(mark, ast.Call):
        mark = mark.func
    return mark.attr if isinstance(mark, ast.Attribute) else getattr(mark, "id", "")


_HOLDS = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.For, ast.While, ast.With,
    ast.AsyncFor, ast.AsyncWith, ast.Try, ast.TryStar,
)  # fmt: skip
"""Statements that may hold a definition."""
_ARM = "\0"


def shown(name: str) -> str:
    """A name as a person knows it: without its mark and the arms around it."""
    return re.sub(f"{_ARM}[^{_ARM}]*{_ARM}", "", name).removeprefix(DECORATED)


def _ruby_names(data: bytes) -> Iterator[str]:
    """Methods, each with the classes and modules around it, told by indentation."""
    around: list[tuple[int, bytes]] = []
    for found in _RUBY.finditer(data):
        depth = len(found["indent"].expandtabs(8))
        while around and around[-1][0] >= depth:
            around.pop()
        if found["what"] == b"def":
            scope = b".".join(name for _, name in around)
            yield (scope + b"." + found["name"]).decode("utf-8", "replace")
        around.append((depth, found["name"]))


_RUBY = re.compile(
    rb"^(?P<indent>[ \t]*)(?:private |protected |private_class_method )?"
    rb"(?P<what>class|module|def)[ \t]+(?P<name><<[ \t]*\w+|[\w.:]+[?!=]?)"
    rb"(?![^\n]*;[ \t]*end\b)",
    re.M,
)
_JS = re.compile(
    rb"^(?:export\s+)?(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?"
    rb"(?:function\s*\*?|class|const|let|enum|const\s+enum)\s+([A-Za-z_$][\w$]*)\s*[=({<:\s]"
    rb"(?![^\n]*;\s*//\s*overload)",
    re.M,
)
_DEFINES: dict[str, re.Pattern[bytes]] = {
    "js": _JS,
    "ts": re.compile(
        rb"^(?:export\s+)?(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?"
        rb"(?:class|const|let|enum|type)\s+([A-Za-z_$][\w$]*)",
        re.M,
    ),
    "go": re.compile(
        rb"^(?:func\s+(?:\(\s*(?:\w+\s+)?\*?(\w+)[^)]*\)\s*)?|type\s+)(?!init\b|_\b)(\w+)", re.M
    ),
    "rust": re.compile(
        rb"^(?:pub(?:\([^)]*\))?\s+)?(?:async\s+|unsafe\s+|const\s+)*"
        rb"(?:fn|struct|enum|trait|mod|type|static|union)\s+(\w+)",
        re.M,
    ),
    "java": re.compile(
        rb"^(?:(?:public|final|abstract|sealed)\s+)*(?:class|interface|enum|record)\s+(\w+)", re.M
    ),
    "kotlin": re.compile(
        rb"^(?:(?:public|internal|private|open|abstract|sealed|data)\s+)*"
        rb"(?:class|interface|object)\s+(\w+)",
        re.M,
    ),
    "php": re.compile(
        rb"^(?:(?:abstract|final|readonly)\s+)*(?:class|interface|trait|enum)\s+(\w+)"
        rb"|^function\s+&?(\w+)",
        re.M,
    ),
    "swift": re.compile(
        rb"^(?:(?:public|internal|private|fileprivate|open|final|indirect)\s+)*"
        rb"(?:class|struct|enum|protocol|actor)\s+(?!func\b|var\b)(\w+)",
        re.M,
    ),
    "scala": re.compile(
        rb"^(?:(?:final|sealed|abstract|case|implicit)\s+)*(class|trait|object)\s+(\w+)", re.M
    ),
    "css": re.compile(rb"^@(?:keyframes|font-feature-values)\s+([\w-]+)", re.M),
}
