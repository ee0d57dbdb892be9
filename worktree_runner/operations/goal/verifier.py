"""The verifier's attempt: a worktree at the run's tip, a prompt, a process guarded like a plan's.

Order, and what a crash leaves
1. `verify.started` names worktree, branch and base. Nothing exists yet.
2. Worktree and branch are made and provisioned in a worker thread. A crash leaves a half-made
   worktree, which is made anew: nothing has run in it.
3. The launcher starts the agent in the attempt's folder (`verify-a1`), which tells any later wtrun
   that it lives, or how it ended; so none is ever started twice.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from worktree_runner import process
from worktree_runner.agents.protocol import AgentRequest, Role
from worktree_runner.core.goal import VERIFIER, Goal
from worktree_runner.core.prompts import VerifierFacts, render_verifier
from worktree_runner.core.state import PlanState
from worktree_runner.git import guard
from worktree_runner.git.gateway import Git
from worktree_runner.operations.attempt import beginning, fencing
from worktree_runner.operations.attempt.prompting import own_words
from worktree_runner.operations.attempt.readiness import Ready, make_ready
from worktree_runner.operations.context import places
from worktree_runner.operations.context.agent_choice import choose_model
from worktree_runner.operations.context.session import Session
from worktree_runner.store.atomic import save_text

PROMPT = "verify-prompt.md"


def report_path(session: Session) -> str:
    """Where the dialect has the phase's report: `{phase folder}/03-VERIFICATION.md`."""
    place, suffix = session.phase.dir, session.dialect.files.verification[0]
    return f"{place.path}/{place.token}-{suffix}.md"


def save_prompt(session: Session, now: datetime) -> Path:
    """The prompt for an agent that a person starts, in the run's folder."""
    file = session.folder.path / PROMPT
    save_text(file, prompt(session, session.repository.home, now))
    return file


def prompt(session: Session, place: Path, now: datetime) -> str:
    """What a verifier is told that works in this folder."""
    phase, goal = session.phase, session.state.goal
    needed = dict.fromkeys(name for plan in phase.plans for name in plan.requirements)
    return render_verifier(
        VerifierFacts(
            dialect=session.dialect,
            phase=phase.dir.token,
            phase_path=phase.dir.path,
            phase_name=phase.dir.name,
            worktree=str(place),
            goal=phase.goal,
            plans=phase.plans,
            verification_path=report_path(session),
            now=now.isoformat(timespec="seconds"),
            requirements=tuple(needed),
            absent=(*goal.missing, *goal.loose),
            instructions=own_words(
                session.settings.instructions.get("verifier", ""), place, "instructions.verifier"
            ),
        )
    )


# --- the attempt -----------------------------------------------------------------------------


def folder_of(session: Session) -> Path:
    """The folder of the present attempt."""
    return session.folder.attempt(VERIFIER, session.state.goal.n)


def mark_of(run: str, goal: Goal) -> process.Mark:
    """What the verifier's processes carry."""
    return process.Mark(run, f"{VERIFIER}-a{goal.n}")


def as_plan(goal: Goal) -> PlanState:
    """The attempt in the form that worktrees, guards and the audit take."""
    return PlanState(
        id=VERIFIER,
        path=goal.report,
        summary=goal.report,
        title="verification",
        wave=0,
        lane=None,
        depends_on=(),
        order=0,
        autonomous=True,
        attempt=goal.n,
        branch=goal.branch,
        worktree=goal.worktree,
        base=goal.base,
        agent=goal.agent,
        program=goal.agent,
    )


def make_place(session: Session, goal: Goal) -> Ready:
    """Makes the worktree and provisions it; in a worker thread, so it records nothing."""
    plan = as_plan(goal)
    places.make(session, plan)
    ready = make_ready(session, plan)
    if not session.state.planning_tracked:
        _bring_planning(session, Path(goal.worktree))
    session.mail.wait()
    return ready


def _bring_planning(session: Session, place: Path) -> None:
    """Copies of the planning files, which no commit holds: the phase and what lies at the root."""
    home, root = session.repository.home, session.dialect.root
    shutil.copytree(
        home / session.phase.dir.path, place / session.phase.dir.path, dirs_exist_ok=True
    )
    for file in sorted((home / root).glob("*.md")):
        shutil.copy2(file, place / root / file.name)


def launch(session: Session, now: datetime) -> None:
    """Starts the agent in the worktree that has been made; an earlier start is adopted."""
    folder = folder_of(session)
    request = compose(session, now)
    agent = session.agent(session.state.goal.agent)
    save_text(folder / "request.json", request.model_dump_json(indent=1))
    started = agent.build(request)
    beginning.write_launch(folder, started)
    process.start_or_adopt(
        process.Spec(
            argv=started.argv,
            cwd=started.cwd,
            mark=mark_of(session.folder.id, session.state.goal),
            env=started.env,
            unset=started.unset,
            stdin=started.stdin,
            timeout_s=session.settings.limits.timeout,
        ),
        folder,
    )


def compose(session: Session, now: datetime) -> AgentRequest:
    """What the verifier is told, as plain values, with the prompt on disk."""
    goal, settings = session.state.goal, session.settings
    plan, place, folder = as_plan(goal), Path(goal.worktree), folder_of(session)
    agent = session.agent(goal.agent)
    mail_agent = session.correspondent(plan)
    text = prompt(session, place, now)
    prompt_file = folder / "prompt.md"
    save_text(prompt_file, text)
    return AgentRequest(
        run_id=session.state.id,
        plan_id=VERIFIER,
        attempt=goal.n,
        role=Role.VERIFIER,
        worktree=place,
        git_dir=Path(Git(place).text("rev-parse", "--absolute-git-dir")),
        git_common_dir=session.repository.common_dir,
        run_dir=folder,
        plan_path=goal.report,
        plan_file=prompt_file,
        summary_path=goal.report,
        branch=goal.branch,
        dialect=session.dialect.name,
        prompt=text,
        prompt_file=prompt_file,
        model=choose_model(settings, session.dialect, agent, Role.VERIFIER),
        phase=session.state.phase,
        plan_number=VERIFIER,
        title=plan.title,
        files=(goal.report,),
        base=goal.base,
        commit_docs=False,
        permissions=settings.permissions,
        allow_commands=settings.allow_commands,
        sandbox=settings.sandbox,
        pre_tool_hook=guard.pre_tool_hook(fencing.spec(session, plan)),
        max_turns=settings.limits.max_turns,
        max_cost=settings.limits.plan_max_cost,
        extra_args=settings.extra_args,
        protected_paths=tuple(pattern for pattern, _ in fencing.others(session, VERIFIER)),
        mcp_servers=session.mail.servers(mail_agent) if agent.capabilities.mcp else (),
        env=beginning.environment(session, plan, mail_agent),
    )
