"""The phase's report (VERIFICATION, proof) as a file: found, kept, and what is written of it.

- Where planning files are committed, the report that counts is the one in the commit; elsewhere it
  is the one on disk.
- A report counts only for the plans that were done when it was written, and one that found gaps
  only for the code that it looked at.
- The run keeps a copy in its folder from the moment the verifier has ended; what the user says to
  it is added at its end, and nothing else of it is touched.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from worktree_runner.core.docs.verification import (
    VerificationStatus,
    choose_report,
    parse_verification,
    with_word,
)
from worktree_runner.core.events import Type
from worktree_runner.core.goal import Goal
from worktree_runner.dialects.schema import Dialect
from worktree_runner.git.files import TreeFiles
from worktree_runner.git.repository import Repository
from worktree_runner.models import Phase
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.goal.verifier import report_path
from worktree_runner.planning.reader import DiskFiles
from worktree_runner.store.atomic import save_bytes


def find(
    repository: Repository, dialect: Dialect, phase: Phase, commit: str, *, tracked: bool
) -> str:
    """The path of the report that counts for the phase as it is; empty if there is none."""
    files = (
        TreeFiles(repository.objects, commit, dialect.root)
        if tracked
        else DiskFiles(repository.home, dialect.roots)
    )
    inside = [path for path in files.paths() if path.startswith(f"{phase.dir.path}/")]
    summaries = [plan.summary_path for plan in phase.plans]
    for path in choose_report(inside, phase.dir.token, dialect.files.verification)[:1]:
        data = files.read([path]).get(path, b"")
        gaps = parse_verification(data).status is VerificationStatus.GAPS_FOUND
        if tracked:
            counts = _counts(repository, dialect, commit, path, summaries, gaps=gaps)
        else:
            counts = _is_newest(repository.home, path, summaries)
        return path if counts and data.strip() else ""
    return ""


def _counts(
    repository: Repository,
    dialect: Dialect,
    commit: str,
    path: str,
    summaries: list[str],
    *,
    gaps: bool,
) -> bool:
    """Whether the commit that wrote the report had every summary, and for gaps the same code."""
    git, objects = repository.git, repository.objects
    written = git.text("log", "-1", "--format=%H", commit, "--", f":(literal){path}")
    if not written or len(objects.entries(written, summaries)) < len(set(summaries)):
        return False
    if not gaps:
        return True
    changed = objects.changed_paths(written, commit)
    return all(other.startswith(f"{dialect.root}/") for other in changed)


def _is_newest(home: Path, path: str, summaries: list[str]) -> bool:
    """The same where no commit tells: no summary was written after the report."""
    written = (home / path).stat().st_mtime_ns
    files = [home / summary for summary in summaries]
    return all(file.is_file() and file.stat().st_mtime_ns <= written for file in files)


def keep(session: Session, data: bytes) -> Path:
    """Saves the present verifier's report in the run's folder."""
    goal = session.state.goal
    file = session.folder.path / "verification" / f"{goal.n}-{Path(goal.report).name}"
    save_bytes(file, data)
    return file


def keep_found(session: Session, path: str, data: bytes) -> Path:
    """The same for a report that was there already."""
    file = session.folder.path / "verification" / f"0-{Path(path).name}"
    save_bytes(file, data)
    return file


def read_found(session: Session, path: str) -> bytes:
    """The report that was there already."""
    if session.state.planning_tracked:
        files = TreeFiles(session.repository.objects, session.state.tip, session.dialect.root)
        return files.read([path]).get(path, b"")
    file = session.repository.home / path
    return file.read_bytes() if file.is_file() else b""


def edit(session: Session, now: datetime) -> tuple[str, bytes | None, bytes] | None:
    """The report's path with its content now and as it is to be; None if nothing is to be written.

    A report that is already where it belongs is only added to.
    """
    goal = session.state.goal
    if not goal.report or not goal.copy:
        return None
    old = read_found(session, goal.report) or None
    data = _own(session, goal, old)
    date = now.date().isoformat()
    if "issues" in (goal.answer, goal.accepted):
        data = with_word(data, date, issues=goal.text or "The user reports issues")
    elif "approved" in (goal.answer, goal.accepted):
        data = with_word(data, date)
    return None if data == old else (goal.report, old, data)


def _own(session: Session, goal: Goal, old: bytes | None) -> bytes:
    """The verifier's report; once this run has written it, as it lies there, edits and all."""
    copy = Path(goal.copy).read_bytes()
    written = goal.n == 0 or any(
        goal.report in event.data.get("files", ())
        for event in session.journal.events
        if event.type == Type.PLANNING_COMMITTED
    )
    return old if old is not None and (written or old.startswith(copy)) else copy


def landed_path(session: Session) -> str:
    """Where a new report is to lie: in the place of an older one of the phase, if there is one."""
    wanted = report_path(session)
    if session.state.planning_tracked:
        root = session.dialect.root
        paths = TreeFiles(session.repository.objects, session.state.tip, root).paths()
    else:
        paths = DiskFiles(session.repository.home, session.dialect.roots).paths()
    known = {path.lower(): path for path in paths}
    return known.get(wanted.lower(), wanted)
