"""Messages between agents, the run and people: `<git common dir>/wtrun/mail/`.

- One immutable file per message, `messages/<id>.json`; its number is its id. It is written and
  synced beside its place first; under the lock it only gets its number, by one rename. So a
  kill -9 leaves the whole message or none, and no number is given twice.
- What a recipient has read and acknowledged is in `marks/<name>.json`, replaced whole.
- One short lock for writers (`mail.lock`, never deleted); readers take none.
- Nothing here imports GitPython or pydantic: `wtrun mail` must start at once.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from worktree_runner.core import names
from worktree_runner.core.mailsearch import parse_query
from worktree_runner.core.messages import IMPORTANCES, Draft, tells_the_same
from worktree_runner.errors import PreconditionError, UsageError
from worktree_runner.store.agents import Agent, AgentTable, Clock, stamp, utc_now
from worktree_runner.store.atomic import save_text, sync_directory
from worktree_runner.store.lock import exclusive
from worktree_runner.store.paths import Layout

STALE_TEMP_S = 3600.0


@dataclass(frozen=True, slots=True)
class Message:
    """A sent message; `id` is its number in this repository."""

    id: int
    sender: str
    sender_id: int
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    subject: str
    body: str
    importance: str
    ack_required: bool
    thread_id: str | None
    topic: str | None
    created_ts: str
    reply_to: int | None = None
    attachments: tuple[Mapping[str, Any], ...] = ()

    def kind_for(self, name: str) -> str | None:
        """`to`, `cc` or `bcc` if `name` is a recipient."""
        for kind, group in (("to", self.to), ("cc", self.cc), ("bcc", self.bcc)):
            if any(names.same(name, member) for member in group):
                return kind
        return None

    @property
    def thread(self) -> str:
        """The thread that it belongs to; a message without one starts its own."""
        return self.thread_id or str(self.id)

    def reply(self, body: str, *, subject: str = "", prefix: str = "Re:") -> Draft:
        """An answer on this thread, with its importance and its wish to be acknowledged."""
        subject = subject or self.subject
        if not subject.casefold().startswith(prefix.casefold()):
            subject = f"{prefix} {subject}"
        return Draft(subject, body, self.thread, self.importance, self.ack_required)


@dataclass(frozen=True, slots=True)
class Mark:
    """What one recipient did with a message."""

    read_at: str | None = None
    acknowledged_at: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it lies in one inbox."""

    message: Message
    kind: str
    mark: Mark


class UnknownRecipientError(UsageError):
    """Names in a message that no agent has."""

    def __init__(self, unknown: Sequence[str], known: Sequence[str]) -> None:
        listed = ", ".join(known) or "none"
        super().__init__(
            f"no agent is named {', '.join(unknown)}; known here: {listed}",
            hint="wtrun mail agents",
        )
        self.unknown = tuple(unknown)


class Mailbox:
    """The mail of one repository; safe to share between threads."""

    def __init__(self, layout: Layout, *, clock: Clock = utc_now) -> None:
        self.folder = layout.mail
        self.agents = AgentTable(self.folder / "agents", self.exclusive)
        self._messages = self.folder / "messages"
        self._clock = clock
        self._read: dict[int, Message] = {}

    def register(
        self,
        name_hint: str | None = None,
        program: str = "wtrun",
        model: str = "",
        task: str = "",
        *,
        seed: str = "",
        always_new: bool = False,
        attachments_policy: str = "auto",
    ) -> Agent:
        """The agent's record; with a seed (`run/plan/attempt`) the same one after a restart."""
        return self.agents.register(
            name_hint,
            program,
            model,
            task,
            self._clock(),
            seed=seed,
            always_new=always_new,
            attachments_policy=attachments_policy,
        )

    def send(
        self,
        sender: str,
        to: Sequence[str],
        draft: Draft,
        *,
        cc: Sequence[str] = (),
        bcc: Sequence[str] = (),
        topic: str | None = None,
        reply_to: int | None = None,
        attachments: Sequence[Mapping[str, Any]] = (),
    ) -> Message:
        """The message as it was kept. Every name must be known; nothing is sent to some only."""
        if draft.importance not in IMPORTANCES:
            raise UsageError(
                f"importance is {draft.importance!r}, expected one of {', '.join(IMPORTANCES)}"
            )
        author = self.agents.find(sender)
        groups = [self._recipients(group) for group in (to, cc, bcc)]
        unknown = [name for _, missing in groups for name in missing]
        if author is None or unknown:
            missing_names = ([sender] if author is None else []) + unknown
            raise UnknownRecipientError(missing_names, [agent.name for agent in self.agents.all()])
        if not any(found for found, _ in groups):
            raise UsageError("a message needs at least one recipient", hint="wtrun mail agents")
        record: dict[str, Any] = {
            "v": 1,
            "sender": author.name,
            "sender_id": author.id,
            "to": groups[0][0],
            "cc": groups[1][0],
            "bcc": groups[2][0],
            "subject": _printable(draft.subject),
            "body": _printable(draft.body),
            "importance": draft.importance,
            "ack_required": draft.ack_required,
            "thread_id": draft.thread_id,
            "topic": topic,
            "created_ts": stamp(self._clock()),
            "reply_to": reply_to,
            "attachments": list(attachments),
        }
        number = self._publish(record)
        self.agents.touch(author.name)
        return _message(number, record)

    def send_once(
        self, sender: str, to: Sequence[str], draft: Draft, *, since: str, authors: Iterable[str]
    ) -> tuple[Message, bool]:
        """The message on this thread that `authors` sent since then with the same outcome, and
        False; else `draft`, sent by `sender`, and True."""
        wanted = [name.casefold() for name in (*authors, sender)]
        for message in reversed(self.thread(draft.thread_id or "")):
            fits = message.created_ts >= since and message.sender.casefold() in wanted
            if fits and tells_the_same(message.subject, draft):
                return message, False
        return self.send(sender, to, draft), True

    def message(self, number: int) -> Message | None:
        """The message of that number, or None."""
        if number not in self._read:
            try:
                record = json.loads(self._path(number).read_bytes())
                self._read[number] = _message(number, record)
            except (OSError, ValueError, TypeError, KeyError):
                return None
        return self._read[number]

    def messages(self) -> list[Message]:
        """All messages, oldest first; a file that is no message is passed over."""
        found = (self.message(number) for number in self._numbers())
        return [message for message in found if message is not None]

    def thread(self, thread_id: str) -> list[Message]:
        return [message for message in self.messages() if message.thread == thread_id]

    def inbox(
        self,
        name: str,
        *,
        limit: int = 20,
        urgent_only: bool = False,
        unread_only: bool = False,
        since: datetime | None = None,
        topic: str | None = None,
    ) -> list[Delivery]:
        """What `name` received, newest first; reading it marks nothing."""
        marks = self.marks(name)
        after = "" if since is None else stamp(since)
        found: list[Delivery] = []
        for number in reversed(self._numbers()):
            message = self.message(number)
            kind = message.kind_for(name) if message else None
            if message is None or kind is None or message.created_ts <= after:
                continue
            mark = marks.get(number, Mark())
            if urgent_only and message.importance not in ("high", "urgent"):
                continue
            if (unread_only and mark.read_at) or (topic and message.topic != topic):
                continue
            if len(found) >= limit:
                break
            found.append(Delivery(message, kind, mark))
        return found

    def search(self, query: str, *, limit: int = 20, name: str | None = None) -> list[Message]:
        """Messages whose subject or body fits, newest first; with a name, those it took part in."""
        fits = parse_query(query)
        found = [
            message
            for message in reversed(self.messages())
            if fits(message.subject, message.body)
            and (name is None or message.kind_for(name) or names.same(message.sender, name))
        ]
        return found[:limit]

    def marks(self, name: str) -> dict[int, Mark]:
        """What `name` has read and acknowledged, by message number."""
        try:
            record = json.loads(self._marks_file(name).read_bytes())
            return {int(number): Mark(*pair) for number, pair in record["marks"].items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}

    def mark_read(self, name: str, number: int) -> Mark:
        """The mark of that message; a repeat keeps the first time."""
        return self._mark(name, number, acknowledge=False)

    def acknowledge(self, name: str, number: int) -> Mark:
        """As `mark_read`, and tells the sender that the message was taken."""
        return self._mark(name, number, acknowledge=True)

    def _mark(self, name: str, number: int, *, acknowledge: bool) -> Mark:
        message = self.message(number)
        if message is None or message.kind_for(name) is None:
            raise UsageError(
                f"there is no message {number} in the inbox of {name}",
                hint=f"wtrun mail inbox --as {name}",
            )
        now = stamp(self._clock())
        with self.exclusive():
            marks = self.marks(name)
            old = marks.get(number, Mark())
            taken = old.acknowledged_at or (now if acknowledge else None)
            mark = Mark(old.read_at or now, taken)
            marks[number] = mark
            pairs = {str(n): [m.read_at, m.acknowledged_at] for n, m in sorted(marks.items())}
            save_text(self._marks_file(name), json.dumps({"v": 1, "marks": pairs}), durable=False)
        self.agents.touch(name)
        return mark

    def _publish(self, record: Mapping[str, Any]) -> int:
        try:
            draft = _written(self._messages, json.dumps(record, ensure_ascii=False) + "\n")
        except OSError as error:
            raise PreconditionError(
                f"{self._messages} can't be written: {error.strerror}",
                hint=f"let this process write below {self.folder}; a sandbox may forbid it",
            ) from error
        with self.exclusive():
            numbers = self._numbers()
            number = 1 + (numbers[-1] if numbers else 0)
            draft.rename(self._path(number))
            self._sweep()
        sync_directory(self._messages)
        return number

    def _recipients(self, group: Sequence[str]) -> tuple[list[str], list[str]]:
        """Names as they are registered, each once, and the unknown ones."""
        found: list[str] = []
        missing: list[str] = []
        for name in group:
            agent = self.agents.find(name.strip())
            if agent is None:
                missing.append(name)
            elif agent.name not in found:
                found.append(agent.name)
        return found, missing

    def _numbers(self) -> list[int]:
        try:
            listed = os.listdir(self._messages)  # noqa: PTH208 - names only, thousands of them
        except FileNotFoundError:
            return []
        stems = (name.removesuffix(".json") for name in listed if name.endswith(".json"))
        return sorted(int(stem) for stem in stems if stem.isdecimal())

    def _path(self, number: int) -> Path:
        return self._messages / f"{number:08d}.json"

    def _marks_file(self, name: str) -> Path:
        return self.folder / "marks" / f"{name.casefold()}.json"

    def _sweep(self) -> None:
        """Removes what killed writers left behind."""
        for file in self._messages.glob(".*.tmp"):
            try:
                if time.time() - file.stat().st_mtime > STALE_TEMP_S:
                    file.unlink()
            except FileNotFoundError:
                continue

    def exclusive(self) -> AbstractContextManager[None]:
        """The writers' lock of the mail folder, for the milliseconds of one change."""
        return exclusive(self.folder / "mail.lock")


def _printable(text: str) -> str:
    """The text with bytes that are no UTF-8 (in a path that it names) spelled out: `\\udcff`."""
    return text.encode("utf-8", "backslashreplace").decode()


def _written(folder: Path, text: str) -> Path:
    """A synced file in `folder` that still needs its name; the sync of the name comes after."""
    folder.mkdir(parents=True, exist_ok=True)
    fd, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _message(number: int, record: Mapping[str, Any]) -> Message:
    known = {field.name for field in fields(Message)}
    given = {key: value for key, value in record.items() if key in known}
    for key in ("to", "cc", "bcc", "attachments"):
        given[key] = tuple(given.get(key, ()))
    return Message(**{**given, "id": number})


def as_json(value: Message | Agent) -> dict[str, Any]:
    """A plain mapping, for `--json`."""
    return asdict(value)
