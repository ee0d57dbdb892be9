"""Makes a new worktree ready to work in, before any token is spent.

In this order: the user's own post-checkout hook (as `git worktree add` would have run it), files
that git does not bring along, submodules, the set-up commands. Afterwards tracked files are as
the base has them, and what lies there untracked is named, so that nobody takes it for an agent's
work. A set-up that fails ends with its output; the worktree stays for a look.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from worktree_runner.core.provision import (
    met_another,
    read_patterns,
    select,
    select_inside,
    shares,
)
from worktree_runner.errors import WtrunError
from worktree_runner.git.gateway import Git
from worktree_runner.git.untracked import (
    changed_files,
    fingerprints,
    ignored_entries,
    restore,
    untracked_files,
)
from worktree_runner.process import Completed, Mark, run
from worktree_runner.store.copying import copy_into, is_linked_checkout, link_into
from worktree_runner.store.lock import exclusive
from worktree_runner.store.paths import Layout
from worktree_runner.store.ports import Ports
from worktree_runner.store.settings import Worktrees

INCLUDE = ".worktreeinclude"
_NONE = "0" * 40


@dataclass(frozen=True, slots=True)
class Request:
    """A worktree to make ready. `log` gets all output and survives the worktree."""

    main: Path
    worktree: Path
    layout: Layout
    settings: Worktrees
    ports: Ports
    mark: Mark
    log: Path


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What was done. `env` belongs into the environment of everything that runs there."""

    env: Mapping[str, str]
    baseline_untracked: Mapping[str, str]
    """Untracked files with a digest each; see `git.untracked.unchanged`."""
    copied: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    """Tracked files that set-up had changed and that are as before again."""
    kept_changes: tuple[str, ...] = ()
    """Tracked files that set-up changed, left so by `worktrees.keep_setup_changes`."""
    notices: tuple[str, ...] = ()


class ProvisionError(WtrunError):
    """A worktree could not be made ready; nothing was started in it."""


@dataclass
class _Notes:
    copied: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def checkout_environment(settings: Worktrees) -> dict[str, str]:
    """What `worktrees.add` and all git commands in the worktree need in their environment."""
    return {} if settings.lfs else {"GIT_LFS_SKIP_SMUDGE": "1"}


def provision(request: Request) -> Provisioned:
    """Makes the worktree ready, or raises ProvisionError with the end of the output.

    Safe to repeat after a crash: what is there is not copied again, commands run again.
    """
    tree = Git(request.worktree)
    base = tree.text("rev-parse", "HEAD")
    env = {
        **checkout_environment(request.settings),
        **request.ports.environment,
        "WTRUN_WORKTREE": str(request.worktree),
        "WTRUN_MAIN_WORKTREE": str(request.main),
    }
    notes = _Notes()
    _run_post_checkout(request, tree, base, env, notes)
    _bring_files(request, notes)
    if request.settings.submodules:
        _update_submodules(request, tree, env)
    _run_setup(request, env, notes)
    if tree.text("rev-parse", "HEAD") != base:
        raise ProvisionError(
            f"setup made a commit in {request.worktree}", hint=f"see {request.log}"
        )
    changed = changed_files(tree)
    keep = request.settings.keep_setup_changes
    if not keep:
        restore(tree, changed)
    return Provisioned(
        env=env,
        baseline_untracked=fingerprints(request.worktree, untracked_files(tree)),
        copied=tuple(notes.copied),
        linked=tuple(notes.linked),
        restored=() if keep else changed,
        kept_changes=changed if keep else (),
        notices=tuple(notes.notices),
    )


def _run_post_checkout(
    request: Request, tree: Git, base: str, env: Mapping[str, str], notes: _Notes
) -> None:
    """The hook that `git worktree add` runs after its checkout, one worktree at a time."""
    hook = Path(tree.text("rev-parse", "--git-path", "hooks/post-checkout"))
    if not os.access(request.worktree / hook, os.X_OK):
        return
    argv = ("git", "hook", "run", "--ignore-missing", "post-checkout", "--", _NONE, base, "1")
    with exclusive(_setup_lock(request), _patience(request)):
        done = _command(request, argv, env, request.settings.setup_timeout)
    if not done.ok:
        notes.notices.append(f"the post-checkout hook ended with {done.code}; see {request.log}")


def _bring_files(request: Request, notes: _Notes) -> None:
    """Copies and links what the user named, and only what git does not track."""
    settings = request.settings
    include = request.main / INCLUDE
    includes = read_patterns(include.read_text(errors="replace")) if include.is_file() else ()
    if not (includes or settings.copy_files or settings.link):
        return
    git = Git(request.main)
    ignored = [path for path in ignored_entries(git) if not _holds(request, path)]
    everything = (*ignored, *untracked_files(git)) if settings.copy_files or settings.link else ()
    for path in _wanted(request.main, settings.link, everything):
        if link_into(request.main, request.worktree, path):
            notes.linked.append(path)
    chosen = dict.fromkeys(_wanted(request.main, includes, ignored))
    chosen |= dict.fromkeys(_wanted(request.main, settings.copy_files, everything))
    for path in chosen:
        try:
            if copy_into(request.main, request.worktree, path):
                notes.copied.append(path)
        except OSError as error:
            raise ProvisionError(
                f"{path} can't be copied to {request.worktree}: {error}",
                hint=f"make it readable, or take it out of {INCLUDE} and worktrees.copy",
            ) from error


def _holds(request: Request, entry: str) -> bool:
    """Whether the worktree itself lies in this folder: `*` never means that."""
    return request.worktree.is_relative_to(request.main / entry)


def _wanted(main: Path, patterns: Sequence[str], entries: Iterable[str]) -> tuple[str, ...]:
    if not patterns:
        return ()
    selection = select(entries, patterns)
    inside = [path for folder in selection.look_into for path in _files_below(main, folder)]
    return (*selection.whole, *select_inside(inside, patterns))


def _files_below(main: Path, folder: str) -> list[str]:
    """All files below a folder as repository paths; linked worktrees are left out."""
    found = []
    for place, folders, files in os.walk(main / folder):
        folders[:] = [name for name in folders if not is_linked_checkout(Path(place) / name)]
        found += [(Path(place) / name).relative_to(main).as_posix() for name in files]
    return found


def _update_submodules(request: Request, tree: Git, env: Mapping[str, str]) -> None:
    """Checks out those submodules that the user has initialised in the main worktree."""
    modules = request.worktree / ".gitmodules"
    if not modules.is_file():
        return
    listed = tree.run(
        "config", "--file", ".gitmodules", "-z", "--get-regexp", r"^submodule\..*\.path$",
        check=False,
    )  # fmt: skip
    paths = []
    for entry in listed.fields:
        key, _, path = entry.partition("\n")
        name = key.removeprefix("submodule.").removesuffix(".path")
        if tree.ok("config", "--get", f"submodule.{name}.url"):
            paths.append(path)
    if not paths:
        return
    argv = ("git", "submodule", "update", "--init", "--recursive", "--", *paths)
    with exclusive(_setup_lock(request), _patience(request)):
        done = _command(request, argv, env, request.settings.setup_timeout)
    if not done.ok:
        raise _failed(request, argv, done, "set worktrees.submodules to false to leave them out")


def _run_setup(request: Request, env: Mapping[str, str], notes: _Notes) -> None:
    settings = request.settings
    if not settings.setup:
        return
    package = request.worktree / "package.json"
    shared = shares(
        settings.setup, package.read_text(errors="replace") if package.is_file() else None
    )
    until = None if settings.setup_timeout is None else time.monotonic() + settings.setup_timeout
    for argv in settings.setup:
        with ExitStack() as alone:
            if shared is not None:
                alone.enter_context(exclusive(_setup_lock(request), _patience(request)))
            left = None if until is None else max(1.0, until - time.monotonic())
            done = _command(request, argv, env, left)
        if not done.ok and not done.timed_out and shared is None and met_another(done.tail(200)):
            notes.notices.append(f"setup met another one at git's configuration: {argv[-1]}")
            with exclusive(_setup_lock(request), _patience(request)):
                done = _command(request, argv, env, left)
        if not done.ok:
            raise _failed(request, argv, done, "change worktrees.setup, or repair it there")


def _setup_lock(request: Request) -> Path:
    return request.layout.root / "setup.lock"


def _patience(request: Request) -> float:
    """Up to 64 others may be in front, each with its whole time."""
    return 64 * (request.settings.setup_timeout or 3600.0)


def _command(
    request: Request, argv: tuple[str, ...], env: Mapping[str, str], timeout: float | None
) -> Completed:
    request.log.parent.mkdir(parents=True, exist_ok=True)
    with request.log.open("a") as log:
        log.write(f"$ {' '.join(argv)}\n")
    return run(argv, request.worktree, mark=request.mark, env=env, timeout=timeout, log=request.log)


def _failed(
    request: Request, argv: tuple[str, ...], done: Completed, advice: str
) -> ProvisionError:
    shown = argv[-1] if argv[:2] == ("sh", "-c") else " ".join(argv)
    how = (
        f"took longer than {request.settings.setup_timeout:.0f} s"
        if done.timed_out
        else f"ended with {done.code}"
    )
    return ProvisionError(
        f"'{shown}' in {request.worktree} {how}:\n{done.tail(15)}",
        hint=f"{advice}; all output: {request.log}",
    )
