"""Where planning files come from: the disk, or a git tree (see `worktree_runner.git`).

Both give repository paths with `/`, so the pure code never knows the difference.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from worktree_runner.dialects import Dialect, detect, load_file, load_own
from worktree_runner.dialects.detect import shipped

OWN = ".wtrun"
"""The project's own directory of wtrun, with its dialects."""
_SKIPPED = {".git", "node_modules", "__pycache__"}


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

    Lists the roots of the shipped and the project's own dialects, `.wtrun` and `extra_roots`,
    and nothing else: a repository's other directories may hold a million files.
    """

    def __init__(self, root: Path, extra_roots: Iterable[str] = ()) -> None:
        self.root = root
        self.extra_roots = tuple(extra_roots)

    def paths(self) -> tuple[str, ...]:
        known = (*shipped().values(), *own_dialects(self.root).values())
        roots = {root for dialect in known for root in dialect.roots}
        found: list[str] = []
        for name in sorted({*roots, *self.extra_roots, OWN}):
            if (self.root / name).is_dir():
                found += self._below(self.root / name)
        return tuple(sorted(set(found)))

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


def own_dialects(root: Path) -> Mapping[str, Dialect]:
    """The dialects that the project brings along in `.wtrun/dialects`."""
    return load_own(root / OWN / "dialects")


def find_dialect(root: Path, override: str | None = None) -> tuple[Dialect, DiskFiles]:
    """The dialect of the project on disk, and its files; raises where there is none or several.

    `override` is a dialect's name, NAME:ROOT, or the path of a dialect file.
    """
    own = dict(own_dialects(root))
    name, _, place = (override or "").partition(":")
    at_place = place if name in {*shipped(), *own} else ""
    if override is not None and not at_place and (override.endswith(".toml") or "/" in override):
        dialect = load_file(Path(override))
        own[dialect.name] = dialect
        override = dialect.name
    more = [at_place.strip("/")] if at_place.strip("/") else []
    files = DiskFiles(root, [*more, *(name for dialect in own.values() for name in dialect.roots)])
    return detect(files.paths(), override=override, own=own, read=files.read), files
