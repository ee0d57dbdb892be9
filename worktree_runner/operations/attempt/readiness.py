"""Provisioning as a step of a run: its ports, its log, and what later steps must know of it.

- What was done is kept in the run's folder, by the worktree's name: the environment for every
  process that works there, and the files that provisioning left with a digest each. It is
  written last, so after a crash in between the worktree is made anew.
- A file of that list that is as it was is nobody's work; once edited, it is the agent's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worktree_runner.core.state import PlanState
from worktree_runner.core.texts import listing
from worktree_runner.git.untracked import fingerprints, unchanged
from worktree_runner.operations.context.provision import Provisioned, Request, provision
from worktree_runner.operations.context.session import Session
from worktree_runner.process import Mark
from worktree_runner.store.atomic import save_text
from worktree_runner.store.paths import RunFolder
from worktree_runner.store.ports import default_file, lease


@dataclass(frozen=True, slots=True)
class Ready:
    """A worktree in which an agent may start."""

    untracked: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def make_ready(session: Session, plan: PlanState) -> Ready:
    """Provisions the worktree of a fresh attempt. Safe in a worker thread: records nothing."""
    place, layout = Path(plan.worktree), session.repository.layout
    settings = session.settings.worktrees
    done = provision(
        Request(
            main=session.repository.home,
            worktree=place,
            layout=layout,
            settings=settings,
            ports=lease(default_file(os.environ, layout.root), place, settings.port_base),
            mark=Mark(session.state.id, f"setup-{plan.id}-a{plan.attempt}"),
            log=session.folder.attempt(plan.id, plan.attempt) / "setup.log",
        )
    )
    baseline = {**done.baseline_untracked, **fingerprints(place, done.kept_changes)}
    facts = {"v": 1, "env": dict(done.env), "baseline": baseline}
    save_text(_file(session.folder, place), json.dumps(facts, indent=1) + "\n", mode=0o600)
    return Ready(tuple(baseline), _notices(done))


def environment(session: Session, plan: PlanState) -> dict[str, str]:
    """What every process in the plan's worktree finds in its environment: slot, ports and so on."""
    env: Mapping[str, str] = _load(_file(session.folder, Path(plan.worktree))).get("env", {})
    return dict(env)


def untouched(session: Session, plan: PlanState) -> tuple[str, ...]:
    """The files that provisioning left in the plan's worktree and that are still as they were."""
    return untouched_in(session.folder, Path(plan.worktree))


def untouched_in(run: RunFolder, place: Path) -> tuple[str, ...]:
    """As `untouched`, for a worktree of any run."""
    baseline: Mapping[str, str] = _load(_file(run, place)).get("baseline", {})
    return tuple(sorted(unchanged(place, baseline)))


def _file(run: RunFolder, place: Path) -> Path:
    return run.path / "worktrees" / f"{place.name}.json"


def _load(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_bytes()))
    except FileNotFoundError:
        return {}


def _notices(done: Provisioned) -> tuple[str, ...]:
    notices = list(done.notices)
    if done.restored:
        notices.append(f"setup had changed {listing(list(done.restored))}; restored")
    return tuple(notices)
