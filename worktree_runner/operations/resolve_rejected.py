"""`wtrun resolve PLAN` for a finished plan with which the gate is not green."""

from __future__ import annotations

import json
from pathlib import Path

from worktree_runner.core.state import Status
from worktree_runner.core.texts import clean_line, listing
from worktree_runner.errors import PreconditionError
from worktree_runner.git.gateway import Git
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.run import checked, rejected
from worktree_runner.operations.run.asking import question_for, record_answer
from worktree_runner.operations.run.reconcile import reopen
from worktree_runner.operations.run.rejected import TAIL_LINES, output_tail
from worktree_runner.ui.ask import Answer


def concerns(session: Session, plan_id: str) -> bool:
    """Whether what waits of this plan is its gate."""
    plan = session.state.plans.get(plan_id)
    return plan is not None and plan.status is Status.REJECTED


def leave_out(session: Session, plan_id: str) -> bool:
    """Leaves the plan out of this run; its branch and worktree stay."""
    plan = session.of(plan_id)
    rejected.leave_out(session, plan)
    session.screen.say(f"its branch {plan.branch} and worktree stay", plan=plan_id)
    return True


def check_again(session: Session, plan_id: str) -> bool:
    """Checks what the plan's branch holds by now; True if it has landed by that."""
    plan = session.of(plan_id)
    place = Path(plan.worktree)
    if place.is_dir():
        dirty = Git(place).run("diff", "--name-only", "-z", "HEAD", "--").fields
        if dirty:
            raise PreconditionError(
                f"{place} has changes that are not committed: {listing(dirty, limit=5)}.",
                hint=f"git -C {place} commit -a, then wtrun resolve {plan_id} --continue",
            )
    reopen(session, plan)
    return checked.land(session, plan_id)


def render(session: Session, plan_id: str) -> str:
    """Why the plan has not landed, for a person without a terminal."""
    plan = session.of(plan_id)
    lines = [f"{plan_id}: {clean_line(plan.reason)}"]
    tail = output_tail(plan, TAIL_LINES)
    if tail:
        lines += [f"the end of {plan.hint}:", *(f"  | {line}" for line in tail.splitlines())]
    lines.append(f"its work: {plan.worktree} ({plan.branch})")
    for when, command in rejected.ways(plan):
        lines += [f"{when}:", f"    {command}"]
    return "\n".join(lines)


def to_json(session: Session, plan_id: str) -> str:
    """The same for programs; names are only ever added."""
    plan = session.of(plan_id)
    document = {
        "v": 1,
        "kind": "rejected",
        "plan": plan.id,
        "reason": plan.reason,
        "log": plan.hint,
        "output_tail": output_tail(plan, TAIL_LINES),
        "branch": plan.branch,
        "worktree": plan.worktree,
        "commands": [command for _, command in rejected.ways(plan)],
    }
    return json.dumps(document, indent=1, ensure_ascii=False)


def ask(session: Session, plan_id: str) -> bool:
    """Asks at the terminal; True if nothing of the plan is left to decide here."""
    while concerns(session, plan_id):
        answer = question_for(session, plan_id)()
        if not isinstance(answer, Answer) or answer.key in ("w", "s"):
            return False
        record_answer(session, plan_id, answer)
        if session.of(plan_id).status is Status.QUEUED:
            checked.land(session, plan_id)
    return session.of(plan_id).status is not Status.CONFLICTED
