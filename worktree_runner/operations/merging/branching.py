"""Which branch a run's work lands on, by the setting `branching.strategy`.

- `none` is the branch that is checked out. `phase` and `milestone` are branches named by a
  template: reused where they are there, else made at the current branch's HEAD when the run
  starts.
- The user's checkout is switched only after the user said so at a prompt. Otherwise the run
  reads plans and state from the target's tree and moves the target by its ref.
- What a target that is there lacks (plans that were committed elsewhere) is merged into it only
  on the user's word, in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from merge import Settings as MergeSettings
from merge import merge_commits
from worktree_runner.core.docs.roadmap import Milestone, milestone
from worktree_runner.core.docs.update import find_documents
from worktree_runner.core.listing import find_phase, phase_paths
from worktree_runner.core.places import branch_of
from worktree_runner.core.questions import Option
from worktree_runner.core.targets import branch_name, names_phase, template_of
from worktree_runner.core.texts import listing
from worktree_runner.errors import PreconditionError, UsageError
from worktree_runner.git import branches
from worktree_runner.git.gateway import Git
from worktree_runner.git.publish import Outcome, publish
from worktree_runner.git.repository import Repository, current_branch
from worktree_runner.models import Phase, PhaseDir
from worktree_runner.operations.context.project import Project
from worktree_runner.planning.reader import DiskFiles, PlanningFiles
from worktree_runner.ui.ask import Answer, Asker
from worktree_runner.ui.console import Screen

SWITCH = Option("s", "switch to it now", "Checks the branch out here; local edits come along.")
LEAVE = Option("l", "leave my checkout where it is", "wtrun moves the branch without it.")


@dataclass(frozen=True, slots=True)
class Target:
    """The branch that a run's work lands on, as it is now."""

    branch: str
    commit: str
    """Its tip; for a branch that is still to be made, where it will start."""
    place: Path | None
    """The worktree in which it is checked out, if there is one."""
    home: bool
    """Whether that is the one in which the user stands."""
    strategy: str = "none"
    new: bool = False
    current: str = ""
    """The branch that is checked out where the user stands; empty if HEAD is detached."""

    @property
    def desk(self) -> bool:
        """Whether files on disk can be what the target is about to hold."""
        return self.place is not None or self.new


def choose_target(project: Project, token: str) -> Target:
    """The target for a new run of a phase; nothing is made or switched yet.

    Raises where there is no branch to land on, or none can be named.
    """
    repository, strategy = project.repository, project.settings.branching.strategy
    if strategy == "none":
        branch = current_branch(repository)
        head = repository.git.text("rev-parse", "HEAD")
        return Target(branch, head, repository.home, home=True, current=branch)
    name = _name(project, strategy, token)
    current = repository.git.run("symbolic-ref", "--quiet", "--short", "HEAD", check=False).text
    at = repository.git.resolve(f"refs/heads/{name}")
    if at is None:
        current = current_branch(repository)
        head = repository.git.text("rev-parse", "HEAD")
        return Target(name, head, None, home=False, strategy=strategy, new=True, current=current)
    place = checkout_of(repository, name)
    home = place is not None and place.resolve() == repository.home.resolve()
    if home:
        current_branch(repository)  # refuses where a rebase or merge is under way
    return Target(name, at, place, home, strategy, current=current)


def checkout_of(repository: Repository, branch: str) -> Path | None:
    """The worktree in which a branch is checked out: the user's own first."""
    ref = f"refs/heads/{branch}"
    places = [tree.path for tree in repository.worktrees() if tree.branch == ref]
    mine = [place for place in places if place.resolve() == repository.home.resolve()]
    return next(iter([*mine, *places]), None)


def _name(project: Project, strategy: str, token: str) -> str:
    settings, dialect = project.settings.branching, project.dialect
    own = settings.milestone_template if strategy == "milestone" else settings.phase_template
    template = template_of(dialect, strategy, own)
    phase = _phase(project, token) if strategy == "phase" or names_phase(template) else None
    name = branch_name(dialect, strategy, template, phase, _milestone(project))
    branches.check_name(project.repository.git, name)
    return name


def _sources(project: Project) -> list[PlanningFiles]:
    """Where the user's phases may be: committed here, or only on disk."""
    head = project.repository.git.resolve("HEAD")
    committed = [project.files(head)] if head is not None else []
    return [*committed, DiskFiles(project.repository.home, project.dialect.roots)]


def _phase(project: Project, token: str) -> PhaseDir:
    *others, last = _sources(project)
    for files in others:
        try:
            return find_phase(files.paths(), project.dialect, token)
        except UsageError:
            continue
    return find_phase(last.paths(), project.dialect, token)


def _milestone(project: Project) -> Milestone:
    for files in _sources(project):
        path = find_documents(files.paths(), project.dialect).roadmap
        if path is not None:
            return milestone(files.read([path]).get(path, b""), project.dialect)
    return Milestone()


def settle(
    project: Project, target: Target, token: str, screen: Screen, asker: Asker, *, yes: bool
) -> Target:
    """The target with everything decided that needs the user, before its plans are read.

    On a terminal the user may switch to it; what the phase has on the current branch and not on
    the target may be merged into it.
    """
    if target.strategy == "none":
        return target
    target = _offer_switch(project, target, asker)
    target = _bring_plans(project, target, token, screen, asker, yes=yes)
    word = project.dialect.words.phase if target.strategy == "phase" else target.strategy
    screen.say(f"Branching: {word} → {target.branch}{_where(target)}")
    return target


def _where(target: Target) -> str:
    new = f" (new, from {target.current})" if target.new else ""
    if target.home:
        return new
    if target.place is not None:
        return f"{new}, checked out in {target.place}"
    stays = f" stays on {target.current}" if target.current else " stays where it is"
    return f"{new}; your checkout{stays}"


def _offer_switch(project: Project, target: Target, asker: Asker) -> Target:
    if target.place is not None or not asker.interactive:
        return target
    answer = asker.choose(f"The work will land on {target.branch}:", (SWITCH, LEAVE))
    if not isinstance(answer, Answer):
        raise KeyboardInterrupt
    if answer.key == LEAVE.key:
        return target
    repository = project.repository
    branches.switch(repository.git, target.branch, new=target.new)
    commit = repository.git.text("rev-parse", "HEAD")
    return replace(
        target, commit=commit, place=repository.home, home=True, new=False, current=target.branch
    )


def _bring_plans(
    project: Project, target: Target, token: str, screen: Screen, asker: Asker, *, yes: bool
) -> Target:
    """Offers to merge the current branch into a target that lacks planning files of the phase."""
    lacking = _lacking(project, target, token)
    if not lacking:
        return target
    here = target.current or "HEAD"
    shown = listing(list(lacking), limit=5)
    verb = "is" if len(lacking) == 1 else "are"
    screen.warn(f"{shown} {verb} on {here} and not on {target.branch}")
    if asker.confirm(f"Merge {here} into {target.branch} first?", yes=yes):
        return _merge_current(project, target)
    by_hand = f"git switch {target.branch} && git merge {here}"
    try:
        find_phase(project.files(target.commit).paths(), project.dialect, token)
    except UsageError as error:
        word = project.dialect.words.phase
        raise PreconditionError(
            f"{target.branch} lacks {word} {token}, which is on {here}.", hint=by_hand
        ) from error
    screen.warn(f"what counts is on {target.branch}", hint=by_hand)
    return target


def _lacking(project: Project, target: Target, token: str) -> tuple[str, ...]:
    head = project.repository.git.resolve("HEAD")
    if not project.tracked or target.new or target.home or head in (None, target.commit):
        return ()
    paths = project.files(str(head)).paths()
    try:
        phase = find_phase(paths, project.dialect, token)
    except UsageError:
        return ()
    there = frozenset(project.files(target.commit).paths())
    wanted = phase_paths(paths, phase, project.dialect)
    return tuple(path for path in wanted if path not in there)


def _merge_current(project: Project, target: Target) -> Target:
    """Merges HEAD into the target, in memory; PreconditionError if that conflicts or is held."""
    repository = project.repository
    objects, head = repository.objects, repository.git.text("rev-parse", "HEAD")
    here = target.current or head[:10]
    by_hand = f"git switch {target.branch} && git merge {here}"
    commit = head
    if not objects.is_ancestor(target.commit, head):
        labels = (target.branch, here)
        settings = MergeSettings(tier="none")
        merged = merge_commits(objects, target.commit, head, settings=settings, labels=labels)
        if merged.tree is None:
            paths = listing([item.path for item in merged.conflicts], limit=5)
            raise PreconditionError(
                f"{here} conflicts with {target.branch} in {paths}.", hint=by_hand
            )
        message = f"Merge branch '{here}' into {target.branch}\n"
        sign = bool(project.settings.merge.sign)
        commit = objects.commit_tree(merged.tree, (target.commit, head), message, sign=sign)
    return move_to(project, target, commit, by_hand)


def move_to(project: Project, target: Target, commit: str, by_hand: str) -> Target:
    """The target at a commit that builds on it; one that is still to be made will start there.

    PreconditionError where the branch is held; `by_hand` is the hint if there is no better one.
    """
    if not target.new:
        result = publish(project.repository, target.branch, commit)
        if result.outcome not in (Outcome.PUBLISHED, Outcome.CURRENT):
            raise PreconditionError(
                f"{target.branch} can't be moved: {result.reason}.", hint=result.hint or by_hand
            )
    return replace(target, commit=commit)


def refresh(project: Project, target: Target) -> Target:
    """The target after something was committed where it is checked out, or will start from."""
    git = project.repository.git
    ref = "HEAD" if target.new else f"refs/heads/{target.branch}"
    return replace(target, commit=git.text("rev-parse", ref))


def desk_of(project: Project, target: Target) -> Git:
    """Git in the checkout whose uncommitted planning files the run would lack."""
    return Git(target.place or project.repository.home)


def phase_path(project: Project, target: Target, token: str) -> str:
    """The phase's directory on the target, or on disk where it is still to be committed."""
    try:
        return find_phase(project.files(target.commit).paths(), project.dialect, token).path
    except UsageError:
        if not target.desk:
            raise
    disk = DiskFiles(desk_of(project, target).path, project.dialect.roots)
    return find_phase(disk.paths(), project.dialect, token).path


def make_target(project: Project, target: Target, phase: Phase) -> None:
    """Makes the branch if it is new. A crash right after leaves a branch that is reused."""
    dialect = project.dialect
    for plan in phase.plans:
        other = branch_of(dialect, plan.phase, plan.number)
        if f"{other}/".startswith(f"{target.branch}/") or target.branch.startswith(f"{other}/"):
            raise UsageError(
                f"the branches {target.branch} and {other} of {plan.id} can't both exist",
                hint="wtrun config --origin branching",
            )
    if target.new:
        branches.create(project.repository.git, target.branch, target.commit)
