"""What wtrun asks, word for word."""

from __future__ import annotations

from worktree_runner.core.questions import (
    Alternative,
    CheckpointKind,
    Question,
    checkpoint_question,
    failure_question,
)


def as_text(question: Question) -> str:
    options = [f"  {o.label}: {o.consequence}" for o in question.options]
    return "\n".join([question.title, "", question.body, "", *options])


def test_a_failed_plan_names_what_is_skipped_without_it() -> None:
    question = failure_question(
        plan="03-04",
        title="mail\nsender",
        reason="exit 1",
        elapsed_s=372,
        skipped=("05-01",),
        log_tail="one\n\x1b[31mtwo\n",
        worktree=".worktrees/wt-03-04",
    )
    assert as_text(question) == (
        'Plan 03-04 "mail sender" failed\n'
        "\n"
        "exit 1 (after 6 min 12 s).\n"
        "\n"
        "The end of its log:\n"
        "  | one\n"
        "  | \\x1b[31mtwo\n"
        "\n"
        "Its worktree stays: .worktrees/wt-03-04\n"
        "\n"
        "  [r]etry: A new attempt of 03-04 in a fresh worktree; the failed one is kept.\n"
        "  [l]og: Its whole log in the pager; then this question again.\n"
        "  [o]pen shell: A shell in its worktree; exit comes back here.\n"
        "  [c]ontinue without it (skips 05-01): 03-04 stays failed; 05-01 is skipped,"
        " the others go on.\n"
        "  [s]top: Nothing further starts; what is at work finishes. It can be resumed."
    )


def test_a_check_by_a_person() -> None:
    question = checkpoint_question(
        plan="03-03",
        title="dashboard",
        kind=CheckpointKind.HUMAN_VERIFY,
        details="Open http://localhost:3000",
        awaiting='Type "approved" or describe issues.',
        progress=(2, 3),
    )
    assert as_text(question) == (
        'Plan 03-03 "dashboard" waits for your check\n'
        "\n"
        "Progress: 2 of 3 tasks done\n"
        "\n"
        "Open http://localhost:3000\n"
        "\n"
        "Awaiting:\n"
        'Type "approved" or describe issues.\n'
        "\n"
        "  [a]pprove: It is right: a fresh attempt goes on.\n"
        "  [i]ssues: The agent gets what you write and goes on with it.\n"
        "  [o]pen: A shell in its worktree; exit comes back here.\n"
        "  [l]ater: Not answered now: the others go on, this one waits."
    )


def test_a_decision_lists_its_alternatives_with_their_details() -> None:
    question = checkpoint_question(
        plan="03-03",
        title="storage",
        kind=CheckpointKind.DECISION,
        details="Which database?",
        awaiting="",
        alternatives=(
            Alternative("postgres", "PostgreSQL", "Pros: known\nCons: a server"),
            Alternative("sqlite", "SQLite"),
        ),
        can_open=False,
    )
    assert as_text(question) == (
        'Plan 03-03 "storage" waits for a decision\n'
        "\n"
        "Which database?\n"
        "\n"
        "  1. PostgreSQL\n"
        "     Pros: known\n"
        "     Cons: a server\n"
        "  2. SQLite\n"
        "\n"
        "  [1] postgres: Decides for PostgreSQL.\n"
        "  [2] sqlite: Decides for SQLite.\n"
        "  [w]rite another answer: The agent gets your own words as the decision.\n"
        "  [l]ater: Not answered now: the others go on, this one waits."
    )


def test_keys_of_a_question_never_repeat() -> None:
    many = tuple(Alternative(f"a{n}", f"A{n}") for n in range(12))
    for kind in CheckpointKind:
        question = checkpoint_question(
            plan="1", title="t", kind=kind, details="", awaiting="", alternatives=many
        )
        keys = [option.key for option in question.options]
        assert len(keys) == len(set(keys)), kind


def test_a_dialect_uses_its_own_word() -> None:
    question = failure_question(
        plan="03-04", title="mail", reason="timed out", elapsed_s=None, noun="run"
    )
    assert question.title == 'Run 03-04 "mail" failed'
    assert question.body == "timed out."
