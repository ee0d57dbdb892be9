"""`wtrun execute PHASE`."""

from __future__ import annotations

from typing import Any

import click

SETTINGS = {
    "max_parallel": "max_parallel",
    "agent": "agent",
    "model": "model",
    "dialect": "dialect",
    "on_failure": "on_failure",
    "on_conflict": "merge.on_conflict",
    "resolve": "merge.resolve",
    "merge_order": "merge.order",
    "gate": "gate.command",
    "checkout_merge": "merge.checkout_merge",
    "branching": "branching.strategy",
    "timeout": "limits.timeout",
    "stall_timeout": "limits.stall_timeout",
    "retries": "limits.retries",
    "max_cost": "limits.max_cost",
    "max_tokens": "limits.max_tokens",
    "plan_max_cost": "limits.plan_max_cost",
    "plan_max_tokens": "limits.plan_max_tokens",
    "on_reserved": "reservations.on_reserved",
}
"""Which setting an option is."""


@click.command(
    "execute",
    epilog="""\b
Examples:
  wtrun execute 3 --dry-run     waves, branches, command lines; changes nothing
  wtrun execute 3 -j 2          two agents at a time
  wtrun execute 3 --only 03-02  one plan
  wtrun execute 3 --no-input --on-failure continue
                                in a script: never asks

Run it again after Ctrl-C, a crash or a conflict: it goes on where it was.""",
)
@click.argument("phase")
@click.option("--only", metavar="ID", multiple=True, help="Run this plan only (repeatable).")
@click.option("--wave", type=int, metavar="N", help="Run the plans of one wave only.")
@click.option("--gaps-only", is_flag=True, help="Run gap-closure plans only.")
@click.option("-n", "--dry-run", is_flag=True, help="Show all that would happen; change nothing.")
@click.option(
    "-j", "--max-parallel", type=click.IntRange(1, 64), metavar="N", help="Agents at a time [3]."
)
@click.option("--sequential", is_flag=True, help="One plan at a time.")
@click.option("--agent", metavar="NAME", help="The coding agent; see 'wtrun agents'.")
@click.option("--model", metavar="NAME", help="The model that the agent is told to use.")
@click.option(
    "--resume-session",
    is_flag=True,
    help="Go on in the agent's own session after an answer, a crash or a retry.",
)
@click.option(
    "--now", is_flag=True, help="Go on now: wait for no quota to come back and for no retry's time."
)
@click.option("--timeout", metavar="TIME", help="Time limit of one attempt: 90s, 20m, 2h.")
@click.option(
    "--stall-timeout", metavar="TIME", help="Longest time without output or a changed file."
)
@click.option(
    "--retries", type=click.IntRange(0, 20), metavar="N", help="Tries again after passing errors."
)
@click.option("--max-cost", type=float, metavar="USD", help="Start nothing more beyond this cost.")
@click.option("--max-tokens", type=int, metavar="N", help="Start nothing more beyond these tokens.")
@click.option("--plan-max-cost", type=float, metavar="USD", help="The same for each plan.")
@click.option("--plan-max-tokens", type=int, metavar="N", help="The same for each plan.")
@click.option(
    "--on-failure",
    type=click.Choice(["ask", "continue", "stop"]),
    help="After a failed plan: ask (without a terminal: stop), go on, or stop.",
)
@click.option(
    "--on-conflict",
    type=click.Choice(["ask", "stop", "skip", "rerun", "ours", "theirs"]),
    help="When merging needs a person: ask (without a terminal: leave it and go on), stop, skip "
    "the plan, rerun it on what has landed, or take one side: ours is yours, theirs the plan's.",
)
@click.option(
    "--resolve",
    type=click.Choice(["none", "proven", "tested"]),
    help="Which conflicts may be settled by rule [proven]; tested needs a green gate.",
)
@click.option("--gate", metavar="CMD", help="The check that merges must pass; see 'wtrun config'.")
@click.option("--no-gate", is_flag=True, help="Merge unchecked; the report says so.")
@click.option(
    "--checkout-merge",
    is_flag=True,
    default=None,
    help="Merge by 'git merge --no-ff' in a worktree, so that merge hooks run.",
)
@click.option(
    "--merge-order",
    type=click.Choice(["plan", "fewest-conflicts"]),
    help="Which finished plans merge first [plan].",
)
@click.option(
    "--branching",
    type=click.Choice(["none", "phase", "stage", "milestone"]),
    help="Land on the current branch, or on one for the phase or the milestone.",
)
@click.option(
    "--on-reserved",
    type=click.Choice(["wait", "ask", "fail"]),
    help="When others have reserved a plan's files: wait, ask (without a terminal: fail), fail.",
)
@click.option(
    "--skip-verification",
    is_flag=True,
    help="Take the goal as reached once every plan is done: no verifier, no acceptance.",
)
@click.option("--no-review", is_flag=True, help="Don't ask to accept what was verified.")
@click.option("--dialect", metavar="NAME|FILE", help="Read the planning files as this dialect.")
@click.option("--no-input", is_flag=True, help="Never ask; end with the code that says why.")
@click.option("-y", "--yes", is_flag=True, help="Confirm what would be asked before starting.")
@click.option(
    "--progress",
    type=click.Choice(["auto", "live", "plain", "none"]),
    default="auto",
    help="How to narrate.",
)
def command(**given: Any) -> int:
    """Run the plans of PHASE (3, 03, 2.1, 04b) in parallel worktrees and merge them back.

    Every plan gets a worktree and a branch from the current commit of your branch. Its agent works
    there; what it finishes is merged in memory and your branch moves forward when that loses
    nothing of yours. What can't be settled by rule is asked, or waits for 'wtrun resolve'. Once
    every plan is done, the goal is verified.

    Ends with 0 done, 1 a plan or the goal failed, 2 usage, 3 a conflict waits, 4 an answer is
    awaited,
    5 something is in the way, 6 another wtrun is at work, 7 the agent can't be run.
    """
    from pathlib import Path

    from worktree_runner.commands.terminal import open_terminal
    from worktree_runner.operations.execute import Options, execute

    options = Options(
        phase=given["phase"],
        only=given["only"],
        wave=given["wave"],
        gaps_only=given["gaps_only"],
        dry_run=given["dry_run"],
        yes=given["yes"],
        now=given["now"],
    )
    flags = {key: given[name] for name, key in SETTINGS.items() if given[name] is not None}
    if given["branching"] == "stage":
        flags["branching.strategy"] = "phase"
    if given["resume_session"]:
        flags["resume"] = "session"
    if given["sequential"]:
        flags["max_parallel"] = 1
    if given["no_gate"]:
        flags["gate.enabled"] = False
    if given["skip_verification"]:
        flags["verify"] = False
    if given["no_review"]:
        flags["accept"] = False
    screen, asker = open_terminal(progress=given["progress"], no_input=given["no_input"])
    return int(execute(Path.cwd(), options, flags, screen, asker))
