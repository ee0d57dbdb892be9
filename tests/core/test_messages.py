"""The run's own messages have the subjects, threads and importance of the worktree variant."""

from __future__ import annotations

from worktree_runner.core import messages
from worktree_runner.dialects.schema import load

FACTS = messages.PlanFacts(
    plan_id="03-01",
    worktree=".worktrees/wt-03-01",
    branch="gsd/03-01",
    tasks=(2, 2),
    commits=(("a" * 40, "feat(03-01): add login"),),
    files=("src/auth.ts",),
    summary="Login with a session cookie",
)


def test_completion_message() -> None:
    draft = messages.plan_complete(load("gsd"), FACTS)
    assert (draft.subject, draft.thread_id) == ("[gsd-03-01] Plan Complete", "gsd-03-01")
    assert draft.importance == "normal"
    assert draft.body == (
        "## Plan Completed: 03-01\n\n"
        "**Worktree:** .worktrees/wt-03-01\n**Branch:** gsd/03-01\n**Tasks:** 2/2\n\n"
        "**Commits:**\n- aaaaaaa: feat(03-01): add login\n\n"
        "**Files Changed:**\n- src/auth.ts\n\n"
        "**Summary:** Login with a session cookie\n\nWaits for its merge.\n"
    )


def test_failure_message_is_of_high_importance_and_names_the_reason() -> None:
    draft = messages.plan_failed(load("gsd"), FACTS, "tests failed", "ran npm test twice")
    assert (draft.subject, draft.importance) == ("[gsd-03-01] Plan FAILED", "high")
    assert "**Reason:** tests failed\n**Attempted:** ran npm test twice\n" in draft.body
    assert "- aaaaaaa: feat(03-01): add login" in draft.body


def test_words_and_prefix_come_from_the_dialect() -> None:
    gsd = load("gsd")
    words = gsd.words.model_copy(update={"plan": "run"})
    branches = gsd.branches.model_copy(update={"plan": "renn/{phase}-{plan}"})
    other = gsd.model_copy(update={"words": words, "branches": branches, "name": "renn"})
    assert messages.plan_complete(other, FACTS).subject == "[renn-03-01] Run Complete"
    plain = branches.model_copy(update={"plan": "{phase}-{plan}"})
    other = other.model_copy(update={"branches": plain})
    assert messages.thread_of(other, "03-01") == "renn-03-01"


def test_an_agents_own_subject_is_known_by_its_outcome() -> None:
    done = messages.plan_complete(load("gsd"), FACTS)
    failed = messages.plan_failed(load("gsd"), FACTS, "x")
    assert messages.tells_the_same("[gsd-03-01] Plan complete", done)
    assert messages.tells_the_same("plan FAILED: 03-01", failed)
    assert not messages.tells_the_same("[gsd-03-01] Plan Complete", failed)
    assert not messages.tells_the_same("[gsd-03-01] Started", done)
