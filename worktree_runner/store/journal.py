"""A run's journal: JSON lines that are only ever appended to, each one synced to disk.

- A torn last line (the process died while writing it) is dropped, and said.
- A bad line anywhere else, or one out of number, is an error: somebody changed the file, and
  guessing would be wrong.
- While a run is at work its process knows every event: what another program does to the file
  meanwhile is undone by `mend`.
- A line of a newer version is refused for writing: an older wtrun must not go on with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from worktree_runner.core.events import VERSION, Event
from worktree_runner.errors import PreconditionError
from worktree_runner.store.atomic import save_bytes, sync_directory


@dataclass(frozen=True, slots=True)
class Reading:
    """The events of a journal; `torn` is the dropped rest of a last line."""

    events: tuple[Event, ...]
    torn: bytes = b""
    whole: int = 0
    """Length in bytes of the lines that count."""

    @property
    def newer(self) -> bool:
        """Whether a newer wtrun wrote some of it."""
        return any(event.v > VERSION for event in self.events)


def read(path: Path) -> Reading:
    """All events of a journal; an absent file holds none."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Reading(())
    end = data.rfind(b"\n") + 1
    events = []
    for number, line in enumerate(data[:end].splitlines(), 1):
        try:
            events.append(_parse(line, number))
        except (ValueError, KeyError, TypeError) as error:
            raise PreconditionError(
                f"{path}:{number} is not a line of a wtrun journal ({error}).",
                hint=f"look at the line; 'mv {path.parent}{{,.broken}}' sets it aside",
            ) from error
    return Reading(tuple(events), data[end:], end)


def _parse(line: bytes, number: int) -> Event:
    value = json.loads(line)
    if value["seq"] != number:
        raise ValueError(f"event {value['seq']} in the place of event {number}")
    return Event(
        seq=int(value["seq"]),
        at=datetime.fromisoformat(value["at"]),
        run=str(value["run"]),
        type=str(value["type"]),
        plan=value.get("plan"),
        data=value.get("data") or {},
        v=int(value["v"]),
    )


class Journal:
    """A journal open for writing by the one process that holds the run lock."""

    def __init__(
        self, path: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.path = path
        self.now = now
        path.parent.mkdir(parents=True, exist_ok=True)
        reading = read(path)
        if reading.newer:
            raise PreconditionError(
                f"{path.parent.name} was written by a newer wtrun.",
                hint="update wtrun, or finish with the version that started it",
            )
        self.events: list[Event] = list(reading.events)
        self.torn = reading.torn
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if reading.torn:
            os.ftruncate(self._fd, reading.whole)
        self._whole = reading.whole
        os.lseek(self._fd, reading.whole, os.SEEK_SET)
        sync_directory(path.parent)

    def append(self, type: str, plan: str | None = None, **data: Any) -> Event:
        """Writes one event and syncs it; when this returns, the event survives a crash.

        A full disk raises OSError and leaves at most a torn line, which the next start drops.
        """
        event = Event(
            seq=len(self.events) + 1,
            at=self.now(),
            run=self.path.parent.name,
            type=str(type),
            plan=plan,
            data=data,
        )
        line = _line(event)
        try:
            self._write(line)
            os.fsync(self._fd)
        except OSError as error:
            os.ftruncate(self._fd, self._whole)
            os.lseek(self._fd, self._whole, os.SEEK_SET)
            error.filename = str(self.path)
            raise
        self._whole += len(line)
        self.events.append(event)
        return event

    def mend(self) -> bool:
        """Writes the file anew if it is gone or not as long as it was left; whether it was so."""
        facts = os.fstat(self._fd)
        if facts.st_nlink and facts.st_size == self._whole:
            return False
        data = b"".join(map(_line, self.events))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        save_bytes(self.path, data)
        os.close(self._fd)
        self._fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        self._whole = os.lseek(self._fd, 0, os.SEEK_END)
        return True

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._fd, data) :]

    def close(self) -> None:
        os.close(self._fd)


def _line(event: Event) -> bytes:
    text = json.dumps(to_json(event), ensure_ascii=False, separators=(",", ":"))
    # a path that is no UTF-8 stands there as JSON writes it: \udcff
    return text.encode("utf-8", "backslashreplace") + b"\n"


def to_json(event: Event) -> dict[str, Any]:
    """The event as it stands in the journal and in the event stream."""
    value: dict[str, Any] = {
        "v": event.v,
        "seq": event.seq,
        "at": event.at.isoformat(),
        "run": event.run,
        "type": event.type,
    }
    if event.plan is not None:
        value["plan"] = event.plan
    return {**value, "data": dict(event.data)}
