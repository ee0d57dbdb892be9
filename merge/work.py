"""What one merge of two commits has come to so far, and what its parts share."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from merge.policy import Settings
from merge.ports import ObjectStore
from merge.text import Segment, split_lines
from merge.tree import SUBMODULE
from merge.types import Entry, FileConflict, Resolution, TreeMerge

DIFF_LIMIT = 200_000


@dataclass(slots=True)
class Work:
    """What one merge has come to so far."""

    store: ObjectStore
    merged: TreeMerge
    settings: Settings
    labels: tuple[str, str]
    criss_cross: bool
    versions: Mapping[str, Mapping[int, Entry]] = field(default_factory=dict)
    edits: dict[str, Entry | None] = field(default_factory=dict)
    marked: dict[str, Entry | None] = field(default_factory=dict)
    resolutions: list[Resolution] = field(default_factory=list)
    conflicts: list[FileConflict] = field(default_factory=list)
    segments: dict[str, tuple[Segment, ...]] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    drivers: Mapping[str, str] = field(default_factory=dict)


def fingerprint(stages: Mapping[int, Entry]) -> str:
    """Equal exactly while base, ours and theirs are."""
    text = "\n".join(f"{n} {stages[n].mode} {stages[n].oid}" for n in sorted(stages))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def blob(store: ObjectStore, entry: Entry | None) -> bytes:
    return store.read_blob(entry.oid) if entry and entry.mode != SUBMODULE else b""


def diff_text(path: str, old: bytes, new: bytes) -> str:
    """A unified diff for the report, as git's; empty for what is no text or far too long."""
    if max(len(old), len(new)) > DIFF_LIMIT or b"\0" in old + new:
        return ""
    left, right = (
        [line.decode("utf-8", "replace") for line in split_lines(data)] for data in (old, new)
    )
    found = difflib.unified_diff(left, right, f"a/{path}", f"b/{path}")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in found
    )
