"""In which order plans run: effective waves, filters and lanes.

- Effective wave = the larger of the declared wave and one more than the largest wave among the
  plans that it depends on. Missing and zero are fine; a cycle has no answer.
- Done plans and filtered ones are named, not forgotten.
- Plans of one wave that share a file form a lane: they run one after another in plan order,
  beside the rest of the wave.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from worktree_runner.core.overlap import overlap as overlap_of
from worktree_runner.core.patterns import PatternError
from worktree_runner.dialects.schema import Words
from worktree_runner.errors import PreconditionError, UsageError
from worktree_runner.models import Phase, Plan, Severity

OverlapTest = Callable[[str, str], bool]
_SHOWN_PAIRS = 50


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two plans of one wave that name the same files; each pair is (first's, second's)."""

    first: str
    second: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Wave:
    """The plans of one effective wave that are to run, in plan order."""

    number: int
    plans: tuple[Plan, ...]
    lanes: tuple[tuple[str, ...], ...] = ()
    """Groups of two and more plan ids; a plan in no lane runs on its own."""
    overlaps: tuple[Overlap, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What would run, and what would not and why."""

    waves: tuple[Wave, ...]
    done: tuple[str, ...]
    filtered: tuple[str, ...]

    @property
    def plans(self) -> tuple[Plan, ...]:
        return tuple(plan for wave in self.waves for plan in wave.plans)


class Knot(NamedTuple):
    """What the order of plans depends on."""

    id: str
    declared_wave: int | None
    depends_on: tuple[str, ...]


def effective_waves(
    plans: Sequence[Knot | Plan],
) -> tuple[Mapping[str, int], tuple[tuple[str, ...], ...]]:
    """The wave of each plan by id, and each dependency cycle as ids with the first repeated.

    Plans in a cycle, or behind one, keep their declared wave.
    """
    by_id = {plan.id: plan for plan in reversed(plans)}
    waves: dict[str, int] = {}
    open_ids = list(by_id)[::-1]
    while True:
        ready = [
            key for key in open_ids
            if all(dep in waves for dep in by_id[key].depends_on if dep in by_id)
        ]  # fmt: skip
        if not ready:
            break
        for key in ready:
            plan = by_id[key]
            after = [waves[dep] + 1 for dep in plan.depends_on if dep in waves]
            declared = plan.declared_wave
            waves[key] = max([*after, *([] if declared is None else [declared])], default=1)
        open_ids = [key for key in open_ids if key not in waves]
    for key in open_ids:
        waves[key] = by_id[key].declared_wave or 1
    return waves, _cycles(by_id, open_ids)


def _cycles(by_id: Mapping[str, Knot | Plan], stuck: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """One cycle for each group of stuck plans that has one, found by walking until a repeat."""
    cycles: list[tuple[str, ...]] = []
    seen: set[str] = set()
    for start in stuck:
        trail: list[str] = []
        key: str | None = start
        while key is not None and key not in seen:
            seen.add(key)
            trail.append(key)
            key = next((dep for dep in by_id[key].depends_on if dep in stuck), None)
        if key in trail:
            cycles.append((*trail[trail.index(key) :], key))
    return tuple(cycles)


def require_clear(phase: Phase) -> None:
    """Raises if a plan's identity, wave or dependencies are unclear, naming all of them."""
    problems = [*phase.problems, *(note for plan in phase.plans for note in plan.problems)]
    errors = [note for note in problems if note.severity is Severity.ERROR]
    if errors:
        lines = "".join(f"\n  {note}" for note in errors)
        raise PreconditionError(
            f"{phase.dir.path} can't be executed as it is:{lines}",
            hint=next((note.hint for note in errors if note.hint), None)
            or f"see everything with 'wtrun plan {phase.dir.call}'",
        )


def arrange(
    phase: Phase,
    *,
    only: Collection[str] = (),
    wave: int | None = None,
    gaps_only: bool = False,
    overlap: OverlapTest | None = None,
    words: Words,
) -> Arrangement:
    """Waves with lanes of what is to run. Raises on errors in plans and on impossible filters."""
    require_clear(phase)
    wanted = _named(phase, only, words)
    done = tuple(plan.id for plan in phase.plans if plan.done)
    if wave is not None:
        _check_wave(phase, wave, words)
    chosen = [
        plan for plan in phase.plans
        if not plan.done
        and (not only or plan.id in wanted)
        and (wave is None or plan.wave == wave)
        and (not gaps_only or plan.gap_closure)
    ]  # fmt: skip
    _check_dependencies(phase, chosen, words)
    ids = {plan.id for plan in chosen}
    filtered = tuple(plan.id for plan in phase.plans if not plan.done and plan.id not in ids)
    return Arrangement(group_waves(chosen, overlap), done, filtered)


def group_waves(plans: Sequence[Plan], overlap: OverlapTest | None = None) -> tuple[Wave, ...]:
    """The plans by effective wave, each wave with its lanes and overlaps."""
    numbers = sorted({plan.wave for plan in plans})
    return tuple(
        _wave(number, [plan for plan in plans if plan.wave == number], overlap or patterns_meet)
        for number in numbers
    )


def _named(phase: Phase, only: Iterable[str], words: Words) -> set[str]:
    known = {plan.id.lower(): plan.id for plan in phase.plans}
    known |= {plan.number.lower(): plan.id for plan in phase.plans}
    known |= {plan.number.lower().lstrip("0"): plan.id for plan in phase.plans}
    wanted = set()
    for name in only:
        key = name.strip().lower()
        if key not in known:
            ids = ", ".join(plan.id for plan in phase.plans)
            raise UsageError(
                f"no {words.plan} '{name}' in {phase.dir.path}", hint=f"{words.plans} here: {ids}"
            )
        wanted.add(known[key])
    return wanted


def _check_wave(phase: Phase, wave: int, words: Words) -> None:
    numbers = sorted({plan.wave for plan in phase.plans})
    if wave not in numbers:
        shown = ", ".join(map(str, numbers))
        raise UsageError(
            f"{phase.dir.path} has no {words.wave} {wave}", hint=f"{words.waves} here: {shown}"
        )
    open_below = [plan for plan in phase.plans if plan.wave < wave and not plan.done]
    if open_below:
        lowest = min(plan.wave for plan in open_below)
        names = ", ".join(plan.id for plan in open_below)
        raise UsageError(
            f"{words.wave} {wave} can't start yet: {names} of lower {words.waves} are not done",
            hint=f"wtrun execute {phase.dir.call} --wave {lowest}",
        )


def _check_dependencies(phase: Phase, chosen: Sequence[Plan], words: Words) -> None:
    """A filter must not take a plan and leave out an unfinished one that it builds on."""
    ready = {plan.id for plan in phase.plans if plan.done} | {plan.id for plan in chosen}
    known = {plan.id for plan in phase.plans}
    for plan in chosen:
        missing = [dep for dep in plan.depends_on if dep in known and dep not in ready]
        if missing:
            flags = " ".join(f"--only {name}" for name in (*missing, plan.id))
            raise UsageError(
                f"{words.plan} {plan.id} depends on {', '.join(missing)}, which would be left out",
                hint=f"wtrun execute {phase.dir.call} {flags}",
            )


def _wave(number: int, plans: Sequence[Plan], test: OverlapTest) -> Wave:
    found = []
    for first, second in combinations(plans, 2):
        pairs = _shared(first.files, second.files, test)
        if pairs:
            found.append(Overlap(first.id, second.id, pairs))
    return Wave(number, tuple(plans), _lanes(plans, found), tuple(found))


def patterns_meet(first: str, second: str) -> bool:
    """Whether both can name the same file; what is no pattern is compared as it is."""
    try:
        return overlap_of(first, second)
    except PatternError:
        return first == second


def _shared(
    first: Sequence[str], second: Sequence[str], test: OverlapTest
) -> tuple[tuple[str, str], ...]:
    equal = set(first) & set(second)
    pairs = [(path, path) for path in first if path in equal]
    pairs += [(a, b) for a in first for b in second if a != b and test(a, b)]
    return tuple(pairs[:_SHOWN_PAIRS])


def _lanes(plans: Sequence[Plan], overlaps: Sequence[Overlap]) -> tuple[tuple[str, ...], ...]:
    """Union-find over the overlaps; the order within a lane is the plan order."""
    parent = {plan.id: plan.id for plan in plans}

    def root(key: str) -> str:
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for pair in overlaps:
        parent[root(pair.second)] = root(pair.first)
    groups: dict[str, list[str]] = {}
    for plan in plans:
        groups.setdefault(root(plan.id), []).append(plan.id)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)
