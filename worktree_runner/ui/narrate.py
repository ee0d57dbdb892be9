"""Every sentence that a run says while it works, one function per event type.

- An event is told once, when it is recorded. What only the journal needs says nothing.
- Words are the dialect's own; paths and commands are exact and can be pasted.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from worktree_runner.core.conflicts import CONCERNS
from worktree_runner.core.events import Event, Type
from worktree_runner.core.forecast import in_words
from worktree_runner.core.gate import Ended, Purpose, Result, Verdict, shown
from worktree_runner.core.limits import PARKED
from worktree_runner.core.settled import resolution_of, sentence
from worktree_runner.core.state import PlanState, RunState, Status
from worktree_runner.core.texts import count, duration, listing
from worktree_runner.dialects.schema import Words
from worktree_runner.errors import PreconditionError, WtrunError
from worktree_runner.ui import narrate_goal
from worktree_runner.ui.console import Screen, Tone

_LABEL = re.compile(r"^\s*(?:\*\*)?(?:Purpose|Output|Goal)(?:\*\*)?:(?:\*\*)?\s*", re.IGNORECASE)
_ITEM = re.compile(r"^(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?")

_DAY_S = 20 * 3600.0

Told = tuple[str, Tone] | None


class Narrator:
    """Tells a run's events on a screen."""

    def __init__(self, screen: Screen, words: Words, objectives: Mapping[str, str]) -> None:
        self.screen = screen
        self.words = words
        self.objectives = objectives
        self.wave: int | None = None

    def tell(self, event: Event, before: RunState, after: RunState) -> None:
        """Says what an event means, if it means something to the user."""
        if event.type == Type.ATTEMPT_PLANNED and event.plan is not None:
            self._wave(after, after.plans[event.plan].wave)
        teller, of_goal = _TELLERS.get(event.type), narrate_goal.TELLERS.get(event.type)
        told = teller(self, event, after) if teller else None
        told = of_goal(event, after, self.words) if of_goal else told
        if told is not None:
            self.screen.say(told[0], plan=event.plan or "", tone=told[1])

    def begin(self, state: RunState) -> None:
        """A run starts: what it is about."""
        waves = count(
            len({plan.wave for plan in state.plans.values()}), self.words.wave, self.words.waves
        )
        plans = count(len(state.plans), self.words.plan, self.words.plans)
        name = str(state.facts.get("name") or "")
        title = f"{self.words.phase.capitalize()} {state.phase}" + (f": {name}" if name else "")
        self.screen.heading(title)
        if not state.plans:
            self.screen.say(narrate_goal.opening(self.words))
            return
        self.screen.say(f"{plans} in {waves}, from {state.base[:10]} of {state.target}")
        for lane in sorted({plan.lane for plan in state.plans.values() if plan.lane is not None}):
            ids = [plan.id for plan in state.in_order() if plan.lane == lane]
            self.screen.say(f"{listing(ids)} share files: one after another")

    def stopping(self, running: int) -> None:
        """Ctrl-C was pressed."""
        if running:
            agents = count(running, "agent")
            self.screen.say(f"stopping {agents}; press Ctrl-C again to leave at once")

    def tip_was_moved(self, ref: str, expected: str) -> WtrunError:
        """The error for somebody else having moved the run's own ref."""
        return PreconditionError(
            f"{ref} is no longer at {expected[:10]}: something else moved it.",
            hint=f"git log {ref}, then git update-ref {ref} {expected}",
        )

    def _wave(self, state: RunState, wave: int) -> None:
        """A wave's heading with what it builds, before its first agent starts."""
        if self.wave is not None and wave <= self.wave:
            return
        self.wave = wave
        plans = [plan for plan in state.in_order() if plan.wave == wave]
        open_plans = [plan for plan in plans if plan.status is not Status.LANDED]
        number = sorted({plan.wave for plan in state.plans.values()}).index(wave) + 1
        total = len({plan.wave for plan in state.plans.values()})
        names = count(len(open_plans), self.words.plan, self.words.plans)
        self.screen.heading(f"{self.words.wave.capitalize()} {number} of {total}: {names}")
        for plan in open_plans:
            self.screen.say(
                what_it_builds(plan.title, self.objectives.get(plan.id, "")), plan=plan.id
            )

    # -- one per event type ------------------------------------------------------------

    def planned(self, event: Event, state: RunState) -> Told:
        plan = _plan(event, state)
        if not event.data.get("fresh", True):
            where = "in its session, " if event.data.get("resume") else ""
            return f"goes on {where}in {plan.worktree} (attempt {plan.attempt})", Tone.RUN
        return None

    def started(self, event: Event, state: RunState) -> Told:
        plan = _plan(event, state)
        return f"{plan.agent} started on {plan.branch}", Tone.RUN

    def ended(self, event: Event, state: RunState) -> Told:
        if event.data["reason"] == "lost":
            return "its process is gone, and how it ended is not known", Tone.WARN
        return None

    def finished(self, event: Event, state: RunState) -> Told:
        seconds = _plan(event, state).outcome.get("seconds")
        after = f" after {duration(seconds)}" if seconds is not None else ""
        notes = "".join(f"\n{note}" for note in event.data.get("notes", ()))
        return f"finished{after} with {count(event.data['commits'], 'commit')}{notes}", Tone.PLAIN

    def failed(self, event: Event, state: RunState) -> Told:
        hint = event.data.get("hint")
        plan = _plan(event, state)
        more = f"\nits worktree stays: {plan.worktree}" if plan.ready else ""
        more += "".join(f"\n{note}" for note in event.data.get("notes", ()))
        more += f"\nlook: {hint}" if hint else ""
        return f"failed: {event.data['reason']}{more}", Tone.BAD

    def skipped(self, event: Event, state: RunState) -> Told:
        return f"skipped: {event.data['because']}", Tone.WARN

    def retried(self, event: Event, state: RunState) -> Told:
        why, until = event.data["why"], event.data.get("not_before")
        wait = 0.0 if until is None else until - event.at.timestamp()
        if event.data.get("kind") in PARKED:
            return f"kept for later: {why}{_back(event, state)}", Tone.WARN
        when = f" in {duration(wait)}" if wait >= 1 else ""
        return f"tried again{when}: {why}", Tone.PLAIN

    def stalled(self, event: Event, state: RunState) -> Told:
        silence = "said nothing at all" if event.data["first"] else "said and changed nothing"
        return f"{silence} for {duration(event.data['seconds'])}: its agent is ended", Tone.WARN

    def asked(self, event: Event, state: RunState) -> Told:
        stop = event.data.get("checkpoint", {})
        kind = stop.get("type", "")
        if kind == "breach":
            return "waits for your word about that", Tone.ASK
        return f"stopped at a {self.words.checkpoint} ({kind}) and waits for you", Tone.ASK

    def deferred(self, event: Event, state: RunState) -> Told:
        return f"{event.data['why']}; the others go on", Tone.WARN

    def foreseen(self, event: Event, state: RunState) -> Told:
        pairs = [in_words(item) for item in event.data.get("new", ()) if item["paths"]]
        if not pairs:
            return None
        return "\n".join(f"begin to conflict: {words}" for words in pairs), Tone.WARN

    def breached(self, event: Event, state: RunState) -> Told:
        texts = "\n".join(str(one["text"]) for one in event.data["findings"])
        return f"changed what is not its own:\n{texts}", Tone.BAD

    def settled(self, event: Event, state: RunState) -> Told:
        if event.data["answer"] == "put-back":
            return f"put back: {listing(list(event.data['refs']))}", Tone.GOOD
        return None

    def conflicted(self, event: Event, state: RunState) -> Told:
        paths = [item["path"] for item in event.data["paths"]]
        where = listing(paths, limit=3)
        refused = event.data.get("refused")
        more = f"\n{refused}" if refused else ""
        if all(item.get("kind") in CONCERNS for item in event.data["paths"]):
            whys = "".join(f"\n{item['path']}: {item['why']}" for item in event.data["paths"])
            return f"merges, but not without your word in {where}{whys}", Tone.ASK
        return f"conflicts with what has landed in {where}{more}", Tone.ASK

    def rejected(self, event: Event, state: RunState) -> Told:
        lines = [f"not merged: {event.data['reason']}"]
        if event.data.get("log"):
            lines.append(f"output: {event.data['log']}")
        lines.append(f"its work stays: {_plan(event, state).worktree}")
        return "\n".join(lines), Tone.BAD

    def order_refused(self, event: Event, state: RunState) -> Told:
        return "not green with the likely resolution; its other order is tried", Tone.PLAIN

    def gate_chosen(self, event: Event, state: RunState) -> Told:
        off, origin = event.data.get("off"), event.data.get("origin")
        if off:
            return f"merges are not checked: {off}", Tone.WARN
        where = f" ({origin})" if origin else ""
        return f"merges are checked with '{shown(event.data['command'])}'{where}", Tone.PLAIN

    def gate_off(self, event: Event, state: RunState) -> Told:
        reason = event.data["reason"]
        return f"no check: {reason}; merges go on unchecked, as with --no-gate", Tone.WARN

    def gate_started(self, event: Event, state: RunState) -> Told:
        plans = listing([plan or state.target for plan in event.data.get("plans", ())], limit=8)
        match Purpose(event.data["purpose"]):
            case Purpose.BASELINE:
                commit = event.data["candidate"][:10]
                return f"checking {commit} without them: can the check be green at all?", Tone.RUN
            case Purpose.AGAIN:
                return f"checking {plans} once more: the check may be flaky", Tone.RUN
        return f"checking {plans}", Tone.RUN

    def gate_ended(self, event: Event, state: RunState) -> Told:
        result = Result.from_json(event.data)
        if result.ended in (Ended.STOPPED, Ended.LOST):
            return f"the check was cut off: {result.in_words()}", Tone.WARN
        verdict = Verdict(event.data["verdict"])
        if verdict is Verdict.GREEN:
            return f"green after {duration(result.seconds)}", Tone.GOOD
        if result.found_no_tests:
            return result.in_words(), Tone.PLAIN
        tone = Tone.PLAIN if verdict.lets_land else Tone.WARN
        return f"{verdict}: {result.in_words()}\noutput: {result.log}", tone

    def replaced(self, event: Event, state: RunState) -> Told:
        one = resolution_of(event.data["resolution"])
        return f"{sentence(one)}\nput into {event.data['commit'][:10]}", Tone.GOOD

    def landed(self, event: Event, state: RunState) -> Told:
        lines = [f"merged as {event.data['commit'][:10]}"]
        lines += [sentence(resolution_of(item)) for item in event.data.get("resolutions", ())]
        lines += list(event.data.get("notices", ()))
        return "\n".join(lines), Tone.GOOD

    def held(self, event: Event, state: RunState) -> Told:
        paths = event.data.get("paths", ())
        where = f" ({listing(list(paths), limit=5)})" if paths else ""
        hint = event.data.get("hint")
        how = f"{hint}, then wtrun publish" if hint else "wtrun publish"
        return (
            f"landed, not published: {event.data['reason']}{where}; {state.target} stays as it is\n"
            f"to publish: {how}",
            Tone.WARN,
        )

    def target_moved(self, event: Event, state: RunState) -> Told:
        return (
            f"{state.target} has moved on: merged in and checked before it is published",
            Tone.PLAIN,
        )

    def followed(self, event: Event, state: RunState) -> Told:
        return f"{state.target} had moved on; merged it into what has landed", Tone.PLAIN

    def corrected(self, event: Event, state: RunState) -> Told:
        paths = listing(event.data["files"], limit=8)
        if not paths:
            return None
        return f"committed as '{event.data['subject']}': {paths}", Tone.PLAIN

    def committed(self, event: Event, state: RunState) -> Told:
        notes = "".join(f"\n{note}" for note in event.data.get("notes", ()))
        files = listing(list(event.data.get("files", ())))
        return f"updated {files} in {event.data['commit'][:10]}{notes}", Tone.GOOD

    def removed(self, event: Event, state: RunState) -> Told:
        kept = event.data.get("salvage")
        more = f"; {event.data.get('left', '')} kept in {listing(list(kept))}" if kept else ""
        whose = "" if event.plan else "the verifier's "
        return f"{whose}worktree and branch removed: {event.data['proof']}{more}", Tone.DIM

    def stopped(self, event: Event, state: RunState) -> Told:
        hint = f"\n{event.data['hint']}" if event.data.get("hint") else ""
        return f"no further {self.words.plan} is started: {event.data['reason']}{hint}", Tone.WARN

    def resumed(self, event: Event, state: RunState) -> Told:
        landed = len(state.with_status(Status.LANDED))
        plans = count(len(state.plans), self.words.plan, self.words.plans)
        run = f"{self.words.execution} {state.id}"
        if not state.plans:
            return f"going on with {run}: {narrate_goal.opening(self.words)}", Tone.PLAIN
        return f"going on with {run}: {landed} of {plans} merged so far", Tone.PLAIN

    def notice(self, event: Event, state: RunState) -> Told:
        return str(event.data["text"]), Tone.PLAIN


def what_it_builds(title: str, objective: str) -> str:
    """Title, purpose and output of a plan as one flowing text, nothing said twice.

    A title that is the objective's own beginning, perhaps shortened, gives way to the objective.
    """
    parts = [part for text in _paragraphs(objective) if (part := _LABEL.sub("", text).strip())]
    stem = title.rstrip("….:;, ").casefold()
    if parts and not any(part.casefold().startswith(stem) for part in parts):
        parts.insert(0, title)
    ended = (part if part.endswith((".", "!", "?", ":", "…")) else f"{part}." for part in parts)
    return " ".join(_sentence(part) for part in ended) or title


def _paragraphs(text: str) -> list[str]:
    """Paragraphs, list items and labelled lines, each on one line and without Markdown's stars."""
    found: list[str] = []
    begins = True
    for line in text.splitlines():
        plain = " ".join(line.replace("**", "").split())
        item = _ITEM.sub("", plain)
        if plain and (begins or item != plain or _LABEL.match(plain)):
            found.append(item)
        elif plain:
            found[-1] += f" {plain}"
        begins = not plain
    return found


def _sentence(text: str) -> str:
    """The text with a capital first, unless it begins with a path, a name in code or a number."""
    first = text.split(maxsplit=1)[0].rstrip(".,:;")
    return text[0].upper() + text[1:] if first.isalpha() else text


def _plan(event: Event, state: RunState) -> PlanState:
    assert event.plan is not None
    return state.plans[event.plan]


_TELLERS: dict[str, Callable[[Any, Event, RunState], Told]] = {
    Type.ATTEMPT_PLANNED: Narrator.planned,
    Type.ATTEMPT_STARTED: Narrator.started,
    Type.ATTEMPT_STALLED: Narrator.stalled,
    Type.ATTEMPT_ENDED: Narrator.ended,
    Type.PLAN_FINISHED: Narrator.finished,
    Type.PLAN_FAILED: Narrator.failed,
    Type.PLAN_SKIPPED: Narrator.skipped,
    Type.PLAN_RETRIED: Narrator.retried,
    Type.ATTEMPT_BREACHED: Narrator.breached,
    Type.BREACH_SETTLED: Narrator.settled,
    Type.PLAN_ASKED: Narrator.asked,
    Type.PLAN_DEFERRED: Narrator.deferred,
    Type.CONFLICTS_FORESEEN: Narrator.foreseen,
    Type.MERGE_CONFLICTED: Narrator.conflicted,
    Type.RESOLUTION_REPLACED: Narrator.replaced,
    Type.MERGE_LANDED: Narrator.landed,
    Type.MERGE_REJECTED: Narrator.rejected,
    Type.ORDER_REFUSED: Narrator.order_refused,
    Type.GATE_CHOSEN: Narrator.gate_chosen,
    Type.GATE_OFF: Narrator.gate_off,
    Type.GATE_STARTED: Narrator.gate_started,
    Type.GATE_ENDED: Narrator.gate_ended,
    Type.PUBLISH_HELD: Narrator.held,
    Type.TARGET_MOVED: Narrator.target_moved,
    Type.TARGET_MERGED: Narrator.followed,
    Type.CORRECTIONS_COMMITTED: Narrator.corrected,
    Type.PLANNING_COMMITTED: Narrator.committed,
    Type.WORKTREE_REMOVED: Narrator.removed,
    Type.RUN_STOPPING: Narrator.stopped,
    Type.RUN_RESUMED: Narrator.resumed,
    Type.NOTICE: Narrator.notice,
}


def _back(event: Event, state: RunState) -> str:
    """When a used-up quota is back, and what goes on without waiting for it."""
    at = event.data.get("back_at")
    if at is None:
        return ""
    form = "%H:%M" if at - event.at.timestamp() < _DAY_S else "%Y-%m-%d %H:%M"
    command = f"wtrun execute {state.call}"
    if event.data.get("not_before") is None:
        return f"\nit is back at {time.strftime(form, time.localtime(at))}: {command}"
    return (
        f"\nwaits until {time.strftime(form, time.localtime(at))}; "
        f"to go on sooner: Ctrl-C, then {command} --now"
    )
