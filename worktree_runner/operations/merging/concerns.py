"""What of a plan's merge is a question although nothing conflicts: for the merge engine.

- A change of what is run (core/what_runs.py): asked before the gate runs on it, and whether or
  not there is a gate, since later worktrees are set up from what has landed.
- A file brought back: deleted from the target's history, and added again by a plan that did not
  declare it. An agent that copies from an old state does that.
- What a person has decided in the plan's worktree is not asked again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from merge.policy import Concern, Declared
from merge.tree import SUBMODULE
from merge.types import Entry
from worktree_runner.core import what_runs
from worktree_runner.core.conflicts import COMMANDS, RETURNED
from worktree_runner.core.gate import shown
from worktree_runner.core.state import RunState
from worktree_runner.core.texts import clean_line
from worktree_runner.core.what_runs import Trusted
from worktree_runner.git.repository import Repository
from worktree_runner.store.settings import Settings

FAR_BACK = 2000
"""So many commits of the target's own line are looked at for a deletion: enough, and bounded."""
MOST_PATHS = 200
_ALWAYS = (what_runs.SETTINGS, what_runs.PYPROJECT)

Changes = Mapping[str, tuple[Entry | None, Entry | None]]


@dataclass(frozen=True, slots=True)
class Concerns:
    """Looks at what merging a plan onto a commit would bring; see `merge.policy.Concerns`."""

    repository: Repository
    commands: tuple[Trusted, ...]
    onto: str
    target: str
    declared: Declared

    def __call__(self, changes: Changes) -> Mapping[str, Concern]:
        open_ones = {
            path: pair for path, pair in changes.items() if path not in self.declared.exact
        }
        return {**self._returned(open_ones), **self._run(open_ones)}

    def _run(self, changes: Changes) -> dict[str, Concern]:
        families = what_runs.families(self.commands)
        known = {script.path for family in families for script in family}
        looked_at = [path for path in sorted(changes) if _may_matter(path, known)]
        if not looked_at:
            return {}
        objects = self.repository.objects
        there = objects.entries(self.onto, known)
        present = {path: self._data(entry) or b"" for path, entry in there.items()}
        scripts = what_runs.scripts(families, present)
        found = {}
        for path in looked_at:
            old, new = changes[path]
            new_mode = old is not None and new is not None and old.mode != new.mode
            data = self._data(old), self._data(new)
            why = what_runs.concern(path, *data, scripts, new_mode=new_mode)
            if why:
                found[path] = Concern(COMMANDS, f"the branch changes this file, and {why}")
        return found

    def _data(self, entry: Entry | None) -> bytes | None:
        if entry is None or entry.mode == SUBMODULE:
            return None
        return self.repository.objects.read_blob(entry.oid)

    def _returned(self, changes: Changes) -> dict[str, Concern]:
        added = [path for path, (old, new) in sorted(changes.items()) if new and not old]
        added = [path for path in added if not self.declared.covers(path)]
        return {
            path: Concern(
                RETURNED,
                f"{self.target} deleted this file ({commit[:10]} {clean_line(subject, 60)}), and "
                "the branch brings it back, which was not declared",
            )
            for path, (commit, subject) in self._deleted(added).items()
        }

    def _deleted(self, paths: list[str]) -> dict[str, tuple[str, str]]:
        """The last commit that deleted each of these paths, of those that had them once."""
        if not paths:
            return {}
        git = self.repository.git
        first = git.resolve(f"{self.onto}~{FAR_BACK}")
        since = [f"^{first}"] if first else []
        # a command line has room for so many paths; with more, all deletions are read
        asked = paths if len(paths) <= MOST_PATHS else []
        output = git.run(
            "--literal-pathspecs", "log", "-z", "--diff-filter=D", "--no-renames", "--name-only",
            "--format=%x01%H %s", self.onto, *since, "--", *asked,
        )  # fmt: skip
        found: dict[str, tuple[str, str]] = {}
        for block in os.fsdecode(output.out).split("\x01")[1:]:
            head, _, names = block.partition("\0")
            commit, _, subject = head.partition(" ")
            for name in names.strip("\n\0").split("\0"):
                found.setdefault(name.lstrip("\n"), (commit, subject))
        return {path: found[path] for path in paths if path in found}


def _may_matter(path: str, known: set[str]) -> bool:
    return path in known or path in _ALWAYS or PurePosixPath(path).name == what_runs.ATTRIBUTES


def commands_of(settings: Settings, state: RunState) -> tuple[Trusted, ...]:
    """The commands that a run starts in its worktrees: gate, set-up, and the agent."""
    return tuple(_commands(settings, state))


def _commands(settings: Settings, state: RunState) -> Iterator[Trusted]:
    if state.queue.command:
        yield Trusted(state.queue.command, f"the check '{shown(state.queue.command)}'")
    for argv in settings.worktrees.setup:
        yield Trusted(argv, f"the set-up command '{shown(argv)}'")
    for name, agent in sorted(settings.agents.items()):
        if agent.argv:
            yield Trusted(agent.argv, f"the agent {name}")
        if agent.program:
            yield Trusted((agent.program,), f"the agent {name}")


def concerns_of(
    repository: Repository,
    settings: Settings,
    state: RunState,
    declared: Declared,
    onto: str,
) -> Concerns:
    """The concerns of merging a plan onto a commit."""
    return Concerns(repository, commands_of(settings, state), onto, state.target, declared)
