"""The one way to git: runs a git command in a folder and gives back what it printed.

- Bytes in, bytes out. Callers parse `-z` output and exit codes, never prose.
- A fresh `git.Git` object per call: GitPython objects are not safe to share between threads,
  and its object database and index API are never used (slow, and they leak processes).
- The environment is part of a call. Stray `GIT_DIR`, `GIT_INDEX_FILE` and the like (wtrun may
  be started from a hook) would send every command to another repository, so they leave this
  process when the module is imported; a call adds what it needs.
- The folder is named with `git -C`: given one that it can't enter (or with a `$` in its name,
  which it expands), GitPython would run the command in wtrun's own folder without a word.
- Git runs in a process group of its own: a Ctrl-C at the terminal is wtrun's to answer and
  never stops a git command half-way through the user's files.
- Commit ids are resolved once (`resolve`) and passed on in full; user text never comes first
  in an argument list without `--end-of-options` before it.
"""

from __future__ import annotations

import contextlib
import os
import select
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from worktree_runner.errors import PreconditionError, WtrunError

# GitPython looks for git when imported and raises without one; wtrun says that itself
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

import git

PIPE = -1
"""`subprocess.PIPE`; processes are started by GitPython here, and nowhere else."""

LOCAL_VARIABLES = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
"""What `git rev-parse --local-env-vars` prints, the alternates and config count included."""

MINIMUM_VERSION = (2, 38)
"""The first git with `merge-tree --write-tree`."""


@dataclass(frozen=True, slots=True)
class Output:
    """A finished git command."""

    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        """Standard output as text without the last newline."""
        return os.fsdecode(self.out).rstrip("\n")

    @property
    def fields(self) -> tuple[str, ...]:
        """Standard output of a `-z` command, split at its NULs."""
        return tuple(os.fsdecode(part) for part in self.out.split(b"\0") if part)


_MAKE_ROOM = "look with 'df -h .', make room, then run the same command again"


class GitError(WtrunError):
    """A git command that failed: argv, exit code and the end of its stderr."""

    def __init__(self, argv: Sequence[str], output: Output) -> None:
        tail = os.fsdecode(output.err).strip() or os.fsdecode(output.out).strip()
        shown = " ".join(argv[:8]) + (" …" if len(argv) > 8 else "")
        last = "\n".join(tail.splitlines()[-5:])
        full = "No space left on device" in tail or "Disk quota exceeded" in tail
        super().__init__(
            f"git {shown} ended with {output.code}: {last}",
            hint=_MAKE_ROOM if full else None,
        )
        self.argv = tuple(argv)
        self.output = output

    @property
    def stderr(self) -> str:
        return os.fsdecode(self.output.err)


class GitEndedError(GitError):
    """A git command that ended while it was still needed."""


def forget_local_environment() -> frozenset[str]:
    """Drops git's repository-local variables from this process, for its children too; which."""
    numbered = ("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")
    found = {key for key in os.environ if key in LOCAL_VARIABLES or key.startswith(numbered)}
    for key in found:
        del os.environ[key]
    return frozenset(found)


MARKS: dict[str, str] = {}
"""What git commands carry in their environment, so that a later wtrun finds those of a killed one.
They are not killed with it: half a fast-forward or half a checkout would be worse."""

FORGOTTEN = forget_local_environment()
"""Variables that were set when wtrun started."""


class Conversation:
    """A running git command with a line of its own in each direction; for one thread at a time.

    It ends with `close`, or when nothing refers to it any more.
    """

    def __init__(self, argv: Sequence[str], process: git.Git.AutoInterrupt) -> None:
        self.argv = tuple(argv)
        self._keeper = process  # ends the command when it is collected
        assert process.proc
        self.process = process.proc
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self._in, self._out = self.process.stdin, self.process.stdout
        # somebody must read what it (or a hook of it) says, or a full pipe would stop it
        self._said: list[bytes] = []
        said = os.dup(self.process.stderr.fileno())
        self.process.stderr.close()
        self._listener = threading.Thread(target=_listen, args=(said, self._said), daemon=True)
        self._listener.start()

    def send(self, data: bytes) -> None:
        try:
            self._in.write(data)
            self._in.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def line(self) -> bytes:
        """The next line of its output without the newline."""
        found: bytes = self._out.readline()
        if not found.endswith(b"\n"):
            raise self._ended()
        return found[:-1]

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes of its output."""
        found: bytes = self._out.read(size)
        if len(found) != size:
            raise self._ended()
        return found

    def some(self, seconds: float) -> bytes:
        """What it has said since; nothing if it is silent for so long. Not with `line` or `read`,
        which keep a part of the output back."""
        if not select.select([self._out], [], [], seconds)[0]:
            return b""
        found = os.read(self._out.fileno(), 65536)
        if not found:
            raise self._ended()
        return found

    def expect(self, line: bytes) -> None:
        """Reads a line that must be this one; the command is ended where it is another."""
        found = self.line()
        if found != line:
            self.close()
            raise GitEndedError(self.argv, Output(-1, found, b""))

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):  # what it was not sent yet, it will not miss
            self._in.close()
        self.process.wait()
        self._out.close()

    def _ended(self) -> GitEndedError:
        self.close()
        self._listener.join()
        return GitEndedError(self.argv, Output(self.process.returncode, b"", b"".join(self._said)))


def _listen(stream: int, said: list[bytes]) -> None:
    """Keeps the end of what comes from `stream`, until it ends."""
    while data := os.read(stream, 4096):
        said.append(data)
        del said[:-16]
    os.close(stream)


@contextlib.contextmanager
def _file_of(stdin: bytes) -> Iterator[BinaryIO | None]:
    """A file that a command reads `stdin` from; None where there is nothing to read."""
    if not stdin:
        yield None
        return
    with tempfile.TemporaryFile() as stream:
        stream.write(stdin)
        stream.seek(0)
        yield stream


class Git:
    """Git in one folder. Cheap to make; safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(
        self,
        *args: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        check: bool = True,
        timeout: float | None = None,
        foreground: bool = False,
    ) -> Output:
        """Runs `git ARGS` here. With `check`, a non-zero exit raises GitError.

        A time limit kills the command (exit code -9). `foreground` leaves it in wtrun's own
        process group, for signing programs that ask at the terminal.
        """
        if not self.path.is_dir():
            raise PreconditionError(f"The folder {self.path} does not exist.")
        with _file_of(stdin) as stream:
            try:
                result = git.Git(os.sep).execute(
                    ["git", "-C", os.path.abspath(self.path), *args],  # noqa: PTH100
                    istream=stream,
                    with_extended_output=True,
                    with_exceptions=False,
                    stdout_as_string=False,
                    strip_newline_in_stdout=False,
                    kill_after_timeout=timeout,
                    shell=False,
                    env={"GIT_TERMINAL_PROMPT": "0", **MARKS, **(env or {})},
                    process_group=None if foreground else 0,
                )
            except git.GitCommandNotFound as error:
                raise PreconditionError(
                    "git was not found on PATH.", hint="install git 2.38 or newer"
                ) from error
        code, out, err = result
        output = Output(code, out, err.encode(errors="surrogateescape"))
        if check and code != 0:
            raise GitError(args, output)
        return output

    def talk(self, *args: str) -> Conversation:
        """Starts a git command that answers what it is sent, until it is closed."""
        if not self.path.is_dir():
            raise PreconditionError(f"The folder {self.path} does not exist.")
        process = git.Git(os.sep).execute(
            ["git", "-C", os.path.abspath(self.path), *args],  # noqa: PTH100
            istream=PIPE,
            as_process=True,
            shell=False,
            env={"GIT_TERMINAL_PROMPT": "0"},
            process_group=0,
        )
        return Conversation(args, process)

    def text(self, *args: str) -> str:
        """Standard output of a git command that must succeed, without the last newline."""
        return self.run(*args).text

    def ok(self, *args: str) -> bool:
        """Whether a git command ended with 0."""
        return self.run(*args, check=False).code == 0

    def resolve(self, revision: str) -> str | None:
        """The full id of the commit that `revision` names, None if there is none."""
        output = self.run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}",
            check=False,
        )  # fmt: skip
        return output.text if output.code == 0 else None
