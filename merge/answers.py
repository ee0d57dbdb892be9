"""A person's answers, turned into the file they mean.

- Every hunk needs an answer before a file counts as decided.
- For whole files, target and plan mean that side's entry, and "both" means git's own merge as it
  stands (only where git did merge: a double definition that is meant to be).
- Text that still holds conflict markers is no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from merge import checks
from merge.ports import ObjectStore
from merge.text import Lines, Segment, composed, split_lines
from merge.tree import SUBMODULE, merged_mode
from merge.types import Choice, ChoiceKind, ConflictHunk, Entry, FileConflict

_WORDS = {
    ChoiceKind.OURS: "the target's side",
    ChoiceKind.THEIRS: "the branch's side",
    ChoiceKind.BOTH: "both sides, the target's first",
    ChoiceKind.BOTH_REVERSED: "both sides, the branch's first",
    ChoiceKind.PROPOSAL: "the proposal",
    ChoiceKind.CONTENT: "edited by hand",
    ChoiceKind.DELETE: "deleted",
}
DEFAULT_MODE = "100644"


@dataclass(frozen=True, slots=True)
class Decided:
    """The entry for the path (None: removed), and the answers in words."""

    entry: Entry | None
    why: str


def decide(
    conflict: FileConflict,
    choices: Sequence[Choice],
    segments: Sequence[Segment],
    merged: Entry | None,
    store: ObjectStore,
) -> Decided | FileConflict:
    """The decided entry, or the conflict again, with the reason if an answer can't be used."""
    if not choices:
        return conflict
    last = choices[-1]
    whole = last.hunk is None and (last.whole or not conflict.hunks)
    if (
        whole
        or last.kind is ChoiceKind.DELETE
        or (last.kind is ChoiceKind.CONTENT and last.hunk is None)
    ):
        return _whole(conflict, last, merged, store)
    return _hunks(conflict, choices, segments, store)


def _whole(
    conflict: FileConflict, choice: Choice, merged: Entry | None, store: ObjectStore
) -> Decided | FileConflict:
    stages = conflict.stages
    words = f"a person decided: {_WORDS[choice.kind]} (whole file)"
    if choice.kind is ChoiceKind.DELETE:
        return Decided(None, words)
    if choice.kind is ChoiceKind.OURS:
        return Decided(stages.get(2), words)
    if choice.kind is ChoiceKind.THEIRS:
        return Decided(stages.get(3), words)
    if choice.kind is ChoiceKind.CONTENT:
        return _written(conflict, choice.content, store, words)
    if choice.kind is ChoiceKind.BOTH and not conflict.hunks and merged is not None:
        return Decided(merged, "a person decided: git's clean merge is right as it stands")
    return replace(conflict, why=f"'{choice.kind}' is no answer for a {conflict.kind} conflict")


def _hunks(
    conflict: FileConflict,
    choices: Sequence[Choice],
    segments: Sequence[Segment],
    store: ObjectStore,
) -> Decided | FileConflict:
    chosen: dict[int, Choice] = {}
    for choice in choices:
        named = range(len(conflict.hunks)) if choice.hunk is None else (choice.hunk,)
        chosen |= dict.fromkeys(named, choice)
    lines: list[Lines] = []
    for index, hunk in enumerate(conflict.hunks):
        answer = _lines(hunk, chosen[index]) if index in chosen else None
        if answer is None:
            return conflict
        lines.append(answer)
    data = composed(segments, lambda index, _: lines[index])
    said = [_WORDS[chosen[index].kind] for index in range(len(conflict.hunks))]
    return _written(conflict, data, store, f"a person decided: {_told(said)}")


def _told(said: Sequence[str]) -> str:
    """The answers of all hunks: once where they are the same, else each with its hunks."""
    if len(set(said)) == 1:
        return said[0]
    numbers: dict[str, list[str]] = {}
    for number, words in enumerate(said, start=1):
        numbers.setdefault(words, []).append(str(number))
    return "; ".join(
        f"{'hunk' if len(found) == 1 else 'hunks'} {', '.join(found)}: {words}"
        for words, found in numbers.items()
    )


def _lines(hunk: ConflictHunk, choice: Choice) -> Lines | None:
    """The lines that a choice means for a hunk; None where it means nothing."""
    match choice.kind:
        case ChoiceKind.OURS:
            return hunk.ours
        case ChoiceKind.THEIRS:
            return hunk.theirs
        case ChoiceKind.BOTH:
            return (*hunk.ours, *hunk.theirs)
        case ChoiceKind.BOTH_REVERSED:
            return (*hunk.theirs, *hunk.ours)
        case ChoiceKind.PROPOSAL:
            return hunk.proposal
        case ChoiceKind.CONTENT:
            return split_lines(choice.content)
        case ChoiceKind.DELETE:
            return ()


def _written(
    conflict: FileConflict, data: bytes, store: ObjectStore, words: str
) -> Decided | FileConflict:
    sides = [
        store.read_blob(entry.oid)
        for stage, entry in conflict.stages.items()
        if stage in (2, 3) and entry.mode != SUBMODULE
    ]
    if checks.left_markers(sides, data):
        return replace(conflict, why="the answer still holds conflict markers")
    return Decided(Entry(_mode(conflict), store.write_blob(data)), words)


def _mode(conflict: FileConflict) -> str:
    stages = conflict.stages
    merged = merged_mode(stages) if {2, 3} <= set(stages) else None
    return merged or next((stages[n].mode for n in (2, 3) if n in stages), DEFAULT_MODE)
