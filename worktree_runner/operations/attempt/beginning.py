"""Begins attempts: a worktree from the recorded base, provisioning, a prompt, a process.

Order, and what a crash leaves
1. `attempt.planned` names branch, worktree and base. Nothing exists yet.
2. Worktree and branch are made, the base is asserted, provisioning runs (in a worker thread;
   it may take minutes). A crash leaves a half-made worktree that `reconcile` makes anew.
3. `attempt.ready`. A crash leaves a worktree in which nothing has run.
4. The launcher starts the agent; `attempt.started`. A crash in between leaves a living agent,
   which `reconcile` adopts by its folder.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from worktree_runner import process
from worktree_runner.agents.common import CHECKPOINT
from worktree_runner.agents.protocol import AgentRequest, Launch, Role
from worktree_runner.core.events import Type
from worktree_runner.core.limits import SESSION_LOST
from worktree_runner.core.state import PlanState
from worktree_runner.errors import PreconditionError
from worktree_runner.git import guard
from worktree_runner.git.gateway import Git
from worktree_runner.operations.attempt import fencing, prompting, readiness
from worktree_runner.operations.attempt.readiness import Ready, make_ready
from worktree_runner.operations.context import places
from worktree_runner.operations.context.agent_choice import choose_model, choose_persona
from worktree_runner.operations.context.session import Session
from worktree_runner.store.agents import Agent as MailAgent
from worktree_runner.store.atomic import save_bytes, save_text


def plan_attempt(session: Session, plan_id: str) -> None:
    """Records what the next attempt of a plan will use: the first try's names, or numbered ones.

    An attempt that goes on (after a checkpoint or a crash) keeps branch, worktree and base.
    """
    plan = session.of(plan_id)
    if plan.fresh or not plan.branch:
        plan_file = session.plan(plan_id)
        branch, place = places.free_names(session, plan_file.phase, plan_file.number)
        worktree = str(place)
        base, fresh = session.state.tip, True
    else:
        branch, worktree, base, fresh = plan.branch, plan.worktree, plan.base, False
    resume = "" if fresh else _session_of(session, plan)
    session.record(
        Type.ATTEMPT_PLANNED,
        plan_id,
        n=plan.attempt + 1,
        branch=branch,
        worktree=worktree,
        base=base,
        agent=plan.program,
        fresh=fresh,
        resume=resume,
    )


def _session_of(session: Session, plan: PlanState) -> str:
    """The session that the plan's next attempt goes on with; empty, with a word, if none can."""
    if session.settings.resume != "session" or plan.cut.startswith(SESSION_LOST):
        return ""
    same = plan.agent == plan.program
    if same and plan.session and session.agent(plan.program).capabilities.resume:
        return plan.session
    why = "no session of it is known"
    if not same:
        why = f"{plan.agent}'s session is nothing to {plan.program}"
    elif not session.agent(plan.program).capabilities.resume:
        why = f"{plan.program} can't go on with a session"
    session.record(Type.NOTICE, plan.id, text=f"{why}: a fresh process goes on")
    return ""


def make_worktree(session: Session, plan_id: str) -> Ready:
    """Makes the attempt's worktree and provisions it, or checks the one that it goes on in.

    Runs in a worker thread, so it records nothing. Raises WtrunError; the worktree is left as it
    is then.
    """
    plan = session.of(plan_id)
    place = Path(plan.worktree)
    if plan.fresh:
        places.make(session, plan)
    elif not place.is_dir():
        raise PreconditionError(
            f"The worktree {place} of {plan_id} is gone; its branch {plan.branch} is kept.",
            hint=f"git worktree add {place} {plan.branch}, or wtrun execute again for a new one",
        )
    head = Git(place).resolve("HEAD")
    if head is None or not session.repository.objects.is_ancestor(plan.base, head):
        raise PreconditionError(
            f"The worktree {place} of {plan.id} does not start from {plan.base[:10]}.",
            hint=f"look at it with 'git -C {place} log', then wtrun clean",
        )
    ready = make_ready(session, plan) if plan.fresh else Ready(plan.untracked)
    session.mail.wait()  # here, where no other plan waits for it
    return ready


def start(session: Session, plan_id: str, ready: Ready) -> None:
    """Writes the prompt and starts the agent in the worktree that has been made."""
    session.record(
        Type.ATTEMPT_READY, plan_id, n=session.of(plan_id).attempt, untracked=list(ready.untracked)
    )
    for text in ready.notices:
        session.record(Type.NOTICE, plan_id, text=text)
    news = session.mail.news()
    if news is not None:
        session.record(Type.NOTICE, text=news)
    hooks = fencing.absent_hooks(session, session.of(plan_id))
    if hooks is not None and not session.has_said(hooks):
        session.record(Type.NOTICE, text=hooks)
    launch_attempt(session, plan_id)


def launch_attempt(session: Session, plan_id: str) -> None:
    """Starts the process of a ready attempt."""
    plan = session.of(plan_id)
    folder = session.attempt_folder(plan_id)
    request = compose(session, plan, folder)
    save_text(folder / "request.json", request.model_dump_json(indent=1))
    launch = session.agent_of(plan).build(request)
    write_launch(folder, launch)
    spec = process.Spec(
        argv=launch.argv,
        cwd=launch.cwd,
        mark=process.Mark(session.state.id, f"{plan_id}-a{plan.attempt}"),
        env=launch.env,
        unset=launch.unset,
        stdin=launch.stdin,
        timeout_s=session.settings.limits.timeout,
    )
    handle = process.start_or_adopt(spec, folder)
    session.record(
        Type.ATTEMPT_STARTED,
        plan_id,
        n=plan.attempt,
        pid=handle.pid,
        start_time=handle.start_time,
        folder=str(folder),
    )


def write_launch(folder: Path, launch: Launch) -> None:
    """Writes what a launch needs on disk, and the launch itself, into the attempt's folder."""
    for path in launch.folders:
        path.mkdir(parents=True, exist_ok=True)
    for path, text in launch.files.items():
        save_text(path, text, mode=0o600)
    save_text(folder / "launch.json", launch.model_dump_json(indent=1))


def compose(session: Session, plan: PlanState, folder: Path) -> AgentRequest:
    """Everything the agent is told, as plain values, with the prompt on disk."""
    values, agent = session.plan(plan.id), session.agent_of(plan)
    place = Path(plan.worktree)
    mail_agent = session.correspondent(plan)
    plan_file = folder / Path(plan.path).name
    save_bytes(plan_file, values.text)
    prompt = prompting.prompt_for(session, plan, folder / "outbox" / CHECKPOINT)
    prompt_file = folder / "prompt.md"
    save_text(prompt_file, prompt)
    dialect_file = folder / "dialect.json"
    save_text(dialect_file, session.dialect.model_dump_json(indent=1))
    role = Role.EXECUTOR if plan.fresh else Role.CONTINUATION
    session_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{session.state.id}/{folder.name}"))
    return AgentRequest(
        run_id=session.state.id,
        plan_id=plan.id,
        attempt=plan.attempt,
        role=role,
        worktree=place,
        git_dir=Path(Git(place).text("rev-parse", "--absolute-git-dir")),
        git_common_dir=session.repository.common_dir,
        run_dir=folder,
        plan_path=plan.path,
        plan_file=plan_file,
        summary_path=plan.summary,
        branch=plan.branch,
        dialect=session.dialect.name,
        dialect_file=dialect_file,
        prompt=prompt,
        prompt_file=prompt_file,
        model=choose_model(session.settings, session.dialect, agent, role),
        domain=values.domain,
        persona=choose_persona(values, session.dialect, agent, place, Path.home()),
        phase=values.phase,
        plan_number=values.number,
        title=values.title,
        files=values.files,
        base=plan.base,
        commit_docs=session.state.planning_tracked,
        answer=plan.answer.get("text"),
        resume_task=plan.checkpoint.get("task_number"),
        session_id=session_id,
        resume=plan.resume or None,
        permissions=session.settings.permissions,
        allow_commands=session.settings.allow_commands,
        sandbox=session.settings.sandbox,
        pre_tool_hook=guard.pre_tool_hook(fencing.spec(session, plan)),
        max_turns=session.settings.limits.max_turns,
        max_cost=session.settings.limits.plan_max_cost,
        extra_args=session.settings.extra_args,
        protected_paths=tuple(pattern for pattern, _ in fencing.others(session, plan.id)),
        mcp_servers=session.mail.servers(mail_agent) if agent.capabilities.mcp else (),
        env=environment(session, plan, mail_agent),
    )


def environment(session: Session, plan: PlanState, mail_agent: MailAgent) -> dict[str, str]:
    """What every agent process finds in its environment, beside what its adapter adds."""
    return {
        **readiness.environment(session, plan),
        "WTRUN_PLAN": plan.id,
        "WTRUN_PHASE": session.state.phase,
        "WTRUN_RUN": session.state.id,
        "WTRUN_AGENT": mail_agent.name,
        "WTRUN_ORCHESTRATOR": session.mail.orchestrator.name,
        **fencing.install(session, plan),
    }
