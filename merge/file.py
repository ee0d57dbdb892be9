"""Merging one file: three texts in, a settled text or an explained conflict out.

All or nothing: a text comes back only if every hunk is settled and the whole passes the checks.
What was found on the way is kept as proposals, which nobody but a person takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from merge import checks
from merge.imports import fold, only_inside
from merge.languages import language_of
from merge.mappings import means_the_merge
from merge.markers import holds_markers
from merge.paths import is_generated, lock_command, name_of, never_automatic
from merge.policy import DEFAULTS, Settings, first_match, matches
from merge.resolvers import go_sum
from merge.resolvers.catalogue import RULES
from merge.text import Lines, Segment, composed, merge_lines, merge_two, split_lines
from merge.types import ConflictHunk
from merge.view import Answer, FileView, Rule

LONG_HUNK = 200
WHOLE_FILE = {
    "line-merge": "the changes do not overlap",
    "go-sum": "entries of go.sum are facts about module versions; all of both sides are kept",
    "imports": "imports were merged by name; a name counts as removed only if nothing uses it",
}
"""Rules that are not asked hunk by hunk, and why they are safe."""


@dataclass(frozen=True, slots=True)
class FileMerge:
    """`data` is the settled text, or None with the reason in `why`.

    `segments` always hold the line merge, with hunks that carry their kind and proposal.
    """

    data: bytes | None
    segments: tuple[Segment, ...]
    rules: tuple[str, ...] = ()
    why: str = ""
    tier: str = "proven"
    command: str = ""


def merge_file(
    base: bytes | None,
    ours: bytes,
    theirs: bytes,
    path: str,
    settings: Settings = DEFAULTS,
    *,
    forbidden: str = "",
) -> FileMerge:
    """Merges one file that git could not.

    `base` is None where both sides added the file. `forbidden` is a reason why no rule may be
    used here; the line merge and proposals come back all the same.
    """
    if base is None:
        segments = merge_two(split_lines(ours), split_lines(theirs))
    else:
        segments = merge_lines(*map(split_lines, (base, ours, theirs)))
    if name_of(path) == "go.sum" and base is not None and not forbidden:
        union = go_sum.union(base, ours, theirs)
        if union is not None and _allowed(path, settings, "go-sum"):
            return FileMerge(union, segments, ("go-sum",), WHOLE_FILE["go-sum"])
    view = FileView(path, base or b"", ours, theirs, segments, settings)
    command = first_match(path, settings.regenerate) or lock_command(path)
    reason = forbidden or _forbidden(view, base is None, command)
    answers = [answer_for(view, index) for index in range(len(view.hunks))]
    settled: Settled | str = reason or settle(view, answers)
    if isinstance(settled, str) and not reason:
        again = _whole_file_rules(view)
        settled = again or settled
    if isinstance(settled, str):
        return FileMerge(None, _with_proposals(view, answers), why=settled, command=command)
    return FileMerge(settled.data, segments, settled.rules, why=reasons(settled.rules))


@dataclass(frozen=True, slots=True)
class Settled:
    """A text that passed every check, and the rules that made it."""

    data: bytes
    rules: tuple[str, ...]


def settle(view: FileView, answers: Sequence[Answer | None]) -> Settled | str:
    """The text in which every hunk has its answer, or why there is none."""
    reason = _unsettled(view, answers)
    if reason:
        return reason
    lines = [answer.lines for answer in answers if answer]
    data = composed(view.segments, lambda index, _: lines[index])
    reason = failed_check(view, data)
    if reason:
        return reason
    rules = tuple(dict.fromkeys(answer.rule for answer in answers if answer))
    return Settled(data, rules or ("line-merge",))


def _allowed(path: str, settings: Settings, rule: str) -> bool:
    off = settings.tier == "none" or rule in settings.disabled
    return not off and not matches(path, settings.unresolve)


def _whole_file_rules(view: FileView) -> Settled | None:
    """Rules that look at more than one hunk at a time."""
    return _with_imports_merged(view) if "imports" not in view.settings.disabled else None


def _with_imports_merged(view: FileView) -> Settled | None:
    """Imports merged by name, the rest by lines and rules."""
    folded = fold(language_of(view.path), view.base, view.ours, view.theirs)
    if folded is None or not only_inside(view.hunks, folded.regions):
        return None
    segments = merge_lines(*map(split_lines, (folded.base, view.ours, folded.theirs)))
    rest = replace(view, base=folded.base, theirs=folded.theirs, segments=segments)
    settled = settle(rest, [answer_for(rest, index) for index in range(len(rest.hunks))])
    data = None if isinstance(settled, str) else folded.finish(settled.data)
    if data is None or isinstance(settled, str) or failed_check(view, data):
        return None
    return Settled(data, ("imports", *(rule for rule in settled.rules if rule != "line-merge")))


def _forbidden(view: FileView, added_twice: bool, command: str) -> str:
    """Why no rule may settle this file, or an empty string."""
    settings = view.settings
    if settings.tier == "none":
        return "resolving is switched off (--resolve none)"
    if matches(view.path, settings.unresolve):
        return "its resolution was undone, so a person decides"
    if added_twice:
        return "both sides added this file with different contents"
    if command:
        return "lock files are written by their tool, not merged"
    why = never_automatic(view.path)
    if why:
        return why
    if is_generated(view.ours) or is_generated(view.theirs):
        return "the file is generated; generate it again"
    if holds_markers(view.ours) or holds_markers(view.theirs):
        return "a side already holds conflict markers"
    return ""


def _unsettled(view: FileView, answers: Sequence[Answer | None]) -> str:
    for hunk, answer in zip(view.hunks, answers, strict=True):
        if max(len(hunk.base), len(hunk.ours), len(hunk.theirs)) > LONG_HUNK:
            return f"a hunk is longer than {LONG_HUNK} lines"
        if answer is None:
            return "no rule proves how these lines go together"
        lost = checks.unaccounted_line(hunk, answer.lines, answer.explained)
        if lost is not None:
            return f"the rule {answer.rule} would not account for the line {lost[:60]!r}"
    return ""


def failed_check(view: FileView, data: bytes) -> str:
    """Why a composed text is refused, or an empty string."""
    if checks.stops_parsing(view.path, view.ours, view.theirs, data):
        return "the combined text no longer parses, though both sides do"
    if not means_the_merge(view.path, view.base, view.ours, view.theirs, data):
        return "the combined text would not mean what merging it key by key means"
    name = checks.doubled_definition(view.path, (view.ours, view.theirs), data)
    if name is not None:
        return f"the combined text would define {name} twice"
    if checks.left_markers((view.ours, view.theirs), data):
        return "conflict markers would be left in the text"
    return ""


def answer_for(view: FileView, index: int) -> Answer | None:
    """The first rule's answer for a hunk, None if no rule has one."""
    hunk = view.hunks[index]
    if max(len(hunk.base), len(hunk.ours), len(hunk.theirs)) > LONG_HUNK:
        return None
    for rule in RULES:
        if rule.name in view.settings.disabled:
            continue
        answer = rule.settle(view, index)
        if answer is not None:
            return answer
    return None


def rule_named(name: str) -> Rule | None:
    return next((rule for rule in RULES if rule.name == name), None)


def reasons(rules: Sequence[str]) -> str:
    """Why these rules are safe, in words for the report."""
    found = [
        WHOLE_FILE.get(name) or (rule.why if (rule := rule_named(name)) else "") for name in rules
    ]
    return "; ".join(why for why in found if why)


def _with_proposals(view: FileView, answers: Sequence[Answer | None]) -> tuple[Segment, ...]:
    out: list[Segment] = []
    index = 0
    for segment in view.segments:
        if not isinstance(segment, ConflictHunk):
            out.append(segment)
            continue
        out.append(_with_proposal(segment, answers[index]))
        index += 1
    return tuple(out)


def _with_proposal(hunk: ConflictHunk, answer: Answer | None) -> ConflictHunk:
    if answer is None:
        return hunk
    return replace(hunk, proposal=answer.lines, proposal_why=reasons((answer.rule,)))


def lines_for(hunk: ConflictHunk, both: str) -> Lines:
    """Both sides one after the other, in the named order."""
    return (*hunk.ours, *hunk.theirs) if both == "both" else (*hunk.theirs, *hunk.ours)
