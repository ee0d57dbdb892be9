"""`wtrun execute --dry-run`: everything that would happen, and nothing happens."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from worktree_runner.agents.protocol import Agent, AgentRequest, Role
from worktree_runner.core.gate import shown
from worktree_runner.core.places import branch_of, folder_of
from worktree_runner.core.plans import build_line
from worktree_runner.core.shell_plan import render_commands
from worktree_runner.core.texts import count, listing
from worktree_runner.core.waves import Arrangement, Wave
from worktree_runner.models import Phase, Plan
from worktree_runner.operations.context import places
from worktree_runner.operations.context.agent_choice import choose_model
from worktree_runner.operations.context.project import Project
from worktree_runner.operations.goal.goal_opening import covers
from worktree_runner.operations.goal.verification import verifier_of
from worktree_runner.operations.merging.branching import Target
from worktree_runner.operations.merging.gate import find_command


def render_dry_run(
    project: Project,
    phase: Phase,
    arrangement: Arrangement,
    agents: Mapping[str, Agent],
    target: Target,
    dirty: Sequence[str] = (),
) -> str:
    """Waves, lanes, overlaps, base, worktrees, branches and command lines, as text."""
    words = project.dialect.words
    settings = project.settings
    root = places.root(project.repository, settings.worktrees.root)
    plans = count(len(arrangement.plans), words.plan, words.plans)
    waves = count(len(arrangement.waves), words.wave, words.waves)
    lines = [
        f"{words.phase.capitalize()} {phase.dir.token} {phase.dir.name}: {plans} in {waves}",
        f"base {target.commit[:10]} of {_target(target)}, "
        f"agent {_names(agents)}, "
        f"at most {settings.max_parallel if settings.parallel else 1} at a time",
    ]
    lines.append(_gate(project, target.commit))
    if arrangement.done:
        lines.append(f"done already: {listing(list(arrangement.done))}")
    if arrangement.filtered:
        lines.append(f"left out by the filters: {listing(list(arrangement.filtered))}")
    lines += [f"not committed, would be asked about: {path}" for path in dirty]
    for wave in arrangement.waves:
        lines += ["", f"{words.wave.capitalize()} {wave.number}", *_wave(wave)]
        for plan in wave.plans:
            lines += _plan(project, plan, agents.get(plan.id), root)
    lines += _goal(project, phase, arrangement, agents)
    lines += ["", "Nothing was changed."]
    return "\n".join(lines)


def _names(agents: Mapping[str, Agent]) -> str:
    names = sorted({agent.name for agent in agents.values()})
    return " and ".join(names) or "not chosen"


def _target(target: Target) -> str:
    if target.new:
        return f"{target.branch} (to be made from {target.current})"
    return target.branch if target.home else f"{target.branch} (not checked out here)"


def _gate(project: Project, base: str) -> str:
    """What merges would be checked with."""
    settings = project.settings.gate
    if not settings.enabled:
        return "merges are not checked: --no-gate"
    found = find_command(settings, project.repository.objects, base)
    if found is None:
        return "merges are not checked: no check was found and none is set (gate.command)"
    return f"merges are checked with '{shown(found.argv)}' ({found.origin})"


def _goal(
    project: Project, phase: Phase, arrangement: Arrangement, agents: Mapping[str, Agent]
) -> list[str]:
    """Who would verify the phase's goal once its plans are done; nothing if they are not then."""
    chosen = [plan.id for plan in arrangement.plans]
    if arrangement.filtered or not covers(phase, chosen, only=(), wave=None):
        return []
    title = f"the {project.dialect.words.phase}'s goal"
    if not project.settings.verify:
        return ["", f"Then {title} is taken as reached: verification is switched off"]
    names = Counter(agent.name for agent in agents.values()).most_common(1)
    judge = verifier_of(project.settings, names[0][0] if names else "")
    if not judge:
        return []
    return ["", f"Then {judge} verifies {title}"]


def _wave(wave: Wave) -> list[str]:
    lines = [f"  lane, one after another: {' -> '.join(lane)}" for lane in wave.lanes]
    for overlap in wave.overlaps:
        shared = sorted({path for pair in overlap.pairs for path in pair})
        lines.append(f"  {overlap.first} and {overlap.second} share {listing(shared, limit=5)}")
    return lines


def _plan(project: Project, plan: Plan, agent: Agent | None, root: Path) -> list[str]:
    branch = branch_of(project.dialect, plan.phase, plan.number)
    folder = folder_of(project.dialect, plan.phase, plan.number)
    checkpoint = "" if plan.autonomous else f" [{project.dialect.words.checkpoint}]"
    lines = [
        f"  {plan.id}{checkpoint} {build_line(plan)}",
        f"    worktree {root / folder}, branch {branch}",
    ]
    if plan.depends_on:
        lines.append(f"    after {listing(list(plan.depends_on))}")
    if plan.files:
        lines.append(f"    files {listing(list(plan.files), limit=6)}")
    tasks = count(len(plan.tasks), "task") if plan.tasks else "no task blocks: the whole text"
    lines.append(f"    work {tasks}")
    if agent is not None and plan.domain != "general":
        lines.append(f"    agent {agent.name}, domain {plan.domain}")
    if agent is not None and agent.name == "shell":
        lines += [f"    {line}" for line in render_commands(plan).splitlines()[1:]]
    elif agent is not None:
        lines.append(f"    command {_command(project, plan, agent, root / folder, branch)}")
    return lines


def _command(project: Project, plan: Plan, agent: Agent, worktree: Path, branch: str) -> str:
    """The command line that would be started, as a shell would take it; a run is called RUN.

    What only an attempt has is left out: session, guards, and the endpoint for mail.
    """
    settings, common = project.settings, project.repository.common_dir
    folder = project.repository.layout.run("RUN").attempt(plan.id, 1)
    launch = agent.build(
        AgentRequest(
            run_id="RUN",
            plan_id=plan.id,
            attempt=1,
            worktree=worktree,
            git_dir=common / "worktrees" / worktree.name,
            git_common_dir=common,
            run_dir=folder,
            plan_path=plan.path,
            plan_file=folder / Path(plan.path).name,
            summary_path=plan.summary_path,
            branch=branch,
            dialect=project.dialect.name,
            prompt="",
            prompt_file=folder / "prompt.md",
            model=choose_model(settings, project.dialect, agent, Role.EXECUTOR),
            domain=plan.domain,
            files=plan.files,
            permissions=settings.permissions,
            allow_commands=settings.allow_commands,
            sandbox=settings.sandbox,
            max_turns=settings.limits.max_turns,
            max_cost=settings.limits.plan_max_cost,
            extra_args=settings.extra_args,
        )
    )
    stdin = f" < {shlex.quote(str(launch.stdin))}" if launch.stdin else ""
    return shlex.join(launch.argv) + stdin
