"""The answers to a plan's conflicts while they are being given: what is open, undo, skip.

- A step is one hunk, or a whole file where there are no hunks to decide.
- An answer for the whole file closes every hunk of it; undo brings the file's answers back.
- Answers given before (`draft`) count only while a file's fingerprint is still the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from merge.text import split_lines
from merge.types import Choice, ChoiceKind, ConflictHunk, FileConflict
from worktree_runner.core.conflicts import ConflictFacts
from worktree_runner.core.texts import clean_line, count

HUNK_KINDS = ("content", "add/add")


@dataclass(frozen=True, slots=True)
class Step:
    """A question: a file and the 0-based number of a hunk, None for the whole file."""

    file: FileConflict
    hunk: int | None


@dataclass(frozen=True, slots=True)
class _Answers:
    choices: tuple[Choice, ...] = ()
    skipped: frozenset[str] = frozenset()


class Worksheet:
    """Holds the answers of one session; the only state is what `undo` can bring back."""

    def __init__(
        self,
        conflicts: Sequence[FileConflict],
        draft: Sequence[Choice] = (),
        changed: Callable[[Sequence[Choice]], None] | None = None,
    ) -> None:
        """`changed` is told every answer there is, whenever one comes or goes."""
        self.files = tuple(conflicts)
        self.steps = tuple(
            Step(one, number)
            for one in self.files
            for number in (range(len(one.hunks)) if has_hunks(one) else (None,))
        )
        fitting = tuple(choice for choice in draft if self._fits(choice))
        self._now = _Answers(fitting)
        self._before: list[_Answers] = []
        self._changed = changed

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Every answer, in the order of the files and their hunks."""
        order = {one.path: number for number, one in enumerate(self.files)}
        return tuple(sorted(self._now.choices, key=lambda c: (order[c.path], c.hunk or 0)))

    @property
    def skipped(self) -> tuple[str, ...]:
        """Paths that are left for later, in order."""
        return tuple(one.path for one in self.files if one.path in self._now.skipped)

    @property
    def can_undo(self) -> bool:
        return bool(self._before)

    def next_open(self) -> Step | None:
        """The first question without an answer that was not skipped."""
        for step in self.steps:
            if step.file.path not in self._now.skipped and self.answer_of(step) is None:
                return step
        return None

    def answer_of(self, step: Step) -> Choice | None:
        for choice in self._now.choices:
            if choice.path == step.file.path and choice.hunk in (None, step.hunk):
                return choice
        return None

    def lines_of(self, one: FileConflict) -> dict[int, tuple[bytes, ...]]:
        """The lines that the answers so far mean, by the number of the hunk."""
        return {
            step.hunk: lines_for(one.hunks[step.hunk], answer)
            for step in self.steps
            if step.file is one and step.hunk is not None
            if (answer := self.answer_of(step)) is not None and answer.hunk is not None
        }

    def answer(self, choice: Choice) -> None:
        """Records an answer; it replaces those that it overlaps."""
        kept = tuple(
            one
            for one in self._now.choices
            if one.path != choice.path
            or (choice.hunk is not None and one.hunk not in (None, choice.hunk))
        )
        self._change(_Answers((*kept, choice), self._now.skipped - {choice.path}))

    def skip(self, path: str) -> None:
        """Leaves a file for later; answers given for it so far are kept as a draft."""
        self._change(_Answers(self._now.choices, self._now.skipped | {path}))

    def undo(self) -> None:
        """Takes the last answer or skip back; nothing happens if there is none."""
        if self._before:
            self._now = self._before.pop()
            self._tell()

    def forget(self) -> None:
        """Drops answers that came from a draft."""
        self._change(_Answers())

    def _change(self, new: _Answers) -> None:
        self._before.append(self._now)
        self._now = new
        self._tell()

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed(self.choices)

    def _fits(self, choice: Choice) -> bool:
        return any(
            one.path == choice.path
            and one.fingerprint == choice.fingerprint
            and (choice.hunk is None or choice.hunk < len(one.hunks))
            for one in self.files
        )


def has_hunks(one: FileConflict) -> bool:
    """Whether a person can decide hunk by hunk."""
    return one.kind in HUNK_KINDS and bool(one.hunks)


def lines_for(hunk: ConflictHunk, choice: Choice) -> tuple[bytes, ...]:
    """The lines that an answer to one hunk means."""
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
            return hunk.proposal or ()
        case ChoiceKind.CONTENT:
            return split_lines(choice.content)
        case ChoiceKind.DELETE:
            return ()


def words_for(facts: ConflictFacts, choice: Choice) -> str:
    """An answer as people say it: `main's lines`, `both, 03-02 first`, `edited, 4 lines`."""
    side = {ChoiceKind.OURS: facts.target, ChoiceKind.THEIRS: facts.plan.id}.get(choice.kind)
    if side is not None:
        return f"whole file of {side}" if choice.whole else f"{side}'s lines"
    if choice.kind is ChoiceKind.CONTENT:
        lines = choice.content.count(b"\n") + (choice.content[-1:] not in (b"\n", b""))
        return f"{'whole file ' if choice.whole else ''}edited, {count(lines, 'line')}"
    if choice.whole and choice.kind is ChoiceKind.BOTH:
        return "as git merged it"
    return {
        ChoiceKind.BOTH: f"both, {facts.target} first",
        ChoiceKind.BOTH_REVERSED: f"both, {facts.plan.id} first",
        ChoiceKind.PROPOSAL: "the offered text",
        ChoiceKind.DELETE: "the file is removed",
    }[choice.kind]


def choice_in_words(facts: ConflictFacts, choice: Choice) -> str:
    """`src/a.py, hunk 2: main's lines`."""
    hunk = "" if choice.hunk is None else f", hunk {choice.hunk + 1}"
    return f"{clean_line(choice.path)}{hunk}: {words_for(facts, choice)}"
