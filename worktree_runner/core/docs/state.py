"""The state file (STATE, pulse): position, counters, decisions, blockers, session.

- The position is written where the document has one: a "Current Position" section, or the
  older bold labels (`**Current Phase:**`) at its top. A free-text document stays as it is, and
  the note says so.
- Counters come from summaries, so plans that finish out of order are counted right.
- Front matter that the newer tools keep (`gsd_state_version`, `progress`) is kept in step.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from worktree_runner.core.docs import forms
from worktree_runner.core.docs.facts import PhaseRef, Position, Progress, StateFacts
from worktree_runner.core.docs.front import put_scalar, read_front
from worktree_runner.core.docs.lists import add_blockers, add_decisions, find_section
from worktree_runner.core.docs.markdown import Field, Section, field, fields, sections
from worktree_runner.core.docs.page import Edited, Page
from worktree_runner.core.docs.refs import plain_token, styled_token
from worktree_runner.dialects.schema import Dialect

POSITION_TITLES = re.compile(r"^(?:current )?position$|^current (?:status|state)$", re.I)
SESSION_TITLES = re.compile(r"^session(?: continuity| info(?:rmation)?)?$", re.I)
_FOCUS = re.compile(
    r"^(?:phase|stage) \S+(?P<dash> (?:—|–|--|-) |: )(?P<name>[^.;()]{1,80})$", re.I
)


def update_state(
    text: bytes, facts: StateFacts, dialect: Dialect, *, path: str | None = None
) -> Edited:
    """The state document after the run; every line that the facts don't concern is untouched."""
    page = Page(text, path or f"{dialect.root}/{dialect.files.state[0]}")
    if not page.readable:
        page.note(None, "not written: the file is not UTF-8 text")
        return page.edited()
    writer = _Writer(page, facts, dialect)
    writer.front()
    writer.position()
    writer.focus()
    add_decisions(page, facts.phase.token, dialect.words.phase, facts.decisions, facts.date)
    add_blockers(page, facts.blockers, facts.finished)
    writer.session()
    return page.edited()


def record_blockers(
    text: bytes, blockers: Sequence[str], dialect: Dialect, *, path: str | None = None
) -> Edited:
    """The state document with these blockers and no other change."""
    page = Page(text, path or f"{dialect.root}/{dialect.files.state[0]}")
    if page.readable:
        add_blockers(page, blockers)
    return page.edited()


def status_text(facts: StateFacts, dialect: Dialect) -> str:
    """The sentence behind `Status:`."""
    phase = dialect.words.phase
    sentences = {
        Position.EXECUTING: f"Executing {phase} {plain_token(facts.phase.token)}",
        Position.PARTIAL: "In progress",
        Position.EXECUTED: f"{phase.capitalize()} complete — ready for verification",
        Position.HUMAN_NEEDED: "Waiting for human verification",
        Position.GAPS_FOUND: f"Gaps found — {dialect.words.plans} to close them are needed",
        Position.COMPLETE: "Ready to plan" if facts.next_phase else "Milestone complete",
    }
    return sentences[facts.position]


_REMARKS = {
    Position.EXECUTING: "EXECUTING",
    Position.PARTIAL: "IN PROGRESS",
    Position.EXECUTED: "EXECUTED",
    Position.HUMAN_NEEDED: "HUMAN VERIFICATION",
    Position.GAPS_FOUND: "GAPS FOUND",
    Position.COMPLETE: "COMPLETE",
}
_MACHINE_STATUS = {
    Position.EXECUTING: "executing",
    Position.PARTIAL: "executing",
    Position.EXECUTED: "verifying",
    Position.HUMAN_NEEDED: "verifying",
    Position.GAPS_FOUND: "planning",
    Position.COMPLETE: "completed",
}
_SESSION_FIELDS = ("last session", "stopped at", "resume file")


class _Writer:
    """The parts of one update; they share the page and the facts."""

    def __init__(self, page: Page, facts: StateFacts, dialect: Dialect) -> None:
        self.page = page
        self.facts = facts
        self.dialect = dialect
        self.word = dialect.words.phase
        self.moved = facts.position is Position.COMPLETE and facts.next_phase is not None
        self.phase: PhaseRef = (facts.next_phase if self.moved else None) or facts.phase

    # --- front matter

    def front(self) -> None:
        """Scalars that the newer tools keep; a front matter without them is left alone.

        Invalid YAML is written only if the new values make it valid, as they do where the
        tools wrote an activity with a colon and no quotes.
        """
        front = read_front(self.page)
        if not {"gsd_state_version", "progress", "last_activity", "stopped_at"} & set(front.values):
            return
        if front.error is None:
            self._front_scalars(front.values)
            return
        trial = _Writer(Page(self.page.data, self.page.path), self.facts, self.dialect)
        trial._front_scalars(front.values)
        if read_front(Page(trial.page.edited().text, "")).error is None:
            self._front_scalars(front.values)
        else:
            self.page.note(front.error_line, f"left as it is: {front.error}")

    def _front_scalars(self, old: Mapping[str, Any]) -> None:
        facts = self.facts
        self._scalar("status", "planning" if self.moved else _MACHINE_STATUS[facts.position])
        self._scalar("stopped_at", facts.stopped_at or facts.activity)
        self._scalar("last_updated", facts.now)
        old_token = str(old.get("current_phase", ""))
        self._scalar("current_phase", styled_token(self.phase.token, old_token))
        if self.phase.name:
            self._scalar("current_phase_name", self.phase.name)
        self._scalar("current_plan", "Not started" if self.moved else str(facts.plans_done))
        self._scalar("last_activity_desc", facts.activity)
        activity = str(old.get("last_activity", ""))
        self._scalar("last_activity", forms.activity_value(activity, facts.date, facts.activity))
        if facts.progress is not None and isinstance(old.get("progress"), dict):
            self._counters(facts.progress)

    def _scalar(self, key: str, value: str) -> None:
        put_scalar(self.page, key, value)

    def _counters(self, progress: Progress) -> None:
        for key, number in (
            ("total_phases", progress.phases),
            ("completed_phases", progress.phases_done),
            ("total_plans", progress.plans),
            ("completed_plans", progress.plans_done),
            ("percent", progress.percent),
        ):
            put_scalar(self.page, key, str(number), under="progress")

    # --- position

    def position(self) -> None:
        section = find_section(self.page, POSITION_TITLES)
        above = self._labels(self._preamble())
        known = self._labels(section.own) if section else above
        word = self.word
        phase = known.get(f"current {word}") or (known.get(word) if section else None)
        if phase is None:
            where = section.line if section else None
            place = "under this heading" if section else "and no section for it"
            self.page.note(
                where, f"no '{word.capitalize()}:' line {place}; the position is not recorded"
            )
            return
        self._put_phase(phase, known)
        self._put_plan(phase, known)
        self._put_rest(phase, known)
        title = above.get(f"current {word}")
        if title is not None and title != phase:
            self._put_phase(title, above)
            if f"current {self.dialect.words.plan}" in above:
                self._put_plan(title, above)
        updated = known.get("last updated") or above.get("last updated")
        stamp = updated and forms.stamp_value(updated.value, self.facts.date, self.facts.now)
        if updated is not None and stamp:
            self.page.put(updated.line, updated.with_value(stamp))

    def _labels(self, lines: Sequence[int]) -> Mapping[str, Field]:
        """The fields among these lines by their lower-case name; the first of a name counts."""
        return {each.name.casefold(): each for each in reversed(list(fields(self.page, lines)))}

    def _preamble(self) -> range:
        """From the top to the first second-level heading, where older documents have labels."""
        heads = [each.line for each in sections(self.page) if each.level > 1]
        return range(self.page.body, heads[0] if heads else len(self.page))

    def _put_phase(self, phase: Field, known: Mapping[str, Field]) -> None:
        facts = self.facts
        remark = "" if self.moved else _REMARKS[facts.position]
        value = forms.phase_value(
            phase.value, self.phase, word=self.word, last=facts.last_phase, remark=remark
        )
        self.page.put(phase.line, phase.with_value(value))
        name = known.get(f"current {self.word} name")
        if name is not None and self.phase.name:
            self.page.put(name.line, name.with_value(self.phase.name))

    def _put_plan(self, phase: Field, known: Mapping[str, Field]) -> None:
        facts, word = self.facts, self.dialect.words.plan
        plan = known.get(f"current {word}") or known.get(word)
        total = known.get(f"total {self.dialect.words.plans} in {self.word}")
        if total is not None and not self.moved:
            self.page.put(total.line, total.with_value(str(facts.plans_total)))
        if plan is None:
            value = self._plan_value("")
            self.page.add_after(phase.line, [phase.sibling(word.capitalize(), value)])
        elif total is not None and re.fullmatch(r"\d+", plan.value) and not self.moved:
            self.page.put(plan.line, plan.with_value(str(facts.plans_done)))
        else:
            self.page.put(plan.line, plan.with_value(self._plan_value(plan.value)))

    def _plan_value(self, old: str) -> str:
        if self.moved:
            return "Not started"
        facts = self.facts
        return forms.plan_value(old, facts.plans_done, facts.plans_total, word=self.word)

    def _put_rest(self, phase: Field, known: Mapping[str, Field]) -> None:
        facts = self.facts
        status = known.get("status")
        if status is not None:
            self.page.put(status.line, status.with_value(status_text(facts, self.dialect)))
        else:
            self.page.note(phase.line, "no 'Status:' line beside the position")
        activity = known.get("last activity")
        if activity is not None:
            value = forms.activity_value(activity.value, facts.date, facts.activity)
            self.page.put(activity.line, activity.with_value(value))
        described = known.get("last activity description")
        if described is not None:
            self.page.put(described.line, described.with_value(facts.activity))
        if facts.progress is not None:
            self._put_progress(facts.progress, known)

    def _put_progress(self, progress: Progress, known: Mapping[str, Field]) -> None:
        found = [each for name in ("progress", "progress bar") if (each := known.get(name))]
        written = False
        for each in found:
            value = forms.bar_value(each.value, progress)
            if value is not None:
                self.page.put(each.line, each.with_value(value))
                written = True
        if found and not written:
            self.page.note(
                found[0].line, "'Progress' is no bar with a percentage (and a count); left as it is"
            )

    # --- the rest of the document

    def focus(self) -> None:
        """`**Current focus:** Phase 3 — Name`, where it has just that form."""
        lines = list(self.page.open_lines(archived=True))
        focus = field(self.page, lines, "current focus")
        m = _FOCUS.match(focus.value) if focus else None
        if focus and m and self.phase.name:
            head = focus.value.split(" ", 2)
            token = styled_token(self.phase.token, head[1])
            value = f"{head[0]} {token}{m['dash']}{self.phase.name}"
            self.page.put(focus.line, focus.with_value(value))

    def session(self) -> None:
        """Where to go on, and what is open; without a section for it, beside the position."""
        section = find_section(self.page, SESSION_TITLES)
        home = section or find_section(self.page, POSITION_TITLES)
        if home is not None:
            self._put_session(self._labels(home.own))
        self._own_lines(home)

    def _put_session(self, known: Mapping[str, Field]) -> None:
        facts = self.facts
        stopped_text = facts.stopped_at or facts.activity
        if last := known.get("last session"):
            stamp = forms.stamp_value(last.value, facts.date, facts.now)
            if stamp is None and forms.is_dated(last.value):
                stamp = forms.activity_value(last.value, facts.date, stopped_text)
            self.page.put(last.line, last.with_value(stamp or facts.now))
        if stopped := known.get("stopped at"):
            self.page.put(stopped.line, stopped.with_value(stopped_text))
        if resume := known.get("resume file"):
            self.page.put(resume.line, resume.with_value(facts.resume or "None"))

    def _session_lines(self) -> tuple[tuple[str, str], ...]:
        """The lines that a run adds and keeps: what is open after it."""
        facts, words = self.facts, self.dialect.words
        return (
            (f"Last {words.plan} completed", facts.plan or "None"),
            (f"Current {words.wave}", facts.wave or "None"),
            (f"Pending {words.checkpoint}s", "; ".join(facts.checkpoints) or "None"),
            ("Worktrees to clean up", ", ".join(facts.worktrees) or "None"),
        )

    def _own_lines(self, section: Section | None) -> None:
        """Writes the lines that exist; adds those that say something."""
        wanted = self._session_lines()
        if section is None:
            names = ", ".join(f"{name}: {value}" for name, value in wanted if value != "None")
            if names:
                self.page.note(None, f"no section for the session; not recorded: {names}")
            return
        known = self._labels(section.own)
        add = []
        for name, value in wanted:
            old = known.get(name.casefold())
            if old is not None:
                self.page.put(old.line, old.with_value(value))
            elif value != "None":
                add.append((name, value))
        if not add:
            return
        if known:
            usual = [known[name] for name in _SESSION_FIELDS if name in known]
            like = max(usual or known.values(), key=lambda each: each.line)
            self.page.add_after(like.line, [like.sibling(name, value) for name, value in add])
        else:
            filled = [n for n in section.own if self.page.text(n).strip()]
            after = filled[-1] if filled else section.line
            self.page.add_after(after, ["", *(f"{name}: {value}" for name, value in add)])
