"""The planning files as a commit holds them, whatever the checkout shows."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Mapping
from functools import cached_property

from merge.types import Entry
from worktree_runner.git.objects import Objects

LINK = "120000"
LINKS_AT_MOST = 4


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
        """Contents by path, links followed; what the commit lacks is left out.

        A link to a place outside of `root` is left out, too: nobody's text rather than its target's
        name taken for a plan.
        """
        found: dict[str, bytes] = {}
        open_paths = {path: path for path in paths}
        for _ in range(LINKS_AT_MOST):
            wanted = {path: self.entries[at] for path, at in open_paths.items()
                      if at in self.entries}  # fmt: skip
            blobs = self.objects.read_blobs(entry.oid for entry in wanted.values())
            links = {path for path, entry in wanted.items() if entry.mode == LINK}
            found |= {path: blobs[wanted[path].oid] for path in wanted.keys() - links}
            open_paths = {
                path: _target(open_paths[path], blobs[wanted[path].oid]) for path in links
            }
        return found


def _target(path: str, link: bytes) -> str:
    """The repository path that a link at `path` leads to."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), os.fsdecode(link)))


def read_tree(objects: Objects, commit: str, paths: Iterable[str]) -> Mapping[str, bytes]:
    """Contents by path, wherever in the commit they are; paths that it lacks are left out."""
    entries = objects.entries(commit, paths)
    blobs = objects.read_blobs(entry.oid for entry in entries.values())
    return {path: blobs[entry.oid] for path, entry in entries.items()}
