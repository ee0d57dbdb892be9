"""go.sum: the union of both sides.

Safe because each line is a fact, the hash of one module version; a line too many changes nothing
and `go mod tidy` takes it out. Two hashes for one version contradict each other: a question.
"""

from __future__ import annotations

import re


def union(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Every line of both sides in Go's order, or None where the file is not what it should be."""
    lines = {line for text in (base, ours, theirs) for line in text.splitlines() if line.strip()}
    kept = {line for text in (ours, theirs) for line in text.splitlines() if line.strip()}
    if not all(re.fullmatch(rb"\S+ v\S+ h1:\S+", line) for line in lines):
        return None
    if len({line.rpartition(b" ")[0] for line in kept}) != len(kept):
        return None
    return b"".join(line + b"\n" for line in sorted(kept, key=_order))


def _order(line: bytes) -> tuple[bytes, list[tuple[int, int, bytes]], bool]:
    """By module, then version as numbers, a version's own hash before that of its go.mod."""
    module, version, _ = line.split(b" ")
    bare = version.removesuffix(b"/go.mod")
    release, dash, rest = bare.partition(b"-")
    numbers = [(1, int(n), b"") for n in re.findall(rb"\d+", release.partition(b"+")[0])]
    tail = [(1, int(p), b"") if p.isdigit() else (2, 0, p) for p in rest.split(b".")]
    return module, [*numbers, *(tail if dash else [(3, 0, b"")])], version != bare
