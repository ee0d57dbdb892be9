"""Plans that can't land and that the user does not want to be asked about: `--on-conflict`.

- `skip` leaves the plan out, `rerun` runs it again once, on what has landed since, with its old
  diff in the prompt, `ours` and `theirs` take one side of every hunk and say what they drop.
- `skip` and `rerun` count in the same way for a plan that the gate rejected.
- The conflict was reported and recorded before, so both sides lie in the run's folder, and a
  crash in between is settled at the resume. Branch and worktree of the plan always stay.
"""

from __future__ import annotations

from typing import Any

from merge.types import Choice, ChoiceKind, FileConflict
from worktree_runner.core.conflicts import may_force
from worktree_runner.core.events import Type
from worktree_runner.core.state import Status
from worktree_runner.core.texts import count, listing
from worktree_runner.dialects.schema import Words
from worktree_runner.operations.context.session import Session, choice_to_json
from worktree_runner.operations.merging import landing
from worktree_runner.operations.run import rejected

_KINDS = {"ours": ChoiceKind.OURS, "theirs": ChoiceKind.THEIRS}


def settle(session: Session, plan_id: str) -> None:
    """Records what becomes of a plan that can't land, by the setting `merge.on_conflict`."""
    plan, how = session.of(plan_id), session.policy.on_conflict
    if plan.status is Status.REJECTED:
        if how == "rerun":
            rejected.rerun(session, plan)
        else:
            rejected.leave_out(session, plan, how=f"--on-conflict {how}")
        return
    paths = [str(item["path"]) for item in plan.conflicts]
    where = listing(paths, limit=3)
    if how == "skip":
        because = f"its conflict in {where} is left out (--on-conflict skip)"
        session.record(Type.PLAN_SKIPPED, plan_id, because=because)
    elif how == "rerun":
        earlier = {
            "branch": plan.branch,
            "worktree": plan.worktree,
            "base": plan.base,
            "head": plan.head,
            "paths": paths,
        }
        why = f"its work conflicts in {where}; once more on what has landed since"
        session.record(Type.PLAN_RETRIED, plan_id, why=why, fresh=True, earlier=earlier)
    else:
        conflicts = landing.merged(session, plan).conflicts
        choices = [
            _forced(item, how, session.words) for item in conflicts if may_force(item.kind, how)
        ]
        session.record(Type.MERGE_ANSWERED, plan_id, choices=choices)


def _forced(item: FileConflict, how: str, words: Words) -> dict[str, Any]:
    choice = Choice(item.path, _KINDS[how], item.fingerprint, whole=not item.hunks)
    return {**choice_to_json(choice), "forced": how, "dropped": dropped(item, how, words)}


def dropped(item: FileConflict, how: str, words: Words) -> str:
    """What taking one side of the conflict leaves out, in words."""
    loser = words.plan if how == "ours" else "target"
    if not item.hunks:
        return f"everything that the {loser} did to the file ({item.kind})"
    sides = [hunk.theirs if how == "ours" else hunk.ours for hunk in item.hunks]
    lines = sum(map(len, sides))
    return f"{count(lines, 'line')} of the {loser} in {count(len(item.hunks), 'hunk')}"
