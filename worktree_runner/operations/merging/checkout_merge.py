"""Merges made by `git merge --no-ff` in the integration worktree, for those whose hooks must run.

- What is merged is decided in memory as always; this only makes the commit. Where git's own merge
  comes to that tree, `git merge` makes it: pre-merge-commit, prepare-commit-msg, commit-msg and
  post-merge run. Where rules or answers changed it, it is committed as after a conflict resolved
  by hand: pre-commit, prepare-commit-msg and commit-msg run.
- A hook that fails keeps the plan from landing. Files that a hook changes are part of the merge,
  and named.
- It is done in a worker thread, so the run's loop goes on; a hook may take as long as
  `worktrees.setup_timeout`. Ctrl-C ends it, and nothing of it is recorded then.
- Git's own clean-up (`gc --auto`) is off: what a command leaves behind is ended.
"""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from merge import MergeOutcome
from worktree_runner.core.state import PlanState
from worktree_runner.core.texts import listing
from worktree_runner.git.gateway import Git
from worktree_runner.git.transient import is_transient
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.merging import landing
from worktree_runner.operations.merging.gate import tree_of
from worktree_runner.operations.merging.gate_tree import SETUP, Ready
from worktree_runner.process import Completed, Mark, run

LOG = "merge.log"
TRIES = 3
"""So often a merge is tried that another git process was in the way of."""


@dataclass(frozen=True, slots=True)
class Made:
    """A merge commit; nothing but the integration worktree's HEAD points to it."""

    commit: str
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A hook did not let the merge happen."""

    why: str
    log: str


def make(session: Session, plan: PlanState, outcome: MergeOutcome, *, onto: str) -> Made | Refused:
    """The merge commit of a settled outcome, made by git with the repository's hooks.

    Raises WtrunError where the worktree can't be made ready. A crash leaves a half-done merge
    there, which the next use throws away.
    """
    made = _made(session, plan, outcome, onto)
    for _ in range(TRIES - 1):
        if not (isinstance(made, Refused) and is_transient(made.why)):
            break  # else another git process was in the way
        made = _made(session, plan, outcome, onto)
    return made


def _made(session: Session, plan: PlanState, outcome: MergeOutcome, onto: str) -> Made | Refused:
    assert outcome.tree is not None
    ready = tree_of(session).ready(onto)
    log = session.folder.gates / LOG
    objects = session.repository.objects
    own = objects.merge_tree(onto, plan.head)
    with tempfile.TemporaryDirectory(prefix="wtrun-merge-") as folder:
        text = Path(folder) / "message"
        message = landing.message(session, plan, outcome.resolutions)
        text.write_bytes(message.encode(errors="surrogateescape"))
        sign = session.settings.merge.sign
        options = [] if sign is None else ["-S" if sign else "--no-gpg-sign"]
        steps = [["merge", "--no-ff", "--no-squash", "--no-autostash", *options, "-F", str(text)]]
        if own.clean and own.tree == outcome.tree:
            steps[0] += ["--no-edit", plan.head]
        else:
            steps[0] += ["--no-commit", plan.head]
            steps.append(["read-tree", "--reset", "-u", outcome.tree])
            steps.append(["commit", "--quiet", "--no-edit", *options, "-F", str(text)])
        for number, step in enumerate(steps):
            done = _git(session, ready, step, log)
            conflict_is_expected = number == 0 and len(steps) > 1
            if not done.ok and not (conflict_is_expected and done.code == 1):
                how = "took too long" if done.timed_out else f"ended with {done.code}"
                return Refused(f"'git {step[0]}' with its hooks {how}: {done.tail(5)}", str(log))
    return _checked(session, plan, outcome.tree, onto, ready.place, str(log))


def _git(session: Session, ready: Ready, step: Sequence[str], log: Path) -> Completed:
    """One git command there, its output in the log; what it leaves behind is ended."""
    argv = ("git", "-c", "gc.auto=0", "-c", "maintenance.auto=false", *step)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as out:
        out.write(f"$ {shlex.join(argv)}\n")
    limit = session.settings.worktrees.setup_timeout
    return run(
        argv,
        ready.place,
        mark=Mark(session.folder.id, SETUP),
        env=ready.env,
        timeout=limit,
        log=log,
    )


def _checked(
    session: Session, plan: PlanState, tree: str, onto: str, place: Path, log: str
) -> Made | Refused:
    """What the hooks left as HEAD, if it is still this merge."""
    git = Git(place)
    commit, *parents = git.text("rev-list", "--parents", "-n", "1", "HEAD").split()
    if parents != [onto, plan.head]:
        return Refused("a hook made another commit than this merge", log)
    wanted = f"Wtrun-Plan: {plan.id}"
    if wanted not in git.text("log", "-1", "--format=%(trailers:only,unfold)", commit).split("\n"):
        return Refused(f"a hook took the trailer '{wanted}' out of the message", log)
    changed = sorted(session.repository.objects.changed_paths(tree, commit))
    note = f"hooks changed {listing(changed, limit=5)} in the merge"
    return Made(commit, (note,) if changed else ())
