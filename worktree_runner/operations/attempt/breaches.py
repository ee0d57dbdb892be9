"""What an attempt did outside of its own ground, and what the user says to it.

- The audit's findings are journalled before anything is asked; they stay open until the user
  settles them, over further attempts and a restart.
- A ref is put back only on the user's word, from the journal's record, and only if it still is
  where the agent left it. No checkout is touched by that.
- While the target itself stands where an agent moved it, nothing is published there and nothing
  of it is merged into the landed plans.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worktree_runner.core.audit import Finding, Kind, Report
from worktree_runner.core.events import Type
from worktree_runner.core.questions import Option, Question, QuestionKind
from worktree_runner.core.state import PlanState, RunState, Status
from worktree_runner.core.texts import listing
from worktree_runner.dialects.schema import Words
from worktree_runner.git.repository import Repository
from worktree_runner.operations.context.session import Session

BREACH = "breach"
ACCEPT, DROP, FAIL, PUT_BACK = "accept", "drop", "fail", "put-back"
KEYS = {"k": ACCEPT, "d": DROP, "f": FAIL, "b": PUT_BACK}
FLAGS = {ACCEPT: "--accept-breach", DROP: "--drop", FAIL: "--fail", PUT_BACK: "--put-back"}
"""The answers as options of `wtrun resolve PLAN`."""
OUTSIDE = frozenset({Kind.REF, Kind.MAIN, Kind.INDEX, Kind.SHARED, Kind.WORKTREE})
"""What remains even if nothing of the plan is merged."""


def record(session: Session, plan_id: str, report: Report) -> None:
    """Keeps what the audit holds against the plan."""
    if report.breaches:
        findings = [_as_json(one) for one in report.breaches]
        session.record(
            Type.ATTEMPT_BREACHED, plan_id, n=session.of(plan_id).attempt, findings=findings
        )


def _as_json(one: Finding) -> dict[str, Any]:
    return {
        "kind": str(one.kind),
        "subject": one.subject,
        "text": str(one),
        "before": one.before,
        "after": one.after,
    }


def open_ones(plan: PlanState, *, merged: bool) -> tuple[Mapping[str, Any], ...]:
    """What the user has to settle; of a plan that is not merged only what it did outside."""
    return tuple(one for one in plan.breaches if merged or one["kind"] in OUTSIDE)


def stop_for(plan: PlanState, becomes: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The stop of a plan with open breaches, as `plan.asked` has it; `becomes` is "finished" or
    "failed", with the `facts` of that event."""
    found = open_ones(plan, merged=becomes == "finished")
    own = (Kind.RESERVED, Kind.LINK)
    return {
        "type": BREACH,
        "details": "\n".join(str(one["text"]) for one in found),
        "awaiting": "whether these changes are accepted",
        "paths": [one["subject"] for one in found if one["kind"] in own],
        "becomes": becomes,
        "facts": dict(facts),
    }


def is_open(plan: PlanState) -> bool:
    """Whether the plan waits for the user's word about a breach."""
    return plan.status is Status.ASKING and plan.checkpoint.get("type") == BREACH


def moved_refs(plan: PlanState) -> tuple[Mapping[str, Any], ...]:
    """The refs that the plan's agent moved and nobody has put back or accepted."""
    return tuple(one for one in plan.breaches if one["kind"] == Kind.REF)


def answers(plan: PlanState) -> tuple[str, ...]:
    """What can be answered to the plan's open breach."""
    stop = plan.checkpoint
    return (
        ACCEPT,
        *((DROP,) if stop["paths"] and stop["becomes"] == "finished" else ()),
        FAIL,
        *((PUT_BACK,) if moved_refs(plan) else ()),
    )


def flags(plan: PlanState) -> tuple[str, ...]:
    """The same, as options of `wtrun resolve PLAN`."""
    return tuple(FLAGS[one] for one in answers(plan))


def question(plan: PlanState, words: Words) -> Question:
    """What an agent did outside of its own ground, with the evidence."""
    failed = plan.checkpoint["becomes"] == "failed"
    accepted = f"{plan.id} {'stays failed' if failed else 'goes on to be merged'}."
    refs = listing([str(one["subject"]) for one in moved_refs(plan)], limit=3)
    texts = {
        ACCEPT: ("keep", f"The changes stay as they are. {accepted}"),
        DROP: ("drop these files", f"{plan.id} is merged without its changes to these files."),
        FAIL: (f"fail the {words.plan}", "Nothing of it is merged; its worktree stays."),
        PUT_BACK: (
            "bring the refs back",
            f"{refs}: moved back to where it was before; no file of a checkout changes.",
        ),
    }
    keys = {answer: key for key, answer in KEYS.items()}
    options = tuple(Option(keys[one], *texts[one]) for one in answers(plan))
    body = "\n".join(str(one["text"]) for one in open_ones(plan, merged=not failed))
    title = f"{plan.id} changed what is not its own"
    return Question(
        QuestionKind.BREACH, plan.id, title, body or "Nothing of it stands any more.", options
    )


def put_back(session: Session, plan_id: str) -> tuple[str, ...]:
    """Moves the refs back to where the run found them; those that can't be, with the reason.

    A crash in between leaves some of them back: asked again, they count as done.
    """
    repository = session.repository
    done, left = [], []
    for one in moved_refs(session.of(plan_id)):
        ref, before, after = str(one["subject"]), str(one["before"]), str(one["after"])
        if _set(repository, ref, before, after):
            done.append(ref)
        else:
            now = repository.git.resolve(ref)
            at = f"is at {now[:10]}" if now else "is gone"
            left.append(f"{ref} {at}, not where {plan_id} left it")
    if done:
        session.record(Type.BREACH_SETTLED, plan_id, answer=PUT_BACK, refs=done)
    return tuple(left)


def _set(repository: Repository, ref: str, before: str, after: str) -> bool:
    if ref == "HEAD":
        # which branch the main worktree is on; only git switch may change that
        return False
    now = repository.git.resolve(ref) or ""
    if now == before:
        return True
    if now != after:
        return False
    if before:
        return repository.objects.move_ref(ref, before, after or None)
    return repository.objects.delete_ref(ref, after)


def moved_target(repository: Repository, state: RunState) -> PlanState | None:
    """The plan whose agent moved the target to where it stands now, and nobody has settled it.

    A target that was put right by hand counts as settled.
    """
    ref = f"refs/heads/{state.target}"
    now = repository.git.resolve(ref) or ""
    for plan in state.in_order():
        for one in moved_refs(plan):
            if one["subject"] == ref and _still_there(repository, one, now):
                return plan
    return None


def _still_there(repository: Repository, one: Mapping[str, Any], now: str) -> bool:
    before, after = str(one["before"]), str(one["after"])
    if now == after:
        return True
    if not now or not after or repository.objects.is_ancestor(after, before):
        return False
    return repository.objects.is_ancestor(after, now)
