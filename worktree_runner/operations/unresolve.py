"""`wtrun unresolve PATH`: undoes one resolution, so that a person decides it instead.

- Of a plan that has not landed, the file becomes one more question of its conflict.
- Of a plan that has landed, the same three versions are asked again, and what is decided goes on
  top as one commit: published history is never rewritten. Later changes to the file stay.
- Nothing changes before the answer is whole; the commit is published as every other.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from merge import MergeOutcome, Settings, merge_commits, merge_file
from merge.types import Choice, ChoiceKind, Entry, FileConflict, Resolution
from merge.work import diff_text
from worktree_runner import process
from worktree_runner.core.events import Type
from worktree_runner.core.gate import Purpose, shown
from worktree_runner.core.queue import Started
from worktree_runner.core.settled import MANUAL, TRAILER, UNDONE, resolution_of
from worktree_runner.core.state import PlanState, Status
from worktree_runner.core.texts import listing
from worktree_runner.core.worksheet import Worksheet
from worktree_runner.errors import PreconditionError, UsageError
from worktree_runner.git.publish import Outcome, publish
from worktree_runner.operations.context.session import Session, choices_of
from worktree_runner.operations.context.tools import conflict_tools
from worktree_runner.operations.merging import gate, landing, publishing
from worktree_runner.operations.merging.conflicts import conflict_facts, report_conflicts
from worktree_runner.operations.merging.landing import resolution_to_json
from worktree_runner.operations.run.asking import latest, open_conflicts
from worktree_runner.ui.conflict import Decided, decide_conflicts


@dataclass(frozen=True, slots=True)
class Landed:
    """A resolution that is in the target: the plan, its merge, and the question it comes to."""

    plan: PlanState
    tip: str
    """What the plan was merged into then."""
    conflict: FileConflict
    outcome: MergeOutcome


def plan_with(session: Session, path: str, wanted: str | None) -> PlanState:
    """The plan in whose merge `path` was settled; UsageError names what there is."""
    found, others = [], []
    for plan in session.state.in_order():
        if wanted not in (None, plan.id):
            continue
        settled = [resolution_of(item).path for item in plan.resolutions]
        if plan.status is Status.CONFLICTED:
            settled = [item.path for item in landing.merged(session, plan).resolutions]
        others += settled
        if path in settled:
            found.append(plan)
    if not found:
        hint = f"settled: {listing(sorted(set(others)), limit=8)}" if others else ""
        where = f" in {wanted}" if wanted else ""
        raise UsageError(f"No conflict in {path} was settled{where}.", hint=hint or "wtrun status")
    return found[-1]


def reopen(session: Session, plan: PlanState, path: str) -> None:
    """Makes a file of a conflict that is open anyway one of its questions."""
    session.record(Type.RESOLUTION_UNDONE, plan.id, path=path)
    session.screen.say(f"{path} is yours to decide now", plan=plan.id)
    report_conflicts(session, plan.id, open_conflicts(session, session.of(plan.id)))


def landed(session: Session, plan: PlanState, path: str) -> Landed:
    """The question that a landed resolution comes to when it is asked again."""
    objects = session.repository.objects
    tip = session.repository.git.text("rev-parse", f"{plan.commit}^1")
    outcome = _merge(session, replace(plan, unresolve=(*plan.unresolve, path)), tip, path, ())
    for one in outcome.conflicts:
        if one.path == path:
            return Landed(plan, tip, one, outcome)
    commit = objects.commits(tip, plan.commit)[0]
    raise PreconditionError(
        f"{path} was decided in the worktree of {plan.id}, so there is nothing to ask again.",
        hint=f"git show {commit[:10]} -- {path}, then edit the file and commit it",
    )


def _merge(
    session: Session, plan: PlanState, tip: str, path: str, more: Sequence[Choice]
) -> MergeOutcome:
    """The plan's merge as it was, with these answers for `path` instead of those of then."""
    kept = tuple(choice for choice in choices_of(plan) if choice.path != path)
    return merge_commits(
        session.repository.objects,
        tip,
        plan.head,
        settings=landing.merge_settings(session, plan, landing.tier_of(session.settings), onto=tip),
        choices=(*kept, *more),
        labels=(session.state.target, plan.id),
    )


def ask(session: Session, found: Landed) -> tuple[Choice, ...]:
    """The user's answers at the prompt; none if nothing was decided."""
    answer = decide_conflicts(
        (found.conflict,),
        conflict_facts(session, found.plan, (found.conflict,), found.tip),
        asker=session.asker,
        screen=session.screen,
        tools=conflict_tools(
            session.repository.git,
            session.screen,
            session.folder.conflicts / found.plan.id / "texts",
        ),
    )
    return answer.choices if isinstance(answer, Decided) else ()


def chosen(
    session: Session, found: Landed, kind: ChoiceKind, hunk: int | None
) -> tuple[Choice, ...]:
    """The answers that `--take` and `--hunk` mean. One hunk: the others stay as they were."""
    one = found.conflict
    if hunk is None:
        return (Choice(one.path, kind, one.fingerprint, whole=not one.hunks),)
    if not 1 <= hunk <= len(one.hunks):
        raise UsageError(f"{one.path} has {len(one.hunks)} hunks, not a hunk {hunk}.")
    given = _given(session, found)
    rest = [number for number in range(len(one.hunks)) if number != hunk - 1]
    if any(one.hunks[number].proposal is None and number not in given for number in rest):
        raise UsageError(
            f"The other hunks of {one.path} were not settled one by one.",
            hint="take the file without --hunk, or decide it at a terminal",
        )
    settled = Choice(one.path, ChoiceKind.PROPOSAL, one.fingerprint)
    return (
        Choice(one.path, kind, one.fingerprint, hunk - 1),
        *(given.get(number, replace(settled, hunk=number)) for number in rest),
    )


def _given(session: Session, found: Landed) -> dict[int, Choice]:
    """What was decided by hand for single hunks, by their numbers as they are asked now.

    A rule may have settled some of the hunks then, so theirs were others.
    """
    one = found.conflict
    asked = _merge(session, found.plan, found.tip, one.path, ()).conflicts
    sheet = Worksheet([item for item in asked if item.path == one.path],
                      latest(choices_of(found.plan)))  # fmt: skip
    given: dict[int, Choice] = {}
    for step in sheet.steps:
        answer = sheet.answer_of(step)
        if step.hunk is None or answer is None or answer.whole:
            continue
        if answer.hunk is None and answer.kind in (ChoiceKind.CONTENT, ChoiceKind.DELETE):
            continue
        then = step.file.hunks[step.hunk]
        for number, now in enumerate(one.hunks):
            if (now.base, now.ours, now.theirs, now.ours_line) == (
                then.base, then.ours, then.theirs, then.ours_line
            ):  # fmt: skip
                given[number] = replace(answer, hunk=number)
    return given


def decide(session: Session, found: Landed, choices: Sequence[Choice]) -> bool:
    """Puts what was decided on top of what has landed, and publishes; False if that is held.

    Raises if the answers are not whole, or if the file was changed at the same place since; no
    commit is made then.
    """
    path, objects, plan = found.conflict.path, session.repository.objects, found.plan
    undone = replace(plan, unresolve=(*plan.unresolve, path))
    outcome = _merge(session, undone, found.tip, path, choices)
    for one in outcome.conflicts:
        if one.path == path:
            raise UsageError(
                f"{path} is still open: {one.why}", hint=f"wtrun unresolve {shlex.quote(path)}"
            )
    mine = next(item for item in outcome.resolutions if item.path == path)
    new = objects.entries(outcome.marked_tree, [path]).get(path)
    base = _top(session)
    entry = _on_top(session, plan, path, new, base)
    tree = objects.edit_tree(base, {path: entry})
    if tree == objects.tree_of(base):
        session.screen.say(f"{path} is like this already; nothing to change", plan=plan.id)
        return True
    message = (
        f"Decide {path} of {plan.branch} by hand\n\nWtrun-Plan: {plan.id}\n"
        f"Wtrun-Run: {session.state.id}\n{UNDONE}: {path}\n{TRAILER}: {path} (by hand)\n"
    )
    commit = objects.commit_tree(tree, (base,), message, sign=bool(session.settings.merge.sign))
    _check(session, commit)
    before = objects.entries(base, [path]).get(path)
    diff = diff_text(path, _data(session, before), _data(session, entry))
    resolution = replace(mine, tier=MANUAL, diff=diff)
    return _put(session, plan, base, commit, resolution)


def _check(session: Session, commit: str) -> None:
    """Runs the gate on the commit, where the run has one; raises unless it is green."""
    queue = session.state.queue
    if not queue.is_on:
        return
    place = gate.tree_of(session)
    log = session.folder.path / "unresolve.log"
    command = shown(queue.command)
    session.screen.say(f"checking with '{command}'")
    try:
        wanted = gate.spec(session, Started(0, commit, Purpose.AGAIN), place.ready(commit))
        done = process.run(
            wanted.argv,
            wanted.cwd,
            mark=wanted.mark,
            env=wanted.env,
            timeout=wanted.timeout_s,
            log=log,
        )
    finally:
        place.remove()
    if not done.ok:
        why = "it took too long" if done.timed_out else f"exit code {done.code}"
        raise PreconditionError(
            f"'{command}' is not green with this decision ({why}), so nothing was changed.",
            hint=f"its output is in {log}",
        )


def _top(session: Session) -> str:
    """Where the commit goes: the run's tip, or the target's after the run has ended."""
    state = session.state
    if state.finished is None:
        return state.tip
    at = session.repository.git.resolve(f"refs/heads/{state.target}")
    if at is None:
        raise PreconditionError(f"The branch {state.target} is gone.")
    return at


def _on_top(
    session: Session, plan: PlanState, path: str, new: Entry | None, base: str
) -> Entry | None:
    """The decided file with what was changed in it after the plan had landed."""
    objects = session.repository.objects
    then, now = (objects.entries(commit, [path]).get(path) for commit in (plan.commit, base))
    if now == then:
        return new
    if then is None or now is None or new is None:
        raise _changed_since(session, plan, path)
    result = merge_file(
        objects.read_blob(then.oid),
        objects.read_blob(now.oid),
        objects.read_blob(new.oid),
        path,
        Settings(tier="none"),
    )
    if result.data is None:
        raise _changed_since(session, plan, path)
    return Entry(now.mode, objects.write_blob(result.data))


def _changed_since(session: Session, plan: PlanState, path: str) -> PreconditionError:
    return PreconditionError(
        f"{path} was changed at the same place after {plan.id} had landed.",
        hint=f"git log {plan.commit[:10]}..{session.state.target} -- {path}, then edit it there",
    )


def _put(session: Session, plan: PlanState, base: str, commit: str, resolution: Resolution) -> bool:
    facts = {"path": resolution.path, "tip": base, "commit": commit}
    told = {**facts, "resolution": resolution_to_json(resolution)}
    if session.state.finished is None:
        if not session.repository.objects.move_ref(session.tip_ref, commit, base):
            raise session.narrator.tip_was_moved(session.tip_ref, base)
        session.record(Type.RESOLUTION_REPLACED, plan.id, **told)
        return publishing.publish_tip(session)
    result = publish(session.repository, session.state.target, commit)
    if result.outcome is not Outcome.PUBLISHED:
        raise PreconditionError(
            f"{session.state.target} can't be moved: {result.reason}.", hint=result.hint or None
        )
    session.record(Type.RESOLUTION_REPLACED, plan.id, **told)
    return True


def _data(session: Session, entry: Entry | None) -> bytes:
    return session.repository.objects.read_blob(entry.oid) if entry else b""
