"""How reservations lie on the disk: one file that is the truth, and a log that can rebuild it.

Every change is one line of `events.jsonl`, written before the file is replaced:
`{"v": 1, "at": seconds, "op": ..., ...}`. `grant` and `renew` carry whole `records`, `release`,
`expire` and `force` carry `ids`, `snapshot` carries all records there are, `deny` changes
nothing. Operations are for ever.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worktree_runner.core.reservations import By, Holder, Owner, Reservation

VERSION = 1
ROTATE_BYTES = 4_000_000
"""An event log of this size makes room for a new one that begins with a snapshot."""


@dataclass(slots=True)
class State:
    """All records, blocking or not, and the number that the next one gets."""

    next_id: int
    records: list[Reservation]
    version: int = VERSION

    def put(self, records: Iterable[Reservation]) -> None:
        changed = {record.id: record for record in records}
        kept = [changed.pop(record.id, record) for record in self.records]
        self.records = [*kept, *changed.values()]
        self.next_id = max([self.next_id, *(number + 1 for number in changed)])

    def drop(self, ids: Iterable[int]) -> None:
        gone = set(ids)
        self.records = [record for record in self.records if record.id not in gone]


def parse(data: bytes) -> State:
    """The state in these bytes; ValueError, TypeError or KeyError if they hold none."""
    value = json.loads(data)
    records = [from_row(row) for row in value["reservations"]]
    return State(int(value["next_id"]), records, int(value["v"]))


def render(state: State) -> bytes:
    """One record per line, for people."""
    head = f'{{"v": {VERSION}, "next_id": {state.next_id}, "reservations": ['
    rows = ",\n".join(json.dumps(to_row(record)) for record in state.records)
    return f"{head}\n{rows}\n]}}\n".encode()


def to_row(record: Reservation) -> dict[str, Any]:
    """A record as JSON keeps it; holder's fields are flat."""
    owner = record.owner
    return {
        "id": record.id,
        **holder_row(record.holder),
        "pattern": record.pattern,
        "exclusive": record.exclusive,
        "reason": record.reason,
        "created": record.created,
        "until": record.until,
        "owner": owner
        and {"pid": owner.pid, "start": owner.start, "host": owner.host, "boot": owner.boot},
        "worktree": record.worktree,
        "branch": record.branch,
    }


def holder_row(holder: Holder) -> dict[str, str]:
    return {"run": holder.run, "plan": holder.plan, "name": holder.name, "by": holder.by.value}


def from_row(row: Mapping[str, Any]) -> Reservation:
    owner = row["owner"]
    return Reservation(
        id=int(row["id"]),
        holder=Holder(row["run"], row["plan"], row["name"], By(row["by"])),
        pattern=str(row["pattern"]),
        exclusive=bool(row["exclusive"]),
        reason=str(row["reason"]),
        created=float(row["created"]),
        until=float(row["until"]),
        owner=owner and Owner(owner["pid"], owner["start"], owner["host"], owner["boot"]),
        worktree=str(row["worktree"]),
        branch=str(row["branch"]),
    )


class EventLog:
    """Lines that are only ever added. Writers hold the registry's lock."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        return self.path.exists()

    def append(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Adds these lines and gives the size of the file.

        A line that a killed writer left unfinished is closed first, so that it spoils no other.
        """
        text = "".join(json.dumps(row) + "\n" for row in rows).encode()
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            size = os.fstat(fd).st_size
            if size and os.pread(fd, 1, size - 1) != b"\n":
                text = b"\n" + text
            view = memoryview(text)
            while view:
                view = view[os.write(fd, view) :]
            return size + len(text)
        finally:
            os.close(fd)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The readable lines, oldest first; what is no event is passed over."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        for line in data.split(b"\n"):
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                yield row

    def rotate(self, snapshot: Mapping[str, Any]) -> None:
        """Begins a new log with this line; the full one stays as `events.1.jsonl`."""
        fresh = self.path.with_name("events.new.jsonl")
        fresh.write_text(json.dumps(snapshot) + "\n")
        old = self.path.with_name("events.1.jsonl")
        old.unlink(missing_ok=True)
        os.link(self.path, old)
        os.replace(fresh, self.path)


def replay(rows: Iterable[Mapping[str, Any]]) -> State:
    """The state that these events lead to; events that make no sense are passed over."""
    state = State(1, [])
    for row in rows:
        try:
            operation = row["op"]
            if operation == "snapshot":
                records = [from_row(one) for one in row["records"]]
                state = State(int(row["next_id"]), records)
            elif operation in ("grant", "renew"):
                state.put([from_row(one) for one in row["records"]])
            elif operation in ("release", "expire", "force"):
                state.drop(row["ids"])
        except (KeyError, TypeError, ValueError):
            continue
    return state
