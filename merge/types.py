"""Conflicts and their resolutions as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Entry:
    """A tree entry: git file mode (`100644`) and blob id."""

    mode: str
    oid: str


@dataclass(frozen=True, slots=True)
class MergeMessage:
    """One message of `git merge-tree -z`: stable type, the paths it is about, prose."""

    paths: tuple[str, ...]
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class TreeMerge:
    """What git's in-memory merge of two commits gave.

    `tree` holds files with conflict markers where `clean` is false. `stages` maps each
    conflicted path to its entries by stage: 1 base, 2 ours, 3 theirs; a missing one is absent.
    """

    tree: str
    clean: bool
    stages: Mapping[str, Mapping[int, Entry]]
    messages: tuple[MergeMessage, ...]


@dataclass(frozen=True, slots=True)
class ConflictHunk:
    """One region that both sides changed. Lines keep their line ends."""

    base: tuple[bytes, ...]
    ours: tuple[bytes, ...]
    theirs: tuple[bytes, ...]
    before: tuple[bytes, ...] = ()
    """Up to ten merged lines above, for showing."""
    after: tuple[bytes, ...] = ()
    ours_line: int = 0
    """1-based line in ours where the hunk starts, for showing."""
    kind: str = "overlap"
    proposal: tuple[bytes, ...] | None = None
    """Lines a person may accept; never taken by itself."""
    proposal_why: str = ""


@dataclass(frozen=True, slots=True)
class Resolution:
    """A conflicted file that was settled: which rule, and why that is safe."""

    path: str
    resolver: str
    why: str
    hunks: int = 1
    tier: str = "proven"
    """`proven`, `tested` or `manual`."""
    diff: str = ""
    """Unified diff from ours to the result, for the report; empty if not text."""


@dataclass(frozen=True, slots=True)
class FileConflict:
    """A path that a person has to decide.

    `kind` is `content`, `add/add`, `modify/delete`, `rename/rename`, `rename/delete`,
    `binary`, `mode`, `submodule`, `symlink`, `file/directory`, `duplicate`, `deletion`, `other`
    or what the caller calls a concern of its own.
    Only `content` and `add/add` have hunks; the others are whole-file choices.
    `fingerprint` stays equal exactly while base, ours and theirs do.
    """

    path: str
    kind: str
    why: str
    stages: Mapping[int, Entry]
    hunks: tuple[ConflictHunk, ...] = ()
    fingerprint: str = ""
    command: str = ""
    """A command that would settle it, such as a lock file's regeneration; may be empty."""
    others: tuple[str, ...] = ()
    """Other paths of the same conflict, such as a file's name before it was renamed."""


class ChoiceKind(StrEnum):
    """A person's answer for one conflicted file or one of its hunks."""

    OURS = "target"
    """The target's lines; drops the plan's lines of this hunk (whole file: all its changes)."""
    THEIRS = "plan"
    """The plan's lines; drops the target's lines of this hunk (whole file: all its changes)."""
    BOTH = "both"
    """The target's lines, then the plan's."""
    BOTH_REVERSED = "both-reversed"
    """The plan's lines, then the target's."""
    PROPOSAL = "proposal"
    CONTENT = "content"
    """The bytes in `Choice.content`, edited by hand."""
    DELETE = "delete"
    """The file is removed."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer for `path`; `hunk` is 0-based, None means every hunk of the file.

    `whole` makes target/plan mean the whole file of that side, clean changes included.
    An answer holds only while the file's fingerprint is the one it was given for.
    """

    path: str
    kind: ChoiceKind
    fingerprint: str
    hunk: int | None = None
    whole: bool = False
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class MergeOutcome:
    """What merging one commit into another came to, nothing of it on a branch yet.

    `tree` is the merged tree if nothing is left to decide, else None. `marked_tree` always
    holds a tree, with conflict markers in the files of `conflicts` only.
    """

    tree: str | None
    marked_tree: str
    resolutions: tuple[Resolution, ...] = ()
    conflicts: tuple[FileConflict, ...] = ()
    notices: tuple[str, ...] = field(default=())
