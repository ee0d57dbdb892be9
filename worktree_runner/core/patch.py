"""Unified diffs on bytes that `git apply` takes, for reports and bundles.

- Lines end at \\n only; a missing last line end is marked as git marks it.
- The time is bounded by `merge.diff`: a report never takes much longer than the merge did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from merge.diff import Block, changed_blocks
from merge.text import Lines, split_lines

CONTEXT = 3


def is_binary(data: bytes) -> bool:
    """Git's own rule: a NUL among the first 8,000 bytes."""
    return b"\0" in data[:8000]


def changed_lines(old: bytes | None, new: bytes | None) -> tuple[int, int] | None:
    """How many lines were added and removed; None where that can't be told in lines."""
    if is_binary(old or b"") or is_binary(new or b""):
        return None
    blocks = changed_blocks(split_lines(old or b""), split_lines(new or b""))
    added = sum(block.new_end - block.new_start for block in blocks)
    return added, sum(block.old_end - block.old_start for block in blocks)


def unified(path: str, old: bytes | None, new: bytes | None, *, mode: str = "100644") -> bytes:
    """A patch from `old` to `new`, None being a file that isn't there; empty if there is none.

    Empty also for binary contents.
    """
    if is_binary(old or b"") or is_binary(new or b""):
        return b""
    old_lines, new_lines = split_lines(old or b""), split_lines(new or b"")
    blocks = changed_blocks(old_lines, new_lines)
    if not blocks:
        return b""
    name_old, name_new = _quote(f"a/{path}"), _quote(f"b/{path}")
    head = [b"diff --git " + name_old + b" " + name_new + b"\n"]
    if old is None:
        head.append(f"new file mode {mode}\n".encode())
    if new is None:
        head.append(f"deleted file mode {mode}\n".encode())
    head.append(b"--- " + (b"/dev/null" if old is None else name_old) + b"\n")
    head.append(b"+++ " + (b"/dev/null" if new is None else name_new) + b"\n")
    body = (line for group in _groups(blocks) for line in _hunk(group, old_lines, new_lines))
    return b"".join((*head, *body))


def _groups(blocks: Sequence[Block]) -> list[list[Block]]:
    """Blocks whose context would touch, together."""
    groups = [[blocks[0]]]
    for block in blocks[1:]:
        if block.old_start - groups[-1][-1].old_end <= 2 * CONTEXT:
            groups[-1].append(block)
        else:
            groups.append([block])
    return groups


def _hunk(group: Sequence[Block], old: Lines, new: Lines) -> Iterator[bytes]:
    first, last = group[0], group[-1]
    lead = min(CONTEXT, first.old_start)
    tail = min(CONTEXT, len(old) - last.old_end)
    old_span = _span(first.old_start - lead, last.old_end + tail)
    new_span = _span(first.new_start - lead, last.new_end + tail)
    yield f"@@ -{old_span} +{new_span} @@\n".encode()
    at = first.old_start - lead
    for block in group:
        yield from (_marked(b" ", line) for line in old[at : block.old_start])
        yield from (_marked(b"-", line) for line in old[block.old_start : block.old_end])
        yield from (_marked(b"+", line) for line in new[block.new_start : block.new_end])
        at = block.old_end
    yield from (_marked(b" ", line) for line in old[at : at + tail])


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
