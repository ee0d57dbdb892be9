"""Adds, lists and removes wtrun's worktrees in a repository that others use at the same time.

- Every change of git's records happens under one lock file in the common dir, for milliseconds;
  the checkout, which takes long, happens outside it.
- Other people's git commands don't take that lock. So known transient errors are tried again,
  and what git says afterwards counts, not that a command ended with 0.
- A worktree is wtrun's if and only if its record is locked with wtrun's reason. Git writes that
  reason first of all, so a crash at any moment leaves a marked record. It also keeps foreign
  `git worktree prune` and `remove` away. Who unlocks it takes it over: wtrun then leaves it alone.
- The first line of a branch's reflog holds the same mark, so `clean` can tell wtrun's branches.
- A branch is created only where there was none, and removed only where it still points to what
  the caller saw. Never a global prune, never gc, never a change of the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from worktree_runner.errors import PreconditionError, WtrunError
from worktree_runner.git.entries import discard, is_linked, real, reason_of, record_of
from worktree_runner.git.gateway import Git, GitError
from worktree_runner.git.listing import Mark, Worktree, list_all, list_own
from worktree_runner.git.transient import ENGLISH, again
from worktree_runner.store.atomic import save_text
from worktree_runner.store.lock import exclusive
from worktree_runner.store.paths import Layout

__all__ = [
    "BranchExistsError", "Mark", "Worktree", "add", "delete_branch", "list_all", "list_own",
    "remark", "remove",
]  # fmt: skip


LOCK_PATIENCE_S = 60.0


class BranchExistsError(PreconditionError):
    """The branch is there already, with commits of its own or in use."""

    def __init__(self, branch: str, tip: str, used_at: Path | None) -> None:
        where = f" and is checked out at {used_at}" if used_at else ""
        super().__init__(
            f"branch {branch} already exists at {tip[:10]}{where}",
            hint=f"see what it holds: git log --oneline -5 {branch}; wtrun clean --dry-run lists "
            "left-over branches of wtrun",
        )
        self.branch = branch
        self.tip = tip
        self.used_at = used_at


@dataclass(frozen=True, slots=True)
class _New:
    """What `add` is to make."""

    layout: Layout
    path: Path
    branch: str | None
    base: str
    mark: Mark


# --- adding ----------------------------------------------------------------------------------


def add(
    git: Git,
    layout: Layout,
    *,
    path: Path,
    branch: str | None,
    base: str,
    mark: Mark,
    env: Mapping[str, str] | None = None,
) -> Worktree:
    """A new worktree at `path` on a new branch at the full commit id `base`, files checked out.

    `branch` None means a detached HEAD. HEAD was compared with `base` before this returns. A
    left-over branch that points to `base` and is in use nowhere is taken; any other one raises
    BranchExistsError. On an error nothing stays. A crash leaves a marked record (`list_all`), or
    an unused branch at `base`; a second call with the same arguments works after either.
    """
    new = _New(layout, real(path), branch, base, mark)
    _check_place(new)
    made = False
    try:
        with exclusive(layout.worktrees_lock, LOCK_PATIENCE_S):
            _clear_own_record(new)
            made = _make_branch(git, new)
            _make_record(git, new)
        _assert_head(new)
        Git(new.path).run("reset", "--hard", "--quiet", "--no-recurse-submodules", env=env)
    except BaseException:
        with exclusive(layout.worktrees_lock, LOCK_PATIENCE_S):
            _undo(git, new, branch_made=made)
        raise
    record = record_of(layout, new.path)
    if record is None:
        raise WtrunError(f"the worktree {path} was removed while it was being made")
    return Worktree(new.path, record, head=base, branch=branch, locked=mark.reason)


def _check_place(new: _New) -> None:
    """Raises where a worktree can't or shouldn't be."""
    path = new.path
    record = record_of(new.layout, path) if path.exists() else None
    mark = Mark.parse(reason_of(record)) if record else None
    if mark is not None:
        raise PreconditionError(
            f"{path} is still the worktree of {mark.owner}, attempt {mark.attempt} of {mark.run}",
            hint="wtrun clean --dry-run",
        )
    if path.is_symlink() or (path.exists() and (not path.is_dir() or any(path.iterdir()))):
        raise PreconditionError(
            f"{path} is in the way of a new worktree",
            hint=f"look at it, then move it away: mv {path} {path}.old",
        )
    main = new.layout.common_dir.parent
    for folder in path.parents:
        if folder == main:
            return
        own = is_linked(new.layout, folder)  # a bare repository's main worktree, for one
        if main in folder.parents and (folder / ".git").exists() and not own:
            raise PreconditionError(
                f"{path} would lie inside another repository, {folder}",
                hint="choose another place with the setting worktrees.root",
            )


def _clear_own_record(new: _New) -> None:
    """Puts aside a record of wtrun whose folder is gone; raises for anybody else's."""
    record = record_of(new.layout, new.path)
    if record is None:
        return
    reason = reason_of(record)
    if Mark.parse(reason) is None:
        unlock = "" if reason is None else f"git worktree unlock {new.path}; "
        raise PreconditionError(
            f"git has a worktree at {new.path} on record, but its folder is gone"
            + (f"; it is locked: {reason}" if reason else ""),
            hint=f"{unlock}git worktree remove --force {new.path}",
        )
    discard(new.layout, record, label=f"record-{record.name}")


def _make_branch(git: Git, new: _New) -> bool:
    """Creates the branch; False if none is wanted or exactly this one was left over."""
    if new.branch is None:
        return False
    ref = f"refs/heads/{new.branch}"
    try:
        # an empty old value: only where there is none
        argv = ("update-ref", "--create-reflog", "-m", new.mark.reason, ref, new.base, "")
        again(lambda: git.run(*argv, env=ENGLISH))
        return True
    except GitError as error:
        _explain_branch(git, new.branch, new.base, error)
        return False


def _explain_branch(git: Git, branch: str, base: str, error: GitError) -> None:
    """Returns if the branch is at `base` and unused; else raises what is in the way."""
    ref = f"refs/heads/{branch}"
    if not git.ok("check-ref-format", ref):
        raise PreconditionError(
            f"'{branch}' is no valid branch name", hint="git check-ref-format --help"
        )
    parts = branch.split("/")
    for name in ("/".join(parts[:n]) for n in range(1, len(parts))):
        if git.ok("show-ref", "--verify", "--quiet", f"refs/heads/{name}"):
            raise PreconditionError(
                f"branch {name} is in the way: git can't have {branch} beside it",
                hint=f"git branch -m {name} {name}-old",
            )
    below = git.run("for-each-ref", "--count=1", "--format=%(refname:short)", f"{ref}/").text
    if below:
        raise PreconditionError(
            f"branch {below} is in the way: git can't have {branch} beside it",
            hint=f"git branch -m {below} {below.replace('/', '-')}",
        )
    tip = git.resolve(ref)
    if tip is None:
        raise error
    used = next((tree.path for tree in list_all(git) if tree.branch == branch), None)
    if tip != base or used is not None:
        raise BranchExistsError(branch, tip, used)


def _make_record(git: Git, new: _New) -> None:
    """`git worktree add` without a checkout, until git's record of it is really there."""
    argv = ["worktree", "add", "--quiet", "--no-checkout", "--lock", "--reason", new.mark.reason]
    if new.branch is None:
        argv += ["--detach", str(new.path), new.base]
    else:
        argv += [str(new.path), new.branch]

    def attempt() -> None:
        try:
            git.run(*argv, env=ENGLISH)
            if record_of(new.layout, new.path) is None:
                raise _VanishedError(new.path)
        except (GitError, _VanishedError):
            _drop(new)
            raise

    again(attempt, also=(_VanishedError,))


class _VanishedError(WtrunError):
    """A foreign prune took the record away before git had marked it."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"git's record of the new worktree {path} vanished at once",
            hint="see whether another program runs 'git worktree prune' all the time",
        )


def _assert_head(new: _New) -> None:
    tree = Git(new.path)
    output = again(
        lambda: tree.run("rev-parse", "HEAD", "--symbolic-full-name", "HEAD", env=ENGLISH)
    )
    said = output.text.splitlines()
    wanted = [new.base, f"refs/heads/{new.branch}" if new.branch else "HEAD"]
    if said != wanted:
        raise WtrunError(
            f"the new worktree {new.path} stands at {' '.join(said)}, not at {' '.join(wanted)}",
            hint="another program moved the branch; try again",
        )


def _undo(git: Git, new: _New, *, branch_made: bool) -> None:
    """Removes what a failed `add` made, and only that."""
    _drop(new)
    if branch_made:
        git.run("update-ref", "-d", f"refs/heads/{new.branch}", new.base, check=False)


def _drop(new: _New) -> None:
    """Puts aside the folder and git's record of it if they carry exactly this mark."""
    record = record_of(new.layout, new.path)
    if record is not None and reason_of(record) == new.mark.reason:
        discard(new.layout, new.path, label=new.path.name)
        discard(new.layout, record, label=f"record-{record.name}")
    elif record is None and _is_half_made(new.path):
        discard(new.layout, new.path, label=new.path.name)


def _is_half_made(path: Path) -> bool:
    """Whether git made this folder and could not go on."""
    return path.is_dir() and [file.name for file in path.iterdir()] in ([], [".git"])


# --- removing --------------------------------------------------------------------------------


def remove(git: Git, layout: Layout, tree: Worktree) -> None:
    """Takes a worktree of wtrun away, at once at any size: folder and record go to the trash.

    The caller has proven that nothing in it is lost. Raises unless it is still marked as this
    run's. A crash leaves a marked record without a folder, which a second call clears. The
    branch stays; see `delete_branch`. `entries.empty_trash` gives the space back.
    """
    with exclusive(layout.worktrees_lock, LOCK_PATIENCE_S):
        record = record_of(layout, tree.path)
        if record is None:
            if tree.path.exists():
                raise PreconditionError(
                    f"{tree.path} is no worktree of this repository any more",
                    hint=f"look at it, then remove it: rm -r {tree.path}",
                )
            return
        reason = reason_of(record)
        if Mark.parse(reason) is None or reason != tree.locked:
            raise PreconditionError(
                f"{tree.path} is not marked as wtrun's, so wtrun does not remove it",
                hint=f"git worktree remove {tree.path}",
            )
        discard(layout, tree.path, label=tree.path.name)
        discard(layout, record, label=f"record-{record.name}")


def delete_branch(git: Git, layout: Layout, branch: str, expected: str) -> None:
    """Deletes a branch that points to `expected` and is checked out nowhere; else raises.

    The caller has proven that its commits are kept elsewhere. Does nothing if it is gone.
    """
    ref = f"refs/heads/{branch}"
    with exclusive(layout.worktrees_lock, LOCK_PATIENCE_S):
        used = next((tree for tree in list_all(git) if tree.branch == branch), None)
        if used is not None:
            raise PreconditionError(
                f"branch {branch} is checked out at {used.path}", hint="wtrun clean --dry-run"
            )
        tip = git.resolve(ref)
        if tip is None:
            return
        if tip != expected:
            raise PreconditionError(
                f"branch {branch} moved to {tip[:10]}, expected {expected[:10]}",
                hint=f"git log --oneline {expected[:10]}..{branch}",
            )
        again(lambda: git.run("update-ref", "-d", ref, expected, env=ENGLISH))


def remark(git: Git, layout: Layout, tree: Worktree, mark: Mark) -> Worktree:
    """The same worktree with another mark, as when a later run takes it over; one step on disk."""
    with exclusive(layout.worktrees_lock, LOCK_PATIENCE_S):
        record = record_of(layout, tree.path)
        if record is None or Mark.parse(reason_of(record)) is None:
            raise PreconditionError(f"{tree.path} is not wtrun's", hint="git worktree list -v")
        save_text(record / "locked", mark.reason + "\n")
    return replace(tree, locked=mark.reason)
