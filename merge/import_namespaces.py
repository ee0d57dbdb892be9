"""How import statements look in PHP, C#, Swift and Scala.

What a form brings decides what may be said of it:

- PHP's `use` gives one short name to one class, function or constant: a set of names.
- C#'s `using` and Swift's `import` open a whole namespace or module. Their order means nothing,
  and a name found in two of them stops the compiler, so what both sides open may be opened
  together; what is still needed of one that a side closed can't be told, so that is a question.
- Scala's imports may start at a name that another import gives, so that order counts: a region in
  which one does is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from merge.import_values import LONGEST, Element, Reader, Statement, named, text_of

# --- PHP --------------------------------------------------------------------------------------

_PHP_START = re.compile(rb"use\s+[\w\\]")
_PHP = re.compile(r"use\s+(?P<what>function\s+|const\s+)?(?P<names>[\w\\\s,]+);\s*")
_PHP_GROUP = re.compile(
    r"use\s+(?P<what>function\s+|const\s+)?\\?(?P<module>\w[\w\\]*)\\\{(?P<names>[\w\\\s,]*)\}\s*;\s*"
)
_PHP_CODE = re.compile(
    rb"\s*(?:(?:abstract|final|readonly)\s+)*(?:class|interface|trait|enum|function)\b"
)


def _php(lines: Sequence[bytes], at: int) -> tuple[Statement, int] | None:
    if not _PHP_START.match(lines[at]):
        return None
    end = at + 1
    while b";" not in lines[end - 1] and end < min(len(lines), at + LONGEST):
        end += 1
    text = text_of(lines[at:end])
    if text is None:
        return None
    kept = tuple(lines[at:end])
    found = _PHP_GROUP.fullmatch(text) or _PHP.fullmatch(text)
    pairs = named(found["names"], r"[\w\\]+") if found else None
    if found is None or not pairs:
        opaque = Element("opaque", " ".join(text.split()), "", "")
        return (Statement(kept, (opaque,)), end) if text.rstrip().endswith(";") else None
    what = " ".join((found["what"] or "").split())
    kind = f"php {what}".strip()
    above = found.groupdict().get("module") or ""
    elements = tuple(_php_element(kind, above, name, alias) for name, alias in pairs)
    flat = above and not any("\\" in name for name, _ in pairs)
    opening = f"use {what + ' ' if what else ''}{above}\\{{" if flat else ""
    return Statement(kept, elements, opening, "};"), end


def _php_element(kind: str, above: str, name: str, alias: str) -> Element:
    path = f"{above}\\{name}" if above else name.removeprefix("\\")
    module, _, tail = path.rpartition("\\")
    return Element(kind, module, tail, alias)


def php_imports_start(lines: Sequence[bytes], at: int) -> bool:
    """Whether a `use` at this line is an import of the file's only namespace.

    In a class it brings in a trait, after a function's head variables.
    """
    spaces = sum(re.match(rb"\s*namespace\s", line) is not None for line in lines)
    return spaces < 2 and not any(_PHP_CODE.match(line) for line in lines[:at])


# --- C#, Swift --------------------------------------------------------------------------------


def _csharp(lines: Sequence[bytes], at: int) -> tuple[Statement, int] | None:
    found = re.fullmatch(
        rb"\s*(?P<kind>(?:global\s+)?using(?:\s+static)?)\s+(?:(?P<alias>\w+)\s*=\s*)?"
        rb"(?P<path>(?:global::)?\w+(?:\.\w+)*)\s*;\s*",
        lines[at],
    )
    if not found:
        return None
    kind = " ".join(found["kind"].decode().split())
    alias = (found["alias"] or b"").decode("utf-8", "surrogateescape")
    path = found["path"].decode("utf-8", "surrogateescape")
    return Statement((lines[at],), (Element(kind, path, "", alias),)), at + 1


def _swift(lines: Sequence[bytes], at: int) -> tuple[Statement, int] | None:
    found = re.fullmatch(
        rb"(?P<kind>(?:@\w+(?:\(\w+\))?\s+)*(?:(?:public|internal|private|package)\s+)?import)\s+"
        rb"(?:(?P<what>typealias|struct|class|enum|protocol|let|var|func)\s+)?"
        rb"(?P<path>\w+(?:\.\w+)*)\s*",
        lines[at],
    )
    if not found:
        return None
    path = found["path"].decode("utf-8", "surrogateescape")
    kind = " ".join(found["kind"].decode().split())
    element = Element(f"swift {kind}", path, "", "")
    if found["what"]:
        module, _, name = path.rpartition(".")
        element = Element(f"swift {kind} {found['what'].decode()}", module, name, "")
    return Statement((lines[at],), (element,)), at + 1


# --- Scala ------------------------------------------------------------------------------------

_SCALA = re.compile(
    r"import[ \t]+(?P<module>\w+(?:\.\w+)*)\.(?:(?P<one>\w+|\*)|\{(?P<many>[^{}/]*)\})\s*"
)


def _scala(lines: Sequence[bytes], at: int) -> tuple[Statement, int] | None:
    if not re.match(rb"import[ \t]+\w", lines[at]):
        return None
    end = at + 1
    if b"{" in lines[at]:
        while b"}" not in lines[end - 1] and end < min(len(lines), at + LONGEST):
            end += 1
    text = text_of(lines[at:end])
    if text is None:
        return None
    kept = tuple(lines[at:end])
    found = _SCALA.fullmatch(text)
    inner = re.sub(r"=>", " as ", found["many"] or found["one"]) if found else ""
    pairs = named(inner, r"\w+|\*")
    if found is None or not pairs or any("_" in pair[1:] or "given" in pair for pair in pairs):
        return Statement(kept, (Element("opaque", " ".join(text.split()), "", ""),)), end
    module = found["module"]
    elements = tuple(
        Element("scala", module, "*" if name == "_" else name, alias) for name, alias in pairs
    )
    plain = found["many"] is not None and not any(alias for _, alias in pairs)
    return Statement(kept, elements, f"import {module}.{{" if plain else "", "}"), end


def starts_at_another(elements: Iterable[Element]) -> bool:
    """Whether an import takes its path from a name that another gives, or may."""
    known = list(elements)
    given = {element.binding for element in known} - {""}
    return any(
        element.kind == "opaque" or element.module.split(".")[0] in given for element in known
    )


READERS: dict[str, Reader] = {
    "php": _php,
    "csharp": _csharp,
    "swift": _swift,
    "scala": _scala,
}
