"""Keeps wtrun's worktree folder out of `git status`, in the one file that is nobody's history."""

from __future__ import annotations

import os
from pathlib import Path

from worktree_runner.git.entries import real
from worktree_runner.git.gateway import Git
from worktree_runner.store.atomic import save_bytes
from worktree_runner.store.lock import exclusive
from worktree_runner.store.paths import Layout


def exclude_worktrees(git: Git, layout: Layout, root: Path) -> bool:
    """Adds the worktree root to `info/exclude`; False if it was ignored already or lies outside.

    The rest of the file stays byte for byte. Does nothing the second time.
    """
    main, root = real(git.path), real(root)
    if main == root or main not in root.parents:
        return False
    relative = root.relative_to(main).as_posix()
    with exclusive(layout.worktrees_lock):
        # --no-index: a tracked file of that name would otherwise hide the rule
        if git.ok("check-ignore", "--quiet", "--no-index", "--", f"{relative}/x"):
            return False
        file = real(layout.common_dir / "info" / "exclude")
        old = file.read_bytes() if file.exists() else b""
        line = b"/" + _escaped(os.fsencode(relative)) + b"/\n"
        separator = b"" if not old or old.endswith(b"\n") else b"\n"
        save_bytes(file, old + separator + line)
        return True


def _escaped(path: bytes) -> bytes:
    for special in (b"\\", b"*", b"?", b"["):
        path = path.replace(special, b"\\" + special)
    return path
