"""What `merge` needs from a git repository, and all it may ever ask of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from merge.types import Entry, TreeMerge


class ObjectStore(Protocol):
    """Reads and writes objects; never touches a ref, an index in use or a working file."""

    def merge_tree(self, ours: str, theirs: str) -> TreeMerge:
        """Git's own merge of two commits, in memory, with renames and attributes applied.

        Messages are wanted of clean merges too (`--messages`): they name the combined files.
        """
        ...

    def merge_bases(self, ours: str, theirs: str) -> tuple[str, ...]:
        """All best common ancestors; more than one means a criss-cross history."""
        ...

    def merge_drivers(self, paths: Iterable[str]) -> Mapping[str, str]:
        """Of these paths those that git merges in another way than as text, and the name of what
        does it: `union`, `binary`, or a merge driver that the settings define."""
        ...

    def entries(self, tree: str, paths: Iterable[str]) -> Mapping[str, Entry]:
        """The entries of a tree or commit at these paths; absent paths are left out."""
        ...

    def read_blob(self, oid: str) -> bytes: ...

    def read_blobs(self, oids: Iterable[str]) -> Mapping[str, bytes]:
        """Many blobs at once; every id must exist."""
        ...

    def write_blob(self, data: bytes) -> str: ...

    def edit_tree(self, tree: str, edits: Mapping[str, Entry | None]) -> str:
        """A new tree with these paths replaced, None removing one. Nothing else changes."""
        ...

    def changed_paths(self, old: str, new: str) -> Mapping[str, tuple[Entry | None, Entry | None]]:
        """Paths that differ between two trees or commits, without rename detection."""
        ...

    def renames(self, old: str, new: str) -> Mapping[str, str]:
        """Old to new path of the files that git takes for renamed between two trees."""
        ...
