"""Shows the commands that the `shell` agent would run, and asks once before the first run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from worktree_runner.agents.protocol import Agent
from worktree_runner.core.shell_plan import problems_of, render_commands
from worktree_runner.dialects.schema import Words
from worktree_runner.errors import PreconditionError
from worktree_runner.models import Plan
from worktree_runner.ui.ask import Asker
from worktree_runner.ui.console import Screen


def confirm(
    agents: Mapping[str, Agent],
    plans: Sequence[Plan],
    words: Words,
    screen: Screen,
    asker: Asker,
    *,
    yes: bool,
) -> None:
    """Raises PreconditionError unless the user agrees to the commands of the plans that `shell` is
    the agent of; other agents need no confirmation."""
    plans = [plan for plan in plans if agents[plan.id].name == "shell"]
    if not plans:
        return
    problems = [problem for plan in plans for problem in problems_of(plan)]
    if problems:
        lines = "".join(f"\n  {problem}" for problem in problems)
        raise PreconditionError(
            f"The shell agent can't do these {words.plans}:{lines}",
            hint="mark the blocks to run with 'bash wtrun', or use another --agent",
        )
    if not yes:
        screen.heading(f"These commands come from the {words.plans} and will be run:")
        for plan in plans:
            screen.block([(line, "") for line in render_commands(plan).splitlines()])
    if not asker.confirm("Run them?", yes=yes):
        raise PreconditionError(
            f"The commands of the {words.plans} were not confirmed.",
            hint="read them, then add --yes",
        )
