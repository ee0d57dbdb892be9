"""The click surface, one file per command: parse, call one operation, print, exit code.

`worktree_runner.cli` finds a command here by its name and imports only that one file.
"""
