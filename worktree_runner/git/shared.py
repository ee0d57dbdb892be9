"""What a repository has only once for all its worktrees, beside refs and objects: for the audit.

Settings, hooks, attributes and excludes of the common git dir, each with a digest: an agent that
changes one changes what the user's own git does from then on. No hook is asked about such a
change, so it can only be found.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from worktree_runner.git.gateway import Git

FILES = (
    "config.worktree", "info/attributes", "info/exclude", "info/grafts", "info/sparse-checkout",
    "objects/info/alternates",
)  # fmt: skip
SETTING = "setting "
"""Begins the names of settings; the others are paths in the common dir."""
RUNS = "+x"


def shared_files(common_dir: Path) -> dict[str, str]:
    """Every setting and file with its digest; hooks that git would run have `+x` behind it."""
    found = dict(_settings(common_dir))
    hooks = [hook for hook in (common_dir / "hooks").glob("*") if hook.suffix != ".sample"]
    for file in (*(common_dir / name for name in FILES), *hooks):
        try:
            data = file.read_bytes()
        except OSError:
            continue  # not there, or a folder
        runs = RUNS if file in hooks and os.access(file, os.X_OK) else ""
        found[file.relative_to(common_dir).as_posix()] = _blob(data) + runs
    return found


def _settings(common_dir: Path) -> Iterator[tuple[str, str]]:
    file = str(common_dir / "config")
    listed = Git(common_dir).run("config", "--file", file, "--list", "-z", check=False)
    values: dict[str, list[str]] = {}
    for field in listed.fields:
        key, _, value = field.partition("\n")
        values.setdefault(key, []).append(value)
    for key, texts in values.items():
        yield f"{SETTING}{key}", _blob("\n".join(texts).encode(errors="surrogateescape"))


def _blob(data: bytes) -> str:
    """The id that git gives to this content, so that it can be told whose it is."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
