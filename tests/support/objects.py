"""An ObjectStore over the git command, as plain as can be."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping

from merge import Entry, TreeMerge, parse_merge_tree
from merge.tree import merge_drivers
from tests.support.repo import Repo


class GitObjects:
    """Every call starts git anew: slow, and nothing can be stale."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.calls: list[str] = []

    def _git(
        self, *args: str, data: bytes = b"", codes: tuple[int, ...] = (0,), index: str = ""
    ) -> tuple[int, bytes]:
        self.calls.append(args[0])
        env = {**self.repo.env, **({"GIT_INDEX_FILE": index} if index else {})}
        done = subprocess.run(
            ["git", *args],
            cwd=self.repo.path,
            env=env,
            input=data,
            capture_output=True,
            check=False,
        )
        assert done.returncode in codes, done.stderr.decode()
        return done.returncode, done.stdout

    def merge_tree(self, ours: str, theirs: str) -> TreeMerge:
        code, out = self._git(
            "merge-tree", "--write-tree", "-z", "--messages", ours, theirs, codes=(0, 1)
        )
        return parse_merge_tree(out, code == 0)

    def merge_bases(self, ours: str, theirs: str) -> tuple[str, ...]:
        return tuple(
            self._git("merge-base", "--all", ours, theirs, codes=(0, 1))[1].decode().split()
        )

    def merge_drivers(self, paths: Iterable[str]) -> Mapping[str, str]:
        out = self._git("check-attr", "-z", "merge", "--", *paths)[1].decode().split("\0")
        known = self._git("config", "-z", "--get-regexp", "^merge", codes=(0, 1))[1].decode()
        settings = dict(line.split("\n", 1) for line in known.split("\0")[:-1])
        return merge_drivers(zip(out[:-1:3], out[2::3], strict=True), settings)

    def entries(self, tree: str, paths: Iterable[str]) -> Mapping[str, Entry]:
        out = self._git("ls-tree", "-r", "-z", tree)[1].decode("utf-8", "surrogateescape")
        found = {}
        for line in out.split("\0")[:-1]:
            head, path = line.split("\t", 1)
            mode, _, oid = head.split(" ")
            found[path] = Entry(mode, oid)
        return {path: found[path] for path in paths if path in found}

    def read_blob(self, oid: str) -> bytes:
        return self._git("cat-file", "blob", oid)[1]

    def read_blobs(self, oids: Iterable[str]) -> Mapping[str, bytes]:
        return {oid: self.read_blob(oid) for oid in oids}

    def write_blob(self, data: bytes) -> str:
        return self._git("hash-object", "-w", "--stdin", data=data)[1].decode().strip()

    def edit_tree(self, tree: str, edits: Mapping[str, Entry | None]) -> str:
        index = str(self.repo.path / ".git" / "test-index")
        if os.path.exists(index):
            os.unlink(index)
        self._git("read-tree", tree, index=index)
        lines = b""
        for path, entry in edits.items():
            mode, oid = (entry.mode, entry.oid) if entry else ("0", "0" * 40)
            lines += f"{mode} {oid}\t{path}\0".encode("utf-8", "surrogateescape")
        self._git("update-index", "-z", "--index-info", data=lines, index=index)
        return self._git("write-tree", index=index)[1].decode().strip()

    def changed_paths(self, old: str, new: str) -> Mapping[str, tuple[Entry | None, Entry | None]]:
        out = self._git("diff-tree", "-r", "-z", "--no-renames", old, new)[1]
        fields = out.decode("utf-8", "surrogateescape").split("\0")[:-1]
        found: dict[str, tuple[Entry | None, Entry | None]] = {}
        for head, path in zip(fields[::2], fields[1::2], strict=True):
            old_mode, new_mode, old_oid, new_oid, _ = head[1:].split(" ")
            found[path] = (
                None if old_mode == "000000" else Entry(old_mode, old_oid),
                None if new_mode == "000000" else Entry(new_mode, new_oid),
            )
        return found

    def renames(self, old: str, new: str) -> Mapping[str, str]:
        args = ("diff-tree", "-r", "-z", "-M", "--diff-filter=R", "--name-status", old, new)
        fields = self._git(*args)[1].decode().split("\0")[:-1]
        return dict(zip(fields[1::3], fields[2::3], strict=True))
