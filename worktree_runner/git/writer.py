"""Commits written and refs moved through git commands that keep running.

- For a merge in memory, starting `git commit-tree` and `git update-ref` costs more than what they
  do. `git hash-object` and `git update-ref --stdin` do the same work and answer at once.
- Nothing is kept back: each answer means that the object, or the ref's transaction, is on disk.
- A command that somebody ended is never taken for an answer: the plain command is asked then.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence

from worktree_runner.errors import PreconditionError
from worktree_runner.git.gateway import Conversation, Git, GitEndedError

_IDENT = re.compile(r"(?P<who>.*<[^>]*>) \d+ (?P<zone>[+-]\d{4})")
DATES = ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE")


class Writer:
    """Writes to one repository. Safe to use from several threads, one after the other."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._commits: Conversation | None = None
        self._refs: Conversation | None = None
        self._idents: tuple[str, ...] = ()
        self._lock = threading.Lock()

    def commit(self, tree: str, parents: Sequence[str], message: str) -> str:
        """The id of a new commit, made now by whom git takes for author and committer."""
        with self._lock:
            text = self._text(tree, parents, message)
            try:
                if text is not None:
                    return self._hashed(text)
            except GitEndedError:
                self._commits = None
        return self.plain_commit(tree, parents, message)

    def object(self, text: bytes) -> str:
        """The id of the commit object with this text, which is written if it is not there yet.

        Raises GitEndedError if somebody ended the command.
        """
        with self._lock:
            return self._hashed(text)

    def plain_commit(
        self,
        tree: str,
        parents: Sequence[str],
        message: str,
        *,
        sign: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> str:
        """As `commit`, by a command of its own, which may also sign.

        Raises PreconditionError where it can't be signed: nothing but objects is left then.
        """
        args = ["commit-tree", *(["-S"] if sign else ["--no-gpg-sign"]), tree]
        for parent in parents:
            args += ["-p", parent]
        stdin = message.encode(errors="surrogateescape")
        args += ["-F", "-"]
        output = self._git.run(*args, stdin=stdin, env=env, foreground=sign, check=not sign)
        if output.code != 0:
            said = os.fsdecode(output.err).strip().splitlines() or ["git said nothing"]
            raise PreconditionError(
                f"a commit could not be signed: {said[-1]}",
                hint="try 'git commit-tree -S -m test HEAD^{tree}'; once that works run the same "
                "command again, or set sign = false in [merge]",
            )
        return output.text

    def move(self, ref: str, new: str, old: str | None) -> bool:
        """Sets `ref` to `new` only if it is at `old` (None: not there yet); False if it is not."""
        with self._lock:
            try:
                return self._moved(ref, new, old or "0" * len(new))
            except GitEndedError as ended:
                self._refs = None
                if ended.output.code > 0:  # git refused
                    return False
        # it was ended by somebody, perhaps after it had moved the ref
        args = ("update-ref", "--no-deref", "-m", "wtrun", ref, new, old or "")
        return self._git.ok(*args) or self._git.resolve(ref) == new

    def close(self) -> None:
        with self._lock:
            for one in (self._commits, self._refs):
                if one is not None:
                    one.close()
            self._commits = self._refs = None

    def _text(self, tree: str, parents: Sequence[str], message: str) -> bytes | None:
        """The commit object; None where git names its authors in an unknown form."""
        if not self._idents:
            names = ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT")
            self._idents = tuple(self._git.text("var", name) for name in names)
        now = int(time.time())
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in dict.fromkeys(parents))]
        for role, ident in zip(("author", "committer"), self._idents, strict=True):
            found = _IDENT.fullmatch(ident)
            if found is None:
                return None
            lines.append(f"{role} {found['who']} {now} {found['zone']}")
        end = "" if message.endswith("\n") else "\n"
        return ("\n".join(lines) + "\n\n" + message + end).encode(errors="surrogateescape")

    def _hashed(self, text: bytes) -> str:
        if self._commits is None:
            self._commits = self._git.talk(
                "hash-object", "-t", "commit", "-w", "--no-filters", "--stdin-paths"
            )
        with tempfile.NamedTemporaryFile(prefix="wtrun-commit-") as file:
            file.write(text)
            file.flush()
            self._commits.send(os.fsencode(file.name) + b"\n")
            return self._commits.line().decode()

    def _moved(self, ref: str, new: str, old: str) -> bool:
        if self._refs is None:
            self._refs = self._git.talk("update-ref", "-m", "wtrun", "--stdin")
        update = f"option no-deref\nupdate {ref} {new} {old}\n"
        self._refs.send(f"start\n{update}prepare\ncommit\n".encode())
        for step in (b"start", b"prepare", b"commit"):
            self._refs.expect(step + b": ok")
        return True
