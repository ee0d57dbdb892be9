"""What only a person can say about a phase's goal, as questions.

- The first lists what to try, and what speaks against a verifier's `passed`.
- The second asks to accept what passed, where the planning system has such a step.
"""

from __future__ import annotations

from collections.abc import Sequence

from worktree_runner.core.docs.verification import VerificationStatus
from worktree_runner.core.goal import VERIFIER, Goal
from worktree_runner.core.questions import Option, Question, QuestionKind
from worktree_runner.core.texts import clean_line, count
from worktree_runner.dialects.schema import Words

MOST = 20
_LOOK = Option(
    "r", "report", "The whole report in the pager; then this question again.", looks=True
)


def goal_question(goal: Goal, phase: str, words: Words) -> Question:
    """What a person has to try or to judge before the phase is complete."""
    lines = []
    if goal.concerns:
        lines += ["The report alone is not enough:", *_listed(goal.concerns), ""]
    if goal.status is VerificationStatus.HUMAN_NEEDED and goal.human:
        lines += [f"{count(len(goal.human), 'item')} to try:", *_listed(goal.human), ""]
    if not lines:
        said = (
            f"its status is '{clean_line(goal.stated, 40)}'" if goal.stated else "it has no status"
        )
        lines += [f"The report does not say what it found: {said}.", ""]
    if goal.score:
        lines.append(f"Score: {clean_line(goal.score, 80)}")
    lines.append(f"Report: {goal.copy}")
    options = (
        Option("a", "approve", f"The {words.phase} is complete."),
        _issues(words),
        _LOOK,
        Option("l", "later", f"Not answered now; the {words.phase} stays open until then."),
    )
    title = f"{words.phase.capitalize()} {phase} waits for your check of its goal"
    body = "\n".join(lines).strip()
    return Question(QuestionKind.VERIFICATION, VERIFIER, title, body, options)


def acceptance_question(
    goal: Goal, phase: str, words: Words, built: Sequence[str], test: str
) -> Question:
    """Whether what passed is what the user wanted; `test` is the command that tries it first."""
    lines = [f"What was built ({goal.in_words()}):", *_listed(built), "", f"Report: {goal.copy}"]
    first = f"try it with {test}" if test else "try it first"
    options = (
        Option("a", "accept", f"The {words.phase} is complete."),
        _issues(words),
        _LOOK,
        Option(
            "l", "later", f"Not answered now ({first}); the {words.phase} stays open until then."
        ),
    )
    title = f"{words.phase.capitalize()} {phase} is verified: does the direction look right?"
    return Question(QuestionKind.VERIFICATION, VERIFIER, title, "\n".join(lines), options)


def _issues(words: Words) -> Option:
    return Option(
        "i",
        "issues",
        f"What you write is put into the report as gaps; {words.plans} that close them come next.",
        text_prompt="What is wrong? An empty line ends it.",
    )


def _listed(items: Sequence[str]) -> list[str]:
    shown = [f"  - {clean_line(item, 300)}" for item in items[:MOST]]
    left = len(items) - len(shown)
    return [*shown, f"  - and {left} more"] if left else shown
