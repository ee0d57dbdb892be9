"""Everything that a run changes in the project's own documents, in one decision.

- Counts, decisions and requirements come from the summaries on the target and from nothing that
  an agent said elsewhere.
- The phase's check-box and the requirements are written only with `Position.COMPLETE`, and only
  if every plan of the phase has its summary, those included that so far only the road map lists.
- A document that is missing is named, not made: see `worktree_runner.core.docs.rebuild`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from worktree_runner.core.docs.facts import (
    Decision,
    PhaseRef,
    Position,
    Progress,
    RoadmapFacts,
    StateFacts,
)
from worktree_runner.core.docs.page import Edited
from worktree_runner.core.docs.refs import plain_token, same_phase
from worktree_runner.core.docs.requirements import update_requirements
from worktree_runner.core.docs.roadmap import (
    RoadmapPhase,
    milestone,
    next_phase,
    roadmap_goal,
    roadmap_phases,
)
from worktree_runner.core.docs.roadmap_edit import counted_plans, update_roadmap
from worktree_runner.core.docs.state import update_state
from worktree_runner.core.docs.summary import Summary, parse_summary
from worktree_runner.core.listing import list_files, list_phases
from worktree_runner.dialects.schema import Dialect
from worktree_runner.models import Phase, Plan, Problem


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the run itself knows; plans by id."""

    position: Position
    """PARTIAL becomes EXECUTED, and COMPLETE becomes PARTIAL, where the summaries say so."""
    date: str
    now: str
    landed: tuple[str, ...] = ()
    """Plans that this run brought to the target, in that order."""
    blockers: tuple[str, ...] = ()
    checkpoints: tuple[str, ...] = ()
    worktrees: tuple[str, ...] = ()
    wave: str = ""
    """Empty: the first wave with an open plan."""
    activity: str = ""
    """Empty: made from what landed."""
    resume: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """The documents as this project spells their names; None: there is no such file."""

    state: str | None
    roadmap: str | None
    requirements: str | None

    def all(self) -> tuple[str, ...]:
        return tuple(p for p in (self.state, self.roadmap, self.requirements) if p is not None)


@dataclass(frozen=True, slots=True)
class Updates:
    """New contents by path, and what could not be placed. Unchanged documents are not in it."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[Problem, ...] = ()
    missing: tuple[str, ...] = ()
    """Documents that the dialect knows and this project lacks."""
    open_requirements: tuple[str, ...] = ()
    """Ids of the phase that no summary covers, where the summaries say what they cover."""


def find_documents(paths: Iterable[str], dialect: Dialect) -> Places:
    """Where the documents are, in whatever case they are spelled."""
    known = {path.lower(): path for path in sorted(paths, reverse=True)}

    def find(names: Sequence[str]) -> str | None:
        wanted = (f"{dialect.root}/{name}" for name in names)
        exact = next((w for w in wanted if known.get(w.lower()) == w), None)
        return exact or next(
            (known[w] for name in names if (w := f"{dialect.root}/{name}".lower()) in known), None
        )

    files = dialect.files
    return Places(find(files.state), find(files.roadmap), find(files.requirements))


def update_inputs(paths: Iterable[str], phase: Phase, dialect: Dialect) -> tuple[str, ...]:
    """The files to read for `plan_updates`: the documents and the phase's summaries."""
    known = tuple(paths)
    there = frozenset(known)
    summaries = [plan.summary_path for plan in phase.plans if plan.summary_path in there]
    return (*find_documents(known, dialect).all(), *summaries)


def plan_updates(
    paths: Iterable[str],
    files: Mapping[str, bytes],
    phase: Phase,
    run: RunFacts,
    dialect: Dialect,
) -> Updates:
    """The new documents after a run. `paths` lists the target's planning files, `files` holds
    what `update_inputs` names."""
    return _Update(tuple(paths), files, phase, run, dialect).updates()


class _Update:
    def __init__(
        self,
        paths: tuple[str, ...],
        files: Mapping[str, bytes],
        phase: Phase,
        run: RunFacts,
        dialect: Dialect,
    ) -> None:
        self.paths = paths
        self.files = files
        self.phase = phase
        self.run = run
        self.dialect = dialect
        self.token = phase.dir.token
        self.places = find_documents(paths, dialect)
        known = frozenset(paths)
        self.done = tuple(
            plan
            for plan in phase.plans
            if plan.done or (plan.summary_path in known and self._filled(plan.summary_path))
        )
        self.total = len(phase.plans) + len(phase.unwritten)
        self.complete = run.position is Position.COMPLETE and len(self.done) == self.total
        self.roadmap = files.get(self.places.roadmap or "", b"")

    def updates(self) -> Updates:
        edits: dict[str, Edited] = {}
        left: tuple[str, ...] = ()
        for kind, path in (("state", self.places.state), ("roadmap", self.places.roadmap)):
            if path is not None and path in self.files:
                edits[path] = self._state(path) if kind == "state" else self._roadmap(path)
        path = self.places.requirements
        if path is not None and path in self.files and self.complete:
            edits[path], left = self._requirements(path)
        changed = {path: edited.text for path, edited in edits.items() if edited.changed}
        notes = tuple(note for edited in edits.values() for note in edited.notes)
        return Updates(changed, notes, self._missing(), left)

    def _filled(self, path: str) -> bool:
        """An empty summary proves nothing."""
        return bool(self.files.get(path, b"?").strip())

    def _missing(self) -> tuple[str, ...]:
        names, places = self.dialect.files, self.places
        wanted = ((places.state, names.state), (places.roadmap, names.roadmap))
        return tuple(f"{self.dialect.root}/{n[0]}" for place, n in wanted if place is None)

    def _summary(self, plan: Plan) -> Summary | None:
        data = self.files.get(plan.summary_path)
        return None if data is None else parse_summary(data)

    def _state(self, path: str) -> Edited:
        run, words = self.run, self.dialect.words
        following = next_phase(self.roadmap, self.token, self.dialect) if self.complete else None
        position = self._position()
        landed = [plan for plan in self.phase.plans if plan.id in run.landed]
        facts = StateFacts(
            phase=PhaseRef(self.token, self.phase.dir.name),
            position=position,
            plans_done=len(self.done),
            plans_total=self.total,
            date=run.date,
            now=run.now,
            activity=run.activity or self._activity(words.phase, words.plan, words.plans),
            resume=run.resume,
            next_phase=PhaseRef(following.token, following.name) if following else None,
            decisions=tuple(
                Decision(text, plan.id)
                for plan in landed
                if (summary := self._summary(plan)) is not None
                for text in summary.key_decisions
            ),
            blockers=run.blockers,
            finished=tuple(plan.id for plan in self.done),
            worktrees=run.worktrees,
            checkpoints=run.checkpoints,
            wave=run.wave or self._wave(),
            progress=self._progress(),
            plan=run.landed[-1] if run.landed else "",
        )
        return update_state(self.files[path], facts, self.dialect, path=path)

    def _position(self) -> Position:
        """What the run says, but never more than the summaries show."""
        all_done = len(self.done) == self.total
        said = self.run.position
        if all_done:
            return Position.EXECUTED if said is Position.PARTIAL else said
        return Position.PARTIAL if said in (Position.COMPLETE, Position.EXECUTED) else said

    def _wave(self) -> str:
        """`2 of 3`: the first wave with an open plan; empty where there is none."""
        waves = sorted({plan.wave for plan in self.phase.plans})
        reached = [plan.wave for plan in self.phase.plans if plan not in self.done]
        return f"{waves.index(min(reached)) + 1} of {len(waves)}" if reached else ""

    def _activity(self, phase: str, plan: str, plans: str) -> str:
        title = f"{phase.capitalize()} {plain_token(self.token)}"
        if self.complete:
            return f"{title} complete"
        done, total = len(self.done), self.total
        return f"{title}: {done} of {total} {plan if total == 1 else plans} complete"

    def _progress(self) -> Progress | None:
        """Counts over the current milestone's phases, or None.

        None without a road map, since the phase directories of older milestones may still be
        there, and where no phase has plans. A finished phase whose directory is gone counts as
        the progress table has it.
        """
        planned = roadmap_phases(self.roadmap, self.dialect)
        if not planned:
            return None
        done_phases = plans = finished = 0
        for directory in list_phases(self.paths, self.dialect):
            entry = _entry(planned, directory.token)
            if entry is None:
                continue
            if same_phase(directory.token, self.token):
                plans += self.total
                finished += len(self.done)
            else:
                listed = list_files(self.paths, directory, self.dialect).plans
                plans += len(listed)
                finished += sum(each.summary is not None for each in listed)
        directories = [each.token for each in list_phases(self.paths, self.dialect)]
        for entry in planned:
            gone = entry.done and not any(same_phase(each, entry.token) for each in directories)
            counted = counted_plans(self.roadmap, entry.token, self.dialect) if gone else None
            if counted is not None:
                finished, plans = finished + counted[0], plans + counted[1]
            mine = same_phase(entry.token, self.token)
            done_phases += entry.done or (mine and self.complete)
        return Progress(len(planned), done_phases, plans, finished) if plans else None

    def _roadmap(self, path: str) -> Edited:
        facts = RoadmapFacts(
            token=self.token,
            done=tuple(plan.number for plan in self.done),
            plans_total=self.total,
            date=self.run.date,
            phase_complete=self.complete,
            milestone=milestone(self.roadmap, self.dialect).version,
        )
        return update_roadmap(self.roadmap, facts, self.dialect, path=path)

    def _requirements(self, path: str) -> tuple[Edited, tuple[str, ...]]:
        """With summaries that list what they cover, only that; else all of the phase's ids."""
        entry = roadmap_goal(self.roadmap, self.token, self.dialect)
        wanted = entry.requirements if entry else ()
        if not wanted:
            named = (each for plan in self.phase.plans for each in plan.requirements)
            wanted = tuple(dict.fromkeys(named))
        summaries = [(p, s) for p in self.done if (s := self._summary(p)) is not None]
        proofs: dict[str, list[str]] = {}
        for plan, summary in summaries:
            for key, text in summary.evidence:
                if text:
                    proofs.setdefault(key, []).append(f"{plan.id}: {text}")
        covered = {key for _, summary in summaries for key, _ in summary.evidence}
        met = tuple(each for each in wanted if each in covered) if covered else wanted
        edited = Edited(self.files[path])
        if met:
            evidence = {key: "; ".join(texts) for key, texts in proofs.items()}
            edited = update_requirements(
                edited.text, met, evidence, self.dialect, token=self.token, path=path
            )
        return edited, tuple(each for each in wanted if each not in met)


def _entry(planned: Iterable[RoadmapPhase], token: str) -> RoadmapPhase | None:
    return next((each for each in planned if same_phase(each.token, token)), None)
