"""`python -P -m worktree_runner`: the same as the `wtrun` command."""

from worktree_runner.cli import main

if __name__ == "__main__":
    main()
