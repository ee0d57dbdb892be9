"""The report at the end of a run: its values, and Markdown for people.

- Headings and order follow the originals' own report, in the dialect's words, so that whoever
  reads theirs can read ours.
- Nothing is called complete that isn't: every plan that did not land stands there with its
  reason and the command that goes on with it. Files settled by a rule are listed with the rule.
- Unknown numbers are left out and said to be unknown; a sum says of how many plans it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from merge.types import Resolution
from worktree_runner.core.markdown import code, plain
from worktree_runner.core.settled import by_whom, is_manual, reason
from worktree_runner.core.texts import clean_line, count, duration, listing, money, tokens
from worktree_runner.dialects.schema import Words


class Outcome(StrEnum):
    """What became of a plan. In stored documents: add-only."""

    MERGED = "merged"
    DONE_BEFORE = "done before"
    CONFLICT = "conflict"
    WAITING = "waiting"
    REJECTED = "rejected"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_STARTED = "not started"


COMPLETE = frozenset({Outcome.MERGED, Outcome.DONE_BEFORE})


@dataclass(frozen=True, slots=True)
class PlanReport:
    """One plan of the phase, run or not."""

    id: str
    title: str
    wave: int
    outcome: Outcome
    one_liner: str = ""
    """What its summary says it did, in a sentence."""
    reason: str = ""
    """Why it did not land."""
    lands_when: str = ""
    """What has to happen for it to land, after "it lands once"."""
    next: str = ""
    """The command that goes on with it."""
    checkpoint: bool = False
    """It stopped for a person on its way, and the answer was given."""
    branch: str = ""
    worktree: str = ""
    """Where its work still lies; empty once removed."""
    commit: str = ""
    commits: int = 0
    attempts: int = 0
    elapsed_s: float | None = None
    tokens: int | None = None
    cost: float | None = None
    conflicts: tuple[str, ...] = ()
    """Paths that wait for a decision."""
    resolutions: tuple[Resolution, ...] = ()
    notes: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()
    """Issues that its summary tells of."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement of this phase; without evidence it is not covered."""

    id: str
    text: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class NextStep:
    """A command and what it does."""

    command: str
    effect: str


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run at its end, as plain values."""

    run: str
    phase: str
    name: str
    words: Words
    target: str
    plans: tuple[PlanReport, ...]
    started: str = ""
    ended: str = ""
    elapsed_s: float | None = None
    exit_code: int = 0
    published: str = ""
    """Why the target does not show what landed; empty if it does."""
    gate: str = ""
    """What the merged result was checked with, or that it was not."""
    verification: str = ""
    requirements: tuple[Requirement, ...] = ()
    notes: tuple[str, ...] = ()
    next: tuple[NextStep, ...] = ()

    def of(self, *outcomes: Outcome) -> tuple[PlanReport, ...]:
        return tuple(plan for plan in self.plans if plan.outcome in outcomes)

    @property
    def waves(self) -> tuple[tuple[int, tuple[PlanReport, ...]], ...]:
        """The plans by wave, in order."""
        numbers = sorted({plan.wave for plan in self.plans})
        return tuple((n, tuple(plan for plan in self.plans if plan.wave == n)) for n in numbers)

    @property
    def is_complete(self) -> bool:
        return len(self.of(*COMPLETE)) == len(self.plans)


def render_markdown(report: RunReport) -> str:
    """The report as the originals' step `aggregate_results` has it, and what they leave out."""
    parts = [
        _head(report),
        _wave_table(report),
        _details(report),
        _not_landed(report),
        _settled(report),
        _coverage(report),
        _issues(report),
        _next(report),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _head(report: RunReport) -> list[str]:
    words = report.words
    name = f": {plain(report.name)}" if report.name else ""
    state = "Execution Complete" if report.is_complete else "Execution Incomplete"
    done = len(report.of(*COMPLETE))
    run_waves = {plan.wave for plan in report.of(Outcome.MERGED)}
    lines = [
        f"## {words.phase.capitalize()} {report.phase}{name}: {state}",
        "",
        f"**{words.waves.capitalize()} executed:** {len(run_waves)}  ",
        f"**{words.plans.capitalize()} completed:** {done} of {len(report.plans)}  ",
        f"**Worktrees merged:** {len(report.of(Outcome.MERGED))} into {code(report.target)}  ",
    ]
    if report.published:
        lines.append(f"**Not published:** {plain(report.published)}  ")
    lines += [f"**{key}:** {value}  " for key, value in _figures(report)]
    lines[-1] = lines[-1].rstrip()
    return lines


def _figures(report: RunReport) -> list[tuple[str, str]]:
    found = []
    if report.gate:
        found.append(("Checked with", plain(report.gate)))
    if report.verification:
        found.append((report.words.verification.capitalize(), plain(report.verification)))
    if report.elapsed_s is not None:
        found.append(("Time", duration(report.elapsed_s)))
    ran = [plan for plan in report.plans if plan.attempts]
    used = [plan.tokens for plan in ran if plan.tokens is not None]
    costs = [plan.cost for plan in ran if plan.cost is not None]
    parts = []
    if used:
        parts.append(tokens(sum(used)) + _known(len(used), len(ran), report.words))
    if costs:
        parts.append(money(sum(costs)) + _known(len(costs), len(ran), report.words))
    if parts:
        found.append(("Used", ", ".join(parts)))
    return found


def _known(known: int, all_of: int, words: Words) -> str:
    if known == all_of:
        return ""
    return f" (reported for {known} of {count(all_of, words.plan, words.plans)})"


def _wave_table(report: RunReport) -> list[str]:
    words = report.words
    wave, plans = words.wave.capitalize(), words.plans.capitalize()
    lines = [f"### {wave} Summary", "", f"| {wave} | {plans} | Status |", "|---|---|---|"]
    for number, members in report.waves:
        usual = [plan for plan in members if not plan.checkpoint]
        if usual:
            ids = ", ".join(plain(plan.id) for plan in usual)
            lines.append(f"| {number} | {ids} | {_status(usual)} |")
        for plan in members:
            if plan.checkpoint:
                lines.append(f"| CP | {plain(plan.id)} | {_status([plan])} |")
    return lines


def _status(plans: Sequence[PlanReport]) -> str:
    """One word where all plans share it, else each plan's own."""
    shown = {plan.id: _mark(plan) for plan in plans}
    if len(set(shown.values())) == 1:
        return next(iter(shown.values()))
    return ", ".join(f"{plain(id)} {mark}" for id, mark in shown.items())


def _mark(plan: PlanReport) -> str:
    if plan.outcome is Outcome.MERGED:
        return "✓ Verified & Merged" if plan.checkpoint else "✓ Merged"
    return {
        Outcome.DONE_BEFORE: "✓ Done before",
        Outcome.CONFLICT: "⚠ Conflict",
        Outcome.WAITING: "⚠ Waits for you",
        Outcome.REJECTED: "✗ Check not green",
        Outcome.FAILED: "✗ Failed",
        Outcome.SKIPPED: "- Skipped",
        Outcome.NOT_STARTED: "- Not started",
    }[plan.outcome]


def _details(report: RunReport) -> list[str]:
    landed = report.of(*COMPLETE)
    if not landed:
        return []
    lines = [f"### {report.words.plan.capitalize()} Details", ""]
    for number, plan in enumerate(landed, start=1):
        what = plain(plan.one_liner) or plain(plan.title)
        lines.append(f"{number}. **{plain(plan.id)}**: {what}{_facts(plan)}")
        lines += [f"   - {plain(note)}" for note in plan.notes]
    return lines


def _facts(plan: PlanReport) -> str:
    parts = []
    if plan.commits:
        parts.append(count(plan.commits, "commit"))
    if plan.elapsed_s is not None:
        parts.append(duration(plan.elapsed_s))
    if plan.attempts > 1:
        parts.append(count(plan.attempts, "attempt"))
    parts += [part for part in (tokens(plan.tokens), money(plan.cost)) if part]
    return f" ({', '.join(parts)})" if parts else ""


def _not_landed(report: RunReport) -> list[str]:
    left = [plan for plan in report.plans if plan.outcome not in COMPLETE]
    if not left:
        return []
    lines = [f"### Not Merged into {plain(report.target)}", ""]
    for plan in left:
        why = f": {plain(plan.reason)}" if plan.reason else ""
        lines.append(
            f"- **{plain(plan.id)}** {plain(plan.title)} ({plan.outcome.value}){why}{_facts(plan)}"
        )
        if plan.conflicts:
            paths = listing([code(path) for path in plan.conflicts], limit=8)
            lines.append(f"  - in conflict: {paths}")
        if plan.worktree:
            lines.append(f"  - its work stays in {code(plan.worktree)} on {code(plan.branch)}")
        lines += [f"  - {plain(note)}" for note in plan.notes]
        if plan.lands_when:
            lines.append(f"  - it lands once {plain(plan.lands_when)}")
        if plan.next:
            lines.append(f"  - to go on: {code(plan.next)}")
    return lines


TESTED_MEANS = (
    "*tested*: likely, not proven. The check is green with it; whether the check looks at these "
    "lines is not known."
)


def _settled(report: RunReport) -> list[str]:
    rows = [(plan, one) for plan in report.plans for one in plan.resolutions]
    if not rows:
        return []
    plan_word = report.words.plan.capitalize()
    lines = [
        "### Conflicts Settled",
        "",
        f"| File | {plan_word} | Tier | Rule | Why |",
        "|---|---|---|---|---|",
    ]
    for plan, one in rows:
        rule = by_whom(one) if is_manual(one) else one.resolver
        cells = (code(one.path, cell=True), plan.id, one.tier, rule, reason(one))
        lines.append("| " + " | ".join((cells[0], *map(plain, cells[1:]))) + " |")
    likely = any(one.tier == "tested" for _, one in rows)
    return [
        *lines,
        "",
        *([TESTED_MEANS, ""] if likely else []),
        "`wtrun resolutions` shows each as a diff; `wtrun unresolve PATH` undoes one.",
    ]


def _coverage(report: RunReport) -> list[str]:
    if not report.requirements:
        return []
    covered = sum(bool(one.evidence) for one in report.requirements)
    lines = [
        "### Requirements Coverage",
        "",
        f"{covered} of {len(report.requirements)} covered",
        "",
        "| REQ-ID | Requirement | Evidence |",
        "|---|---|---|",
    ]
    for one in report.requirements:
        evidence = plain(one.evidence) or "⚠ Not covered"
        lines.append(f"| {plain(one.id)} | {plain(one.text)} | {evidence} |")
    return lines


def _issues(report: RunReport) -> list[str]:
    found = [
        f"- **{plain(plan.id)}**: {plain(text)}" for plan in report.plans for text in plan.issues
    ]
    found += [f"- {plain(note)}" for note in report.notes]
    return ["### Issues Encountered", "", *(found or ["None"])]


def _next(report: RunReport) -> list[str]:
    if not report.next:
        return []
    lines = ["### Next", "", "```sh"]
    for step in report.next:
        lines += [f"# {clean_line(step.effect)}", clean_line(step.command)]
    return [*lines, "```"]
