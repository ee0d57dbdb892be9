"""Commits and trees made in memory: merge.ports.ObjectStore over plumbing commands.

- Nothing here touches a working file, the user's index or a branch. What a crash leaves is
  unreferenced objects, which git collects one day.
- What is read, committed and moved goes through commands that keep running (`reader`, `writer`);
  they end with the store.
- Merges run in the repository's main worktree, so that `.gitattributes` and merge drivers
  behave as a `git merge` there would.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from merge.tree import merge_drivers
from merge.types import Entry, TreeMerge
from worktree_runner.git.gateway import Git, GitError
from worktree_runner.git.merger import MERGE_TIMEOUT_S, Merger
from worktree_runner.git.reader import Reader
from worktree_runner.git.writer import DATES, Writer

_DRIVERS = r"^merge\.(default|.*\.driver)$"


class Objects:
    """The object store of one repository, read and written by git itself."""

    def __init__(self, git: Git) -> None:
        self.git = git
        self.reader = Reader(git)
        self.writer = Writer(git)
        self.merger = Merger(git, self.writer)

    def close(self) -> None:
        """Ends the git commands that were kept running; the next question starts them again."""
        self.reader.close()
        self.writer.close()
        self.merger.close()

    # -- reading ---------------------------------------------------------------------

    def merge_bases(self, ours: str, theirs: str) -> tuple[str, ...]:
        output = self.git.run("merge-base", "--all", ours, theirs, check=False)
        if output.code not in (0, 1):
            raise GitError(("merge-base", "--all", ours, theirs), output)
        return tuple(output.text.split())

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `newer` already contains `older`."""
        return self.git.ok("merge-base", "--is-ancestor", older, newer)

    def entries(self, tree: str, paths: Iterable[str]) -> Mapping[str, Entry]:
        return self.reader.entries(tree, paths)

    def listing(self, tree: str, prefix: str = "") -> Mapping[str, Entry]:
        """Every file below `prefix` (a folder without its last slash, or all)."""
        args = ["--literal-pathspecs", "ls-tree", "-r", "-z", tree]
        if prefix:
            args += ["--", f"{prefix}/"]
        return dict(_tree_lines(self.git.run(*args).fields))

    def read_blob(self, oid: str) -> bytes:
        return self.reader.objects([oid])[0].data

    def read_blobs(self, oids: Iterable[str]) -> Mapping[str, bytes]:
        return self.reader.blobs(oids)

    def changed_paths(self, old: str, new: str) -> Mapping[str, tuple[Entry | None, Entry | None]]:
        return self.reader.changed(old, new)

    def renames(self, old: str, new: str) -> Mapping[str, str]:
        args = ("diff-tree", "-r", "-z", "-M", "--diff-filter=R", "--name-status", old, new)
        fields = self.git.run(*args).fields
        return dict(zip(fields[1::3], fields[2::3], strict=True))

    def tree_of(self, commit: str) -> str:
        return self.git.text("rev-parse", "--verify", f"{commit}^{{tree}}")

    def commits(self, base: str, head: str) -> tuple[str, ...]:
        """The commits that `head` has and `base` has not, newest first."""
        return tuple(self.git.text("rev-list", head, f"^{base}").split())

    def merge_drivers(self, paths: Iterable[str]) -> Mapping[str, str]:
        wanted = b"".join(os.fsencode(path) + b"\0" for path in sorted(set(paths)))
        if not wanted:
            return {}
        found = self.git.run("check-attr", "-z", "--stdin", "merge", stdin=wanted).fields
        known = self.git.run("config", "-z", "--get-regexp", _DRIVERS, check=False).fields
        settings = dict(setting.split("\n", 1) for setting in known if "\n" in setting)
        return merge_drivers(zip(found[::3], found[2::3], strict=True), settings)

    # -- merging and writing ---------------------------------------------------------

    def merge_tree(self, ours: str, theirs: str) -> TreeMerge:
        return self.merger.merge(ours, theirs)

    def scan(self, pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, ...] | None, ...]:
        """For each pair of commits the paths in conflict, None where git merges them cleanly.

        One process for all; nothing but objects is written. A conflict without a path of its own
        is an empty tuple.
        """
        args = ("merge-tree", "--write-tree", "--stdin", "--name-only", "--no-messages",
                "--allow-unrelated-histories")  # fmt: skip
        asked = "".join(f"{ours} {theirs}\n" for ours, theirs in pairs).encode()
        output = self.git.run(*args, stdin=asked, timeout=MERGE_TIMEOUT_S) if pairs else None
        parts = iter(output.out.split(b"\0") if output else ())
        found: list[tuple[str, ...] | None] = []
        for status in parts:
            if not status:
                break
            next(parts)  # the tree
            paths = tuple(os.fsdecode(path) for path in iter(lambda: next(parts), b""))
            found.append(None if status == b"1" else tuple(dict.fromkeys(paths)))
        return tuple(found)

    def write_blob(self, data: bytes) -> str:
        return self.git.run("hash-object", "-w", "--stdin", stdin=data).text

    def edit_tree(self, tree: str, edits: Mapping[str, Entry | None]) -> str:
        if not edits:
            return tree
        with tempfile.TemporaryDirectory(prefix="wtrun-index-") as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self.git.run("read-tree", tree, env=env)
            # removals first: a file may make room for a folder of the same name
            removed = [path for path, entry in sorted(edits.items()) if entry is None]
            added = [(path, entry) for path, entry in sorted(edits.items()) if entry is not None]
            nothing = b"0" * len(tree)
            lines = [b"0 " + nothing + b"\t" + os.fsencode(path) for path in removed]
            lines += [
                f"{entry.mode} {entry.oid}\t".encode() + os.fsencode(path) for path, entry in added
            ]
            data = b"".join(line + b"\0" for line in lines)
            self.git.run("update-index", "-z", "--index-info", stdin=data, env=env)
            return self.git.run("write-tree", env=env).text

    def commit_tree(
        self,
        tree: str,
        parents: Sequence[str],
        message: str,
        *,
        sign: bool = False,
        at: str | None = None,
    ) -> str:
        """The id of a new commit; `at` fixes its dates, so that a resume makes the same one."""
        if not sign and at is None and not any(name in os.environ for name in DATES):
            return self.writer.commit(tree, parents, message)
        env = dict.fromkeys(DATES, at) if at is not None else None
        return self.writer.plain_commit(tree, parents, message, sign=sign, env=env)

    def move_ref(self, ref: str, new: str, old: str | None) -> bool:
        """Sets `ref` to `new` only if it is at `old` (None: not there yet); False if it is not."""
        return self.writer.move(ref, new, old)

    def delete_ref(self, ref: str, old: str) -> bool:
        """Deletes `ref` only if it is at `old`; False if it is not."""
        return self.git.ok("update-ref", "--no-deref", "-d", ref, old)


def _tree_lines(fields: Iterable[str]) -> Iterable[tuple[str, Entry]]:
    for field in fields:
        meta, path = field.split("\t", 1)
        mode, _, oid = meta.split()
        yield path, Entry(mode, oid)
