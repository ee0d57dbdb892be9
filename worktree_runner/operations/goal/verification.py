"""Verifies the goal of a phase whose plans are all done: one step at a time, as core/goal.py says.

Nothing is believed on a verifier's word alone: its process has to end by itself and well, the
report has to be in the file that it was told, and what the plans' must-haves or the guards say
against it turns a `passed` into a question. Of its worktree only that file is taken; anything else
is kept under a ref and named.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from worktree_runner import attempts as attempt_files
from worktree_runner import process
from worktree_runner.agents.outcome import read_outcome
from worktree_runner.agents.registry import choose as choose_agent
from worktree_runner.core import verify
from worktree_runner.core.docs.verification import (
    Gap,
    HumanCheck,
    VerificationStatus,
    choose_report,
)
from worktree_runner.core.docs.verification import parse_verification as parse_report
from worktree_runner.core.events import Type
from worktree_runner.core.goal import VERIFIER, Goal, Step, judge
from worktree_runner.core.texts import clean_line, listing
from worktree_runner.core.verify import Check, Found
from worktree_runner.errors import UsageError, WtrunError
from worktree_runner.git.gateway import Git
from worktree_runner.operations.attempt import fencing, readiness
from worktree_runner.operations.context import places, summaries
from worktree_runner.operations.context.agent_choice import agent_settings, load_agent
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.goal import goal_reports, verifier
from worktree_runner.operations.merging import cleanup, corrections
from worktree_runner.store.settings import Settings

Submit = Callable[[str, Callable[[], Any], Callable[[Future[Any]], None]], None]
SHOWN = 5
QUIET_DOMAINS = frozenset({"backend", "testing"})
"""Plans of these alone build nothing that a user could look at."""


def verifier_of(settings: Settings, program: str) -> str:
    """The agent that verifies: the named one, else the run's own if it drives a model.

    Without a program (no plan is left to run) the one that a run would take; empty if none.
    """
    if not settings.verify:
        return ""
    if settings.verifier:
        return load_agent(settings, settings.verifier).name
    try:
        tables = agent_settings(settings)
        agent = load_agent(settings, program) if program else choose_agent(tables)
    except UsageError:
        return ""
    return agent.name if agent.capabilities.verifies else ""


def choose(session: Session) -> None:
    """Settles which agent verifies, at a run's start and at each resume."""
    settings, state = session.settings, session.state
    said = [e.data.get("agent") for e in session.journal.events if e.type == Type.RUN_RESUMED]
    named = [name for name in said if name]  # by the user, at a resume
    program = named[-1] if named else str(state.facts.get("agent", ""))
    session.policy = replace(
        session.policy, verify=settings.verify, verifier=verifier_of(settings, program)
    )
    if settings.accept is False and state.goal.question == "acceptance":
        session.record(Type.VERIFY_ANSWERED, about="acceptance", answer="waived", text="")


def folders(session: Session) -> list[Path]:
    """The folder of the verifier's process, if one may be running."""
    verifying = session.state.goal.step is Step.VERIFYING
    return [verifier.folder_of(session)] if verifying else []


def advance(session: Session) -> None:
    """Does what the goal needs next: look up must-haves, read a report, begin a verifier."""
    goal = session.state.goal
    match goal.step:
        case Step.NOT_BEGUN:
            _check(session)
        case Step.CHECKED if goal.found:
            _take_found(session, goal)
        case Step.CHECKED:
            _begin(session, goal)
        case Step.ENDED:
            _take_written(session, goal)


# --- must-haves ------------------------------------------------------------------------------


def _check(session: Session) -> None:
    """Records what of the plans' must-haves is in the tip, and a report that still counts.

    Where this very run has executed plans, none can: it was written before they had all landed.
    """
    if session.state.planning_tracked:
        corrections.commit_corrections(session)
    else:
        summaries.bring_back(session)
    state = session.state
    checks = _look_up(session)
    by = {found: [str(one) for one in checks if one.found is found] for found in Found}
    session.record(
        Type.VERIFY_CHECKED,
        tip=state.tip,
        present=len(by[Found.PRESENT]),
        missing=by[Found.MISSING],
        loose=by[Found.LOOSE],
        unclear=len(by[Found.UNCLEAR]),
        found="" if state.plans else _found(session),
    )


def _found(session: Session) -> str:
    return goal_reports.find(
        session.repository,
        session.dialect,
        session.phase,
        session.state.tip,
        tracked=session.state.planning_tracked,
    )


def _look_up(session: Session) -> tuple[Check, ...]:
    """The plans' must-haves against the tip, and against the disk for what no commit holds."""
    objects, home = session.repository.objects, session.repository.home
    entries = objects.listing(session.state.tip)
    # of a link or a submodule only that it is there can be said, as of a folder
    paths = [
        path if entry.mode.startswith("100") else f"{path}/." for path, entry in entries.items()
    ]
    if not session.state.planning_tracked:
        files = sorted((home / session.dialect.root).rglob("*"))
        paths += [file.relative_to(home).as_posix() for file in files if file.is_file()]

    def read(path: str) -> bytes:
        if path in entries:
            return objects.read_blob(entries[path].oid)
        return (home / path).read_bytes()

    return verify.check_plans(session.phase.plans, paths, read)


# --- the verifier ----------------------------------------------------------------------------


def _begin(session: Session, goal: Goal) -> None:
    phase = session.phase.dir.token
    try:
        branch, place = places.free_names(session, phase, VERIFIER)
    except WtrunError as error:
        _fail(session, f"{error.message}; {error.hint}" if error.hint else error.message)
        return
    session.record(
        Type.VERIFY_STARTED,
        n=goal.n + 1,
        base=session.state.tip,
        agent=session.policy.verifier,
        branch=branch,
        worktree=str(place),
        report=goal_reports.landed_path(session),
    )


def attend(session: Session, submit: Submit | None) -> None:
    """Brings a begun verifier one step on: starts it (if it may), or records its end."""
    goal = session.state.goal
    if goal.step is not Step.VERIFYING:
        return
    folder = verifier.folder_of(session)
    match attempt_files.observe(folder):
        case attempt_files.NotStarted() if submit is not None:
            submit(VERIFIER, partial(verifier.make_place, session, goal), partial(_made, session))
        case attempt_files.Exited(exit):
            code = exit.code if exit.signal is None else 128 + exit.signal
            reason = "timed_out" if exit.timed_out else "stopped" if exit.stopped else "exited"
            _record_end(session, reason, code, exit.error or "", exit.duration_s)
        case attempt_files.Lost():
            process.sweep(verifier.mark_of(session.folder.id, goal))
            _record_end(session, "lost", None, "", None)
        case _:
            pass


def _made(session: Session, done: Future[Any]) -> None:
    """Starts the agent in the worktree that has been made; what fails there is no report."""
    try:
        for text in done.result().notices:
            session.record(Type.NOTICE, text=text)
        verifier.launch(session, datetime.now().astimezone())
    except (WtrunError, OSError) as error:
        said = error.message if isinstance(error, WtrunError) else str(error)
        session.record(
            Type.VERIFY_ENDED,
            n=session.state.goal.n,
            exit_code=None,
            reason="not_started",
            outcome={"message": said},
        )


def _record_end(
    session: Session, reason: str, code: int | None, error: str, seconds: float | None
) -> None:
    goal, folder = session.state.goal, verifier.folder_of(session)
    cut_off = reason in ("stopped", "lost")
    outcome = read_outcome(
        session.agent(goal.agent), folder, code, killed=cut_off, timed_out=reason == "timed_out"
    )
    said = {**outcome.model_dump(mode="json"), "seconds": seconds}
    said["message"] = error or outcome.message
    session.record(Type.VERIFY_ENDED, n=goal.n, exit_code=code, reason=reason, outcome=said)
    if reason == "stopped":
        tidy(session, goal)


# --- the report ------------------------------------------------------------------------------


def _take_written(session: Session, goal: Goal) -> None:
    """Takes the ended verifier's report, or records why there is none that counts."""
    problem = _why_not(goal)
    path = "" if problem else _written(session, goal)
    if problem or not path:
        _fail(session, problem or f"it wrote no {Path(goal.report).name}")
        tidy(session, goal)
        return
    data = (Path(goal.worktree) / path).read_bytes()
    copy = goal_reports.keep(session, data)
    trespasses = fencing.inspect(session, verifier.as_plan(goal)).breaches
    concerns = [f"the verifier changed what is not its own: {one}" for one in trespasses]
    _report(session, goal, data, copy, [*_missing(goal), *concerns])
    tidy(session, goal)


def _why_not(goal: Goal) -> str:
    """Why nothing that the verifier left counts; empty if it ended by itself and well."""
    message = clean_line(str(goal.outcome.get("message", "")), 200)
    started = goal.ended_because != "not_started"
    if started and not (Path(goal.worktree) / ".git").exists():
        return f"its worktree {goal.worktree} is gone"
    said = f": {message}" if message else ""
    match goal.ended_because:
        case "timed_out":
            return f"{goal.agent} took longer than limits.timeout allows"
        case "lost":
            return f"the process of {goal.agent} is gone, and how it ended is not known"
        case "not_started":
            return f"{goal.agent} could not be started{said}"
    if goal.outcome.get("status") != "ok":
        if goal.exit_code is None or message.startswith("exit code"):
            return f"{goal.agent} ended{said}"
        return f"{goal.agent} ended with exit code {goal.exit_code}{said}"
    return ""


def _written(session: Session, goal: Goal) -> str:
    """The report that this verifier wrote, at its place or under another name of a report."""
    place = Path(goal.worktree)
    old = session.repository.objects.entries(goal.base, [goal.report])
    file = place / goal.report
    if _is_in(place, goal.report):
        before = b""
        if goal.report in old:
            before = session.repository.objects.read_blob(old[goal.report].oid)
        elif not session.state.planning_tracked:
            before = goal_reports.read_found(session, goal.report)
        data = file.read_bytes()
        if data.strip() and data != before:
            return goal.report
    suffixes = session.dialect.files.verification
    changed = [path for path in _changed(goal) if path.startswith(f"{session.phase.dir.path}/")]
    named = choose_report(changed, session.phase.dir.token, suffixes)
    return next((path for path in named if _is_in(place, path)), "")


def _is_in(place: Path, path: str) -> bool:
    """Whether it is a file of the worktree, not one elsewhere that a link leads to."""
    file = place / path
    return file.is_file() and file.resolve() == place.resolve() / path


def _changed(goal: Goal) -> list[str]:
    """Every path that the verifier changed, committed or not."""
    git = Git(Path(goal.worktree))
    committed = git.run("diff", "--name-only", "-z", goal.base, "HEAD").fields
    status = git.run(
        "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames",
        env={"GIT_OPTIONAL_LOCKS": "0"},
    ).fields  # fmt: skip
    return sorted({*committed, *(field[3:] for field in status)})


def _take_found(session: Session, goal: Goal) -> None:
    data = goal_reports.read_found(session, goal.found)
    goal = replace(goal, n=0, report=goal.found)
    copy = goal_reports.keep_found(session, goal.found, data)
    _report(session, goal, data, copy, _missing(goal))


def _missing(goal: Goal) -> list[str]:
    return [f"not found: {one}" for one in goal.missing]


def _report(session: Session, goal: Goal, data: bytes, copy: Path, concerns: list[str]) -> None:
    found = parse_report(data)
    if found.status is not VerificationStatus.GAPS_FOUND:
        concerns = [*concerns, *(f"the report lists a gap: {_gap(one)}" for one in found.gaps)]
    domains = {plan.domain for plan in session.phase.plans}
    accept = session.settings.accept
    if accept is None:
        accept = session.dialect.acceptance
    session.record(
        Type.VERIFY_REPORTED,
        n=goal.n,
        report=goal.report,
        copy=str(copy),
        status=str(judge(found, concerns)),
        stated=found.stated,
        score=found.score,
        gaps=[_gap(one) for one in found.gaps],
        human=[_human(one) for one in found.human],
        concerns=concerns,
        accept=accept and not (domains and domains <= QUIET_DOMAINS),
    )


def _gap(gap: Gap) -> str:
    lines = [gap.truth, *([gap.reason] if gap.reason else [])]
    return clean_line(": ".join(lines), 400)


def _human(check: HumanCheck) -> str:
    expected = f" (expected: {check.expected})" if check.expected else ""
    return clean_line(check.test + expected, 400)


def _fail(session: Session, reason: str) -> None:
    session.record(Type.VERIFY_FAILED, n=session.state.goal.n, reason=reason)


def tidy(session: Session, goal: Goal) -> None:
    """Removes the verifier's worktree; what it changed besides the report is kept and named."""
    place = Path(goal.worktree)
    if not goal.worktree or not (place.exists() or _branch_is_there(session, goal)):
        return
    plan = verifier.as_plan(goal)
    baseline = (*readiness.untouched(session, plan), goal.report)
    repository = session.repository
    belongings = cleanup.inspect(
        repository, place if place.exists() else None, goal.branch, [session.state.tip], baseline
    )
    changed = _changed(goal) if (place / ".git").exists() else []
    others = [path for path in changed if path not in baseline]
    try:
        refs = cleanup.release(repository, session.folder.id, f"{VERIFIER}-a{goal.n}", belongings)
    except WtrunError as error:
        session.record(Type.NOTICE, text=f"the verifier's worktree stays: {error.message}")
        return
    reported = session.state.goal.step is Step.REPORTED
    session.record(
        Type.WORKTREE_REMOVED,
        n=goal.n,
        worktree=goal.worktree,
        branch=goal.branch,
        proof=f"{f'only {Path(goal.report).name}' if reported else 'nothing'} was taken from it",
        salvage=list(refs),
        left=f"{listing(others, limit=SHOWN)}, changed by the verifier and not merged,"
        if others
        else "the verifier's own commits",
    )


def _branch_is_there(session: Session, goal: Goal) -> bool:
    return session.repository.git.resolve(f"refs/heads/{goal.branch}") is not None
