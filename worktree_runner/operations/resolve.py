"""`wtrun resolve PLAN`: a person's answer to a conflict, from any shell.

- Every answer is journalled before anything is merged; `--take` and the prompt make choices,
  `--continue` takes what was edited and committed, or is being merged, in the plan's worktree.
- As soon as nothing of the plan is left to decide it lands and is published.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from merge import MergeOutcome
from merge.types import Choice, ChoiceKind, FileConflict
from worktree_runner.core.conflicts import hunk_count
from worktree_runner.core.events import Type
from worktree_runner.core.texts import listing
from worktree_runner.errors import PreconditionError, UsageError
from worktree_runner.git.gateway import Git
from worktree_runner.operations import cleanup, landing, summaries
from worktree_runner.operations.asking import keep_draft, question_for, record_answer
from worktree_runner.operations.conflicts import report_conflicts
from worktree_runner.operations.opening import conflicted
from worktree_runner.operations.publishing import publish_tip
from worktree_runner.operations.session import Session, choice_to_json
from worktree_runner.ui.conflict import Decided


def open_conflicts(session: Session, plan_id: str) -> MergeOutcome:
    """The plan's merge as it stands now, with the answers so far."""
    return landing.merged(session, conflicted(session, plan_id))


def render_list(plan_id: str, conflicts: Sequence[FileConflict]) -> str:
    """What is open, one line a file, with the numbers of its hunks."""
    lines = [f"{plan_id}: {hunk_count(conflicts)}"]
    for item in conflicts:
        numbers = f", hunks 1-{len(item.hunks)}" if len(item.hunks) > 1 else ""
        lines.append(f"  {item.path}: {item.kind}{numbers}: {item.why}")
        if item.command:
            lines.append(f"    would be settled by: {item.command}")
    return "\n".join(lines)


def take(
    session: Session, plan_id: str, kind: ChoiceKind, path: str | None, hunk: int | None
) -> bool:
    """Answers open hunks by one side; True if the plan has landed by that."""
    conflicts = open_conflicts(session, plan_id).conflicts
    wanted = [item for item in conflicts if path in (None, item.path)]
    if not wanted:
        paths = listing([item.path for item in conflicts])
        raise UsageError(f"{path} is not in conflict in {plan_id}.", hint=f"open: {paths}")
    choices = [_choice(item, kind, hunk) for item in wanted]
    session.record(
        Type.MERGE_ANSWERED, plan_id, choices=[choice_to_json(choice) for choice in choices]
    )
    return land(session, plan_id)


def _choice(item: FileConflict, kind: ChoiceKind, hunk: int | None) -> Choice:
    if hunk is not None and not 1 <= hunk <= len(item.hunks):
        raise UsageError(f"{item.path} has {len(item.hunks)} open hunks, not a hunk {hunk}.")
    if kind is ChoiceKind.PROPOSAL:
        chosen = item.hunks if hunk is None else item.hunks[hunk - 1 : hunk]
        if not chosen or any(part.proposal is None for part in chosen):
            raise UsageError(
                f"Not every hunk of {item.path} has a proposal.",
                hint="wtrun resolve PLAN --list, then --hunk N",
            )
    if kind in (ChoiceKind.BOTH, ChoiceKind.BOTH_REVERSED) and not item.hunks:
        raise UsageError(f"{item.path} ({item.kind}) has no hunks: take target or plan.")
    whole = not item.hunks
    at = None if hunk is None else hunk - 1
    return Choice(item.path, kind, item.fingerprint, at, whole)


def ask(session: Session, plan_id: str) -> bool:
    """Asks hunk by hunk at the terminal; True if the plan has landed by the answers.

    Answers that the user did not confirm are kept as a draft, and nothing is merged.
    """
    conflicted(session, plan_id)
    answer = question_for(session, plan_id)()
    keep_draft(session, plan_id, answer)
    if not isinstance(answer, Decided):
        return False
    record_answer(session, plan_id, answer)
    return land(session, plan_id)


def go_on(session: Session, plan_id: str) -> bool:
    """Takes what was done by hand in the plan's worktree; True if the plan has landed."""
    plan = conflicted(session, plan_id)
    place = Path(plan.worktree)
    if not place.is_dir():
        raise PreconditionError(f"The worktree {place} of plan {plan_id} is gone.")
    git = Git(place)
    unmerged = git.run("diff", "--name-only", "-z", "--diff-filter=U").fields
    marked = _marked(git)
    if unmerged or marked:
        raise PreconditionError(
            f"Conflict markers or unmerged files are left in {place}: "
            f"{listing(sorted({*unmerged, *marked}))}.",
            hint=f"edit them, 'git -C {place} add' each, then wtrun resolve {plan_id} --continue",
        )
    if git.resolve("MERGE_HEAD") is not None:
        git.run("commit", "--quiet", "--no-edit", foreground=True)
    head = git.text("rev-parse", "HEAD")
    dirty = git.run("status", "--porcelain", "-z", "--untracked-files=no").fields
    if dirty:
        raise PreconditionError(
            f"{place} has uncommitted changes: {listing([item[3:] for item in dirty], limit=5)}.",
            hint=f"git -C {place} commit -a, then wtrun resolve {plan_id} --continue",
        )
    if head == plan.head:
        raise PreconditionError(
            f"Nothing was changed in {place} yet.",
            hint=f"git -C {place} merge {session.tip_ref}, edit, commit, then "
            f"wtrun resolve {plan_id} --continue",
        )
    session.record(Type.MERGE_REOPENED, plan_id, head=head)
    return land(session, plan_id)


def _marked(git: Git) -> tuple[str, ...]:
    """Tracked, changed files in which a whole set of conflict markers stands."""
    changed = git.run("diff", "--name-only", "-z", "HEAD").fields
    marked = []
    for path in changed:
        file = git.path / path
        if file.is_file() and not file.is_symlink():
            lines = file.read_bytes().split(b"\n")
            starts = any(line.startswith(b"<<<<<<< ") for line in lines)
            if starts and any(line.startswith(b">>>>>>> ") for line in lines):
                marked.append(path)
    return tuple(marked)


def abort(session: Session, plan_id: str) -> None:
    """Leaves the plan out of the run; its branch and worktree stay."""
    conflicted(session, plan_id)
    session.record(Type.PLAN_SKIPPED, plan_id, because="its conflict was left unresolved")


def land(session: Session, plan_id: str) -> bool:
    """Lands the plan if nothing of it is open any more, and publishes."""
    result = landing.land(session, plan_id)
    if isinstance(result, landing.Conflicted):
        report_conflicts(session, plan_id, result.conflicts)
        return False
    summaries.bring_back(session)
    publish_tip(session)
    cleanup.clean_landed(session)
    return True
