"""`wtrun attach`: puts a person where a plan's agent worked: in its session, or in a shell there.

- The session is opened by the agent's own program, in the attempt's worktree and environment, so
  its guards and its settings hold for the person's turns as well.
- While the agent still works nobody else may write in its session: then it is a shell.
- Nothing is recorded: what is committed there counts when the plan is judged the next time.
"""

from __future__ import annotations

from pathlib import Path

from worktree_runner import attempts as attempt_files
from worktree_runner import process
from worktree_runner.agents import registry
from worktree_runner.agents.outcome import read_session
from worktree_runner.agents.protocol import AgentRequest
from worktree_runner.core.state import PlanState, Status
from worktree_runner.errors import PreconditionError
from worktree_runner.operations import trust
from worktree_runner.operations.context import logs, runs, tools
from worktree_runner.operations.context.agent_choice import agent_settings
from worktree_runner.operations.context.project import Project, open_project
from worktree_runner.store.paths import RunFolder
from worktree_runner.ui.ask import Asker
from worktree_runner.ui.console import Screen


def attach(
    folder: Path,
    plan_id: str,
    screen: Screen,
    asker: Asker,
    *,
    only_shell: bool,
    attempt: int | None,
) -> int:
    """Opens the session or a shell, and gives the code of the program that was opened."""
    project = open_project(folder, {})
    layout = project.repository.layout
    chosen = logs.choose(layout, plan_id, attempt=attempt)
    request = _request(chosen.folder)
    if not request.worktree.is_dir():
        raise PreconditionError(
            f"The worktree {request.worktree} of {plan_id} is gone.",
            hint=f"git switch {request.branch}, or wtrun logs {plan_id}",
        )
    running = isinstance(attempt_files.observe(chosen.folder), attempt_files.Running)
    if running:
        screen.warn(f"the agent of {plan_id} is at work: a shell in its worktree, not its session")
    session = None if running or only_shell else read_session(chosen.events, chosen.folder)
    code = None
    if session is not None:
        trust.require(project, screen, asker)
        code = _open_session(project, chosen, request, session, screen)
    if code is None:
        if not (running or only_shell):
            screen.say(f"{chosen.agent} has no session that could be opened here")
        tools.shell(screen, request.worktree)
        code = 0
    _say_what_follows(RunFolder(layout.runs / chosen.run), plan_id, screen)
    return code


def _request(folder: Path) -> AgentRequest:
    try:
        return AgentRequest.model_validate_json((folder / "request.json").read_bytes())
    except FileNotFoundError:
        raise PreconditionError(f"Nothing was started in {folder}.", hint="wtrun status") from None


def _open_session(
    project: Project, chosen: logs.Chosen, request: AgentRequest, session: str, screen: Screen
) -> int | None:
    """The code of the agent's program; None if it can't open sessions for a person."""
    agent = registry.load(chosen.agent, agent_settings(project.settings))
    resumed = request.model_copy(update={"resume": session})
    argv = agent.attach(resumed)
    if not argv:
        return None
    launch = agent.build(resumed)
    screen.say(f"session {session} of {chosen.agent} in {request.worktree}")
    with screen.lend():
        env = {key: value for key, value in launch.env.items() if key != "GIT_EDITOR"}
        done = process.run(argv, request.worktree, env=env, unset=launch.unset, foreground=True)
    if done.code == 127 and done.err:
        reason = done.err.decode(errors="replace")
        raise PreconditionError(f"{argv[0]} could not be started: {reason}")
    return done.code


def _say_what_follows(folder: RunFolder, plan_id: str, screen: Screen) -> None:
    """What the next `execute` makes of what was done there."""
    state = runs.load(folder)
    plan = state.plans.get(plan_id)
    if plan is None or plan.status in (Status.LANDED, Status.QUEUED):
        return
    screen.say(_what_follows(plan))
    screen.command(f"wtrun execute {state.call}")


def _what_follows(plan: PlanState) -> str:
    if plan.status is Status.RUNNING:
        return "the agent goes on; what is committed in its worktree counts as its work"
    if plan.status in (Status.FAILED, Status.SKIPPED):
        return "what failed starts anew in another worktree; this one and its branch stay:"
    return f"{plan.id} goes on in this worktree with what is committed there:"
