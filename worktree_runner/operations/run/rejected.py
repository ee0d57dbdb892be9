"""A finished plan with which the gate is not green: what is shown, and what a person can do.

- It is checked again as its branch is by then, done again by an agent on what has landed, or left
  out. Its branch and worktree stay in any case.
- The gate's output lies in the run's folder; its end is shown and given to the agent.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path

from worktree_runner.core.events import Type
from worktree_runner.core.outlook import waiting_for
from worktree_runner.core.questions import Question, rejected_question
from worktree_runner.core.state import PlanState, Status
from worktree_runner.core.texts import clean
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.run.reconcile import reopen

TAIL_LINES = 12
TAIL_FOR_AGENT = 60
MOST_CHARACTERS = 6000


def question(session: Session, plan: PlanState) -> Question:
    return rejected_question(
        plan=plan.id,
        title=plan.title,
        reason=plan.reason,
        skipped=waiting_for(session.state, plan.id),
        log_tail=output_tail(plan, TAIL_LINES),
        worktree=plan.worktree,
        noun=session.dialect.words.plan,
        can_open=Path(plan.worktree).is_dir(),
    )


def output_tail(plan: PlanState, lines: int | None) -> str:
    """The last lines (or all) of what the gate said about the plan; empty where that is gone."""
    try:
        with Path(plan.hint).open(errors="replace") as file:
            tail = "".join(deque(file, lines))
    except OSError:
        return ""
    return clean(tail if lines is None else tail[-MOST_CHARACTERS:])


def take_key(session: Session, plan: PlanState, key: str) -> None:
    """Records what the user chose at the question."""
    if key == "r":
        reopen(session, plan)
    elif key == "a":
        rerun(session, plan)
    elif key == "c":
        leave_out(session, plan)
    elif key == "w":
        session.record(Type.PLAN_DEFERRED, plan.id, why="its check is left for later")
    else:
        session.record(Type.RUN_STOPPING, reason=f"the user stopped: {plan.id} is not merged")


def rerun(session: Session, plan: PlanState) -> None:
    """Has an agent do the plan again from what has landed, with the work so far as context."""
    paths = session.repository.objects.changed_paths(plan.base, plan.head)
    earlier = {
        "branch": plan.branch,
        "worktree": plan.worktree,
        "base": plan.base,
        "head": plan.head,
        "paths": [str(item["path"]) for item in plan.conflicts] or sorted(paths),
        "gate": output_tail(plan, TAIL_FOR_AGENT) if plan.status is Status.REJECTED else "",
    }
    why = f"once more on what has landed since: {plan.reason or 'its work conflicts'}"
    session.record(Type.PLAN_RETRIED, plan.id, why=why, fresh=True, earlier=earlier)


def leave_out(session: Session, plan: PlanState, *, how: str = "") -> None:
    """Leaves the plan out of this run, on the user's word: an answer, or a setting."""
    because = f"left out{f' ({how})' if how else ''}: {plan.reason}"
    session.record(Type.PLAN_SKIPPED, plan.id, because=because, by="user")


def ways(plan: PlanState) -> tuple[tuple[str, str], ...]:
    """The commands that go on with the plan, each with what has to be done before or by it."""
    resolve = f"wtrun resolve {plan.id}"
    return (
        ("once it is repaired and committed in its worktree", f"{resolve} --continue"),
        ("or have an agent do it again, on what has landed", f"{resolve} --rerun"),
        ("or go on without it", f"{resolve} --abort"),
    )
