"""Merges asked of one running `git merge-tree --stdin`, where many follow one another.

- Most of a merge's time is the start of git and its first look at the repository.
- What git reads only once (settings, attributes, grafts) is never older than a second: another
  process takes over then. `close` ends it at once, for when files in a checkout have changed.
- Many a git holds its answers back until a few kB have come together. So every question is
  followed by one about two small commits of wtrun's own, whose answer is that long.
- Merge drivers, which may print into the answers, and settings that `--stdin` leaves unread are
  for the plain command. It is asked too wherever an answer is not of the expected form.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from merge.tree import MergeTreeError, parse_merge_tree
from merge.types import TreeMerge
from worktree_runner.git.gateway import Conversation, Git, GitError, Output
from worktree_runner.git.writer import Writer

MERGE_TIMEOUT_S = 300.0
"""Git's merge can take exponential time on criss-cross histories."""
KILLED = -9
FRESH_S = 1.0
PUSH_S = 0.1
"""After so long without a sound git is pushed once more: its buffer may be a larger one."""
PATIENCE_S = 5.0
"""After so long the plain command is asked, which has all of MERGE_TIMEOUT_S."""
UNREAD = r"^(core\.(attributesfile|ignorecase)|merge\.(renormalize|.*\.driver))$"
_NAME = "wtrun-asks-this-so-that-git-merge-tree-answers-at-once-" * 20
_COMMIT = "author wtrun <> 0 +0000\ncommitter wtrun <> 0 +0000\n\nwtrun\n"


class MergeTimeoutError(GitError):
    """A merge that was ended after MERGE_TIMEOUT_S, with the merge drivers that it had started."""

    def __init__(self, argv: Sequence[str], output: Output) -> None:
        super().__init__(argv, output)
        ours, theirs = argv[-2:]
        self.message = (
            f"git was still merging {theirs[:10]} into {ours[:10]} after {MERGE_TIMEOUT_S:.0f} "
            "seconds, and was ended"
        )
        self.args = (self.message,)
        self.hint = (
            f"see what takes so long: GIT_TRACE=1 git merge-tree --write-tree {ours} {theirs}; "
            "a merge driver may hang, or the history be criss-cross"
        )


class Merger:
    """Merges commits of one repository. Safe to use from several threads, one after the other."""

    def __init__(self, git: Git, writer: Writer) -> None:
        self._git, self._writer = git, writer
        self._open: Conversation | None = None
        self._usable = True
        self._began = self._last = -FRESH_S
        self._push = b""
        self._pushes = 0
        """How many answers to pushes are still to come."""
        self._said = bytearray()
        self._lock = threading.Lock()

    def merge(self, ours: str, theirs: str) -> TreeMerge:
        """What git's merge of these commits comes to; GitError where it can't merge them."""
        with self._lock:
            found = self._asked(ours, theirs) or self._plain(ours, theirs)
            self._last = time.monotonic()
            return found

    def close(self) -> None:
        """Ends git; the next merge is made by a new one, which reads everything anew."""
        with self._lock:
            self._end()

    def _end(self, *, at_once: bool = False) -> None:
        if self._open is not None:
            if at_once:
                self._open.process.kill()
            self._open.close()
            self._open = None

    def _plain(self, ours: str, theirs: str) -> TreeMerge:
        args = ("merge-tree", "--write-tree", "-z", "--messages", ours, theirs)
        output = self._git.run(*args, check=False, timeout=MERGE_TIMEOUT_S)
        if output.code == KILLED and b"Timeout" in output.err:
            raise MergeTimeoutError(args, output)
        if output.code not in (0, 1):
            raise GitError(args, output)
        return parse_merge_tree(output.out, clean=output.code == 0)

    def _asked(self, ours: str, theirs: str) -> TreeMerge | None:
        """The answer of a running git; None where a command of its own is to be asked.

        One is started for the second merge of a second only: for a single one it is no gain.
        """
        now = time.monotonic()
        follows, fresh = now - self._last <= FRESH_S, now - self._began <= FRESH_S
        if self._open is not None and not fresh:
            self._end()
        if not follows or not self._usable:
            return None
        try:
            if self._open is None and not self._started():
                return None
            return self._answer(f"{ours} {theirs}\n".encode())
        except (GitError, MergeTreeError):
            self._end(at_once=True)
            self._usable = False
            return None

    def _started(self) -> bool:
        settings = self._git.run("config", "-z", "--get-regexp", UNREAD, check=False).fields
        self._usable = all(setting.endswith("\nfalse") for setting in settings)
        if self._usable:
            self._push = self._push or self._pushing()
            self._began = time.monotonic()
            self._open = self._git.talk("merge-tree", "--write-tree", "--messages", "--stdin")
            self._pushes, self._said = 0, bytearray()
        return self._usable

    def _pushing(self) -> bytes:
        """The question with a long answer: a file with a long name that one side deleted and the
        other made executable. Its commits are the same ones each time."""
        empty = self._git.text("hash-object", "-w", "--stdin")
        trees = "\n\n".join(f"{mode} blob {empty}\t{_NAME}" for mode in (100644, 100755))
        made = self._git.run("mktree", "--batch", stdin=f"{trees}\n\n\n".encode())
        base, changed, gone = made.text.split()
        root = self._writer.object(f"tree {base}\n{_COMMIT}".encode())
        sides = (
            self._writer.object(f"tree {tree}\nparent {root}\n{_COMMIT}".encode())
            for tree in (changed, gone)
        )
        return " ".join(sides).encode() + b"\n"

    def _answer(self, question: bytes) -> TreeMerge:
        """Asks, and gives the answer; MergeTreeError if it has another form or does not come."""
        assert self._open is not None
        others, until = self._pushes, time.monotonic() + PATIENCE_S
        self._open.send(question + self._push)
        self._pushes += 1
        while time.monotonic() < until:
            while (answer := _first(self._said)) is not None:
                del self._said[: len(answer)]
                if not others:
                    return parse_merge_tree(answer[2:], clean=answer[:1] == b"1")
                others, self._pushes = others - 1, self._pushes - 1
            more = self._open.some(PUSH_S)
            self._said += more
            if not more:
                self._open.send(self._push)
                self._pushes += 1
        raise MergeTreeError("git merge-tree does not answer")


def _first(said: bytearray) -> bytes | None:
    """The first answer in what git has said; None while it is not all there."""
    fields = bytes(said).split(b"\0")
    fields.pop()  # has no end yet
    if fields and fields[0] not in (b"0", b"1"):
        raise MergeTreeError(f"git merge-tree began an answer with {fields[0]!r:.200}")
    if b"" not in fields[2:]:
        return None
    at = fields.index(b"", 2) + 1  # after status, tree and conflicted files
    while at < len(fields) and fields[at]:
        if not fields[at].isdigit():  # advice on submodules
            raise MergeTreeError(f"git merge-tree said {fields[at]!r:.200}")
        at += int(fields[at]) + 3  # a message: how many paths, they, its type, its text
    return b"\0".join(fields[: at + 1]) + b"\0" if at < len(fields) else None
