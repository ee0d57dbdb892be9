"""Three-way merging of trees and text: proven resolutions, proposals, and escalation.

Usable alone. Knows no plan and no worktree; reaches git only through `merge.ports.ObjectStore`.

- *ours* is the target's side, *theirs* the plan's side, *base* their merge base.
- Contents are bytes; line ends, a missing last newline and odd encodings survive exactly.
- A file is settled only if every one of its hunks is, and the result still parses.
"""

from merge.engine import merge_commits
from merge.file import FileMerge, merge_file
from merge.policy import Settings
from merge.tree import parse_merge_tree
from merge.types import (
    Choice,
    ChoiceKind,
    ConflictHunk,
    Entry,
    FileConflict,
    MergeMessage,
    MergeOutcome,
    Resolution,
    TreeMerge,
)

__all__ = [
    "Choice",
    "ChoiceKind",
    "ConflictHunk",
    "Entry",
    "FileConflict",
    "FileMerge",
    "MergeMessage",
    "MergeOutcome",
    "Resolution",
    "Settings",
    "TreeMerge",
    "merge_commits",
    "merge_file",
    "parse_merge_tree",
]
__wtrun__ = True
