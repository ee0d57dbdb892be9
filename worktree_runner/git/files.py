"""The planning files as a commit holds them, whatever the checkout shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from merge.types import Entry
from worktree_runner.git.objects import Objects


class TreeFiles:
    """Files below `root` in one commit; `planning.reader.DiskFiles` is the same for a folder."""

    def __init__(self, objects: Objects, commit: str, root: str) -> None:
        self.objects = objects
        self.commit = commit
        self.root = root

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        return self.objects.listing(self.commit, self.root)

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self.entries))

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """Contents by path; paths that the commit lacks are left out."""
        wanted = {path: self.entries[path].oid for path in paths if path in self.entries}
        blobs = self.objects.read_blobs(wanted.values())
        return {path: blobs[oid] for path, oid in wanted.items()}


def read_tree(objects: Objects, commit: str, paths: Iterable[str]) -> Mapping[str, bytes]:
    """Contents by path, wherever in the commit they are; paths that it lacks are left out."""
    entries = objects.entries(commit, paths)
    blobs = objects.read_blobs(entry.oid for entry in entries.values())
    return {path: blobs[entry.oid] for path, entry in entries.items()}
