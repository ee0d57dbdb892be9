"""`wtrun plan`: the plans of one phase or of all, as the files lie on disk now.

Read only, and without git: it also works where nothing is committed yet.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worktree_runner.core.inventory import Inventory, inspect
from worktree_runner.core.plans import find_phase, list_phases, phase_paths, read_phase
from worktree_runner.dialects import Dialect
from worktree_runner.dialects.detect import named_workstream
from worktree_runner.models import PhaseDir
from worktree_runner.planning.reader import PlanningFiles, find_dialect
from worktree_runner.store import locate
from worktree_runner.store.config import load_settings, user_file


@dataclass(frozen=True, slots=True)
class PlanningDesk:
    """The planning directory around a folder."""

    root: Path
    dialect: Dialect
    files: PlanningFiles
    paths: tuple[str, ...]


def project_root(folder: Path) -> Path:
    """The worktree around `folder`, or `folder` itself outside of any repository."""
    place = locate.find(folder)
    return folder if place is None or place.worktree is None else place.worktree


def open_desk(folder: Path, dialect: str | None = None) -> PlanningDesk:
    """The planning directory; raises where there is none or several."""
    root = project_root(folder)
    found, files = find_dialect(root, chosen_dialect(root, {"dialect": dialect}))
    return PlanningDesk(root, found, files, files.paths())


def chosen_dialect(root: Path, flags: Mapping[str, Any]) -> str | None:
    """The dialect that a flag, a setting or its tool's variable names; None: what is there."""
    loaded = load_settings(
        root,
        None,
        flags={"dialect": flags.get("dialect")},
        env=os.environ,
        user_file=user_file(os.environ),
    )
    return loaded.settings.dialect or named_workstream(os.environ)


def read_inventory(desk: PlanningDesk, token: str) -> Inventory:
    """The inventory of the phase with that token; raises if it is not exactly one."""
    return _read(desk, find_phase(desk.paths, desk.dialect, token))


def read_all(desk: PlanningDesk) -> list[Inventory]:
    """The inventory of every phase in phase order."""
    return [_read(desk, phase) for phase in list_phases(desk.paths, desk.dialect)]


def _read(desk: PlanningDesk, phase: PhaseDir) -> Inventory:
    names = {f"{desk.dialect.root}/{name}".lower() for name in desk.dialect.files.roadmap}
    roadmap = next((path for path in desk.paths if path.lower() in names), None)
    wanted = phase_paths(desk.paths, phase, desk.dialect)
    contents = desk.files.read([*wanted, roadmap] if roadmap else wanted)
    text = contents.get(roadmap) if roadmap else None
    plans = {path: contents[path] for path in wanted if path in contents}
    return inspect(
        read_phase(phase, plans, desk.dialect, roadmap=text, paths=desk.paths), desk.dialect
    )
