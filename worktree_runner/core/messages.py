"""The messages that a run sends about its plans, in the words agents of the worktree variant use.

An orchestrator that reads its inbox finds the same subjects, threads and headings, whether a
plan's agent wrote them or the run did because the agent did not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worktree_runner.dialects.schema import Dialect

IMPORTANCES = ("low", "normal", "high", "urgent")


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it has a sender and an id."""

    subject: str
    body: str
    thread_id: str | None = None
    importance: str = "normal"
    ack_required: bool = False


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What a plan's message tells; `commits` are (id, subject), files are repository paths."""

    plan_id: str
    worktree: str
    branch: str
    tasks: tuple[int, int] | None = None
    commits: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    summary: str = ""


def thread_of(dialect: Dialect, plan_id: str) -> str:
    """`gsd-03-01`: the branch prefix of the dialect and the plan."""
    return f"{_prefix(dialect)}-{plan_id}"


def plan_complete(dialect: Dialect, facts: PlanFacts) -> Draft:
    """The message that a plan is done and waits for its merge."""
    word = dialect.words.plan.capitalize()
    lines = [f"## {word} Completed: {facts.plan_id}", "", f"**Worktree:** {facts.worktree}"]
    lines.append(f"**Branch:** {facts.branch}")
    if facts.tasks is not None:
        lines.append(f"**Tasks:** {facts.tasks[0]}/{facts.tasks[1]}")
    lines += _listed("Commits", _commit_lines(facts))
    lines += _listed("Files Changed", facts.files)
    if facts.summary:
        lines += ["", f"**{dialect.words.summary.capitalize()}:** {facts.summary}"]
    lines += ["", "Waits for its merge."]
    thread = thread_of(dialect, facts.plan_id)
    return Draft(f"[{thread}] {word} Complete", "\n".join(lines) + "\n", thread)


def plan_failed(dialect: Dialect, facts: PlanFacts, reason: str, attempted: str = "") -> Draft:
    """The message that a plan failed; its worktree stays."""
    word = dialect.words.plan.capitalize()
    lines = [f"## {word} Failed: {facts.plan_id}", "", f"**Worktree:** {facts.worktree}"]
    lines.append(f"**Branch:** {facts.branch}")
    lines.append(f"**Reason:** {reason}")
    if attempted:
        lines.append(f"**Attempted:** {attempted}")
    lines += _listed("Partial Progress", _commit_lines(facts) or ("none",))
    lines += ["", "The worktree is kept as it was."]
    thread = thread_of(dialect, facts.plan_id)
    return Draft(f"[{thread}] {word} FAILED", "\n".join(lines) + "\n", thread, importance="high")


def released_reservation(pattern: str, by: str, reasons: Sequence[str], note: str) -> Draft:
    """The notice to a holder whose reservation was released by somebody else."""
    lines = [f"{by} released the reservation on `{pattern}`.", ""]
    lines += [f"- {reason}" for reason in reasons]
    if note:
        lines += ["", note]
    lines += ["", "Reserve the path again before editing it."]
    return Draft(f"[file-reservations] Released stale lock on {pattern}", "\n".join(lines) + "\n")


def tells_the_same(subject: str, draft: Draft) -> bool:
    """Whether an agent's own subject already says what `draft` says (Complete or FAILED)."""
    outcome = draft.subject.rsplit(" ", 1)[-1].casefold()
    return outcome in subject.casefold().replace("completed", "complete")


def _prefix(dialect: Dialect) -> str:
    head = dialect.branches.plan.split("/", 1)[0]
    return head if head and "{" not in head else dialect.name


def _commit_lines(facts: PlanFacts) -> tuple[str, ...]:
    return tuple(f"{commit[:7]}: {subject}" for commit, subject in facts.commits)


def _listed(title: str, items: Sequence[str]) -> list[str]:
    return ["", f"**{title}:**", *(f"- {item}" for item in items)] if items else []
