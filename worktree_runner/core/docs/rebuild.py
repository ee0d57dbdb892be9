"""A missing state file rebuilt: what to read, and the facts for `reconstruct.render_state`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from worktree_runner.core.docs.reconstruct import PhaseFacts, ProjectFacts, render_state
from worktree_runner.core.docs.refs import token_key
from worktree_runner.core.docs.roadmap import (
    RoadmapPhase,
    milestone,
    roadmap_phases,
    unwritten_plans,
)
from worktree_runner.core.docs.summary import parse_summary
from worktree_runner.core.docs.update import find_documents
from worktree_runner.core.docs.verification import (
    VerificationStatus,
    choose_report,
    parse_verification,
)
from worktree_runner.core.ids import number_key
from worktree_runner.core.listing import list_files, list_phases
from worktree_runner.dialects.schema import Dialect
from worktree_runner.models import PhaseDir


def rebuild_inputs(paths: Iterable[str], dialect: Dialect) -> tuple[str, ...]:
    """The files to read for `rebuild_state`: road map, project file, summaries and reports."""
    known = tuple(paths)
    wanted = [path for path in (find_documents(known, dialect).roadmap,) if path is not None]
    names = {f"{dialect.root}/{name}".lower() for name in dialect.files.project}
    wanted += [path for path in known if path.lower() in names]
    for phase in list_phases(known, dialect):
        listing = list_files(known, phase, dialect)
        wanted += [plan.summary for plan in listing.plans if plan.summary is not None]
        wanted += listing.verifications
    return tuple(dict.fromkeys(wanted))


def rebuild_state(
    paths: Iterable[str],
    files: Mapping[str, bytes],
    dialect: Dialect,
    *,
    date: str,
    now: str,
    last_commit: str = "",
) -> tuple[str, bytes]:
    """The state file's path and its rebuilt text.

    Only phases of the road map's current milestone count; without a road map, all there are.
    `last_commit` is `2026-01-31 subject` of the target's newest commit.
    """
    known = tuple(paths)
    place = find_documents(known, dialect).roadmap
    roadmap = files.get(place or "", b"")
    planned = roadmap_phases(roadmap, dialect)
    entries = {token_key(each.token): each for each in planned}
    phases = []
    for directory in list_phases(known, dialect):
        key = token_key(directory.token)
        if planned and key not in entries:
            continue
        phases.append(_phase(directory, entries.get(key), known, files, dialect))
    facts = ProjectFacts(
        phases=tuple(phases),
        roadmap=planned,
        milestone=milestone(roadmap, dialect),
        date=date,
        now=now,
        core_value=_core_value(files, dialect),
        last_commit=last_commit,
    )
    return f"{dialect.root}/{dialect.files.state[0]}", render_state(facts, dialect)


def _phase(
    directory: PhaseDir,
    entry: RoadmapPhase | None,
    paths: tuple[str, ...],
    files: Mapping[str, bytes],
    dialect: Dialect,
) -> PhaseFacts:
    listing = list_files(paths, directory, dialect)
    token = directory.token
    numbers = [plan.name.number for plan in listing.plans]
    if entry is not None:
        numbers += unwritten_plans(entry, {number_key(number) for number in numbers})
    name = entry.name if entry is not None and entry.name else directory.name
    plans = tuple(f"{token}-{number}" for number in numbers)
    summaries = tuple(
        (f"{token}-{plan.name.number}", parse_summary(files[plan.summary]))
        for plan in listing.plans
        if plan.summary is not None and files.get(plan.summary, b"").strip()
    )
    reports = choose_report(listing.verifications, token, dialect.files.verification)
    status = (
        parse_verification(files[reports[0]]).status if reports and reports[0] in files else None
    )
    return PhaseFacts(token, name, plans, summaries, status is VerificationStatus.PASSED)


def _core_value(files: Mapping[str, bytes], dialect: Dialect) -> str:
    """The line below the heading of that name in the project file."""
    names = {f"{dialect.root}/{name}".lower() for name in dialect.files.project}
    for path, data in files.items():
        if path.lower() not in names:
            continue
        lines = data.decode("utf-8", "replace").splitlines()
        for number, line in enumerate(lines):
            if line.lstrip("# ").strip().casefold() == "core value" and line.startswith("#"):
                return next((each.strip() for each in lines[number + 1 :] if each.strip()), "")
    return ""
