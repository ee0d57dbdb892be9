"""The end of a run: planning files, publication, clean-up, and what to do next."""

from __future__ import annotations

from datetime import datetime

from worktree_runner.core.conflicts import CONCERNS
from worktree_runner.core.docs.facts import Position
from worktree_runner.core.events import Type
from worktree_runner.core.goal import Step
from worktree_runner.core.outlook import why_not
from worktree_runner.core.settled import resolution_of, tally
from worktree_runner.core.state import Status
from worktree_runner.core.texts import count, listing
from worktree_runner.core.waves import Arrangement
from worktree_runner.dialects.schema import Dialect
from worktree_runner.errors import ExitCode, WtrunError
from worktree_runner.models import Phase
from worktree_runner.operations.attempt import breaches, fencing
from worktree_runner.operations.context import summaries, tracking
from worktree_runner.operations.context.project import Project
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.goal import goal_reports, goal_telling, verification, verifier
from worktree_runner.operations.goal.late_plans import late_plans
from worktree_runner.operations.merging import cleanup, gate
from worktree_runner.operations.merging.branching import checkout_of
from worktree_runner.operations.merging.corrections import commit_corrections
from worktree_runner.operations.run import checked
from worktree_runner.operations.run.rejected import ways
from worktree_runner.operations.run.reporting import save_report
from worktree_runner.ui.console import Screen, Tone


def finish(session: Session, code: ExitCode, *, now: datetime) -> ExitCode:
    """Writes the planning files, publishes, cleans up and tells; the code to end with.

    What waits for a person pauses the run, so that `execute` goes on with it; anything else
    finishes it.
    """
    fencing.release_all(session)
    gate.finish(session)
    summaries.bring_back(session)
    goal = session.state.goal
    if goal.step is Step.NOT_BEGUN:  # else it was done before the goal was looked at
        commit_corrections(session)
    position = _position(session, code)
    tracking.update(session, now, position, report=goal_reports.edit(session, now))
    published = checked.publish(session) if session.state.tip != session.state.base else True
    cleanup.clean_landed(session)
    if goal.step in (Step.FAILED, Step.REPORTED):  # a crash may have left its worktree
        verification.tidy(session, goal)
    if not published and code in (ExitCode.DONE, ExitCode.FAILED):
        code = ExitCode.PRECONDITION
    rejected = session.state.with_status(Status.REJECTED)
    if code in (ExitCode.DONE, ExitCode.FAILED) and not rejected:
        session.record(Type.RUN_FINISHED, code=int(code))
        drop_tip(session)
    else:
        session.record(Type.RUN_PAUSED, code=int(code), reason="waits for a person")
    say_end(session, code)
    save_report(session, code)
    problem = cleanup.give_back_space(session.repository)
    if problem:
        session.screen.warn(problem)
    return code


def _position(session: Session, code: ExitCode) -> Position:
    """Where the phase stands: complete once its goal is verified, or verification switched off.

    That every plan of the phase has its summary is checked when it is written; plans that came
    to the target meanwhile, which the run's tip may lack, are looked for here.
    """
    goal = session.state.goal
    if code is ExitCode.DONE and (goal.is_reached or not session.settings.verify):
        late = late_plans(session)
        if not late:
            return Position.COMPLETE
        words, are = session.words, "is" if len(late) == 1 else "are"
        text = f"{listing(late)} {are} new on {session.state.target}: the {words.phase} stays open"
        session.record(Type.NOTICE, text=text)
        return Position.EXECUTED
    if goal.has_gaps:
        return Position.GAPS_FOUND
    return Position.HUMAN_NEEDED if goal.question else Position.PARTIAL


def drop_tip(session: Session) -> None:
    """Removes the run's own ref once the target has everything; a crash before leaves it."""
    repository, tip = session.repository, session.state.tip
    target = repository.git.resolve(f"refs/heads/{session.state.target}")
    if target is not None and repository.objects.is_ancestor(tip, target):
        repository.objects.delete_ref(session.tip_ref, tip)


def say_end(session: Session, code: ExitCode) -> None:
    """The last lines: how many landed, what did not and why, and the next command."""
    screen, state, words = session.screen, session.state, session.dialect.words
    landed = state.with_status(Status.LANDED)
    plans = count(len(state.plans), words.plan, words.plans)
    phase = f"{words.phase.capitalize()} {state.phase}"
    if state.plans:
        screen.heading(f"{phase}: {len(landed)} of {plans} merged into {state.target}")
    else:
        screen.heading(f"{phase}: every {words.plan} was done before")
    settled = tally(resolution_of(item) for plan in landed for item in plan.resolutions)
    if settled:
        screen.say(f"conflicts: {settled}; see 'wtrun resolutions'")
    for plan in state.with_status(Status.FAILED):
        screen.say(f"failed: {plan.reason}", plan=plan.id, tone=Tone.BAD)
    for plan in state.with_status(Status.REJECTED):
        screen.say(f"not merged: {plan.reason}", plan=plan.id, tone=Tone.BAD)
        screen.say(f"its output: {plan.hint}", plan=plan.id)
        screen.say(f"its work: {plan.worktree}", plan=plan.id)
    for plan in state.with_status(Status.SKIPPED):
        screen.say(f"skipped: {plan.reason}", plan=plan.id, tone=Tone.WARN)
    for plan in state.with_status(Status.CONFLICTED):
        paths = [item["path"] for item in plan.conflicts]
        asked = all(item.get("kind") in CONCERNS for item in plan.conflicts)
        what = "your word on" if asked else "you: conflict in"
        screen.say(f"waits for {what} {listing(paths, limit=5)}", plan=plan.id, tone=Tone.ASK)
        report = session.folder.conflicts / f"{plan.id}.md"
        screen.say(f"report: {report}", plan=plan.id)
    for plan in state.with_status(Status.ASKING):
        what = "answer"
        if breaches.is_open(plan):
            what = f"word: its agent changed what is not its own\n{plan.checkpoint['details']}"
        screen.say(f"waits for your {what}", plan=plan.id, tone=Tone.ASK)
    for plan in state.with_status(Status.WAITING):
        why = f"to be continued: {plan.cut}" if plan.cut else f"not started: {why_not(state, plan)}"
        screen.say(why, plan=plan.id, tone=Tone.WARN)
    goal_telling.say_goal(session)
    if not goal_telling.say_next(session, code):
        _next(session, code)
    _where(session)


def _where(session: Session) -> None:
    """Where the work is to be seen, if the user's checkout doesn't show it."""
    target = session.state.target
    landed = session.state.with_status(Status.LANDED)
    if not landed or session.state.held:
        return
    place = checkout_of(session.repository, target)
    if place is None:
        session.screen.say(f"your checkout was left alone; the work is on {target}:")
        session.screen.command(f"git switch {target}")
    elif place.resolve() != session.repository.home.resolve():
        session.screen.say(f"your checkout was left alone; {target} is checked out in {place}")


def _next(session: Session, code: ExitCode) -> None:
    screen, state = session.screen, session.state
    again = f"wtrun execute {state.call}"
    if code is ExitCode.CONFLICT:
        first = state.with_status(Status.CONFLICTED)[0]
        screen.say("Next:")
        screen.command(f"wtrun resolve {first.id}")
    elif code is ExitCode.WAITING:
        asking = state.with_status(Status.ASKING)
        screen.say("Next, at a terminal:" if asking else "Next, with a higher limit:")
        screen.command(again if asking else f"{again} --max-cost USD --max-tokens N")
        for plan in filter(breaches.is_open, asking):
            screen.say(f"or, without one, for {plan.id} one of:")
            for flag in breaches.flags(plan):
                screen.command(f"wtrun resolve {plan.id} {flag}")
    elif code is ExitCode.NO_EXECUTOR:
        screen.say(f"Next, once this is mended: {state.stopping}")
        screen.command("wtrun agents --check")
        screen.command(again)
    elif code is ExitCode.FAILED:
        rejected = state.with_status(Status.REJECTED)
        for plan in rejected:
            screen.say(f"Next for {plan.id}, at a terminal:")
            screen.command(f"wtrun resolve {plan.id}")
            for when, command in ways(plan):
                screen.say(f"{when}:")
                screen.command(command)
        failed = state.with_status(Status.FAILED)
        screen.say("Next, once the cause is gone:" if failed else "then, for the rest:")
        if failed:
            screen.command(f"wtrun logs {failed[0].id}")
        screen.command(again)
    elif code is ExitCode.PRECONDITION:
        screen.say("Next:")
        screen.command("wtrun publish")
    elif code is ExitCode.DONE and session.phase.unwritten:
        _say_unwritten(session.phase, session.dialect, screen)
    elif code is ExitCode.DONE and state.facts.get("whole") and _verify(session):
        goal = f"whether the {session.dialect.words.phase} reaches its goal"
        screen.say(f"Next, in the coding agent, {goal}:")
        screen.command(_verify(session))
        _say_prompt(session)


def _say_prompt(session: Session) -> None:
    """The same for an agent that lacks the planning tool's command."""
    try:
        prompt = verifier.save_prompt(session, datetime.now().astimezone())
    except WtrunError as error:  # a setting that names a missing file: the work has landed
        session.screen.warn(error.message)
        return
    session.screen.say("or give this prompt to an agent without that command:")
    session.screen.command(str(prompt))


def _say_unwritten(phase: Phase, dialect: Dialect, screen: Screen) -> None:
    """Which plans only the road map has, and what writes them."""
    words, token = dialect.words, phase.dir.token
    names = listing([f"{token}-{number}" for number in phase.unwritten], limit=5)
    screen.say(
        f"{words.phase} {token} is not done: the {words.roadmap} lists {names}, without a "
        f"{words.plan} file",
        tone=Tone.WARN,
    )
    screen.say("Next, in the coding agent:")
    screen.command(dialect.commands.plan_phase.format(phase=token))


def _verify(session: Session) -> str:
    """What the planning family calls the step after a phase; empty if it has none."""
    return session.dialect.commands.verify_work.format(phase=session.state.phase)


def say_interrupted(session: Session) -> None:
    """What Ctrl-C leaves, and how to go on."""
    landed = len(session.state.with_status(Status.LANDED))
    plans = count(len(session.state.plans), session.dialect.words.plan, session.dialect.words.plans)
    session.screen.say(f"interrupted: {landed} of {plans} merged, the others keep their worktrees")
    session.screen.say("to go on:")
    session.screen.command(f"wtrun execute {session.state.call}")


def say_left_behind(session: Session) -> None:
    """Which agents go on after an error has ended the run: each has its own launcher and limit."""
    running = [plan.id for plan in session.state.with_status(Status.RUNNING)]
    if running:
        agents = "agent of" if len(running) == 1 else "agents of"
        session.screen.warn(
            f"the {agents} {listing(running)} may still be at work",
            hint=f"wtrun execute {session.state.call} takes over from there; Ctrl-C then stops",
        )


def say_nothing_to_do(
    project: Project, phase: Phase, arrangement: Arrangement, screen: Screen
) -> None:
    """Why no plan is left to run."""
    words = project.dialect.words
    name = f"{words.phase.capitalize()} {phase.dir.token}"
    if arrangement.filtered:
        left = listing(list(arrangement.filtered))
        screen.say(f"{name}: nothing to do; left out by the filters: {left}")
    else:
        done = count(len(arrangement.done), words.plan, words.plans)
        verb = "has its" if len(arrangement.done) == 1 else "have their"
        screen.say(f"{name}: nothing to do, {done} {verb} {words.summary}")
        if phase.unwritten:
            _say_unwritten(phase, project.dialect, screen)
