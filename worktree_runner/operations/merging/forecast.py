"""Foresees conflicts between plans that are still at work, from their branches as they stand.

- The guard of an attempt notes each commit of its branch (`wtrun-moved` in the worktree's git
  dir). Only then, or when a plan starts or lands, are branches compared; never on a clock.
- Compared are pairs of plans that have not landed, and each with what has landed since it began.
- A forecast decides nothing: it is told, kept in the journal, and shown by `wtrun conflicts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from merge import merge_commits
from merge.policy import matches
from worktree_runner.core import forecast
from worktree_runner.core.events import Type
from worktree_runner.core.forecast import Pair, Touched
from worktree_runner.core.state import ACTIVE, PlanState, RunState, Status
from worktree_runner.core.texts import count
from worktree_runner.dialects.schema import Dialect
from worktree_runner.errors import WtrunError
from worktree_runner.git import pairs as git_pairs
from worktree_runner.git.gateway import Git
from worktree_runner.git.guard import MOVED
from worktree_runner.git.repository import Repository, git_dir_of
from worktree_runner.operations.context import runs
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.merging import landing
from worktree_runner.store.settings import Settings

JSON_VERSION = 1
AT_WORK = (*ACTIVE, Status.ASKING, Status.QUEUED, Status.CONFLICTED)
RULES_AT_MOST = 20
"""So many new pairs of one scan are put to the rules; with more, what git says has to do."""
LOOK_S = 2.0
"""How often the notes of the guards are looked at where nothing else wakes the run."""


@dataclass
class Scanner:
    """Compares branches; remembers what it has compared, since commits never change."""

    repository: Repository
    settings: Settings
    dialect: Dialect
    touched: dict[tuple[str, str], Touched] = field(default_factory=dict)
    merged: dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = field(
        default_factory=dict
    )

    def scan(self, state: RunState) -> tuple[Pair, ...]:
        """Every pair of parties in conflict as the branches stand now."""
        ends = self._ends(state)
        known = git_pairs.touched(
            self.repository.git, [end for end in ends.values() if end not in self.touched]
        )
        for base, head in ends.values():
            self.touched.setdefault((base, head), known.get(head, Touched()))
        owned = self.dialect.owned() if state.planning_tracked else ()
        parties = {name: _without(self.touched[end], owned) for name, end in ends.items()}
        wanted = forecast.candidates(parties)
        commits = {(one, other): (ends[one][1], ends[other][1]) for one, other in wanted}
        new = [pair for pair in commits.values() if pair not in self.merged]
        found = git_pairs.conflicting(self.repository.git, list(dict.fromkeys(new)))
        bad = {pair: _left(paths, owned) for pair, paths in found.items()}
        ruled = [pair for pair, paths in bad.items() if paths]
        for pair, paths in bad.items():
            use_rules = bool(paths) and len(ruled) <= RULES_AT_MOST
            settled = self._by_rule(state, pair, paths) if use_rules else ()
            open_paths = tuple(path for path in paths if path not in settled)
            self.merged[pair] = open_paths, settled
        return tuple(
            Pair(*names, *self.merged[pair])
            for names, pair in commits.items()
            if any(self.merged[pair]) and not _is_open(state, names)
        )

    def _ends(self, state: RunState) -> dict[str, tuple[str, str]]:
        """Base and head of each party: the target as far as it has landed, and plans at work."""
        heads = _heads(self.repository.git)
        ends = {}
        if state.tip != state.base:
            ends[state.target] = (state.base, state.tip)
        for plan in state.with_status(*AT_WORK):
            moving = plan.status in (*ACTIVE, Status.ASKING)
            head = heads.get(plan.branch, "") if moving else plan.head
            if plan.base and head and head != plan.base:
                ends[plan.id] = (plan.base, head)
        return ends

    def _by_rule(
        self, state: RunState, pair: tuple[str, str], paths: tuple[str, ...]
    ) -> tuple[str, ...]:
        """The paths of a conflict that rules would settle, as the run is set."""
        anyone = PlanState("", "", "", "", 0, None, (), 0, True)
        tier = landing.tier_of(self.settings)
        settings = landing.settings_for(self.settings, self.dialect, state, anyone, tier)
        outcome = merge_commits(self.repository.objects, *pair, settings=settings)
        left = {one.path for one in outcome.conflicts}
        return tuple(path for path in paths if path not in left)


def _is_open(state: RunState, names: tuple[str, str]) -> bool:
    """Whether the pair is the target and a plan whose merge is due or asked about anyway."""
    settled = (Status.QUEUED, Status.CONFLICTED)
    return names[0] == state.target and state.plans[names[1]].status in settled


def _without(one: Touched, owned: Iterable[str]) -> Touched:
    """Without the planning files that the run itself writes: they never conflict."""
    patterns = tuple(owned)
    if not patterns:
        return one
    sets = (one.paths, one.added, one.removed)
    return Touched(*(frozenset(p for p in part if not matches(p, patterns)) for part in sets))


def _left(paths: Iterable[str], owned: Iterable[str]) -> tuple[str, ...]:
    patterns = tuple(owned)
    return tuple(path for path in paths if not matches(path, patterns))


def _heads(git: Git) -> dict[str, str]:
    """Every branch with its commit."""
    output = git.text("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads")
    found = {}
    for line in output.splitlines():
        name, _, commit = line.rpartition(" ")
        found[name] = commit
    return found


class Watcher:
    """Scans when a branch of a plan at work has moved, and records what begins to conflict."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._scanner = Scanner(session.repository, session.settings, session.dialect)
        self._notes: dict[str, Path] = {}
        self._seen: tuple[Any, ...] = ()
        self._off = False

    @property
    def patience(self) -> float:
        """How long the run may sleep before it looks here again."""
        return LOOK_S if len(self._session.state.with_status(*AT_WORK)) > 1 else float("inf")

    def look(self) -> None:
        """Compares the branches if a guard noted a commit, or something landed, since the last
        look. Where git can't tell, or takes too long, it is not asked again in this run."""
        state = self._session.state
        if self._off:
            return
        plans = state.with_status(*AT_WORK)
        if not plans or (len(plans) == 1 and state.tip == state.base):
            return
        moved = tuple((plan.id, plan.head, self._size(plan)) for plan in plans)
        if (state.tip, *moved) == self._seen:
            return
        self._seen = (state.tip, *moved)
        try:
            found = self._scanner.scan(state)
        except WtrunError as error:
            self._off = True
            text = f"conflicts are not foreseen any more: {error.message}"
            self._session.record(Type.NOTICE, text=text)
            return
        now = [forecast.to_json(pair) for pair in found]
        if now != list(state.foreseen):
            new = [
                forecast.to_json(pair)
                for pair in forecast.begun(state.foreseen, found, state.target)
            ]
            self._session.record(Type.CONFLICTS_FORESEEN, pairs=now, new=new)

    def _size(self, plan: PlanState) -> int:
        """How much the guard has noted of the plan's branch; 0 before its first commit."""
        if plan.worktree not in self._notes:
            git_dir = git_dir_of(Path(plan.worktree))
            if git_dir is None:
                return 0
            self._notes[plan.worktree] = git_dir / MOVED
        try:
            return self._notes[plan.worktree].stat().st_size
        except OSError:
            return 0


# -- `wtrun conflicts` ---------------------------------------------------------------------


def to_json(state: RunState, found: Iterable[Pair]) -> dict[str, Any]:
    """Open conflicts and foreseen ones, for programs; names are only ever added."""
    return {
        "v": JSON_VERSION,
        "run": state.id,
        "phase": state.phase,
        "target": state.target,
        "open": [
            {
                "plan": plan.id,
                "files": [_file(item) for item in plan.conflicts],
                "command": f"wtrun resolve {plan.id}",
            }
            for plan in state.with_status(Status.CONFLICTED)
        ],
        "foreseen": [forecast.to_json(pair) for pair in found],
    }


def _file(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item.get(key) for key in ("path", "kind", "why", "hunks")}


def render(state: RunState, found: Iterable[Pair]) -> str:
    """Open conflicts and foreseen ones, for a person."""
    lines = []
    waiting = state.with_status(Status.CONFLICTED)
    if waiting:
        lines.append("waiting for you:")
    for plan in waiting:
        files = ", ".join(str(item["path"]) for item in plan.conflicts)
        lines.append(f"  {plan.id}: {files}; wtrun resolve {plan.id}")
    items = [forecast.to_json(pair) for pair in found]
    asked = [item for item in items if item["paths"]]
    by_rule = [item for item in items if not item["paths"]]
    if asked:
        lines.append("as the branches stand, these will conflict:")
        lines += [f"  {forecast.in_words(item)}" for item in asked]
    if by_rule:
        lines.append("and these conflicts will be settled by rule:")
        lines += [f"  {forecast.in_words(item)}" for item in by_rule]
    if not lines:
        words = runs.words_of(state)
        plans = count(len(state.with_status(*AT_WORK)), words.plan, words.plans)
        what = f"{words.execution} {state.id}"
        return f"{what}: no conflict is open or foreseen between {plans} at work"
    return "\n".join(lines)
