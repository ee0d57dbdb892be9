"""`wtrun execute PHASE`: from the plans of a phase to their work on the target branch."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from worktree_runner.agents.protocol import Agent
from worktree_runner.core.events import Type
from worktree_runner.core.policy import Policy
from worktree_runner.core.routing import is_team
from worktree_runner.core.state import RunState, Status
from worktree_runner.core.texts import listing
from worktree_runner.core.waves import Arrangement, arrange
from worktree_runner.dialects.schema import Words
from worktree_runner.errors import ExitCode, UsageError
from worktree_runner.git import gateway
from worktree_runner.models import Phase
from worktree_runner.operations import preflight, shell_commands, state_file, trust
from worktree_runner.operations.attempt import fencing
from worktree_runner.operations.context import places, runs
from worktree_runner.operations.context.agent_choice import choose_programs, load_agent
from worktree_runner.operations.context.project import Project, load_phase, open_project
from worktree_runner.operations.context.run_mail import RunMail
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.dry_run import render_dry_run
from worktree_runner.operations.goal import goal_opening, verification
from worktree_runner.operations.goal.verification import verifier_of
from worktree_runner.operations.merging import branching, corrections, gate
from worktree_runner.operations.merging.branching import Target
from worktree_runner.operations.merging.publishing import publish_tip
from worktree_runner.operations.run import finish
from worktree_runner.operations.run.loop import open_loop
from worktree_runner.operations.run.reconcile import marks_of, reconcile
from worktree_runner.operations.run.watching import Watch
from worktree_runner.store import locate
from worktree_runner.store.journal import Journal
from worktree_runner.store.paths import RunFolder
from worktree_runner.store.runlock import run_lock
from worktree_runner.ui.ask import Asker
from worktree_runner.ui.board import open_board
from worktree_runner.ui.console import Screen
from worktree_runner.ui.narrate import Narrator


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says about one execution, settings left out."""

    phase: str
    only: tuple[str, ...] = ()
    wave: int | None = None
    gaps_only: bool = False
    dry_run: bool = False
    yes: bool = False
    now: bool = False
    """Start at once what waits for a quota, a rate limit or the time of a retry."""

    def as_json(self) -> dict[str, Any]:
        return {"only": list(self.only), "wave": self.wave, "gaps_only": self.gaps_only}


def execute(
    folder: Path, options: Options, flags: Mapping[str, Any], screen: Screen, asker: Asker
) -> ExitCode:
    """Runs the phase, or goes on with its unfinished run; the code says what a person must do."""
    project = open_project(folder, flags)
    for problem in project.problems:
        screen.warn(problem)
    if options.dry_run:
        return _dry_run(project, options, screen)
    trust.require(project, screen, asker)
    layout, token = project.repository.layout, options.phase.rstrip("/").rpartition("/")[2]
    with run_lock(layout, f"wtrun execute {options.phase}"):
        found = list(runs.unfinished(layout, phase=token))
        calls = sorted({state.call for _, state in found})
        if len(calls) > 1:
            raise UsageError(
                f"'{options.phase}' may be the run of {listing(calls)}, and all are unfinished",
                hint=f"name one: wtrun execute {calls[0]}",
            )
        if found:
            session = resume(project, *found[0], screen, asker, now=options.now)
        else:
            started = begin(project, options, screen, asker)
            if started is None:
                return ExitCode.DONE
            session = started
        return work(session)


def _dry_run(project: Project, options: Options, screen: Screen) -> ExitCode:
    """Shows what would happen, with what would be in the way; changes nothing."""
    target = branching.choose_target(project, options.phase)
    place = branching.phase_path(project, target, options.phase)
    git = branching.desk_of(project, target)
    dirty = preflight.uncommitted_planning(project, place, git) if target.desk else ()
    phase = load_phase(project, target.commit, options.phase, disk=git.path if dirty else None)
    preflight.check_plans(project, phase)
    plan = _arrange(phase, options, project.dialect.words)
    agents, missing = {}, None
    try:
        agents = choose_programs(project.settings, plan.plans, for_all=project.one_agent)
    except UsageError as error:  # said at the end: the plans can be looked at all the same
        missing = error
    screen.answer(render_dry_run(project, phase, plan, agents, target, dirty))
    if missing is not None:
        raise missing
    preflight.check_agents(agents.values(), screen)
    preflight.check_names(project, plan.plans)
    return ExitCode.DONE


def _arrange(phase: Phase, options: Options, words: Words) -> Arrangement:
    return arrange(
        phase, only=options.only, wave=options.wave, gaps_only=options.gaps_only, words=words
    )


def begin(project: Project, options: Options, screen: Screen, asker: Asker) -> Session | None:
    """A new run of the phase with its journal begun; None if every plan is done already."""
    repository, settings = project.repository, project.settings
    found = branching.choose_target(project, options.phase)
    target = branching.settle(project, found, options.phase, screen, asker, yes=options.yes)
    phase, target = _settled_phase(project, target, options, screen, asker)
    preflight.check_plans(project, phase)
    arrangement = _arrange(phase, options, project.dialect.words)
    for problem in (*phase.problems, *(note for plan in phase.plans for note in plan.problems)):
        screen.warn(str(problem))
    whole = not (options.only or options.wave is not None)
    if not arrangement.plans and not (
        whole and goal_opening.is_open(project, phase, arrangement, target.commit)
    ):
        finish.say_nothing_to_do(project, phase, arrangement, screen)
        return None
    agents = choose_programs(settings, arrangement.plans, for_all=project.one_agent)
    judge = verifier_of(settings, _most_used(agents))
    also = [load_agent(settings, judge)] if judge else []
    preflight.check_agents([*agents.values(), *also], screen)
    preflight.check_names(project, arrangement.plans)
    preflight.check_identity(repository)
    preflight.check_signing(repository)
    preflight.check_writable(repository, places.root(repository, settings.worktrees.root))
    words = project.dialect.words
    shell_commands.confirm(agents, arrangement.plans, words, screen, asker, yes=options.yes)
    target = state_file.offer_rebuild(project, target, screen, asker, datetime.now().astimezone())
    branching.make_target(project, target, phase)
    base = target.commit
    folder = repository.layout.run(runs.new_id(phase.dir.token))
    journal = Journal(folder.journal)
    session = _session(project, phase, folder, journal, screen, asker)
    repository.objects.move_ref(f"refs/wtrun/runs/{folder.id}/tip", base, None)
    session.record(
        Type.RUN_STARTED,
        phase=phase.dir.token,
        name=phase.dir.name,
        directory=phase.dir.path.rpartition("/")[2],
        call=phase.dir.call,
        dialect=project.dialect.name,
        words=words.model_dump(),
        root=project.dialect.root,
        target=target.branch,
        base=base,
        checkout=corrections.remember(target.place, project.dialect.root, tracked=project.tracked),
        planning="tracked" if project.tracked else "ignored",
        agent=_most_used(agents),
        options={**options.as_json(), "team": is_team(settings.team, arrangement.plans)},
        plans=plan_facts(phase, arrangement, agents),
        argv=sys.argv[1:],
        pid=os.getpid(),
        covers=goal_opening.covers(
            phase,
            (plan.id for plan in arrangement.plans),
            only=options.only,
            wave=options.wave,
        ),
        whole=whole and not options.gaps_only,
    )
    session.narrator.begin(session.state)
    verification.choose(session)
    if arrangement.plans:
        gate.choose(session)
    return session


def _settled_phase(
    project: Project, target: Target, options: Options, screen: Screen, asker: Asker
) -> tuple[Phase, Target]:
    """The phase as the run will find it, once its uncommitted planning files are committed.

    Where the target is checked out nowhere, they can't become part of it and are only named.
    """
    place = branching.phase_path(project, target, options.phase)
    git = branching.desk_of(project, target)
    dirty = preflight.uncommitted_planning(project, place, git)
    if dirty and target.desk:
        preflight.settle_planning(project, place, dirty, asker, screen, git, yes=options.yes)
        target = branching.refresh(project, target)
    elif dirty:
        screen.warn(
            f"{listing(list(dirty), limit=5)} differ in your checkout; what counts is committed "
            f"on {target.branch}"
        )
    return load_phase(project, target.commit, options.phase), target


def _most_used(agents: Mapping[str, Agent]) -> str:
    """The name that stands for the run: the agent of most of its plans."""
    names = Counter(agent.name for agent in agents.values()).most_common(1)
    return names[0][0] if names else ""


def plan_facts(
    phase: Phase, arrangement: Arrangement, agents: Mapping[str, Agent]
) -> list[dict[str, Any]]:
    """The plans of a run as its journal keeps them; lanes are numbered through the phase."""
    lanes = {
        plan: number
        for number, lane in enumerate(
            (lane for wave in arrangement.waves for lane in wave.lanes), start=1
        )
        for plan in lane
    }
    chosen = {plan.id for plan in arrangement.plans}
    position = {plan.id: at for at, plan in enumerate(phase.plans)}
    return [
        {
            "id": plan.id,
            "path": plan.path,
            "summary": plan.summary_path,
            "title": plan.title,
            "wave": plan.wave,
            "lane": lanes.get(plan.id),
            "depends_on": [other for other in plan.depends_on if other in chosen],
            "order": position[plan.id],
            "autonomous": plan.autonomous,
            "files": list(plan.files),
            "agent": agents[plan.id].name,
        }
        for plan in arrangement.plans
    ]


def resume(
    project: Project,
    folder: RunFolder,
    state: RunState,
    screen: Screen,
    asker: Asker,
    *,
    now: bool = False,
) -> Session:
    """The unfinished run, brought up to date with what is true now, ready to go on; with `now`,
    without the waits that it had begun."""
    session = resume_session(project, folder, state, screen, asker)
    named: dict[str, Any] = {"agent": project.settings.agent} if project.one_agent else {}
    said = {**named, "now": True} if now else named
    to_start = state.with_status(Status.WAITING, Status.STARTING, Status.FAILED, Status.SKIPPED)
    needed = {str(named.get("agent") or plan.program) for plan in to_start}
    preflight.check_agents([session.agent(name) for name in sorted(needed)], screen)
    session.record(Type.RUN_RESUMED, pid=os.getpid(), **said)
    verification.choose(session)
    if state.plans:
        gate.choose(session)
    reconcile(session)
    fencing.retake(session)
    return session


def resume_session(
    project: Project, folder: RunFolder, state: RunState, screen: Screen, asker: Asker
) -> Session:
    """The unfinished run, opened as its journal left it."""
    phase = load_phase(project, state.base, state.facts.get("directory") or state.phase)
    journal = Journal(folder.journal)
    if journal.torn:
        screen.warn(f"the journal's last line was torn and is dropped: {folder.journal}")
    return _session(project, phase, folder, journal, screen, asker)


def _session(
    project: Project,
    phase: Phase,
    folder: RunFolder,
    journal: Journal,
    screen: Screen,
    asker: Asker,
) -> Session:
    settings = project.settings
    gateway.MARKS.update(marks_of(folder.id))
    objectives = {plan.id: plan.objective for plan in phase.plans}
    return Session(
        repository=project.repository,
        dialect=project.dialect,
        settings=settings,
        policy=Policy(
            plan_word=project.dialect.words.plan,
            wave_word=project.dialect.words.wave,
            max_parallel=settings.max_parallel if settings.parallel else 1,
            interactive=asker.interactive,
            on_failure=settings.on_failure,
            on_conflict=settings.merge.on_conflict,
            merge_order=settings.merge.order,
            min_plans_for_parallel=settings.min_plans_for_parallel,
            resolve=settings.merge.resolve,
            checkout_merge=settings.merge.checkout_merge,
            max_cost=settings.limits.max_cost,
            max_tokens=settings.limits.max_tokens,
        ),
        journal=journal,
        folder=folder,
        phase=phase,
        screen=screen,
        asker=asker,
        narrator=Narrator(screen, project.dialect.words, objectives),
        mail=RunMail(locate.here(project.repository.home), folder.id, project.dialect, folder.path),
    )


@contextmanager
def correspondence(session: Session) -> Iterator[None]:
    """The mail endpoint for the time of a run, where an agent of it can use one."""
    wanted = session.settings.serve.enabled
    names = {plan.program for plan in session.state.plans.values()}
    useful = any(session.agent(name).capabilities.mcp for name in names)
    if wanted == "off" or (wanted == "auto" and not useful):
        yield
        return
    session.mail.open()
    missing = session.mail.news()
    if missing is not None and wanted != "auto":  # unasked-for, its absence is no news
        session.screen.warn(missing)
    try:
        yield
    finally:
        session.mail.close()


def work(session: Session) -> ExitCode:
    """Works on an open run until it is finished or a person is needed; tells how it ended."""
    if session.state.tip != session.state.published:
        publish_tip(session)
    with (
        correspondence(session),
        open_loop(session) as loop,
        open_board(session.screen, time.monotonic) as board,
    ):
        loop.watch = Watch(session, board, now=lambda: datetime.now(UTC))
        try:
            code = loop.run()
        except BaseException:
            finish.say_left_behind(session)
            raise
    if code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
        session.record(Type.RUN_PAUSED, code=int(code), reason="interrupted")
        finish.say_interrupted(session)
        return code
    return finish.finish(session, code, now=datetime.now().astimezone())
