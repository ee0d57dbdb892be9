"""Questions to the user as values: what is asked, what each answer does, and what it drops.

- `noun` is what the dialect calls a plan (`Words.plan`).
- No question has a default: an answer is a letter that the user typed.
- An option that only looks (`looks=True`: a log, a shell) answers nothing; the same question
  comes again after it.
- The texts are the product: each consequence says what happens to the user's work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from worktree_runner.core.texts import clean, clean_line, count, duration, listing


class QuestionKind(StrEnum):
    """What made wtrun stop and ask. Stored in journals: add-only."""

    CONFLICT = "conflict"
    FAILURE = "failure"
    CHECKPOINT = "checkpoint"
    VERIFICATION = "verification"
    GAPS = "gaps"
    BREACH = "breach"
    RESERVED = "reserved"
    REJECTED = "rejected"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Option:
    """One answer: the key that is typed, the word that shows it, and what it does."""

    key: str
    word: str
    consequence: str
    text_prompt: str = ""
    """Asks for free text after the key; the option without text is no answer."""
    looks: bool = False
    """Only shows something; the question is asked again."""
    rare: bool = False
    """Left out of the prompt's line; `?` lists it with the others."""

    @property
    def label(self) -> str:
        """`[r]etry` where the word starts with its key, else `[1] postgres`."""
        if self.word.startswith(self.key):
            return f"[{self.key}]{self.word[len(self.key) :]}"
        return f"[{self.key}] {self.word}"


@dataclass(frozen=True, slots=True)
class Question:
    """A stop that only a person can end."""

    kind: QuestionKind
    plan: str
    title: str
    body: str
    options: tuple[Option, ...]
    id: str = ""
    """Names it in the journal; empty where nothing is stored."""


def failure_question(
    *,
    plan: str,
    title: str,
    reason: str,
    elapsed_s: float | None,
    skipped: Sequence[str] = (),
    log_tail: str = "",
    worktree: str = "",
    can_retry: bool = True,
    can_open: bool = True,
    noun: str = "plan",
    id: str = "",
) -> Question:
    """What to do about a plan that failed; `skipped` are the plans that wait for its work."""
    after = f" (after {duration(elapsed_s)})" if elapsed_s is not None else ""
    lines = [f"{clean_line(reason)}{after}."]
    if log_tail.strip():
        lines += ["", "The end of its log:", *_quoted(log_tail)]
    if worktree:
        lines += ["", f"Its worktree stays: {clean_line(worktree)}"]
    without, consequence = "continue without it", f"{plan} stays failed; the others go on."
    if skipped:
        names = listing(tuple(skipped), limit=6)
        verb = "is" if len(skipped) == 1 else "are"
        without += f" (skips {names})"
        consequence = f"{plan} stays failed; {names} {verb} skipped, the others go on."
    retry = Option(
        "r", "retry", f"A new attempt of {plan} in a fresh worktree; the failed one is kept."
    )
    shell = Option("o", "open shell", "A shell in its worktree; exit comes back here.", looks=True)
    options = (
        *((retry,) if can_retry else ()),
        Option("l", "log", "Its whole log in the pager; then this question again.", looks=True),
        *((shell,) if can_open else ()),
        Option("c", without, consequence),
        Option("s", "stop", "Nothing further starts; what is at work finishes. It can be resumed."),
    )
    heading = f'{noun.capitalize()} {plan} "{clean_line(title, 60)}" failed'
    return Question(QuestionKind.FAILURE, plan, heading, "\n".join(lines), options, id)


def rejected_question(
    *,
    plan: str,
    title: str,
    reason: str,
    skipped: Sequence[str] = (),
    log_tail: str = "",
    worktree: str = "",
    noun: str = "plan",
    can_open: bool = True,
) -> Question:
    """What to do about a finished plan that the gate does not let land; `skipped` wait for it."""
    lines = [f"{clean_line(reason)}."]
    if log_tail.strip():
        lines += ["", "The end of the check's output:", *_quoted(log_tail)]
    if worktree:
        lines += ["", f"Its worktree stays: {clean_line(worktree)}"]
    without, consequence = "continue without it", f"{plan} is left out; branch and worktree stay."
    if skipped:
        names = listing(tuple(skipped), limit=6)
        verb = "is" if len(skipped) == 1 else "are"
        without += f" (skips {names})"
        consequence = f"{plan} is left out, {names} {verb} skipped; branch and worktree stay."
    shell = Option(
        "o", "open shell", "A shell in its worktree: repair it, commit, then retry.", looks=True
    )
    again = "The check runs again, on what the branch holds by now."
    agent = "A new attempt from what has landed; its agent gets the old diff and this output."
    options = (
        Option("r", "retry", again),
        *((shell,) if can_open else ()),
        Option("l", "log", "All of the output in the pager; then this question again.", looks=True),
        Option("a", "agent again", agent),
        Option("c", without, consequence),
        Option("w", "wait", "Left for later: the others go on, this one is asked at a resume."),
        Option(
            "s", "stop", "Nothing further starts; what runs is finished first. It can be resumed."
        ),
    )
    heading = f'{noun.capitalize()} {plan} "{clean_line(title, 60)}" is not merged'
    return Question(QuestionKind.REJECTED, plan, heading, "\n".join(lines), options)


def reserved_question_of(
    *,
    plan: str,
    title: str,
    holders: str,
    reservations: Sequence[str],
    noun: str = "plan",
) -> Question:
    """What to do with a plan that can't start because others have reserved its files."""
    options = (
        Option("w", "wait", f"{plan} starts as soon as {holders} gives the files back."),
        Option("f", f"fail the {noun}", f"{plan} is not started; what depends on it is skipped."),
        Option("s", "stop", "Nothing more is started; what is at work is finished and merged."),
    )
    heading = f'{noun.capitalize()} {plan} "{clean_line(title, 60)}" needs files of {holders}'
    return Question(QuestionKind.RESERVED, plan, heading, "\n".join(reservations), options)


class CheckpointKind(StrEnum):
    """The three stops that the dialects know."""

    HUMAN_VERIFY = "human-verify"
    DECISION = "decision"
    HUMAN_ACTION = "human-action"


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the choices of a decision checkpoint, in the plan's own words."""

    id: str
    name: str
    detail: str = ""


_CHECKPOINT_TITLE = {
    CheckpointKind.HUMAN_VERIFY: "waits for your check",
    CheckpointKind.DECISION: "waits for a decision",
    CheckpointKind.HUMAN_ACTION: "waits for something only you can do",
}


def checkpoint_question(
    *,
    plan: str,
    title: str,
    kind: CheckpointKind,
    details: str,
    awaiting: str,
    progress: tuple[int, int] | None = None,
    alternatives: Sequence[Alternative] = (),
    can_open: bool = True,
    noun: str = "plan",
    id: str = "",
) -> Question:
    """An agent's structured stop. Any answer but `later` starts a fresh attempt that goes on."""
    lines = []
    if progress is not None:
        lines += [f"Progress: {progress[0]} of {count(progress[1], 'task')} done", ""]
    if details.strip():
        lines += [*clean(details.strip()).splitlines(), ""]
    if awaiting.strip():
        lines += ["Awaiting:", *clean(awaiting.strip()).splitlines(), ""]
    shell = Option("o", "open", "A shell in its worktree; exit comes back here.", looks=True)
    later = Option("l", "later", "Not answered now: the others go on, this one waits.")
    options = (
        *_checkpoint_answers(kind, alternatives, lines),
        *((shell,) if can_open else ()),
        later,
    )
    heading = f'{noun.capitalize()} {plan} "{clean_line(title, 60)}" {_CHECKPOINT_TITLE[kind]}'
    body = "\n".join(lines).rstrip()
    return Question(QuestionKind.CHECKPOINT, plan, heading, body, options, id)


def _checkpoint_answers(
    kind: CheckpointKind, alternatives: Sequence[Alternative], lines: list[str]
) -> tuple[Option, ...]:
    """The options that go on; a decision's alternatives are also listed in the text."""
    issues = Option(
        "i",
        "issues",
        "The agent gets what you write and goes on with it.",
        text_prompt="What is wrong? An empty line ends it.",
    )
    if kind is CheckpointKind.HUMAN_ACTION:
        return (Option("d", "done", "It is done: a fresh attempt goes on from there."), issues)
    if kind is CheckpointKind.HUMAN_VERIFY:
        return (Option("a", "approve", "It is right: a fresh attempt goes on."), issues)
    keys = "123456789"
    options = []
    for key, one in zip(keys, alternatives, strict=False):
        lines.append(f"  {key}. {clean_line(one.name)}")
        lines += [f"     {line}" for line in clean(one.detail.strip()).splitlines()]
        options.append(Option(key, clean_line(one.id, 30), f"Decides for {clean_line(one.name)}."))
    words = Option(
        "w",
        "write another answer",
        "The agent gets your own words as the decision.",
        text_prompt="Your decision? An empty line ends it.",
    )
    return (*options, words)


def _quoted(text: str) -> list[str]:
    return [f"  | {line}" for line in clean(text.rstrip()).splitlines()]
