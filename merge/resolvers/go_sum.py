"""go.sum: the union of both sides.

Safe because each line is a fact, the hash of one module version; a line too many changes nothing
and `go mod tidy` takes it out. Questions are: two hashes for one version, which contradict each
other, and a side that took modules out, since what is still needed then only Go can tell.
"""

from __future__ import annotations

import re

WHY_NOT = "go.sum: the sides changed the same entries, or one took modules out"


def union(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Every line of both sides in Go's order, or None where the file is not what it should be."""
    lines = {line for text in (base, ours, theirs) for line in text.splitlines() if line.strip()}
    kept = {line for text in (ours, theirs) for line in text.splitlines() if line.strip()}
    if not all(re.fullmatch(rb"\S+ v\S+ h1:\S+", line) for line in lines):
        return None
    if len({line.rpartition(b" ")[0] for line in kept}) != len(kept):
        return None
    if not all(_only_adds_or_upgrades(set(base.splitlines()), side) for side in (ours, theirs)):
        return None
    return b"".join(line + b"\n" for line in sorted(kept, key=_order))


def _only_adds_or_upgrades(base: set[bytes], side: bytes) -> bool:
    """Whether every module that lost a line has a new one."""
    lines = set(side.splitlines())
    gone, new = (
        {line.split()[0] for line in part if line} for part in (base - lines, lines - base)
    )
    return gone <= new


def _order(line: bytes) -> tuple[bytes, list[tuple[int, int, bytes]], bool]:
    """By module, then version as numbers, a version's own hash before that of its go.mod."""
    module, version, _ = line.split(b" ")
    bare = version.removesuffix(b"/go.mod")
    release, dash, rest = bare.partition(b"-")
    numbers = [(1, int(n), b"") for n in re.findall(rb"\d+", release.partition(b"+")[0])]
    tail = [(1, int(p), b"") if p.isdigit() else (2, 0, p) for p in rest.split(b".")]
    return module, [*numbers, *(tail if dash else [(3, 0, b"")])], version != bare
