"""The report of a run, made when it ends or stops for a person, and kept in its folder.

`report.md`, `report.json` and `report.xml` (JUnit) say the same. They are written whole, again at
every end; a crash before leaves those of the end before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from worktree_runner.core.docs.summary import Summary, parse_summary
from worktree_runner.core.events import Type
from worktree_runner.core.goal import Goal
from worktree_runner.core.outlook import gate_in_words, lands_when, why_not
from worktree_runner.core.report import NextStep, Outcome, PlanReport, RunReport, render_markdown
from worktree_runner.core.report_data import to_json, to_junit
from worktree_runner.core.settled import resolution_of
from worktree_runner.core.state import PlanState, Status
from worktree_runner.core.texts import money, tokens
from worktree_runner.errors import ExitCode
from worktree_runner.git.files import TreeFiles
from worktree_runner.operations.context import summaries
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.goal import goal_telling
from worktree_runner.operations.run.rejected import ways
from worktree_runner.store.atomic import save_bytes

NAMES = {"markdown": "report.md", "json": "report.json", "junit": "report.xml"}

_OUTCOMES = {
    Status.LANDED: Outcome.MERGED,
    Status.CONFLICTED: Outcome.CONFLICT,
    Status.ASKING: Outcome.WAITING,
    Status.REJECTED: Outcome.REJECTED,
    Status.FAILED: Outcome.FAILED,
    Status.SKIPPED: Outcome.SKIPPED,
}


def save_report(session: Session, code: ExitCode) -> Path:
    """Writes the report in its three forms; the Markdown's path."""
    report = build_report(session, code)
    folder = session.folder.path
    document = json.dumps(to_json(report), indent=1, ensure_ascii=False)
    save_bytes(folder / NAMES["json"], document.encode("utf-8", "backslashreplace") + b"\n")
    save_bytes(folder / NAMES["junit"], to_junit(report))
    save_bytes(
        folder / NAMES["markdown"], render_markdown(report).encode("utf-8", "backslashreplace")
    )
    return folder / NAMES["markdown"]


def build_report(session: Session, code: ExitCode) -> RunReport:
    """The run as it stands; plans of the phase that were done before it are listed as such."""
    state, events = session.state, session.journal.events
    texts = _summaries(session)
    started, ended = events[0].at, events[-1].at
    asked = {event.plan for event in events if event.type == Type.PLAN_ANSWERED}
    ran = tuple(
        _plan(session, plan, texts, checkpoint=plan.id in asked) for plan in state.in_order()
    )
    before = tuple(
        PlanReport(
            plan.id,
            plan.title,
            plan.wave,
            Outcome.DONE_BEFORE,
            parse_summary(texts.get(plan.summary_path, b"")).one_liner,
        )
        for plan in session.phase.plans
        if plan.done and plan.id not in state.plans
    )
    return RunReport(
        run=state.id,
        phase=state.phase,
        name=session.phase.dir.name,
        words=session.dialect.words,
        target=state.target,
        plans=tuple(sorted((*before, *ran), key=lambda plan: plan.wave)),
        started=_iso(started),
        ended=_iso(ended),
        elapsed_s=(ended - started).total_seconds(),
        exit_code=int(code),
        gate=gate_in_words(state.queue),
        published=str(state.held.get("reason", "")),
        verification=_verification(state.goal),
        notes=tuple(str(e.data["text"]) for e in events if e.type == Type.NOTICE and not e.plan),
        next=_next_steps(session),
    )


def _verification(goal: Goal) -> str:
    """Where the goal stands, with what its verifier used: that is no plan's."""
    usage = goal.outcome.get("usage") or {}
    known = [usage[key] for key in ("input_tokens", "output_tokens") if usage.get(key) is not None]
    used = [tokens(sum(known))] if known else []
    used += [money(usage["cost_usd"])] if usage.get("cost_usd") is not None else []
    return f"{goal.in_words()} ({', '.join([goal.agent, *used])})" if used else goal.in_words()


def _next_steps(session: Session) -> tuple[NextStep, ...]:
    """The commands that go on, those that somebody waits for first."""
    state = session.state
    steps = [
        NextStep(f"wtrun resolve {plan.id}", f"decide the conflict of {plan.id}")
        for plan in state.with_status(Status.CONFLICTED)
    ]
    steps += [
        NextStep(command, f"{plan.id}: {when}")
        for plan in state.with_status(Status.REJECTED)
        for when, command in ways(plan)
    ]
    if state.held:
        steps.append(NextStep("wtrun publish", f"move {state.target} to what has landed"))
    steps += [
        NextStep(f"wtrun logs {plan.id}", f"see why {plan.id} failed")
        for plan in state.with_status(Status.FAILED)
    ]
    left = state.with_status(
        Status.REJECTED,
        Status.ASKING,
        Status.WAITING,
        Status.FAILED,
        Status.SKIPPED,
        Status.CONFLICTED,
    )
    if left:
        steps.append(NextStep(f"wtrun execute {state.call}", "go on with what is left"))
    elif state.is_goal_due:
        steps += goal_telling.next_steps(session)
    return tuple(steps)


def _plan(
    session: Session, plan: PlanState, texts: Mapping[str, bytes], *, checkpoint: bool
) -> PlanReport:
    landed = plan.status is Status.LANDED
    summary = parse_summary(texts.get(plan.summary, b"")) if landed else Summary()
    usage = plan.outcome.get("usage") or {}
    counted = [
        usage[key] for key in ("input_tokens", "output_tokens") if usage.get(key) is not None
    ]
    notes = [
        str(event.data["text"])
        for event in session.journal.events
        if event.type == Type.NOTICE and event.plan == plan.id
    ]
    commits = [
        event.data["commits"]
        for event in session.journal.events
        if event.type == Type.PLAN_FINISHED and event.plan == plan.id
    ]
    return PlanReport(
        plan.id,
        plan.title,
        plan.wave,
        _OUTCOMES.get(plan.status, Outcome.NOT_STARTED),
        one_liner=summary.one_liner,
        reason=why_not(session.state, plan),
        lands_when=lands_when(session.state, plan),
        next=_go_on(session, plan),
        checkpoint=checkpoint and landed,
        branch=plan.branch,
        worktree="" if plan.cleaned else plan.worktree,
        commit=plan.commit,
        commits=commits[-1] if commits else 0,
        attempts=plan.attempt,
        elapsed_s=plan.outcome.get("seconds"),
        tokens=sum(counted) if counted else None,
        cost=usage.get("cost_usd"),
        conflicts=tuple(item["path"] for item in plan.conflicts),
        resolutions=tuple(map(resolution_of, plan.resolutions)),
        notes=(*plan.notes, *notes),
        issues=summary.issues,
    )


def _go_on(session: Session, plan: PlanState) -> str:
    match plan.status:
        case Status.CONFLICTED:
            return f"wtrun resolve {plan.id}"
        case Status.REJECTED:
            return f"wtrun resolve {plan.id} --continue"
        case Status.FAILED:
            return plan.hint
        case Status.LANDED:
            return ""
    return f"wtrun execute {session.state.call}"


def _summaries(session: Session) -> Mapping[str, bytes]:
    """The summaries of the phase by path: from the run's tip, or where they are kept."""
    state = session.state
    if state.planning_tracked:
        wanted = [plan.summary_path for plan in session.phase.plans]
        return TreeFiles(session.repository.objects, state.tip, session.dialect.root).read(wanted)
    found = {}
    for plan in state.in_order():
        for file in (summaries.kept(session, plan), session.repository.home / plan.summary):
            if file.is_file():
                found[plan.summary] = file.read_bytes()
                break
    return found


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
