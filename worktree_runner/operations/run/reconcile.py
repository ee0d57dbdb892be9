"""After a crash: compares the journal with what is true, and appends what it missed.

Git is the truth about commits and refs, an attempt's folder about its process. Nothing is
guessed: what left no trace is done again.
"""

from __future__ import annotations

from pathlib import Path

from worktree_runner import attempts as attempt_files
from worktree_runner import supervision
from worktree_runner.core.events import Type
from worktree_runner.core.goal import Step
from worktree_runner.core.settled import BY_HAND, TRAILER, UNDONE, parse_trailer
from worktree_runner.core.state import PlanState, Status
from worktree_runner.core.texts import listing
from worktree_runner.errors import PreconditionError
from worktree_runner.git.gateway import Git
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.goal import verifier
from worktree_runner.operations.merging import corrections, gate
from worktree_runner.operations.merging.landing import resolution_to_json

GIT_PATIENCE_S = 60.0
"""How long a resume waits for a checkout that a killed wtrun began."""


def reconcile(session: Session) -> None:
    """Brings the journal up to date with the repository and the processes."""
    _await_git(session)
    _tip(session)
    _sweep(session)
    for plan in session.state.in_order():
        if plan.status is Status.STARTING:
            _starting(session, plan)
        elif plan.status is Status.SKIPPED and plan.accepted:
            continue  # the user left it out of this run
        elif plan.status in (Status.FAILED, Status.SKIPPED):
            session.record(Type.PLAN_RETRIED, plan.id, why="execute was called again")
        elif plan.status is Status.REJECTED:
            reopen(session, plan)


def _await_git(session: Session) -> None:
    """Waits for git commands of a killed wtrun: a fast-forward or checkout that is half done."""
    name, value = next(iter(marks_of(session.folder.id).items()))
    left = supervision.await_end(f"{name}={value}".encode(), GIT_PATIENCE_S)
    if left:
        pids = listing([str(pid) for pid in left])
        session.screen.warn(f"git commands of the killed wtrun still work (process {pids})")


def marks_of(run: str) -> dict[str, str]:
    """What a run's git commands carry in their environment."""
    return {"WTRUN_GIT_OF_RUN": run}


def _sweep(session: Session) -> None:
    """Ends helper commands of a killed wtrun, such as a set-up; attempts are left alone.

    Also those that don't seem to live: a launcher may be about to start one just now. What a
    lost attempt left is ended when its end is recorded.
    """
    living = [
        f"{plan.id}-a{plan.attempt}"
        for plan in session.state.in_order()
        if plan.status is Status.RUNNING or (plan.status is Status.STARTING and plan.ready)
    ]
    started = session.state.queue.open
    if started is not None:
        living.append(gate.mark_of(session, started).attempt)
    if session.state.goal.step is Step.VERIFYING:
        living.append(verifier.mark_of(session.state.id, session.state.goal).attempt)
    supervision.sweep(attempt_files.Mark(session.state.id), keep=living)


def _tip(session: Session) -> None:
    """The run's ref against the journal: landings whose event was lost are told by the commit."""
    state, objects = session.state, session.repository.objects
    found = session.repository.git.resolve(session.tip_ref)
    if found is None:
        objects.move_ref(session.tip_ref, state.tip, None)
        return
    if found == state.tip:
        return
    lost = session.repository.git.text(
        "rev-list", "--first-parent", "--reverse", found, f"^{state.tip}"
    ).split()
    for commit in lost:
        _record_commit(session, commit)
    if session.state.tip != found:
        raise PreconditionError(
            f"{session.tip_ref} is at {found[:10]}, which wtrun did not make; "
            f"the journal ends at {session.state.tip[:10]}.",
            hint=f"git update-ref {session.tip_ref} {session.state.tip}",
        )


def _record_commit(session: Session, commit: str) -> None:
    git, state = session.repository.git, session.state
    parents = git.text("rev-list", "--parents", "-n", "1", commit).split()[1:]
    trailers = _trailers(git, commit)
    if trailers.get("Wtrun-Run") != [state.id] or not parents or parents[0] != state.tip:
        return
    plan = next(iter(trailers.get("Wtrun-Plan", [])), None)
    if plan in state.plans and len(parents) == 2:
        resolutions = [
            resolution_to_json(parse_trailer(line)) for line in trailers.get(TRAILER, [])
        ]
        session.record(
            Type.MERGE_LANDED,
            plan,
            head=parents[1],
            tip=state.tip,
            commit=commit,
            resolutions=resolutions,
            notices=[],
        )
    elif plan in state.plans and (undone := trailers.get(UNDONE)):
        told = resolution_to_json(parse_trailer(f"{undone[0]} ({BY_HAND})"))
        session.record(
            Type.RESOLUTION_REPLACED,
            plan,
            path=undone[0],
            tip=state.tip,
            commit=commit,
            resolution=told,
        )
    elif len(parents) == 2:
        session.record(Type.TARGET_MERGED, target=parents[1], tip=state.tip, commit=commit)
    elif trailers.get("Wtrun-Commit") == [corrections.KIND]:
        session.record(Type.CORRECTIONS_COMMITTED, commit=commit, files=[], subject="")
    else:
        session.record(Type.PLANNING_COMMITTED, commit=commit, files=[], notes=[])


def _trailers(git: Git, commit: str) -> dict[str, list[str]]:
    text = git.text("log", "-1", "--format=%(trailers:only,unfold)", commit)
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, _, value = line.partition(": ")
        found.setdefault(key, []).append(value)
    return found


def _starting(session: Session, plan: PlanState) -> None:
    """An attempt that was intended: its process may live, or nothing of it may exist."""
    folder = session.folder.attempt(plan.id, plan.attempt)
    handle = supervision.await_start(folder)
    if handle is None:
        return
    if not plan.ready:
        session.record(Type.ATTEMPT_READY, plan.id, n=plan.attempt, untracked=[])
    session.record(
        Type.ATTEMPT_STARTED,
        plan.id,
        n=plan.attempt,
        pid=handle.pid,
        start_time=handle.start_time,
        folder=str(folder),
    )


def reopen(session: Session, plan: PlanState) -> None:
    """Puts a rejected plan back into the queue, with what its branch holds now."""
    head = session.repository.git.resolve(f"refs/heads/{plan.branch}") or plan.head
    session.record(Type.MERGE_REOPENED, plan.id, head=head)


def half_made(plan: PlanState) -> bool:
    """Whether an intended worktree exists in which nothing can have run yet."""
    return plan.status is Status.STARTING and not plan.ready and Path(plan.worktree).exists()
