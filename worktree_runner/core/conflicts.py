"""What a person needs to know to decide a conflict, as values, and the words for them.

- Sides are called by their names: the target branch and the plan's id, never "ours".
- The prompt (`ui.conflict`) and the written report (`core.conflict_report`) use the same words.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from merge.types import FileConflict
from worktree_runner.core.patch import changed_lines
from worktree_runner.core.texts import clean_line, count, decode, listing

COMMANDS = "commands"
RETURNED = "returned"
CONCERNS = (COMMANDS, RETURNED)
"""Kinds of questions about changes that merge cleanly: of what is run, and of files that the
target had deleted. What asks them is `operations.merging.concerns`."""


def may_force(kind: str, how: str) -> bool:
    """Whether `--on-conflict ours` or `theirs` answers a conflict: no concern is let in unseen."""
    return how == "ours" or kind not in CONCERNS


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A plan as one line of explanation."""

    id: str
    title: str
    objective: str = ""

    @property
    def purpose(self) -> str:
        """The objective on one line, without the title where it only repeats it first."""
        words, title = clean_line(self.objective), clean_line(self.title).rstrip(".…")
        return words[len(title) :].lstrip(" .:") if title and words.startswith(title) else words


@dataclass(frozen=True, slots=True)
class CommitFacts:
    """A commit of one side; `plan` is the plan that made it, empty if a person did."""

    id: str
    subject: str
    plan: str = ""
    agent: str = ""
    when: str = ""
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileContents:
    """The three versions of a file, None where a side has none or it is no blob."""

    base: bytes | None = None
    ours: bytes | None = None
    theirs: bytes | None = None
    merged: bytes | None = None
    """What git made of both where it merged them cleanly."""


@dataclass(frozen=True, slots=True)
class ConflictFacts:
    """Everything around the conflicts of one plan; `noun` is the dialect's word for a plan."""

    plan: PlanFacts
    target: str
    branch: str = ""
    run: str = ""
    worktree: str = ""
    noun: str = "plan"
    target_plans: tuple[PlanFacts, ...] = ()
    """Plans whose work the target's side holds."""
    target_commits: tuple[CommitFacts, ...] = ()
    plan_commits: tuple[CommitFacts, ...] = ()
    enclosing: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """The definition or heading around a hunk, by path and 0-based number of the hunk."""
    contents: Mapping[str, FileContents] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Other names of a path in conflict: before a rename, or of a folder that was renamed."""

    def content(self, path: str) -> FileContents:
        return self.contents.get(path, FileContents())

    def commits(self, path: str, *, target: bool) -> tuple[CommitFacts, ...]:
        """The commits of one side that touch `path`, under any of its names; all of them where
        paths are unknown."""
        side = self.target_commits if target else self.plan_commits
        names = (path, *self.names.get(path, ()))
        return tuple(c for c in side if not c.paths or any(_touches(c, name) for name in names))

    def makers(self, path: str) -> tuple[PlanFacts, ...]:
        """The plans that made the target's side of `path`."""
        ids = {c.plan for c in self.commits(path, target=True)}
        return tuple(p for p in self.target_plans if p.id in ids)


def _touches(commit: CommitFacts, name: str) -> bool:
    return any(path == name or path.startswith(f"{name}/") for path in commit.paths)


@dataclass(frozen=True, slots=True)
class Command:
    """A command to paste and what it does."""

    line: str
    effect: str


def commands(facts: ConflictFacts, path: str = "PATH") -> tuple[Command, ...]:
    """How to go on with this conflict from any shell; `path` is taken for the examples."""
    resolve = f"wtrun resolve {facts.plan.id}"
    plan, path = f"{facts.noun} {facts.plan.id}", shlex.quote(path)
    return (
        Command(resolve, "asks hunk by hunk"),
        Command(f"{resolve} --list", "lists what is open, with the numbers of the hunks"),
        Command(
            f"{resolve} --take plan --path {path}",
            f"takes the lines of {plan} in this file's conflicts",
        ),
        Command(
            f"{resolve} --take target --path {path}",
            f"takes the lines of {facts.target} there",
        ),
        Command(f"{resolve} --continue", "goes on after an edit in its worktree"),
        Command(f"{resolve} --abort", "leaves it out; its branch and worktree stay"),
    )


def hunk_count(conflicts: Sequence[FileConflict]) -> str:
    """`2 files, 3 hunks, 1 with a proposal`."""
    hunks = [hunk for one in conflicts for hunk in one.hunks]
    parts = [count(len(conflicts), "file")]
    if hunks:
        parts.append(count(len(hunks), "hunk"))
    offered = sum(hunk.proposal is not None for hunk in hunks)
    if offered:
        parts.append(f"{offered} with a proposal")
    return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Dropped:
    """What is lost of one side's changes to a file, in lines."""

    added: int
    removed: int

    def __str__(self) -> str:
        """`1 added line`, `3 added and 1 removed lines`, `no line`."""
        parts = [
            f"{n} {word}" for n, word in ((self.added, "added"), (self.removed, "removed")) if n
        ]
        word = "line" if self.added + self.removed == 1 else "lines"
        return f"{' and '.join(parts)} {word}" if parts else "no line"


def dropped(facts: ConflictFacts, path: str, *, target: bool) -> Dropped | None:
    """What is lost of one side's changes if the other's whole file is taken.

    None where that can't be told in lines: binary, unknown or huge contents.
    """
    content = facts.content(path)
    side, other = content.ours, content.theirs
    if not target:
        side, other = other, side
    if content.base is None and side is None:
        return None
    # a file that both sides added: what is in both is not lost
    lines = changed_lines(other if content.base is None else content.base, side)
    if lines is None:
        return None
    return Dropped(lines[0], 0 if content.base is None else lines[1])


def place(facts: ConflictFacts, one: FileConflict, number: int) -> str:
    """`hunk 1 of 2, line 41, in def guard`."""
    hunk = one.hunks[number]
    parts = [f"hunk {number + 1} of {len(one.hunks)}"]
    if hunk.ours_line:
        parts.append(f"line {hunk.ours_line}")
    around = clean_line(facts.enclosing.get((one.path, number), ""), 60)
    if around:
        parts.append(f"in {around}")
    return ", ".join(parts)


_MODES = {
    "100644": "file",
    "100755": "executable file",
    "120000": "symbolic link",
    "160000": "submodule",
}


def side_lines(facts: ConflictFacts, one: FileConflict) -> list[str]:
    """What base and both sides hold at a path, for conflicts without hunks."""
    content = facts.content(one.path)
    names = (
        (1, "base", content.base),
        (2, facts.target, content.ours),
        (3, facts.plan.id, content.theirs),
    )
    lines = []
    # of a clean merge the base is not known here, and is no part of the question
    for stage, name, data in names[1:] if one.kind == "duplicate" else names:
        entry = one.stages.get(stage)
        if entry is None:
            lines.append(f"{name}: no file here")
            continue
        kind = _MODES.get(entry.mode, f"mode {entry.mode}")
        parts = [kind, entry.oid[:10]]
        if data is not None and entry.mode == "120000":
            parts.insert(1, f"to {clean_line(decode(data), 100)}")
        elif data is not None:
            parts.append(f"{len(data):,} bytes")
        lines.append(f"{name}: {', '.join(parts)}")
    return lines


def summary_line(facts: ConflictFacts, conflicts: Sequence[FileConflict]) -> str:
    """One line for the narration: `conflict with 03-01 in src/a.ts and src/b.ts (3 hunks)`."""
    paths = listing([clean_line(one.path) for one in conflicts], limit=3)
    makers = sorted({plan.id for one in conflicts for plan in facts.makers(one.path)})
    against = listing(makers) or facts.target
    return f"conflict with {against} in {paths} ({hunk_count(conflicts)})"
