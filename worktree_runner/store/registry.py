"""The reservations of one repository: `<git common dir>/wtrun/registry/`.

- `reservations.json` is the truth, replaced whole; `events.jsonl` beside it tells each change
  before it is made; `lock` is held for the milliseconds of one change and never deleted.
- All worktrees share the files. Any process may change them: there is no server to ask.
- Readers take no lock and change nothing.
- A file that can't be read is set aside as `reservations.corrupt-<time>.json` and built again
  from the events.
- Nothing is synced to the disk: after a power cut every owner is dead anyway.

After a kill -9 at any point the file is whole, either old or new. A grant that was written but
not reported has a dead owner, or a lease that runs out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from worktree_runner.core import reservations as rules
from worktree_runner.core.reservations import (
    Activity,
    Conflict,
    Denial,
    Grant,
    Holder,
    Life,
    Liveness,
    Partial,
    Request,
    Reservation,
)
from worktree_runner.errors import PreconditionError, UsageError
from worktree_runner.store import identity, locate
from worktree_runner.store import registry_file as disk
from worktree_runner.store.lock import exclusive
from worktree_runner.store.paths import Layout


@dataclass(frozen=True, slots=True)
class Held:
    """A reservation that blocks others, with what is known of its owner's life."""

    reservation: Reservation
    alive: Life


@dataclass(frozen=True, slots=True)
class ForcedRelease:
    """A reservation that was taken away, and why that was allowed."""

    reservation: Reservation
    reasons: tuple[str, ...]


class StillActiveError(PreconditionError):
    """A forced release was refused: the holder still gives signs of life."""


class Registry:
    """The reservations of one repository; safe to use from any thread and process."""

    def __init__(
        self,
        layout: Layout,
        *,
        clock: Callable[[], float] = time.time,
        liveness: Callable[[], Liveness] = identity.remembered,
        fold_case: bool | None = None,
    ) -> None:
        self.folder = layout.registry
        self.events = disk.EventLog(self.folder / "events.jsonl")
        self._file = self.folder / "reservations.json"
        self._clock = clock
        self._liveness = liveness
        if fold_case is None:
            fold_case = locate.config(layout.common_dir, "core", "ignorecase") == "true"
        self.fold_case = fold_case
        self._read: tuple[bytes, disk.State] | None = None

    # -- asking -------------------------------------------------------------------------------

    def active(self) -> tuple[Held, ...]:
        """What blocks others now, in the order of ids."""
        life = self._liveness()
        return tuple(Held(one, life(one.owner)) for one in self._blocking(life))

    def conflicts(self, request: Request) -> tuple[Conflict, ...]:
        """What a request would run into, without making it."""
        life = self._liveness()
        return rules.conflicts(request, self._blocking(life), life, fold_case=self.fold_case)

    def vanished(self) -> tuple[Reservation, ...]:
        """What by the log is held and the file has no more: somebody edited the file.

        A writer that was killed between the two leaves such a record too, for the next change
        to overwrite; nobody was told of that one.
        """
        life, now = self._liveness(), self._clock()
        known = {one.id for one in self._load().records}
        logged = disk.replay(self.events.rows()).records
        gone = (one for one in logged if one.id not in known)
        return tuple(one for one in gone if rules.blocks(one, now, life(one.owner)))

    # -- changing -----------------------------------------------------------------------------

    def grant(self, request: Request) -> Grant | Denial:
        """All of the patterns, or none and every reservation in the way."""
        with self._change() as change:
            change.prune()
            found = change.conflicts(request)
            if found:
                change.deny(request, found)
                return Denial(found)
            return Grant(change.grant(request, request.patterns))

    def grant_each(self, request: Request) -> Partial:
        """The patterns that nobody else holds; the others are listed with their holders."""
        with self._change() as change:
            change.prune()
            found = change.conflicts(request)
            taken = {conflict.pattern for conflict in found}
            if found:
                change.deny(request, found)
            free = [pattern for pattern in request.patterns if pattern not in taken]
            return Partial(change.grant(request, free), found)

    def release(
        self,
        holder: Holder,
        ids: Sequence[int] | None = None,
        patterns: Sequence[str] | None = None,
    ) -> tuple[Reservation, ...]:
        """The holder's records that were given back; None means any id, any pattern."""
        with self._change() as change:
            gone = rules.chosen(change.state.records, holder, ids, patterns)
            change.remove("release", gone)
            return gone

    def release_run(self, run: str) -> tuple[Reservation, ...]:
        """Everything that belongs to a run, when it ends."""
        with self._change() as change:
            gone = tuple(record for record in change.state.records if record.holder.run == run)
            change.remove("release", gone)
            return gone

    def renew(
        self,
        holder: Holder,
        extend: float = 1800.0,
        ids: Sequence[int] | None = None,
        patterns: Sequence[str] | None = None,
    ) -> tuple[tuple[Reservation, Reservation], ...]:
        """Pairs of the old and the new record, as `release` chooses them.

        One that ran out is renewed too, as long as no grant has cleared it away.
        """
        with self._change() as change:
            pairs = tuple(
                (record, rules.renewed(record, change.now, extend))
                for record in rules.chosen(change.state.records, holder, ids, patterns)
            )
            change.put("renew", [new for _, new in pairs])
            return pairs

    def force_release(
        self,
        number: int,
        by: Holder,
        *,
        activity: Callable[[Reservation], Activity] = lambda _: Activity(),
        notify: Callable[[Reservation, tuple[str, ...]], None] | None = None,
    ) -> ForcedRelease:
        """Takes a reservation away from a holder that is dead, expired or long inactive.

        `notify` tells the old holder, after the fact and outside of the lock. Raises UsageError
        for an unknown id, StillActiveError if the holder still works, or renewed meanwhile.
        """
        seen = next((one for one in self._load().records if one.id == number), None)
        if seen is None:
            raise UsageError(f"there is no reservation {number}", hint="wtrun reservations")
        signs = activity(seen)
        with self._change() as change:
            record = next((one for one in change.state.records if one.id == number), None)
            if record is None:
                raise UsageError(f"reservation {number} was released", hint="wtrun reservations")
            reasons = rules.stale_reasons(record, change.now, change.life(record.owner), signs)
            if not reasons or record.until != seen.until:
                raise StillActiveError(
                    f"reservation {number} on {record.pattern} is kept by {record.holder.label}, "
                    f"who still shows recent activity",
                    hint=f"ask for it: wtrun mail send --to {record.holder.name or 'NAME'}",
                )
            change.remove("force", (record,), by=disk.holder_row(by), reasons=list(reasons))
        if notify is not None:
            notify(record, reasons)
        return ForcedRelease(record, reasons)

    # -- inside -------------------------------------------------------------------------------

    @contextmanager
    def _change(self) -> Iterator[_Change]:
        """One change under the lock; it is written when the block ends, or not at all."""
        with exclusive(self.folder / "lock"):
            state = self._load(repair=True)
            if state.version > disk.VERSION:
                raise PreconditionError(
                    f"{self._file} was written by a newer wtrun (version {state.version})",
                    hint="use that wtrun here, or release everything with it first",
                )
            change = _Change(state, self._clock(), self._liveness(), self.fold_case)
            yield change
            if change.events:
                self._write(change)

    def _write(self, change: _Change) -> None:
        size = self.events.append(change.events)
        if change.changed:
            self._replace(change.state)
        if size > disk.ROTATE_BYTES:
            self.events.rotate(_snapshot(change.state, change.now))

    def _replace(self, state: disk.State) -> None:
        data = disk.render(state)
        draft = self._file.with_suffix(".tmp")  # one name: its writer holds the lock
        draft.write_bytes(data)
        os.replace(draft, self._file)
        self._read = (data, state)

    def _blocking(self, life: Liveness) -> list[Reservation]:
        now = self._clock()
        return [one for one in self._load().records if rules.blocks(one, now, life(one.owner))]

    def _load(self, *, repair: bool = False) -> disk.State:
        """A copy of the state on disk; where that is unreadable, what the events say.

        Only who holds the lock asks for a repair, which sets the bad file aside.
        """
        try:
            data = self._file.read_bytes()
        except FileNotFoundError:
            data = None
        known = self._read
        if known is None or known[0] != data:
            try:
                state = disk.State(1, []) if data is None else disk.parse(data)
                lost = data is None and self.events.exists()
            except (ValueError, TypeError, KeyError):
                lost = True
            if lost:
                return self._rebuilt(repair=repair, set_aside=data is not None)
            known = (data or b"", state)
            self._read = known if data is not None else None
        return disk.State(known[1].next_id, list(known[1].records), known[1].version)

    def _rebuilt(self, *, repair: bool, set_aside: bool) -> disk.State:
        state = disk.replay(self.events.rows())
        if repair:
            if set_aside:
                name = f"reservations.corrupt-{self._clock():.0f}.json"
                os.replace(self._file, self._file.with_name(name))
            self._replace(state)
        return disk.State(state.next_id, list(state.records))


class _Change:
    """What one holder of the lock does to the state, and the events that tell it."""

    def __init__(self, state: disk.State, now: float, life: Liveness, fold_case: bool) -> None:
        self.state = state
        self.now = now
        self.life = life
        self.fold_case = fold_case
        self.events: list[dict[str, Any]] = []
        self.changed = False

    def prune(self) -> None:
        """Drops what blocks nobody any more: its owner is dead, or its lease has run out."""
        gone = [
            one
            for one in self.state.records
            if not rules.blocks(one, self.now, self.life(one.owner))
        ]
        self.remove("expire", gone)

    def conflicts(self, request: Request) -> tuple[Conflict, ...]:
        return rules.conflicts(request, self.state.records, self.life, fold_case=self.fold_case)

    def deny(self, request: Request, found: Sequence[Conflict]) -> None:
        self._log(
            "deny",
            holder=disk.holder_row(request.holder),
            conflicts=[{"pattern": one.pattern, "id": one.held.id} for one in found],
        )

    def grant(self, request: Request, patterns: Iterable[str]) -> tuple[Reservation, ...]:
        records = rules.granted(request, patterns, self.state.records, self.state.next_id, self.now)
        self.put("grant", records)
        return records

    def put(self, operation: str, records: Sequence[Reservation]) -> None:
        if records:
            self.state.put(records)
            self.changed = True
            self._log(operation, records=[disk.to_row(record) for record in records])

    def remove(self, operation: str, records: Sequence[Reservation], **facts: Any) -> None:
        if records:
            ids = [record.id for record in records]
            self.state.drop(ids)
            self.changed = True
            self._log(operation, ids=ids, **facts)

    def _log(self, operation: str, **facts: Any) -> None:
        self.events.append({"v": disk.VERSION, "at": self.now, "op": operation, **facts})


def _snapshot(state: disk.State, now: float) -> dict[str, Any]:
    rows = [disk.to_row(record) for record in state.records]
    return {
        "v": disk.VERSION,
        "at": now,
        "op": "snapshot",
        "next_id": state.next_id,
        "records": rows,
    }
