"""The integration worktree: where the gate runs, made ready exactly as a plan's worktree is.

- One for a run, detached, marked as wtrun's with the owner `gate`, taken away at the run's end.
  Nothing of anybody's work is ever only there, so it is put on each candidate by force.
- Set up once, and again where a candidate changes a manifest, a lock file or a submodule. The
  facts of the last set-up are written when it is complete; a tree without them is made anew.
- Ignored files stay from one candidate to the next (caches, installed packages); untracked ones
  that a gate left behind go.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from worktree_runner.core.places import safe_name
from worktree_runner.git import worktrees
from worktree_runner.git.exclude import exclude_worktrees
from worktree_runner.git.gateway import Git
from worktree_runner.git.repository import Repository
from worktree_runner.git.worktrees import Mark, Worktree
from worktree_runner.operations.context import places
from worktree_runner.operations.context.provision import Request, checkout_environment, provision
from worktree_runner.process import Mark as ProcessMark
from worktree_runner.store.atomic import save_text
from worktree_runner.store.paths import RunFolder
from worktree_runner.store.ports import default_file, lease
from worktree_runner.store.settings import Worktrees

OWNER = "gate"
SETUP = "setup-gate"
_MANIFESTS = re.compile(
    r"package\.json|npm-shrinkwrap\.json|pyproject\.toml|setup\.(?:py|cfg)|Pipfile|environment\.ya?ml"
    r"|(?:.*-)?requirements.*\.(?:txt|in)|constraints.*\.txt|Cargo\.toml|go\.(?:mod|sum|work)"
    r"|Gemfile|composer\.json|mix\.exs|pom\.xml|.*\.gradle(?:\.kts)?|.*\.lock|.*-lock\.(?:json|ya?ml)"
    r"|bun\.lockb|\.gitmodules|\.worktreeinclude|\.(?:node|python|ruby)-version|\.tool-versions"
)


@dataclass(frozen=True, slots=True)
class Ready:
    """The integration worktree on its commit, and what its processes need in their environment."""

    place: Path
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GateTree:
    """What a worker needs to put the integration worktree on a commit; nothing of it changes."""

    repository: Repository
    folder: RunFolder
    settings: Worktrees
    phase: str

    @property
    def run(self) -> str:
        return self.folder.id

    def _free_place(self) -> Path:
        """A folder that nobody uses; a run that was given up may still have the first name."""
        root = places.root(self.repository, self.settings.root)
        name = safe_name(f"wt-{self.phase}-{OWNER}")
        numbered = (root / (name if n == 1 else f"{name}-{n}") for n in range(1, places.TRIES))
        return next(place for place in numbered if not place.exists())

    def find(self) -> Worktree | None:
        """The worktree of this run if it is there."""
        own = worktrees.list_own(self.repository.git, self.run)
        return next((tree for tree in own if tree.mark and tree.mark.owner == OWNER), None)

    def ready(self, candidate: str) -> Ready:
        """Puts the worktree on the candidate and makes it ready.

        Raises WtrunError where that is not possible. Safe to repeat after a crash at any moment.
        """
        tree, facts = self.find(), self._load()
        if tree is not None and (not facts or not tree.path.is_dir()):
            self.remove()
            tree = None
        if tree is None:
            self._file.unlink(missing_ok=True)
            tree, facts = self._add(candidate), {}
        else:
            self._move(tree.path, candidate, facts["baseline"])
        if not facts or self._needs_setup(str(facts["commit"]), candidate):
            facts = self._set_up(tree.path, candidate)
        return Ready(tree.path, dict(facts["env"]))

    def remove(self) -> None:
        """Takes the worktree away; nothing in it is anybody's work."""
        tree = self.find()
        if tree is not None:
            worktrees.remove(self.repository.git, self.repository.layout, tree)
        self._file.unlink(missing_ok=True)

    def _add(self, candidate: str) -> Worktree:
        repository, place = self.repository, self._free_place()
        exclude_worktrees(repository.git, repository.layout, place.parent)
        return worktrees.add(
            repository.git,
            repository.layout,
            path=place,
            branch=None,
            base=candidate,
            mark=Mark(self.run, OWNER),
            env=checkout_environment(self.settings),
        )

    def _move(self, place: Path, candidate: str, baseline: Mapping[str, str]) -> None:
        git = Git(place)
        env = checkout_environment(self.settings)
        git_dir = Path(git.text("rev-parse", "--absolute-git-dir"))
        for lock in (
            "index.lock",
            "HEAD.lock",
        ):  # of a git that was killed: only this run's work here
            (git_dir / lock).unlink(missing_ok=True)
        git.run("reset", "--quiet", "--hard", env=env)  # a merge may have been cut off here
        git.run("checkout", "--quiet", "--detach", "--force", candidate, env=env)
        kept = [f"--exclude=/{_literal(path)}" for path in sorted(baseline)]
        git.run("clean", "--quiet", "-d", "--force", *kept)

    def _needs_setup(self, done_for: str, candidate: str) -> bool:
        changed = self.repository.objects.changed_paths(done_for, candidate)
        return any(
            _MANIFESTS.fullmatch(PurePosixPath(path).name)
            or any(entry is not None and entry.mode == "160000" for entry in sides)
            for path, sides in changed.items()
        )

    def _set_up(self, place: Path, candidate: str) -> dict[str, Any]:
        layout = self.repository.layout
        self._file.unlink(missing_ok=True)
        done = provision(
            Request(
                main=self.repository.home,
                worktree=place,
                layout=layout,
                settings=self.settings,
                ports=lease(default_file(os.environ, layout.root), place, self.settings.port_base),
                mark=ProcessMark(self.run, SETUP),
                log=self.folder.gates / "setup.log",
            )
        )
        facts = {
            "v": 1,
            "commit": candidate,
            "env": dict(done.env),
            "baseline": dict(done.baseline_untracked),
        }
        save_text(self._file, json.dumps(facts, indent=1) + "\n", mode=0o600)
        return facts

    @property
    def _file(self) -> Path:
        return self.folder.path / "worktrees" / f"{OWNER}.json"

    def _load(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._file.read_bytes()))
        except FileNotFoundError:
            return {}


def _literal(path: str) -> str:
    """A path as an ignore pattern that means only itself."""
    return re.sub(r"([\\*?\[\]!# ])", r"\\\1", path)
