"""How import statements look in Python, JavaScript, Go, Rust, Java and Kotlin."""

from __future__ import annotations

import re
from collections.abc import Sequence

from merge.import_values import LONGEST, Element, Reader, Statement, named, text_of
from merge.text import Lines

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
    text = text_of(lines[at:end])
    if text is None:
        return None
    kept = tuple(lines[at:end])
    found = re.fullmatch(r"import[ \t]+(?P<names>[^#\\;()]+)\s*", text)
    if found:
        names = named(found["names"], r"[\w.]+")
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
        names = named(found["many"] if many else found["one"], r"\w+")
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
    text = text_of(lines[at:end])
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
        names = named(found["names"] or "", r"[\w$]+")
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
    names = named(found["names"], r"(?:type\s+)?[\w$]+")
    module = found["module"]
    if not names:
        return Statement(kept, (Element("opaque", " ".join(found.group().split()), "", ""),))
    elements = [_js_element(kind, module, *name) for name in names]
    default = found["default"]
    if default:
        elements.insert(0, Element(kind, module, "default", default))
    opening = f"{kind} {default + ', ' if default else ''}{{"
    quote = found["quote"]
    return Statement(
        kept, tuple(elements), opening, f"}} from {quote}{module}{quote}{found['end']}"
    )


def _js_element(kind: str, module: str, name: str, alias: str) -> Element:
    """The element of a name in braces; `import {type A}` brings what `import type {A}` brings."""
    bare = re.sub(r"^type\s+", "", name)
    only_type = bare != name and not kind.endswith(" type")
    return Element(f"{kind} type" if only_type else kind, module, bare, alias)


# --- Go, Rust, Java, Kotlin -------------------------------------------------------------------


def go_group(lines: Sequence[bytes], single: int | None) -> tuple[int | None, Reader]:
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
    text = text_of(lines[first:end])
    if text is None or text.count(";") != 1 or not text.rstrip().endswith(";"):
        return None
    kept = tuple(lines[at:end])
    attributes = "".join((text_of(lines[at:first]) or "").split())
    flat = " ".join(text.split())
    found = re.fullmatch(r"(?P<vis>pub(?:\([^)]*\))? )?(?P<what>use|mod) (?P<path>.*);", flat)
    if not found or "//" in text or "/*" in text or "macro_use" in attributes:
        return Statement(kept, (Element("opaque", attributes + flat, "", ""),)), end
    kind = f"{attributes}{found['vis'] or ''}{found['what']}"
    path = found["path"]
    if found["what"] == "mod":
        return Statement(kept, (Element(kind, "", path, path),)), end
    grouped = re.fullmatch(r"(?P<module>[\w:]+)::\{(?P<names>[^{}]*)\}", path)
    if grouped:
        names = named(grouped["names"], r"[\w:]+|\*")
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
        kind, path.rpartition("::")[0], path.removesuffix("::self"), alias or path_tail(path)
    )


def path_tail(path: str) -> str:
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


READERS: dict[str, Reader] = {
    "python": _python,
    "js": _js,
    "ts": _js,
    "go": _go,
    "rust": _rust,
    "java": _java,
    "kotlin": _java,
}
