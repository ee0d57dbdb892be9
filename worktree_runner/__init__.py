"""wtrun: runs the plans of a phase in parallel git worktrees and merges them back."""

__version__ = "0.1.0"
