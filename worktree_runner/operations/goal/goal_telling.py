"""What the end of a run says about the phase's goal, and which command comes next."""

from __future__ import annotations

from worktree_runner.core.docs.roadmap import milestone, next_phase
from worktree_runner.core.docs.update import find_documents
from worktree_runner.core.goal import Step
from worktree_runner.core.report import NextStep
from worktree_runner.core.texts import clean_line, listing
from worktree_runner.errors import ExitCode
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.context.tracking import planning_files
from worktree_runner.operations.goal.late_plans import late_plans
from worktree_runner.ui.console import Tone

MOST = 20


def say_goal(session: Session) -> None:
    """Where the goal stands, with the gaps or the items that it waits for."""
    goal, screen = session.state.goal, session.screen
    if goal.step in (Step.NOT_BEGUN, Step.CHECKED) or not session.policy.verify:
        return
    open_items: tuple[str, ...] = ()
    tone = Tone.GOOD
    if goal.step is Step.FAILED or goal.has_gaps:
        issues = (goal.text,) if goal.text else ()
        open_items, tone = (*issues, *goal.gaps), Tone.BAD
    elif goal.question:
        open_items, tone = (*goal.concerns, *goal.human), Tone.ASK
    screen.say(f"goal: {goal.in_words()}", tone=tone)
    for item in open_items[:MOST]:
        screen.say(f"  - {clean_line(item, 300)}")
    if len(open_items) > MOST:
        screen.say(f"  - and {len(open_items) - MOST} more")
    if goal.report and goal.step is Step.REPORTED:
        screen.say(f"report: {goal.report}")


def next_steps(session: Session) -> list[NextStep]:
    """The commands that go on, if what comes next is about the goal."""
    goal, state, words = session.state.goal, session.state, session.words
    again, commands = f"wtrun execute {state.call}", session.dialect.commands
    if goal.step is Step.FAILED:
        look = [NextStep("wtrun logs verify", "see what the verifier did")] if goal.n else []
        return [*look, NextStep(again, "have the goal verified again")]
    if goal.question:
        return [NextStep(again, "at a terminal: answer what is open")]
    if goal.has_gaps:
        plan = commands.plan_gaps.format(phase=state.phase)
        return [
            NextStep(plan, f"in the coding agent: {words.plans} that close the gaps"),
            NextStep(f"{again} --gaps-only", f"then run those {words.plans}"),
        ]
    late = late_plans(session) if goal.is_reached else ()
    if late:
        return [NextStep(again, f"{listing(late)}, then the goal again")]
    return _after(session) if goal.is_reached else []


def _after(session: Session) -> list[NextStep]:
    """What comes after a complete phase: the next one, or the end of the milestone."""
    dialect, files = session.dialect, planning_files(session)
    path = find_documents(files.paths(), dialect).roadmap
    data = files.read([path]).get(path, b"") if path else b""
    if not data:
        return []
    found = next_phase(data, session.state.phase, dialect)
    if found is not None:
        command = dialect.commands.plan_phase.format(phase=found.token)
        name = f": {found.name}" if found.name else ""
        return [NextStep(command, f"{dialect.words.phase} {found.token}{name}")]
    version = milestone(data, dialect).version
    command = dialect.commands.complete_milestone.format(phase=session.state.phase)
    return [NextStep(command, f"the milestone{f' {version}' if version else ''} is done")]


def say_next(session: Session, code: ExitCode) -> bool:
    """Says what comes next if that is about the goal; whether it did."""
    stuck = session.state.stopping or not session.state.is_goal_due
    if (
        stuck
        or not session.policy.verify
        or code not in (ExitCode.DONE, ExitCode.FAILED, ExitCode.WAITING)
    ):
        return False
    steps = next_steps(session)
    for step in steps:
        session.screen.say(f"Next, {step.effect}:")
        session.screen.command(step.command)
    return bool(steps)
