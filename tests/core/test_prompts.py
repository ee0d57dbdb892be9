"""Golden prompts: run with `UPDATE_GOLDEN=1` to write them anew, then read the difference."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from worktree_runner.core import prompts
from worktree_runner.core.checkpoints import Checkpoint, CompletedTask
from worktree_runner.core.prompts import (
    ConflictFacts,
    Document,
    PromptFacts,
    References,
    Reserved,
    Resumption,
    VerifierFacts,
)
from worktree_runner.dialects import schema
from worktree_runner.models import Plan

GOLDEN = Path(__file__).parent.parent / "golden" / "prompts"
UPDATE = "UPDATE_GOLDEN" in os.environ  # read now: no test sees the caller's environment
TEXT = b"""---
phase: 03-api
plan: 02
---
<objective>
Template `{{ user }}` and {% raw %} stay.
</objective>
<tasks>
</tasks>
"""
FOLDER = ".planning/phases/03-api"


def plan(**changes: object) -> Plan:
    made = Plan(
        id="03-02", phase="03", number="02", path=f"{FOLDER}/03-02-PLAN.md",
        summary_path=f"{FOLDER}/03-02-SUMMARY.md", title="Add the routes",
        objective="Routes for users.\n\nPurpose: the page needs them.", order=(),
        declared_wave=1, wave=1, depends_on=("03-01",), files=("src/routes.py", "src/app.py"),
        files_declared=("src/routes.py",), autonomous=True, gap_closure=False,
        has_checkpoint=False, done=False, tasks=(), text=TEXT, requirements=("API-01",),
        must_haves={"truths": ["GET /users answers\n  with a list"]},
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def facts(**changes: object) -> PromptFacts:
    made = PromptFacts(
        dialect=schema.load("gsd"), plan=plan(), worktree="/repo/.worktrees/wt-03-02",
        branch="gsd/03-02", base="b" * 40, phase_name="API", phase_dir="03-api",
        checkpoint_file="/runs/r1/outbox/checkpoint.json", state_path=".planning/STATE.md",
        config_path=".planning/config.json",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def everything() -> PromptFacts:
    return facts(
        plan_in_worktree=False,
        commit_docs=False,
        state_text="Plan: 1 of 3\n",
        config_text='{"mode": "yolo"}',
        finished=(("03-01", f"{FOLDER}/03-01-SUMMARY.md"),),
        references=References(
            read=("src/app.py",),
            absent=("/Users/x/old.md",),
            documents=(Document("~/.claude/gsd/tdd.md", "# TDD\n{{ braces }}\n"),),
        ),
        reserved=(Reserved("src/auth/**", "03-03 Log in"),),
        reserve_command="wtrun reserve",
        guide=".planning/guides/backend.md",
        instructions="Use tabs.",
    )


RESUMED = Resumption(
    completed=(CompletedTask(1, "Route", "1" * 40, ("src/routes.py",)),),
    commits=(("1" * 40, "feat(03-02): Route"),),
    dirty=("src/app.py",),
    checkpoint=Checkpoint(
        type="human-verify", task_number=2, task_name="Look", details="Open /users\nand click."
    ),
    answer="the list is empty",
)
HUNK = "<<<<<<< main\na\n=======\nb\n>>>>>>> gsd/03-02\n"
CASES = {
    "executor-gsd": lambda: prompts.render_executor(facts()),
    "executor-everything": lambda: prompts.render_executor(everything()),
    "executor-renn": lambda: prompts.render_executor(
        facts(dialect=schema.load("renn"), state_text="Run: 1 of 3", state_path=".renn/pulse.md")
    ),
    "continuation-checkpoint": lambda: prompts.render_continuation(facts(), RESUMED),
    "continuation-crash": lambda: prompts.render_continuation(
        facts(), Resumption(reason="The machine was switched off.")
    ),
    "continuation-crash-after-an-answer": lambda: prompts.render_continuation(
        facts(), replace(RESUMED, reason="the agent crashed")
    ),
    "resumed-checkpoint": lambda: prompts.render_resumed(everything(), RESUMED),
    "resumed-crash": lambda: prompts.render_resumed(
        facts(dialect=schema.load("renn")), Resumption(reason="The machine was switched off.")
    ),
    "verifier-gsd": lambda: prompts.render_verifier(
        VerifierFacts(
            dialect=schema.load("gsd"), phase="03", phase_path=FOLDER, worktree="/repo/check",
            goal="Users can be listed", plans=(plan(),), now="2026-01-02T03:04:05Z",
            verification_path=f"{FOLDER}/03-VERIFICATION.md", phase_name="API",
            requirements=("API-01",),
        )
    ),
    "conflict-gsd": lambda: prompts.render_conflict(
        ConflictFacts(
            dialect=schema.load("gsd"), plan=plan(), worktree="/repo/.worktrees/wt-03-02",
            branch="gsd/03-02", target="main", ours_title="plan 03-01: Add the model",
            ours_objective="A model.", conflicts=(("src/app.py", HUNK),),
        )
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_prompt_is_the_golden_one(name: str) -> None:
    text = CASES[name]()
    file = GOLDEN / f"{name}.md"
    if UPDATE:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


def test_plan_text_is_never_a_template() -> None:
    text = prompts.render_executor(everything())
    assert "Template `{{ user }}` and {% raw %} stay." in text
    assert "# TDD\n{{ braces }}" in text


def test_committed_plan_is_named_and_not_pasted() -> None:
    text = prompts.render_executor(facts())
    assert "Template" not in text
    assert f"Read `{FOLDER}/03-02-PLAN.md`" in text


def test_files_of_the_run_are_forbidden_by_name() -> None:
    text = prompts.render_executor(facts())
    for path in schema.load("gsd").owned():
        assert f"`{path}`" in text


@pytest.mark.parametrize("name", schema.names())
def test_words_of_the_dialect_are_used(name: str) -> None:
    dialect = schema.load(name)
    text = prompts.render_executor(facts(dialect=dialect))
    assert f"## {dialect.words.checkpoint.upper()} REACHED" in text
    assert f"## {dialect.words.plan.upper()} COMPLETE" in text
    assert prompts.task_message(dialect, plan()) in text
    if dialect.words.plan != "plan":
        assert "SUMMARY" not in text.replace(f"{FOLDER}/03-02-SUMMARY.md", "")
