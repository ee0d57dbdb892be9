"""`wtrun logs`: what an attempt's agent did, from its log files; also while it works."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from worktree_runner import attempts as attempt_files
from worktree_runner.agents.common import RECORD
from worktree_runner.agents.outcome import LOGS, replay
from worktree_runner.agents.protocol import EventParser
from worktree_runner.agents.registry import parser_for
from worktree_runner.agents.render import render_event, render_outcome
from worktree_runner.core.texts import clean, listing
from worktree_runner.errors import PreconditionError, UsageError
from worktree_runner.operations.context import runs
from worktree_runner.store.paths import Layout

PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class Chosen:
    """One attempt's folder with what is known about its agent."""

    run: str
    plan: str
    attempt: int
    folder: Path
    agent: str
    events: str
    worktree: str = ""

    def short(self, line: str) -> str:
        """A line with the worktree's files named as in the repository."""
        return line.replace(f"{self.worktree}/", "") if self.worktree else line

    @property
    def title(self) -> str:
        return f"{self.plan}, attempt {self.attempt}, agent {self.agent}, of {self.run}"


def choose(
    layout: Layout, plan: str, *, attempt: int | None = None, run: str | None = None
) -> Chosen:
    """The newest attempt of the plan, or the one that is asked for; errors list what there is."""
    folders = [f for f in reversed(runs.run_folders(layout)) if run is None or f.id == run]
    if not folders:
        raise PreconditionError(
            f"nothing executed is called {run}" if run else runs.NOTHING_YET,
            hint=f"wtrun logs {plan}, for the newest" if run else "wtrun execute PHASE",
        )
    seen: dict[str, None] = {}
    for folder in folders:
        numbers = _attempts(folder.path / "attempts", plan)
        if numbers and (attempt is None or attempt in numbers):
            n = attempt or max(numbers)
            return _chosen(folder.id, plan, n, folder.attempt(plan, n))
        seen.update(dict.fromkeys(sorted(runs.load(folder).plans)))
        if numbers:
            found = listing([str(number) for number in sorted(numbers)])
            raise UsageError(f"{plan} has no attempt {attempt}; there is {found}")
    known = f"known: {', '.join(seen)}" if seen else "wtrun status"
    raise UsageError(f"{plan} has not been started", hint=known)


def _attempts(folder: Path, plan: str) -> list[int]:
    names = (path.name for path in folder.glob(f"{plan}-a*") if path.is_dir())
    return [int(n) for name in names if (n := name.removeprefix(f"{plan}-a")).isdigit()]


def _chosen(run: str, plan: str, n: int, folder: Path) -> Chosen:
    try:
        record = json.loads((folder / RECORD).read_text())
    except (OSError, ValueError):
        record = {}
    agent, events = str(record.get("agent", "unknown")), str(record.get("events", "none"))
    worktree = str(record.get("worktree") or "")
    return Chosen(run, plan, n, folder, agent, events, worktree)


def told(run: str, plan: str, n: int, folder: Path) -> list[str]:
    """What `wtrun logs` shows of an attempt, for a question about it."""
    return list(render(_chosen(run, plan, n, folder)))


def render(chosen: Chosen) -> Iterator[str]:
    """The attempt's events as lines, and how it ended if it has."""
    parser = parser_for(chosen.events)
    for event in replay(parser, chosen.folder):
        line = render_event(event)
        if line is not None:
            yield chosen.short(line)
    yield from _ending(chosen, parser)


def raw(chosen: Chosen) -> Iterator[str]:
    """The lines that the agent printed, standard error first; terminals are kept safe."""
    for name, _ in LOGS:
        file = chosen.folder / name
        if file.is_file():
            with file.open(encoding="utf-8", errors="replace") as lines:
                yield from (clean(line.rstrip("\n")) for line in lines)


def follow(chosen: Chosen, *, as_raw: bool) -> Iterator[str]:
    """As `render` or `raw`, and what is added until the attempt ends."""
    parser = parser_for(chosen.events)
    places = {name: 0 for name, _ in LOGS}
    ended = False
    while True:
        ended = not isinstance(attempt_files.observe(chosen.folder), attempt_files.Running)
        for name, stream in LOGS:
            lines, places[name] = _new_lines(chosen.folder / name, places[name], whole=ended)
            for line in lines:
                events = parser.feed(line, stream)
                shown = [clean(line)] if as_raw else [render_event(event) for event in events]
                yield from (
                    text if as_raw else chosen.short(text) for text in shown if text is not None
                )
        if ended:
            break
        time.sleep(PAUSE_S)
    if not as_raw:
        yield from _ending(chosen, parser)


def _new_lines(file: Path, start: int, *, whole: bool) -> tuple[list[str], int]:
    """The complete lines after `start` (with `whole` also a last one without its end)."""
    if not file.is_file() or file.stat().st_size <= start:
        return [], start
    with file.open("rb") as opened:
        opened.seek(start)
        data = opened.read()
    end = len(data) if whole else data.rfind(b"\n") + 1
    return data[:end].decode(errors="replace").splitlines(), start + end


def _ending(chosen: Chosen, parser: EventParser) -> Iterator[str]:
    exit = attempt_files.load_exit(chosen.folder)
    if exit is None:
        state = attempt_files.observe(chosen.folder)
        running = isinstance(state, attempt_files.Running)
        yield "(at work; add -f to follow)" if running else "(no exit status was written)"
        return
    code = exit.code if exit.signal is None else 128 + exit.signal
    yield render_outcome(parser.end(code, killed=exit.stopped, timed_out=exit.timed_out))
