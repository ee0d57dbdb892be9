"""The agents' names table: who takes part, with one stable name each.

- One file per agent, `<common>/wtrun/mail/agents/<name in lower case>.json`, replaced whole; its
  modification time is the agent's last activity, so noting activity needs no lock and no write.
- Names are the same if they differ only in case; a name is never given to two agents.
- Readers take no lock. A crash leaves either the old record or the new one.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from worktree_runner.core import names
from worktree_runner.errors import UsageError
from worktree_runner.store.atomic import save_text

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """`2026-01-02T03:04:05.000006+00:00`, the form that Agent Mail's clients know."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, slots=True)
class Agent:
    """One participant; `seed` names the attempt that it works for, if wtrun started it."""

    id: int
    name: str
    program: str
    model: str
    task: str
    inception_ts: str
    last_active_ts: str
    attachments_policy: str = "auto"
    seed: str = ""
    retired_ts: str | None = None

    @property
    def run_and_plan(self) -> tuple[str, str]:
        """Whose attempt it is, if wtrun started it (seed `run/plan/attempt`), else two `""`."""
        parts = self.seed.split("/")
        return (parts[0], parts[1]) if len(parts) == 3 else ("", "")


class AgentTable:
    """The table below one mail folder; `lock` is the mailbox's own."""

    def __init__(self, folder: Path, lock: Callable[[], AbstractContextManager[Any]]) -> None:
        self.folder = folder
        self._lock = lock

    def all(self) -> tuple[Agent, ...]:
        """Every agent in the order of registration."""
        found = (_load(file) for file in self.folder.glob("*.json") if file.name[0] != ".")
        return tuple(sorted((agent for agent in found if agent), key=lambda agent: agent.id))

    def find(self, name: str) -> Agent | None:
        return _load(self._file(name)) if names.is_safe(name) else None

    def register(
        self,
        hint: str | None,
        program: str,
        model: str,
        task: str,
        now: datetime,
        *,
        seed: str = "",
        always_new: bool = False,
        attachments_policy: str = "auto",
    ) -> Agent:
        """The agent of this seed or name with its data brought up to date, or a new one.

        A hint that can't be a name gives a made-up one, so callers use the name of the answer.
        """
        wanted = names.honoured(hint, program)
        with self._lock():
            known = self.all()
            old = None if always_new else _match(known, wanted, seed)
            taken = [agent.name for agent in known]
            if old is None and (wanted is None or any(names.same(wanted, n) for n in taken)):
                wanted = names.make_up(seed or secrets.token_hex(16), taken)
            agent = Agent(
                id=old.id if old else 1 + max((agent.id for agent in known), default=0),
                name=old.name if old else str(wanted),
                program=program,
                model=model,
                task=task,
                inception_ts=old.inception_ts if old else stamp(now),
                last_active_ts=stamp(now),
                attachments_policy=attachments_policy,
                seed=seed or (old.seed if old else ""),
            )
            self._save(agent)
        return agent

    def retire(self, name: str, now: datetime | None) -> Agent:
        """Marks the agent as gone (or back, with None): no broadcast reaches it; mail stays."""
        with self._lock():
            agent = self.find(name)
            if agent is None:
                raise UsageError(f"there is no agent named {name}", hint="wtrun mail agents")
            agent = replace(agent, retired_ts=None if now is None else stamp(now))
            self._save(agent)
        return agent

    def touch(self, name: str) -> None:
        """Notes that the agent is active now."""
        try:
            os.utime(self._file(name))
        except FileNotFoundError:
            return

    def _file(self, name: str) -> Path:
        return self.folder / f"{name.casefold()}.json"

    def _save(self, agent: Agent) -> None:
        record = {"v": 1, **asdict(agent)}
        del record["last_active_ts"]
        save_text(self._file(agent.name), json.dumps(record, indent=1) + "\n")


def _match(known: tuple[Agent, ...], wanted: str | None, seed: str) -> Agent | None:
    if seed:
        return next((agent for agent in known if agent.seed == seed), None)
    if wanted is None:
        return None
    return next((agent for agent in known if names.same(agent.name, wanted)), None)


def _load(file: Path) -> Agent | None:
    """None if there is no such agent, or the record can't be read (a foreign file)."""
    try:
        active = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        record = json.loads(file.read_bytes())
        known = {field.name for field in fields(Agent)}
        given = {key: value for key, value in record.items() if key in known}
        return Agent(**given, last_active_ts=stamp(active))
    except (OSError, ValueError, TypeError, AttributeError):
        return None
