"""Finding the import region of a file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from merge import import_forms, import_includes, import_namespaces
from merge.import_forms import go_group
from merge.import_namespaces import php_imports_start, starts_at_another
from merge.import_values import Element, Reader, Region, Statement
from merge.text import Lines

READERS: dict[str, Reader] = {
    **import_forms.READERS,
    **import_namespaces.READERS,
    **import_includes.READERS,
}
_WITH_HASHES = frozenset({"python", "ruby"})


def find_region(language: str, lines: Lines) -> Region | None:
    """The first import region, or None if there is none that is surely one."""
    reader = READERS.get(language)
    if reader is None:
        return None
    start, read = _first(reader, lines), reader
    if language == "go":
        start, read = go_group(lines, start)
    if start is None:
        return None
    if _inside_text(language, lines[:start]):
        return None
    if language == "php" and not php_imports_start(lines, start):
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
    region = Region(start, end, tuple(items[:kept])) if kept else None
    if language == "scala" and region:
        elements = (e for statement in region.statements for e in statement.elements)
        return None if starts_at_another(elements) else region
    return region


def elements_outside(language: str, lines: Lines, region: Region) -> set[Element]:
    """What statements outside the region import, at any depth of indentation."""
    reader = READERS[language]
    if language in ("go", "csharp"):
        return set()  # these have imports nowhere else
    found: set[Element] = set()
    for index, line in enumerate(lines):
        if not region.start <= index < region.end and _STARTS.match(line):
            read = reader([part.lstrip() for part in lines[index : index + 40]], 0)
            found |= set(read[0].elements) if read else set()
    return found


_STARTS = re.compile(
    rb"\s*(?:import|from|export|use|mod|pub|extern|const|let|var|using|require|@\w+|#)\b"
)


def _first(reader: Reader, lines: Sequence[bytes]) -> int | None:
    return next((i for i in range(len(lines)) if reader(lines, i)), None)


def _inside_text(language: str, before: Sequence[bytes]) -> bool:
    """Whether what comes before leaves a long string or comment open."""
    text = b"".join(before)
    if language == "python":
        return text.count(b'"""') % 2 == 1 or text.count(b"'''") % 2 == 1
    if language == "ruby":
        return b"=begin" in text
    return text.rfind(b"/*") > text.rfind(b"*/")


def _is_comment(language: str, line: bytes) -> bool:
    mark = line.strip()
    if language in _WITH_HASHES:
        return mark.startswith(b"#")
    return mark.startswith(b"//") or (mark.startswith(b"/*") and mark.endswith(b"*/"))
