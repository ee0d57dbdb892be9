"""Unified diffs on bytes that `git apply` takes, for reports and bundles.

- Lines end at \\n only; a missing last line end is marked as git marks it.
- Contents beyond `MAX_LINES` give no diff: a report must not take longer than the merge.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

MAX_LINES = 20_000


def split_lines(data: bytes) -> list[bytes]:
    """Lines with their ends; joined they are `data` again."""
    lines = data.split(b"\n")
    tail = lines.pop()
    return [line + b"\n" for line in lines] + ([tail] if tail else [])


def is_binary(data: bytes) -> bool:
    """Git's own rule: a NUL among the first 8,000 bytes."""
    return b"\0" in data[:8000]


def changed_lines(old: bytes | None, new: bytes | None) -> tuple[int, int] | None:
    """How many lines were added and removed; None where that can't be told in lines."""
    groups = _groups(old or b"", new or b"", context=0)
    if groups is None:
        return None
    added = removed = 0
    for group in groups:
        for tag, i1, i2, j1, j2 in group:
            if tag != "equal":
                removed += i2 - i1
                added += j2 - j1
    return added, removed


def unified(path: str, old: bytes | None, new: bytes | None, *, mode: str = "100644") -> bytes:
    """A patch from `old` to `new`, None being a file that isn't there; empty if there is none.

    Empty also for binary contents and for contents beyond `MAX_LINES`.
    """
    groups = _groups(old or b"", new or b"", context=3)
    if not groups:
        return b""
    name_old, name_new = _quote(f"a/{path}"), _quote(f"b/{path}")
    head = [b"diff --git " + name_old + b" " + name_new + b"\n"]
    if old is None:
        head.append(f"new file mode {mode}\n".encode())
    if new is None:
        head.append(f"deleted file mode {mode}\n".encode())
    head.append(b"--- " + (b"/dev/null" if old is None else name_old) + b"\n")
    head.append(b"+++ " + (b"/dev/null" if new is None else name_new) + b"\n")
    old_lines, new_lines = split_lines(old or b""), split_lines(new or b"")
    body = (line for group in groups for line in _hunk(group, old_lines, new_lines))
    return b"".join((*head, *body))


_Group = list[tuple[str, int, int, int, int]]


def _groups(old: bytes, new: bytes, context: int) -> list[_Group] | None:
    """Changed regions with context; None where lines can't be compared."""
    if is_binary(old) or is_binary(new):
        return None
    old_lines, new_lines = split_lines(old), split_lines(new)
    if max(len(old_lines), len(new_lines)) > MAX_LINES:
        return None
    matcher = difflib.SequenceMatcher(None, old_lines, new_lines, autojunk=False)
    if context == 0:
        codes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
        return [[code] for code in codes]
    return [group for group in matcher.get_grouped_opcodes(context) if group]


def _hunk(group: _Group, old: list[bytes], new: list[bytes]) -> Iterator[bytes]:
    first, last = group[0], group[-1]
    spans = _span(first[1], last[2]), _span(first[3], last[4])
    yield f"@@ -{spans[0]} +{spans[1]} @@\n".encode()
    for tag, i1, i2, j1, j2 in group:
        if tag == "equal":
            yield from (_marked(b" ", line) for line in old[i1:i2])
            continue
        yield from (_marked(b"-", line) for line in old[i1:i2])
        yield from (_marked(b"+", line) for line in new[j1:j2])


def _span(start: int, end: int) -> str:
    length = end - start
    return f"{start + 1 if length else start},{length}"


def _marked(mark: bytes, line: bytes) -> bytes:
    if line.endswith(b"\n"):
        return mark + line
    return mark + line + b"\n\\ No newline at end of file\n"


def _quote(name: str) -> bytes:
    """A path as git writes it in a patch: in quotes with escapes where it needs them."""
    raw = name.encode("utf-8", "surrogateescape")
    if all(32 <= byte < 127 and byte not in b'"\\' for byte in raw):
        return raw
    special = {9: b"\\t", 10: b"\\n", 13: b"\\r", 34: b'\\"', 92: b"\\\\"}
    escaped = (
        special.get(byte) or (bytes([byte]) if 32 <= byte < 127 else f"\\{byte:03o}".encode())
        for byte in raw
    )
    return b'"' + b"".join(escaped) + b'"'
