"""What a guard decides about a commit or an edit, and the words that the agent reads.

- Paths that a person, a tool or another run has reserved exclusively are refused.
- Between plans of one run `warn` lets a path pass with a notice, since many plans touch a file
  that a sibling declared and most of those merges are clean; `strict` refuses.
- A refusal names who, why, until when and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from worktree_runner.core.overlap import covering
from worktree_runner.core.reservations import Holder, Reservation


@dataclass(frozen=True, slots=True)
class Foreign:
    """A path that somebody else has reserved exclusively."""

    path: str
    record: Reservation
    refused: bool


def decide_paths(
    paths: Iterable[str],
    held: Sequence[Reservation],
    own: Holder,
    *,
    strict: bool,
    fold_case: bool = False,
) -> tuple[Foreign, ...]:
    """Which of the paths are reserved by others, sorted; `held` are records that block."""
    others = [one for one in held if one.exclusive and one.holder.party != own.party]
    patterns = [record.pattern for record in others]
    found = []
    for path, number in covering(sorted(set(paths)), patterns, fold_case=fold_case):
        record = others[number]
        sibling = record.holder.run == own.run and own.run != ""
        found.append(Foreign(path, record, refused=strict or not sibling))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Places:
    """The folders that decide where an attempt may edit; real, absolute paths."""

    own: str
    """Its worktree."""
    folder: str
    """Its folder in the run's own files."""
    common_dir: str
    others: tuple[str, ...] = ()
    """The repository's other worktrees."""
    temporary: tuple[str, ...] = ()


def decide_edit(path: str, places: Places) -> str | None:
    """Why this real, absolute path must not be edited; None if it may."""
    own = places.own
    if _below(path, own):
        if _below(path, f"{own}/.git"):
            return f"{path} belongs to git; use git commands"
        return None
    if _below(path, places.folder) and not _below(path, f"{places.folder}/guard"):
        return None
    if _below(path, places.common_dir):
        return f"{path} belongs to git and wtrun; use their commands"
    if any(_below(path, other) for other in places.others):
        return f"{path} lies in another worktree; work only in {own}"
    if any(_below(path, folder) for folder in places.temporary):
        return None
    return f"{path} lies outside of the agent's own worktree; work only in {own}"


def refusal(found: Sequence[Foreign], until: Sequence[str], what: str) -> str:
    """The text for an agent whose commit or edit was refused; `until` goes with `found`."""
    lines = [describe(one, end) for one, end in zip(found, until, strict=True) if one.refused]
    holder = next(one.record.holder for one in found if one.refused)
    name = holder.name or holder.plan or "NAME"
    return "\n".join(
        [
            f"wtrun: this {what} was refused:",
            *(f"  {line}" for line in lines),
            "wtrun: leave these files as they are and do the rest of the work, or ask the holder:",
            f"  wtrun mail send --to {name} -s 'May I edit {found[0].path}?' -m '...'",
        ]
    )


def describe(one: Foreign, until: str) -> str:
    """`src/a.py is reserved by alice (src/) until 14:20: reason`."""
    pattern = "" if one.record.pattern == one.path else f" ({one.record.pattern})"
    why = f": {one.record.reason}" if one.record.reason else ""
    return f"{one.path} is reserved by {one.record.holder.label}{pattern} {until}{why}"


def _below(path: str, folder: str) -> bool:
    folder = folder.rstrip("/")
    return folder != "" and (path == folder or path.startswith(f"{folder}/"))
