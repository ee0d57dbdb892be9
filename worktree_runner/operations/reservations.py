"""What `wtrun reserve`, `release`, `renew` and `reservations` do, and the texts they print.

An agent is known by the environment of its attempt (WTRUN_RUN, WTRUN_PLAN); whoever has none
reserves by hand, under the login name. Patterns are relative to the current folder, as in git.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from worktree_runner.core import names
from worktree_runner.core.overlap import matches, overlap
from worktree_runner.core.patterns import PatternError, compiled, is_virtual
from worktree_runner.core.reservations import (
    By,
    Conflict,
    Denial,
    Holder,
    Request,
    Reservation,
)
from worktree_runner.core.texts import clean_line
from worktree_runner.errors import UsageError, WtrunError
from worktree_runner.store import locate
from worktree_runner.store.paths import Layout
from worktree_runner.store.registry import Held, Registry
from worktree_runner.store.registry_file import to_row
from worktree_runner.ui.reserved import describe, end_of, time_of_day

TTL_S = 3600.0
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_EVERYTHING = {"*", "**", "**/*", "*/**", "."}


class ReservedError(WtrunError):
    """Patterns that others hold; `conflicts` has them all."""

    def __init__(self, conflicts: Sequence[Conflict], now: float) -> None:
        lines = [describe(conflict, now) for conflict in conflicts]
        message = lines[0] if len(lines) == 1 else "\n  ".join(["reserved by others:", *lines])
        super().__init__(
            message, hint="see all with 'wtrun reservations'; ask with 'wtrun mail send'"
        )
        self.conflicts = tuple(conflicts)


def holder(env: Mapping[str, str], chosen: str | None = None) -> Holder:
    """Who reserves: the attempt's plan, else `chosen` or the login name, by hand."""
    name = chosen or env.get("WTRUN_AGENT") or env.get("AGENT_NAME") or ""
    if env.get("WTRUN_RUN") and env.get("WTRUN_PLAN"):
        return Holder(env["WTRUN_RUN"], env["WTRUN_PLAN"], name, By.AGENT)
    return Holder(name=name or env.get("USER") or env.get("LOGNAME") or "user", by=By.HAND)


def reserve(
    registry: Registry,
    who: Holder,
    patterns: Sequence[str],
    place: locate.Place,
    cwd: Path,
    *,
    exclusive: bool = True,
    ttl: float = TTL_S,
    reason: str = "",
) -> tuple[Reservation, ...]:
    """All of the patterns, or ReservedError with everything in the way.

    An agent's reservation lives as long as the run that works for its plan; a person's has no
    process of its own and ends with its lease.
    """
    wanted = tuple(pattern_of(text, cwd, place) for text in patterns)
    for pattern in wanted:
        if who.by is By.AGENT and pattern.rstrip("/") in _EVERYTHING:
            raise UsageError(
                f"{pattern} would reserve the whole repository",
                hint="name the files or folders that the work needs",
            )
    runs = (held.reservation for held in registry.active())
    owner = next(
        (one.owner for one in runs if one.holder == replace(who, name="", by=By.RUN)), None
    )
    answer = registry.grant(
        Request(
            holder=who,
            patterns=wanted,
            exclusive=exclusive,
            ttl=ttl,
            reason=reason,
            owner=owner,
            worktree=str(place.worktree or ""),
            branch=_branch(place),
        )
    )
    if isinstance(answer, Denial):
        raise ReservedError(answer.conflicts, time.time())
    _introduce(who, place.layout)
    return answer.reservations


def _introduce(who: Holder, layout: Layout) -> None:
    """Lets others write to a person or tool by the name that they are told is in the way."""
    from worktree_runner.operations import mail
    from worktree_runner.store.mailbox import Mailbox

    if who.by is By.HAND and names.is_safe(who.name):
        mail.introduced(Mailbox(layout), who.name)


def pattern_of(text: str, cwd: Path, place: locate.Place) -> str:
    """The repository's own pattern for what a user or an agent wrote in this folder."""
    if is_virtual(text):
        return text
    mark = "glob:" if text.startswith("glob:") else ""
    written = text.removeprefix("glob:")
    tree = "/" if written.endswith("/") and written.strip("/") else ""
    target = _real(Path(os.path.normpath(cwd / written)))
    roots = [root for root in locate.worktrees(place.common_dir) if target.is_relative_to(root)]
    if not roots:
        raise UsageError(
            f"{text} is outside of the repository {place.root}", hint="cd into one of its worktrees"
        )
    # the innermost one: linked worktrees often lie below the main one
    relative = target.relative_to(max(roots, key=lambda root: len(root.parts))).as_posix()
    pattern = mark + relative + (tree if relative != "." else "")
    try:
        compiled(pattern)
    except PatternError as error:
        raise UsageError(str(error)) from error
    return pattern


def _real(path: Path) -> Path:
    """The path with symbolic links resolved in those of its folders that exist."""
    existing = next(folder for folder in path.parents if folder.is_dir())
    return existing.resolve() / path.relative_to(existing)


def lease(text: str) -> float:
    """Seconds of `90`, `30m`, `2h`, `1d`; UsageError for anything else or nothing."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if seconds <= 0:
        raise UsageError(f"a lease of {text!r} can't be", hint="say it as 90s, 30m, 2h or 1d")
    return seconds


def force(
    registry: Registry, number: int, who: Holder, place: locate.Place
) -> tuple[Reservation, tuple[str, ...]]:
    """Takes a reservation away from a holder that shows no life any more, tells it, says why."""
    from worktree_runner.store.activity import activity_of
    from worktree_runner.store.mailbox import Mailbox

    box = Mailbox(place.layout)
    done = registry.force_release(
        number,
        who,
        activity=lambda record: activity_of(box, record, place.root),
        notify=mail_to_holder(place.layout, who),
    )
    return done.reservation, done.reasons


def mail_to_holder(layout: Layout, who: Holder) -> Callable[[Reservation, tuple[str, ...]], None]:
    """What tells the old holder of a forced release, if it has a mailbox."""

    def tell(record: Reservation, reasons: tuple[str, ...]) -> None:
        from worktree_runner.core.messages import Draft
        from worktree_runner.operations import mail
        from worktree_runner.store.mailbox import Mailbox

        box = Mailbox(layout)
        name = record.holder.name or record.holder.plan
        if box.agents.find(name) is not None:
            subject = f"[file-reservations] Released stale lock on {record.pattern}"
            body = f"{who.label} released reservation {record.id}: {', '.join(reasons)}.\n"
            mail.send(box, who.name or None, [name], Draft(subject, body))

    return tell


def chosen(held: Sequence[Held], paths: Sequence[str]) -> list[Held]:
    """Those that overlap one of these paths; all of them where none is given."""
    return [
        one
        for one in held
        if not paths or any(_meets(one.reservation.pattern, path) for path in paths)
    ]


def as_json(held: Held) -> dict[str, Any]:
    """A record for `--json`: times as ISO 8601, and whether the owner lives."""
    row = to_row(held.reservation)
    return {
        **row,
        "created": iso(held.reservation.created),
        "until": iso(held.reservation.until),
        "alive": held.alive.value,
    }


def iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def table(held: Sequence[Held], now: float) -> list[str]:
    """The listing of `wtrun reservations`, a head line first."""
    rows = [("id", "holder", "pattern", "mode", "since", "end", "owner", "reason")]
    for one in held:
        record = one.reservation
        owner = f"{one.alive.value} ({record.owner.pid})" if record.owner else "-"
        rows.append(
            (
                str(record.id),
                record.holder.label,
                record.pattern,
                "exclusive" if record.exclusive else "shared",
                time_of_day(record.created, now),
                end_of(one, now),
                owner,
                record.reason,
            )
        )
    clean = [[clean_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in clean) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in clean
    ]


def _meets(pattern: str, path: str) -> bool:
    return matches(pattern, path) or overlap(pattern, path)


def _branch(place: locate.Place) -> str:
    try:
        head = (place.git_dir / "HEAD").read_text(errors="surrogateescape").strip()
    except OSError:
        return ""
    return head.removeprefix("ref: refs/heads/") if head.startswith("ref: ") else ""
