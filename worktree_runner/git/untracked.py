"""What lies in a worktree beside the commit: ignored, untracked and changed files.

Lists are NUL-separated all the way; paths reach git on stdin, so they are never patterns.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from worktree_runner.git.gateway import Git

_LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}


def ignored_entries(git: Git) -> tuple[str, ...]:
    """Ignored files, and folders of which all is ignored as one entry with `/`."""
    output = git.run("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    return _own(git, output.fields)


def untracked_files(git: Git) -> tuple[str, ...]:
    """Files that are neither tracked nor ignored, sorted; repositories inside are left out."""
    output = git.run("ls-files", "-z", "--others", "--exclude-standard")
    return _own(git, (path for path in output.fields if not path.endswith("/")))


def _own(git: Git, paths: Iterable[str]) -> tuple[str, ...]:
    """Without other repositories and linked worktrees, which git shows as folders."""
    return tuple(
        sorted(
            path
            for path in paths
            if not (path.endswith("/") and os.path.lexists(git.path / path / ".git"))
        )
    )


def changed_files(git: Git) -> tuple[str, ...]:
    """Tracked files whose content, mode or staging differs from HEAD, sorted."""
    output = git.run(
        "diff", "-z", "--name-only", "--no-renames", "--no-ext-diff", "--ignore-submodules=dirty",
        "HEAD",
    )  # fmt: skip
    return tuple(sorted(output.fields))


def restore(git: Git, paths: Iterable[str]) -> None:
    """Puts these files back as HEAD has them, in index and tree.

    What HEAD does not have stays in the tree and leaves the index.
    """
    wanted = set(paths)
    if not wanted:
        return
    git.run("reset", "--quiet", "--pathspec-from-file=-", "--pathspec-file-nul",
            stdin=_joined(wanted), env=_LITERAL)  # fmt: skip
    back = wanted & set(git.run("diff-files", "-z", "--name-only").fields)
    git.run("checkout-index", "--force", "-z", "--stdin", stdin=_joined(back))


def _joined(paths: Iterable[str]) -> bytes:
    return "".join(f"{path}\0" for path in sorted(paths)).encode(errors="surrogateescape")


def fingerprints(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Each path with a digest of what is there; unreadable or missing ones have an empty one."""
    return {path: fingerprint(root / path) for path in sorted(paths)}


def fingerprint(file: Path) -> str:
    try:
        if file.is_symlink():
            return "link:" + os.fspath(file.readlink())
        with file.open("rb") as opened:
            return "sha256:" + hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""


def unchanged(root: Path, baseline: Mapping[str, str]) -> frozenset[str]:
    """The paths of a baseline that are still as they were: nobody's work."""
    return frozenset(
        path for path, digest in baseline.items() if digest and fingerprint(root / path) == digest
    )
