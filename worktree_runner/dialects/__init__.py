"""The GSD family as data: one TOML file per dialect, one schema, no `if dialect ==` anywhere.

`load(name)` gives a shipped dialect, `detect` chooses one by what a repository holds.
"""

from worktree_runner.dialects.detect import detect
from worktree_runner.dialects.schema import Dialect, load, load_file, load_own, parse

__all__ = ["Dialect", "detect", "load", "load_file", "load_own", "parse"]
