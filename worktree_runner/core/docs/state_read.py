"""What the state file tells the agents: position, decisions, blockers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worktree_runner.core.docs.front import read_front
from worktree_runner.core.docs.lists import (
    BLOCKER_TITLES,
    DECISION_TITLES,
    find_section,
    is_nothing,
    newest_first,
)
from worktree_runner.core.docs.markdown import bullets, cells, field, fields, tables
from worktree_runner.core.docs.page import Page
from worktree_runner.core.docs.state import POSITION_TITLES, SESSION_TITLES
from worktree_runner.dialects.schema import Dialect


@dataclass(frozen=True, slots=True)
class StateContext:
    """The parts of a state file that matter to somebody who starts work; all may be empty."""

    phase: str = ""
    plan: str = ""
    status: str = ""
    last_activity: str = ""
    decisions: tuple[str, ...] = ()
    blockers: tuple[str, ...] = ()
    core_value: str = ""
    stopped_at: str = ""
    pending: tuple[str, ...] = ()
    """Checkpoints that waited and worktrees that were left, from the last run."""


def state_context(text: bytes, dialect: Dialect) -> StateContext:
    """The state as a value; never raises."""
    page = Page(text, "")
    if not page.readable:
        return StateContext()
    words = dialect.words
    section = find_section(page, POSITION_TITLES)
    session = find_section(page, SESSION_TITLES)
    lines = section.own if section else range(page.body, len(page))

    def value(*names: str) -> str:
        found = field(page, lines, *names)
        return found.value if found else ""

    core = field(page, page.open_lines(archived=True), "core value")
    stopped = field(page, session.own, "stopped at") if session else None
    front = read_front(page).values
    said = front.get("stopped_at")
    return StateContext(
        phase=value(f"current {words.phase}", *([words.phase] if section else [])),
        plan=value(f"current {words.plan}", *([words.plan] if section else [])),
        status=value("status") if section else "",
        last_activity=value("last activity") if section else "",
        decisions=_entries(page, decisions=True),
        blockers=_entries(page, decisions=False),
        core_value=core.value if core else "",
        stopped_at=stopped.value if stopped else said if isinstance(said, str) else "",
        pending=_pending(page, words.checkpoint),
    )


def latest(decisions: Sequence[str], most: int) -> tuple[str, ...]:
    """The newest of them in the order of the document, wherever it has its newest entry."""
    chosen = decisions[:most] if newest_first(decisions) else decisions[-most:]
    return tuple(chosen)


def _entries(page: Page, *, decisions: bool) -> tuple[str, ...]:
    section = find_section(page, DECISION_TITLES if decisions else BLOCKER_TITLES)
    if section is None:
        return ()
    items = [each.text for each in bullets(page, section.whole) if not is_nothing(each.text)]
    for table in tables(page, section.own):
        column = table.column("decision" if decisions else "blocker|concern|issue")
        rows = [cells(page.lines[row]) for row in table.rows]
        if column is not None:
            items += [row[column] for row in rows if len(row) > column and row[column]]
    return tuple(items)


def _pending(page: Page, checkpoint: str) -> tuple[str, ...]:
    wanted = (f"pending {checkpoint}s", "worktrees to clean up")
    found = [f for f in fields(page, page.open_lines()) if f.name.casefold() in wanted]
    return tuple(f"{f.name}: {f.value}" for f in found if f.value and not is_nothing(f.value))
