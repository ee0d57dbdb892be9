"""Import statements of a few languages, read well enough to add or drop one name.

- A region is the first stretch of a file that holds only imports, blank lines and comments.
- An element is one name that a statement brings; statements are sets of elements.
- A statement in a form not known here is kept as one opaque element, its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from merge.text import Lines

MAX_WIDTH = 88
LONGEST = 300
"""Lines of one statement at most."""


class Element(NamedTuple):
    """`module` gives `name`, known here as `binding`; an empty binding names nothing."""

    kind: str
    module: str
    name: str
    alias: str

    @property
    def binding(self) -> str:
        if self.alias:
            return self.alias
        if self.kind == "go":
            return ""
        if self.kind in {"use", "java"}:
            tail = re.split(r"::|\.", self.name)[-1]
            return "" if tail in {"*", "self"} else tail
        return "" if self.name in {"*", ""} else self.name


@dataclass(frozen=True, slots=True)
class Statement:
    """Lines `start:end` of the file. `opening` is what stands before the list of names."""

    lines: Lines
    elements: tuple[Element, ...]
    opening: str = ""
    closing: str = ""
    ordered: bool = False
    """Executed for its effect, so its place among others of this kind matters."""

    def joins(self, other: Statement) -> bool:
        """Whether names of the other statement may stand in this one."""
        if not self.opening or self.opening == "import " or self.key != other.key:
            return False
        grouped = any(b"{" in line for s in (self, other) for line in s.lines)
        return self.opening == other.opening and (grouped or not self.opening.endswith("::{"))

    @property
    def key(self) -> str:
        return self.elements[0].module if self.elements else ""


@dataclass(frozen=True, slots=True)
class Region:
    """Lines `start:end` of a file; items are statements, blank lines and comments in order."""

    start: int
    end: int
    items: tuple[Statement | bytes, ...]

    @property
    def statements(self) -> tuple[Statement, ...]:
        return tuple(item for item in self.items if isinstance(item, Statement))

    @property
    def comments(self) -> tuple[bytes, ...]:
        return tuple(i.strip() for i in self.items if isinstance(i, bytes) and i.strip())


Reader = Callable[[Sequence[bytes], int], tuple[Statement, int] | None]


def find_region(language: str, lines: Lines) -> Region | None:
    """The first import region, or None if there is none that is surely one."""
    reader = _READERS.get(language)
    if reader is None:
        return None
    start, read = _first(reader, lines), reader
    if language == "go":
        start, read = _go_group(lines, start)
    if start is None:
        return None
    if language == "python" and _inside_string(lines[:start]):
        return None
    items: list[Statement | bytes] = []
    at, kept, end = start, 0, start
    while at < len(lines):
        found = read(lines, at)
        if found:
            items.append(found[0])
            at = found[1]
            kept, end = len(items), at
        elif not lines[at].strip() or _is_comment(language, lines[at]):
            items.append(lines[at])
            at += 1
        else:
            break
    return Region(start, end, tuple(items[:kept])) if kept else None


def elements_outside(language: str, lines: Lines, region: Region) -> set[Element]:
    """What statements outside the region import, at any depth of indentation."""
    reader = _READERS[language]
    if language == "go":
        return set()  # Go has imports nowhere else
    found: set[Element] = set()
    for index, line in enumerate(lines):
        if not region.start <= index < region.end and _STARTS.match(line):
            read = reader([part.lstrip() for part in lines[index : index + 40]], 0)
            found |= set(read[0].elements) if read else set()
    return found


_STARTS = re.compile(rb"\s*(?:import|from|export|use|mod|pub|extern|const|let|var)\b")


def _first(reader: Reader, lines: Sequence[bytes]) -> int | None:
    return next((i for i in range(len(lines)) if reader(lines, i)), None)


def _inside_string(before: Sequence[bytes]) -> bool:
    text = b"".join(before)
    return text.count(b'"""') % 2 == 1 or text.count(b"'''") % 2 == 1


def _is_comment(language: str, line: bytes) -> bool:
    mark = line.strip()
    if language == "python":
        return mark.startswith(b"#")
    return mark.startswith(b"//") or (mark.startswith(b"/*") and mark.endswith(b"*/"))


def _text(lines: Sequence[bytes]) -> str | None:
    try:
        return b"".join(lines).decode()
    except UnicodeDecodeError:
        return None


def _names(text: str, word: str) -> tuple[tuple[str, str], ...] | None:
    """`a, b as c` as pairs; None for anything else."""
    pairs = []
    for part in text.split(","):
        if not part.strip():
            continue
        found = re.fullmatch(rf"\s*({word})(?:\s+as\s+({word}))?\s*", part)
        if not found:
            return None
        pairs.append((found.group(1), found.group(2) or ""))
    return tuple(pairs)


# --- Python -----------------------------------------------------------------------------------


def _python(lines: Sequence[bytes], at: int) -> tuple[Statement, int] | None:
    if not re.match(rb"(?:import|from)[ \t]", lines[at]):
        return None
    end = at + 1
    grouped = b"(" in lines[at] and b")" not in lines[at]
    while end < min(len(lines), at + LONGEST) and (
        grouped or lines[end - 1].rstrip().endswith(b"\\")
    ):
        grouped = grouped and b")" not in lines[end]
        end += 1
    text = _text(lines[at:end])
    if text is None:
        return None
    kept = tuple(lines[at:end])
    found = re.fullmatch(r"import[ \t]+(?P<names>[^#\\;()]+)\s*", text)
    if found:
        names = _names(found["names"], r"[\w.]+")
        if names:
            elements = tuple(Element("import", name, "", alias) for name, alias in names)
            return Statement(kept, elements, "import "), end
    found = re.fullmatch(
        r"from[ \t]+(?P<module>[\w.]+)[ \t]+import[ \t]*(?:\((?P<many>[^()#;]*)\)|"
        r"(?P<one>[^#\\;()]+))\s*",
        text,
    )
    if found:
        many = found["many"] is not None
        names = _names(found["many"] if many else found["one"], r"\w+")
        if names:
            module = found["module"]
            elements = tuple(Element("from", module, name, alias) for name, alias in names)
            return Statement(kept, elements, f"from {module} import ", "(" if many else ""), end
    if re.match(r"from\s+[\w.]+\s+import\b|import\s+\w", text) and ";" not in text:
        return Statement(kept, (Element("opaque", " ".join(text.split()), "", ""),)), end
    return None


# --- JavaScript and TypeScript ----------------------------------------------------------------

_JS_STRING = r"(?P<quote>[\"'])(?P<module>[^\"'\n]+)(?P=quote)\s*(?P<end>;?)"
_JS_NAMED = re.compile(
    r"(?P<word>import|export)\s+(?P<type>type\s+)?(?:(?P<default>[\w$]+)\s*,\s*)?"
    r"\{(?P<names>[^{}/*]*)\}\s*from\s*" + _JS_STRING + r"\s*"
)
_JS_SIMPLE = re.compile(
    r"import\s+(?P<type>type\s+)?(?:(?P<default>[\w$]+)|\*\s+as\s+(?P<space>[\w$]+))\s+from\s*"
    + _JS_STRING + r"\s*"
)  # fmt: skip
_JS_BARE = re.compile(r"import\s*" + _JS_STRING + r"\s*")
_JS_REQUIRE = re.compile(
    r"(?:const|let|var)\s+(?:(?P<default>[\w$]+)|\{(?P<names>[^{}/*:=]*)\})\s*=\s*require\(\s*"
    r"(?P<quote>[\"'])(?P<module>[^\"'\n]+)(?P=quote)\s*\)\s*;?\s*"
)


def _js(lines: Sequence[bytes], at: int) -> tuple[Statement, int] | None:
    head = lines[at]
    if not re.match(rb"import\b(?!\s*\()|export\s+(?:type\s+)?\{|(?:const|let|var)\s", head):
        return None
    end = at + 1
    while end < len(lines) and end - at < 120 and b"{" in head and not _js_closed(lines, at, end):
        end += 1
    text = _text(lines[at:end])
    if text is None:
        return None
    kept = tuple(lines[at:end])
    if found := _JS_NAMED.fullmatch(text):
        return _js_named(kept, found), end
    if found := _JS_SIMPLE.fullmatch(text):
        kind = f"import {(found['type'] or '').strip()}".strip()
        name, alias = ("default", found["default"]) if found["default"] else ("*", found["space"])
        return Statement(kept, (Element(kind, found["module"], name, alias),)), end
    if found := _JS_BARE.fullmatch(text):
        return Statement(kept, (Element("effect", found["module"], "", ""),), ordered=True), end
    if found := _JS_REQUIRE.fullmatch(text):
        names = _names(found["names"] or "", r"[\w$]+")
        if found["default"]:
            element = Element("require", found["module"], "", found["default"])
            return Statement(kept, (element,)), end
        if names:
            elements = tuple(Element("require", found["module"], n, a) for n, a in names)
            return Statement(kept, elements), end
    return None


def _js_closed(lines: Sequence[bytes], at: int, end: int) -> bool:
    return re.search(rb"\}[^{}]*[\"'][^\"']*[\"']", b"".join(lines[at:end])) is not None


def _js_named(kept: Lines, found: re.Match[str]) -> Statement:
    kind = " ".join(f"{found['word']} {found['type'] or ''}".split())
    names = _names(found["names"], r"(?:type\s+)?[\w$]+")
    module = found["module"]
    if not names:
        return Statement(kept, (Element("opaque", " ".join(found.group().split()), "", ""),))
    elements = [Element(kind, module, name, alias) for name, alias in names]
    default = found["default"]
    if default:
        elements.insert(0, Element(kind, module, "default", default))
    opening = f"{kind} {default + ', ' if default else ''}{{"
    quote = found["quote"]
    return Statement(
        kept, tuple(elements), opening, f"}} from {quote}{module}{quote}{found['end']}"
    )


# --- Go, Rust, Java, Kotlin -------------------------------------------------------------------


def _go_group(lines: Sequence[bytes], single: int | None) -> tuple[int | None, Reader]:
    """The first line inside `import (`, or single imports where there is no group."""
    for index, line in enumerate(lines):
        if re.fullmatch(rb"import\s*\(\s*", line):
            return index + 1, _go_inner
        if re.match(rb"(?:func|type|var|const)\b", line):
            break
    return single, _go


def _go_inner(lines: Sequence[bytes], at: int) -> tuple[Statement, int] | None:
    found = re.fullmatch(rb"\s*(?:([\w.]+)\s+)?\"([^\"\n]+)\"\s*", lines[at])
    if not found:
        return None
    alias = (found.group(1) or b"").decode()
    module = found.group(2).decode("utf-8", "surrogateescape")
    element = Element("go", module, "", alias if alias not in {"_", "."} else "")
    if alias in {"_", "."}:
        element = Element(f"go {alias}", module, "", "")
    return Statement((lines[at],), (element,), ordered=alias == "_"), at + 1


def _go(lines: Sequence[bytes], at: int) -> tuple[Statement, int] | None:
    if not re.match(rb"import\s+(?:[\w.]+\s+)?\"", lines[at]):
        return None
    found = _go_inner([re.sub(rb"^import\s+", b"", lines[at])], 0)
    return (
        (Statement((lines[at],), found[0].elements, ordered=found[0].ordered), at + 1)
        if (found)
        else None
    )


def _rust(lines: Sequence[bytes], at: int) -> tuple[Statement, int] | None:
    end = at
    while end < len(lines) and re.match(rb"#\[[^\n]*\]\s*$", lines[end]):
        end += 1
    head = lines[end] if end < len(lines) else b""
    if not re.match(rb"(?:pub(?:\([^)]*\))?\s+)?(?:use|mod|extern\s+crate)\s", head):
        return None
    if re.match(rb"(?:pub(?:\([^)]*\))?\s+)?mod\s+\w+\s*\{", head):
        return None
    first = end
    end += 1
    while end < len(lines) and b";" not in lines[end - 1] and end - first < 60:
        end += 1
    text = _text(lines[first:end])
    if text is None or text.count(";") != 1 or not text.rstrip().endswith(";"):
        return None
    kept = tuple(lines[at:end])
    attributes = "".join((_text(lines[at:first]) or "").split())
    flat = " ".join(text.split())
    found = re.fullmatch(r"(?P<vis>pub(?:\([^)]*\))? )?(?P<what>use|mod) (?P<path>.*);", flat)
    if not found or "//" in text or "/*" in text:
        return Statement(kept, (Element("opaque", attributes + flat, "", ""),)), end
    kind = f"{attributes}{found['vis'] or ''}{found['what']}"
    path = found["path"]
    if found["what"] == "mod":
        return Statement(kept, (Element(kind, "", path, path),)), end
    grouped = re.fullmatch(r"(?P<module>[\w:]+)::\{(?P<names>[^{}]*)\}", path)
    if grouped:
        names = _names(grouped["names"], r"[\w:]+|\*")
        if names:
            module = grouped["module"]
            elements = tuple(_use(kind, f"{module}::{name}", alias) for name, alias in names)
            opening = f"{found['vis'] or ''}use {module}::{{"
            return Statement(kept, elements, "" if attributes else opening, "};"), end
    plain = re.fullmatch(r"(?P<path>[\w:]+(?:::\*)?)(?: as (?P<alias>\w+))?", path)
    if plain:
        element = _use(kind, plain["path"], plain["alias"] or "")
        known = element.module and not attributes and element.binding
        opening = f"{found['vis'] or ''}use {element.module}::{{" if known else ""
        return Statement(kept, (element,), opening, "};"), end
    return Statement(kept, (Element("opaque", attributes + flat, "", ""),)), end


def _use(kind: str, path: str, alias: str) -> Element:
    return Element(
        kind, path.rpartition("::")[0], path.removesuffix("::self"), alias or _tail(path)
    )


def _tail(path: str) -> str:
    tail = path.removesuffix("::self").rpartition("::")[2]
    return "" if tail == "*" else tail


def _java(lines: Sequence[bytes], at: int) -> tuple[Statement, int] | None:
    found = re.fullmatch(
        rb"import\s+(static\s+)?([\w.]+(?:\.\*)?)(?:\s+as\s+(\w+))?\s*;?\s*", lines[at]
    )
    if not found:
        return None
    kind = "static" if found.group(1) else "java"
    path = found.group(2).decode("utf-8", "surrogateescape")
    module, _, name = path.rpartition(".")
    alias = (found.group(3) or b"").decode() or (name if name != "*" else "")
    return Statement((lines[at],), (Element(kind, module, name, alias),)), at + 1


_READERS: dict[str, Reader] = {
    "python": _python,
    "js": _js,
    "ts": _js,
    "go": _go,
    "rust": _rust,
    "java": _java,
    "kotlin": _java,
}


def with_elements(
    language: str, statement: Statement, elements: tuple[Element, ...], end: bytes
) -> Lines | None:
    """The statement with these elements instead, in its own layout; None if that is unsure."""
    if elements == statement.elements:
        return statement.lines
    if not statement.opening:
        return None
    named = [e for e in elements if e.name != "default"]
    if language == "python" and statement.opening == "import ":
        words = [e.module + (f" as {e.alias}" if e.alias else "") for e in elements]
    elif language == "rust":
        module = statement.opening.rpartition("use ")[2].removesuffix("::{")
        words = [_use_word(e, module) for e in elements]
    else:
        words = [e.name + (f" as {e.alias}" if e.alias else "") for e in named]
    if not words or len(elements) - len(named) != sum(
        e.name == "default" for e in statement.elements
    ):
        return None
    if len(statement.lines) == 1:
        line = _one_line(language, statement, words)
        longest = max(MAX_WIDTH, len(statement.lines[0].rstrip()))
        if len(line) <= longest:
            return (line.encode() + end,)
        return _one_each(language, statement, words, "  " if language in "js ts" else "    ", end)
    indent = _vertical_indent(statement, len(statement.elements))
    if indent is None:
        return None
    return _one_each(language, statement, words, indent, end)


def _use_word(element: Element, module: str) -> str:
    path = element.name.removeprefix(module).removeprefix("::") or "self"
    return path if element.alias in ("", _tail(element.name)) else f"{path} as {element.alias}"


def _one_line(language: str, statement: Statement, words: Sequence[str]) -> str:
    inner = ", ".join(words)
    if language == "rust" and len(words) == 1 and words[0] != "self":
        return f"{statement.opening.removesuffix('{')}{inner};"
    if language == "python":
        closing = ")" if statement.closing else ""
        return f"{statement.opening}{statement.closing}{inner}{closing}"
    tight = language == "rust" or b"{ " not in statement.lines[0]
    return f"{statement.opening}{inner if tight else f' {inner} '}{statement.closing}"


def _vertical_indent(statement: Statement, count: int) -> str | None:
    """The indent of one-name-a-line layout, None for another layout."""
    inner = statement.lines[1:-1]
    default = sum(e.name == "default" for e in statement.elements)
    if len(inner) != count - default:
        return None
    indents = {line[: len(line) - len(line.lstrip())] for line in inner}
    return indents.pop().decode() if len(indents) == 1 else None


def _one_each(
    language: str, statement: Statement, words: Sequence[str], indent: str, end: bytes
) -> Lines | None:
    if language == "python" and statement.opening == "import ":
        return None
    many = len(statement.lines) > 2
    comma = not many or statement.lines[-2].rstrip().endswith(b",")
    opening = statement.opening + ("(" if language == "python" else "")
    closing = ")" if language == "python" else statement.closing
    last = len(words) - 1
    inner = [f"{indent}{w}{',' if i < last or comma else ''}" for i, w in enumerate(words)]
    return tuple(line.encode() + end for line in (opening, *inner, closing))
