"""The GSD family as data: one TOML file per dialect, one schema, no `if dialect ==` anywhere.

`load(name)` gives a shipped dialect, `detect` chooses one by what a repository holds.
"""

from worktree_runner.dialects.schema import Dialect, load

__all__ = ["Dialect", "load"]
