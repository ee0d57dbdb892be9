"""Where planning files come from: the disk, or a git tree (see `worktree_runner.git`).

Both give repository paths with `/`, so the pure code never knows the difference.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

_SKIPPED = {".git", "node_modules", ".worktrees", ".venv", "__pycache__"}


class PlanningFiles(Protocol):
    """The files of one state of a repository."""

    def paths(self) -> tuple[str, ...]:
        """Repository paths of all files that may matter, sorted."""
        ...

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The contents of these paths; a path that can't be read is left out."""
        ...


class DiskFiles:
    """The planning files below a directory on disk, committed or not.

    Lists hidden directories of the top level only (`.planning`, `.ace`, `.wtrun`, ...), since
    planning roots are hidden, and the whole of `extra_roots`.
    """

    def __init__(self, root: Path, extra_roots: Iterable[str] = ()) -> None:
        self.root = root
        self.extra_roots = tuple(extra_roots)

    def paths(self) -> tuple[str, ...]:
        try:
            names = sorted(entry.name for entry in os.scandir(self.root))
        except OSError:
            return ()
        hidden = [name for name in names if name.startswith(".") and name not in _SKIPPED]
        found: list[str] = []
        for name in dict.fromkeys((*hidden, *self.extra_roots)):
            place = self.root / name
            if place.is_dir():
                found += self._below(place)
            elif place.is_file():
                found.append(name)
        return tuple(sorted(found))

    def _below(self, place: Path) -> Iterable[str]:
        for folder, folders, files in os.walk(place):
            folders[:] = [name for name in folders if name not in _SKIPPED]
            base = Path(folder).relative_to(self.root).as_posix()
            yield from (f"{base}/{name}" for name in files)

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        found = {}
        for path in paths:
            try:
                found[path] = (self.root / path).read_bytes()
            except OSError:
                continue
        return found
