"""Finding the import region of a file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from merge.import_forms import READERS, Reader, go_group
from merge.import_values import Element, Region, Statement
from merge.text import Lines


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
    reader = READERS[language]
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
