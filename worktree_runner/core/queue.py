"""The merge queue as values: batches, what the gate said of them, and the next step. Pure.

The rules, which are the specification
- A batch is the plans whose turn it is, merged one onto the other on top of the run's tip; the
  k-th commit holds the first k plans. The gate runs on the last one. Green: all land.
- Not green: first the baseline (the tip that the batch stands on), once, and only now: a run
  whose gates are all green never pays for it. A gate that is not usable there is no gate; that
  is said once, and the run goes on as with `--no-gate`.
- Then a binary search for the first prefix that is not green. Its last plan is guilty; a red
  verdict (not a timeout) is run once more, since the gate may be flaky. What is green before it
  lands, it is rejected with its work kept, and the rest is a new batch.
- After two guilty plans the queue goes one by one until it is empty.
- A plan that needs tested resolutions is a batch of its own. Red: insertions of both sides are
  tried in the other order too, as one more batch. Not green, or nothing to check with: the
  resolutions are undone and the plan's conflict is a question again. Nothing is run once more for
  it: what is green only the second time is no evidence that a likely resolution is right.
- A target that has moved on is merged into the tip as an entry without a plan, the first of its
  batch, and passes the gate like the plans. Not green: the target stays as it is.
- Every verdict is journalled with its commit and never asked for twice, also after a crash.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from worktree_runner.core.actions import Close, Land, Reject, RunGate, Step, TurnOff
from worktree_runner.core.events import Event, Type
from worktree_runner.core.gate import Ended, Purpose, Result, Verdict, is_usable, judge

ONE_BY_ONE_AFTER = 2
"""So many guilty plans end the batches: with many bad plans, searching costs more than it saves."""
LOST_AT_MOST = 2
"""So often a gate's process may vanish on one commit before that counts as inconclusive."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A plan in a batch: its head, and the commit that holds it and all before it."""

    plan: str
    """Empty: not a plan but the target, which has moved on."""
    head: str
    commit: str
    resolutions: tuple[Mapping[str, Any], ...] = ()
    notices: tuple[str, ...] = ()
    tested: bool = False
    """Some resolution is only likely, and kept only if the gate is green."""
    order: int = 1
    """2: the insertions of both sides stand in the other order than the first that was tried."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Plans that are checked together; `tip` is what the first was merged onto."""

    n: int
    tip: str
    entries: tuple[Entry, ...]

    @property
    def plans(self) -> tuple[str, ...]:
        return tuple(entry.plan for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Started:
    """A run of the gate that has no verdict yet."""

    n: int
    candidate: str
    purpose: Purpose
    tip: str = ""
    plans: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Queue:
    """The gate and the batch at hand; a fold of events."""

    command: tuple[str, ...] = ()
    """Empty: there is no gate."""
    origin: str = ""
    """Where the command comes from, in words: `--gate`, `Makefile`."""
    off: str = ""
    """Why nothing is checked; empty while the gate is in use."""
    batch: Batch | None = None
    open: Started | None = None
    results: Mapping[str, Result] = field(default_factory=dict)
    """The last result for each commit."""
    confirmed: frozenset[str] = frozenset()
    """Commits whose red verdict came twice."""
    convicted: Mapping[str, str] = field(default_factory=dict)
    """The commit with which each rejected plan was not green; forgotten when it is tried again."""
    refused_orders: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Plans whose likely insertions were red in the first order, with their head and the tip."""
    lost: Mapping[str, int] = field(default_factory=dict)
    target: str = ""
    """A commit of the target that the tip lacks and that waits to be merged in."""
    refused: str = ""
    """The target's commit with which the gate was not green; not tried again in this session."""
    followed: int = 0
    """How often the target was merged in since it could be published last."""
    untested: bool = False
    """The gate, as it ran last, found no tests."""
    flaky: int = 0
    guilty: int = 0
    """Plans rejected since the queue was last empty."""
    batches: int = 0
    started: int = 0
    """Runs of the gate so far, those that were cut off included: numbers their folders."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Runs that gave a verdict, by purpose."""

    @property
    def is_on(self) -> bool:
        return bool(self.command) and not self.off

    @property
    def runs(self) -> int:
        """Runs for batches and searches; baselines and repetitions are counted apart."""
        return sum(self.counts.get(purpose, 0) for purpose in (Purpose.BATCH, Purpose.SEARCH))

    @property
    def baseline(self) -> Result | None:
        """What the gate says of the commit that the batch stands on, if that is known."""
        return None if self.batch is None else self.results.get(self.batch.tip)

    def verdict(self, commit: str) -> Verdict | None:
        """What is known of a commit of the batch; None before its gate has run."""
        result = self.results.get(commit)
        return None if result is None else judge(result, self.baseline)


# --- steps -----------------------------------------------------------------------------------


def next_step(queue: Queue, tip: str, queued: Collection[str]) -> Step | None:
    """What the batch at hand needs next; None where there is none, or its gate is running.

    `queued` are the plans that still wait to land. Safe to ask again at any moment: steps that
    were done before a crash are not asked for twice.
    """
    batch = queue.batch
    if batch is None or queue.open is not None:
        return None
    landed = _landed(batch, tip)
    if landed is None:
        return Close("the tip has moved")
    step = _without_gate(batch) if not queue.is_on else _with_gate(queue, batch)
    match step:
        case Land(upto) if upto <= landed:
            return Close()
        case Land() | RunGate() | TurnOff():
            return step
    guilty = batch.plans.index(step.plan)
    if landed < guilty:
        return Land(guilty)
    waits = step.plan in queued if step.plan else bool(queue.target)
    return step if waits else Close()


def _landed(batch: Batch, tip: str) -> int | None:
    """How many plans of the batch are in the tip; None if the tip is somewhere else."""
    commits = [batch.tip, *(entry.commit for entry in batch.entries)]
    return commits.index(tip) if tip in commits else None


def _without_gate(batch: Batch) -> Land | Reject:
    for entry in batch.entries:
        if entry.tested:
            return Reject(entry.plan, entry.commit, Verdict.EMPTY, tested=True)
    return Land(len(batch.entries))


def _with_gate(queue: Queue, batch: Batch) -> RunGate | TurnOff | Land | Reject:
    verdicts = [queue.verdict(entry.commit) for entry in batch.entries]
    green, bad = _bounds(batch, verdicts)
    last = len(batch.entries)
    if bad is None:
        return Land(last) if green == last else _run(batch, last, Purpose.BATCH)
    if queue.baseline is None:
        return RunGate(batch.tip, Purpose.BASELINE)
    if not is_usable(queue.baseline):
        return TurnOff(queue.baseline.in_words())
    if bad - green > 1:
        return _run(batch, (green + bad) // 2, Purpose.SEARCH)
    entry, verdict = batch.entries[bad - 1], verdicts[bad - 1]
    assert verdict is not None
    may_be_chance = verdict is Verdict.RED and not entry.tested
    if may_be_chance and entry.commit not in queue.confirmed:
        return RunGate(entry.commit, Purpose.AGAIN)
    return Reject(entry.plan, entry.commit, verdict, entry.tested)


def _bounds(batch: Batch, verdicts: Sequence[Verdict | None]) -> tuple[int, int | None]:
    """The longest prefix known to be good, and the shortest one beyond it known not to be."""
    good = [
        k
        for k, verdict in enumerate(verdicts, start=1)
        if verdict is not None and _may_land(batch.entries[k - 1], verdict)
    ]
    green = max(good, default=0)
    bad = [k for k, verdict in enumerate(verdicts, start=1) if verdict and k > green]
    return green, min(bad, default=None)


def _may_land(entry: Entry, verdict: Verdict) -> bool:
    return verdict is Verdict.GREEN if entry.tested else verdict.lets_land


def _run(batch: Batch, upto: int, purpose: Purpose) -> RunGate:
    return RunGate(batch.entries[upto - 1].commit, purpose)


# --- order -----------------------------------------------------------------------------------


def fewest_conflicts(plans: Sequence[str], pairs: Collection[frozenset[str]]) -> tuple[str, ...]:
    """The plans so that those in conflict with the fewest others come first.

    `pairs` are the plans that conflict with each other. Counted anew among those that are left
    after each choice, without what conflicts with a chosen one: those can't land any more as they
    are, and come last. Ties keep the given order.
    """
    left, chosen, blocked = list(plans), list[str](), list[str]()
    while left:
        first = min(left, key=lambda plan: sum(frozenset((plan, other)) in pairs for other in left))
        against = [plan for plan in left if frozenset((plan, first)) in pairs]
        chosen.append(first)
        blocked += against
        left = [plan for plan in left if plan != first and plan not in against]
    return (*chosen, *sorted(blocked, key=list(plans).index))


# --- folding ---------------------------------------------------------------------------------


def apply(queue: Queue, event: Event) -> Queue:
    """The queue after one more event; those about other things change nothing."""
    data = event.data
    match event.type:
        case Type.GATE_CHOSEN:
            return replace(
                queue,
                command=tuple(data["command"]),
                origin=data.get("origin", ""),
                off=data.get("off", ""),
                results={},
                confirmed=frozenset(),
                lost={},
            )
        case Type.GATE_OFF:
            return replace(queue, off=data["reason"], open=None)
        case Type.QUEUE_PREPARED:
            batch = Batch(data["batch"], data["tip"], tuple(map(_entry, data["entries"])))
            return replace(queue, batch=batch, batches=data["batch"])
        case Type.GATE_STARTED:
            started = Started(
                data["n"],
                data["candidate"],
                Purpose(data["purpose"]),
                data.get("tip", ""),
                tuple(data.get("plans", ())),
            )
            return replace(queue, open=started, started=data["n"])
        case Type.GATE_ENDED:
            return _ended(queue, data)
        case Type.TARGET_MOVED:
            return replace(queue, target=data["at"])
        case Type.TARGET_REFUSED:
            return replace(queue, target="", refused=data["at"])
        case Type.TARGET_MERGED:
            return replace(queue, target="", followed=queue.followed + 1)
        case Type.PUBLISHED:
            return replace(queue, followed=0)
        case Type.RUN_RESUMED:
            return replace(queue, refused="", followed=0)
        case Type.MERGE_REJECTED:
            convicted = {**queue.convicted, str(event.plan): str(data.get("candidate", ""))}
            return replace(queue, guilty=queue.guilty + 1, convicted=convicted)
        case Type.MERGE_REOPENED:
            return _tried_again(queue, str(event.plan))
        case Type.ORDER_REFUSED:
            refused = {**queue.refused_orders, str(event.plan): (data["head"], data["tip"])}
            return replace(queue, batch=None, open=None, refused_orders=refused)
        case Type.QUEUE_CLOSED:
            guilty = 0 if data.get("empty") else queue.guilty
            return replace(queue, batch=None, open=None, guilty=guilty)
    return queue


def _ended(queue: Queue, data: Mapping[str, Any]) -> Queue:
    queue = replace(queue, open=None)
    commit, result = data["candidate"], Result.from_json(data)
    if result.ended is Ended.STOPPED:
        return queue
    if result.ended is Ended.LOST:
        lost = queue.lost.get(commit, 0) + 1
        queue = replace(queue, lost={**queue.lost, commit: lost})
        if lost < LOST_AT_MOST:
            return queue
    purpose = str(data["purpose"])
    counts = {**queue.counts, purpose: queue.counts.get(purpose, 0) + 1}
    confirmed, flaky = queue.confirmed, queue.flaky
    results = {**queue.results, commit: result}
    if purpose == Purpose.AGAIN:
        verdict = judge(result, queue.baseline)
        confirmed |= frozenset() if verdict.lets_land else {commit}
        flaky += verdict.lets_land
    return replace(
        queue,
        counts=counts,
        confirmed=confirmed,
        flaky=flaky,
        results=results,
        untested=result.found_no_tests,
    )


def _tried_again(queue: Queue, plan: str) -> Queue:
    """Without what is known of the plan's candidate: made anew in the same second, it is the same
    commit."""
    commit = queue.convicted.get(plan)
    return replace(
        queue,
        convicted={other: at for other, at in queue.convicted.items() if other != plan},
        results={at: result for at, result in queue.results.items() if at != commit},
        confirmed=queue.confirmed - {commit or ""},
    )


def _entry(data: Mapping[str, Any]) -> Entry:
    return Entry(
        data["plan"],
        data["head"],
        data["commit"],
        tuple(data.get("resolutions", ())),
        tuple(data.get("notices", ())),
        bool(data.get("tested", False)),
        int(data.get("order", 1)),
    )
