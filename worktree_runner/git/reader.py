"""Objects read through one running `git cat-file --batch`, and trees compared without git.

- Starting a process costs more than reading a tree, so a merge asks one process for everything.
- The process is started by the first question and ends with the reader. It finds objects that
  were written after it started.
- Trees are kept while the reader lives, up to a limit: an object never changes.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from merge.types import Entry
from worktree_runner.git.gateway import Conversation, Git, GitEndedError, GitError, Output

AT_ONCE = 100
"""Names sent before the first answer is read: far less than a pipe holds, so neither side waits
for the other."""
TREES_KEPT = 1000
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
FOLDER = "40000"
Tree = Mapping[bytes, tuple[bytes, bytes]]
"""Mode and id of each name as git stores them: most are only compared, so few are decoded."""
Pair = tuple[Entry | None, Entry | None]


class Read(NamedTuple):
    """One object."""

    kind: str
    oid: str
    data: bytes


class Reader:
    """Reads objects of one repository. Safe to use from several threads, one after the other."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._open: Conversation | None = None
        self._trees: dict[str, Tree] = {}
        self._known: dict[str, str] = {}
        self._lock = threading.Lock()

    def objects(self, names: Sequence[str]) -> list[Read]:
        """The objects of these names (ids, `commit^{tree}`), in order.

        Raises GitError if one is missing.
        """
        with self._lock:
            if self._open is not None:
                try:
                    return self._asked(self._open, names)
                except GitEndedError:
                    pass  # somebody ended it: another one takes its place
            self._open = self._git.talk("cat-file", "--batch")
            return self._asked(self._open, names)

    def _asked(self, git: Conversation, names: Sequence[str]) -> list[Read]:
        found: list[Read] = []
        try:
            for start in range(0, len(names), AT_ONCE):
                some = names[start : start + AT_ONCE]
                git.send("".join(f"{name}\n" for name in some).encode())
                answers = [_answer(git) for _ in some]
                for name, answer in zip(some, answers, strict=True):
                    found.append(answer or _missing(git, name))
        except (GitError, OSError, ValueError):  # answers may be left unread
            self._open = None
            git.close()
            raise
        return found

    def blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        wanted = sorted(set(oids))
        return {oid: read.data for oid, read in zip(wanted, self.objects(wanted), strict=True)}

    def close(self) -> None:
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None

    # -- trees -----------------------------------------------------------------------

    def entries(self, tree: str, paths: Iterable[str]) -> dict[str, Entry]:
        """The files (and submodules) at these paths; others are left out."""
        found: dict[str, Entry] = {}
        level = {self._roots(tree)[0]: {path: path.split("/") for path in paths}}
        while level:
            below: dict[str, dict[str, list[str]]] = {}
            held = self._read_trees(level)
            for oid, wanted in level.items():
                for path, (name, *rest) in wanted.items():
                    entry = _entry(held[oid].get(os.fsencode(name)))
                    if entry and rest and entry.mode == FOLDER:
                        below.setdefault(entry.oid, {})[path] = rest
                    elif entry and not rest and entry.mode != FOLDER:
                        found[path] = entry
            level = below
        return found

    def changed(self, old: str, new: str) -> dict[str, Pair]:
        """Paths of files that differ between two trees or commits, without rename detection."""
        changed: dict[str, Pair] = {}
        roots = self._roots(old, new)
        level: list[tuple[str, str | None, str | None]] = [("", roots[0], roots[1])]
        while level:
            level = [pair for pair in level if pair[1] != pair[2]]
            held = self._read_trees(oid for _, *sides in level for oid in sides if oid)
            below: list[tuple[str, str | None, str | None]] = []
            for prefix, *sides in level:
                left, right = (held[oid] if oid else {} for oid in sides)
                for name in sorted(_differing(left, right)):
                    pair = _entry(left.get(name)), _entry(right.get(name))
                    if pair[0] == pair[1]:  # the same mode, written in two ways
                        continue
                    path = prefix + os.fsdecode(name)
                    folders = [e.oid if e and e.mode == FOLDER else None for e in pair]
                    files = [e if e and e.mode != FOLDER else None for e in pair]
                    if any(folders):
                        below.append((path + "/", folders[0], folders[1]))
                    if any(files):
                        changed[path] = (files[0], files[1])
            level = below
        return changed

    def _roots(self, *names: str) -> list[str]:
        """The ids of these trees, or of these commits' trees; they are read on the way."""
        if len(self._trees) >= TREES_KEPT:
            self._trees, self._known = {}, {}
        known = {name: self._known[name] for name in names if name in self._known}
        fresh = [name for name in names if name not in known]
        reads = self.objects([f"{name}^{{tree}}" for name in fresh])
        for name, read in zip(fresh, reads, strict=True):
            known[name] = read.oid
            self._trees[read.oid] = parse_tree(read.data, len(read.oid) // 2)
            if _ID.fullmatch(name):  # what a branch means changes
                self._known[name] = read.oid
        return [known[name] for name in names]

    def _read_trees(self, oids: Iterable[str]) -> dict[str, Tree]:
        wanted = set(oids)
        held = {oid: self._trees[oid] for oid in wanted if oid in self._trees}
        for read in self.objects(sorted(wanted - set(held))):
            held[read.oid] = self._trees[read.oid] = parse_tree(read.data, len(read.oid) // 2)
        return held


def _answer(git: Conversation) -> Read | None:
    head = git.line().split(b" ")
    if len(head) != 3:
        return None
    data = git.read(int(head[2]))
    git.read(1)
    return Read(head[1].decode(), head[0].decode(), data)


def _missing(git: Conversation, name: str) -> Read:
    raise GitError(git.argv, Output(1, b"", f"the object {name} is missing".encode()))


def parse_tree(data: bytes, width: int) -> Tree:
    """The entries of a tree object whose ids are `width` bytes long."""
    return {name: (mode, oid) for mode, name, oid in _RECORD[width].findall(data)}


_RECORD = {
    width: re.compile(rb"([0-7]+) ([^\0]+)\0(.{%d})" % width, re.DOTALL) for width in (20, 32)
}


def _differing(left: Tree, right: Tree) -> set[bytes]:
    """The names that only one of them has, or both with another mode or id."""
    return {name for name, stored in right.items() if left.get(name) != stored} | (
        left.keys() - right.keys()
    )


def _entry(stored: tuple[bytes, bytes] | None) -> Entry | None:
    return Entry(_canonical(stored[0].decode()), stored[1].hex()) if stored else None


def _canonical(mode: str) -> str:
    """The mode as git shows it: old trees hold others than 100644 and 100755 for files."""
    if not mode.startswith("100"):
        return mode
    return "100755" if int(mode, 8) & 0o100 else "100644"
