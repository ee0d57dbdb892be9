"""Merging one file: three texts in, a settled text or an explained conflict out.

All or nothing: a text comes back only if every hunk is settled and the whole passes the checks.
What was found on the way is kept as proposals, which nobody but a person takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from merge import checks, line_ends
from merge.hunk_kinds import NEVER
from merge.imports import fold
from merge.languages import language_of
from merge.mappings import means_the_merge
from merge.markers import holds_markers
from merge.paths import is_generated, lock_command, name_of, never_automatic
from merge.policy import DEFAULTS, Settings, first_match, matches
from merge.resolvers import go_sum
from merge.resolvers.catalogue import GUESSES, RULES, TESTED, TURNED, reasons
from merge.text import Segment, composed, split_lines
from merge.types import ConflictHunk
from merge.view import Answer, FileView, Rule, make_view

LONG_HUNK = 200
MANY_HUNKS = 200
BOTH_CHANGED = "both sides changed lines, and one of them turned every line end besides"
TWO_WAYS = "lines that repeat can be paired in two ways, with two results"
LOCK_FILE = "lock files are written by their tool, not merged"
TESTED_NAMES = frozenset({TURNED, *(rule.name for rule in TESTED)})
NEVER_TESTED = frozenset({"overlap", "delete-vs-change", "contains-other"})


@dataclass(frozen=True, slots=True)
class FileMerge:
    """`data` is the settled text, or None with the reason in `why`.

    `segments` always hold the line merge, with hunks that carry their kind and proposal. `tier`
    is `tested` if one of the rules is not proven: a green gate has to decide then.
    """

    data: bytes | None
    segments: tuple[Segment, ...]
    rules: tuple[str, ...] = ()
    why: str = ""
    tier: str = "proven"
    command: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """A text that passed every check, and the rules that made it."""

    data: bytes
    rules: tuple[str, ...]


def merge_file(
    base: bytes | None,
    ours: bytes,
    theirs: bytes,
    path: str,
    settings: Settings = DEFAULTS,
    *,
    forbidden: str = "",
) -> FileMerge:
    """Merges one file, or says why a person must.

    `base` is None (or empty) where both sides added the file. `forbidden` is a reason why no
    rule may be used here; the line merge and proposals come back all the same.
    """
    if ours in (base, theirs) or base == theirs:
        kept = theirs if ours == base else ours
        return FileMerge(kept, (split_lines(kept),), ("line-merge",), reasons(("line-merge",)))
    base = base or None
    command = first_match(path, settings.regenerate) or lock_command(path)
    evened = line_ends.evened(base, ours, theirs)
    base, theirs = evened or (base, theirs)
    view = make_view(base, ours, theirs, path, settings)
    reason = forbidden
    if view.hunks or evened:  # what merges line by line needs no rule
        reason = forbidden or _forbidden(view, base is None, command)
    answers = [_answer(view, index) for index in range(len(view.hunks))]
    settled = reason or _settled(view, answers)
    if evened and not isinstance(settled, str):
        settled = _with_line_ends(view, settled)
    if isinstance(settled, str):
        bare = settled == LOCK_FILE and view.hunks  # its tool writes it: no proposal helps
        segments = view.segments if bare else _with_proposals(view, answers)
        return FileMerge(None, segments, why=settled, command=command)
    rules = settled.rules
    tier = "tested" if TESTED_NAMES.intersection(rules) else "proven"
    return FileMerge(settled.data, view.segments, rules, reasons(rules), tier)


def _with_line_ends(view: FileView, settled: Settled) -> Settled | str:
    """What was settled with even line ends, if the tier allows that."""
    turned = TURNED if _both_changed(view) else "line-ends"
    if turned == TURNED and view.settings.tier != "tested":
        return BOTH_CHANGED
    rules = (rule for rule in settled.rules if rule != "line-merge")
    return Settled(settled.data, (turned, *rules))


def _both_changed(view: FileView) -> bool:
    """Whether the sides differ from the base and from each other in more than line ends."""
    return view.ours not in (view.base, view.theirs) and view.base != view.theirs


def _forbidden(view: FileView, added_twice: bool, command: str) -> str:
    """Why no rule may settle this file, or an empty string."""
    settings = view.settings
    if settings.tier == "none":
        return "resolving is switched off (--resolve none)"
    if matches(view.path, settings.unresolve):
        return "its resolution was undone, so it is asked"
    if any(b"\0" in text for text in (view.base, view.ours, view.theirs)):
        return "binary contents can't be combined"
    if added_twice:
        return "both sides added this file with different contents"
    if command and name_of(view.path) != "go.sum":
        return LOCK_FILE
    why = never_automatic(view.path)
    if why:
        return why
    if is_generated(view.ours) or is_generated(view.theirs):
        return "the file is generated; generate it again"
    if holds_markers(view.ours) or holds_markers(view.theirs):
        return "a side already holds conflict markers"
    return ""


def _settled(view: FileView, answers: Sequence[Answer | None]) -> Settled | str:
    """The merged text by hunks, else by a rule for the whole file; else why there is none."""
    if name_of(view.path) == "go.sum":
        apart = all(hunk.kind not in NEVER for hunk in view.hunks) and not _off(view, "go-sum")
        union = go_sum.union(view.base, view.ours, view.theirs) if apart else None
        return Settled(union, ("go-sum",)) if union is not None else go_sum.WHY_NOT
    by_hunks = _by_hunks(view, answers)
    if isinstance(by_hunks, str) and not _off(view, "imports"):
        return _with_imports_merged(view) or by_hunks
    return by_hunks


def _off(view: FileView, rule: str) -> bool:
    return rule in view.settings.disabled


def _by_hunks(view: FileView, answers: Sequence[Answer | None]) -> Settled | str:
    """The text in which every hunk has its answer, or why there is none."""
    if view.two_ways:
        return TWO_WAYS
    for hunk, answer in zip(view.hunks, answers, strict=True):
        reason = _unsettled(hunk, answer)
        if reason:
            return reason
    lines = [answer.lines for answer in answers if answer]
    data = composed(view.segments, lambda index, _: lines[index])
    rules = tuple(dict.fromkeys(answer.rule for answer in answers if answer))
    return failed_check(view, data) or Settled(data, rules or ("line-merge",))


def _unsettled(hunk: ConflictHunk, answer: Answer | None) -> str:
    if _length(hunk) > LONG_HUNK:
        return f"a hunk is longer than {LONG_HUNK} lines"
    if answer is None:
        return NEVER.get(hunk.kind, "no rule proves how these lines go together")
    if answer.doubt:
        return answer.doubt
    lost = checks.unaccounted_line(hunk, answer.lines, answer.explained)
    if lost is not None:
        shown = lost.strip()[:60].decode("utf-8", "replace")
        return f"the rule {answer.rule} would not account for the line '{shown}'"
    return ""


def _length(hunk: ConflictHunk) -> int:
    return max(len(hunk.base), len(hunk.ours), len(hunk.theirs))


def _with_imports_merged(view: FileView) -> Settled | None:
    """Imports merged by name, the rest by lines and rules."""
    folded = fold(language_of(view.path), view.base, view.ours, view.theirs, view.hunks)
    if folded is None:
        return None
    rest = make_view(folded.base, view.ours, folded.theirs, view.path, view.settings)
    settled = _by_hunks(rest, [_answer(rest, index) for index in range(len(rest.hunks))])
    data = None if isinstance(settled, str) else folded.finish(settled.data)
    if data is None or isinstance(settled, str) or failed_check(view, data):
        return None
    return Settled(data, ("imports", *(rule for rule in settled.rules if rule != "line-merge")))


def failed_check(view: FileView, data: bytes) -> str:
    """Why a composed text is refused, or an empty string."""
    if checks.stops_parsing(view.path, view.ours, view.theirs, data):
        return "the combined text no longer parses, though both sides do"
    if not means_the_merge(view.path, view.base, view.ours, view.theirs, data):
        return "the combined text would not mean what merging it key by key means"
    name = checks.doubled_definition(view.path, (view.ours, view.theirs), data)
    if name is not None:
        return f"the combined text would define {name} twice"
    odd = checks.oddity(view.path, (view.ours, view.theirs), data)
    if odd is not None:
        return f"in the combined text {odd}"
    moved = checks.moved_statement(view.path, view.ours, view.theirs, data)
    if moved is not None:
        return f"in the combined text '{moved}' would stand where neither side has it"
    if checks.left_markers((view.ours, view.theirs), data):
        return "conflict markers would be left in the text"
    return ""


def _answer(view: FileView, index: int) -> Answer | None:
    """The answer of the first rule that has one and may be taken in this tier."""
    hunk = view.hunks[index]
    if _length(hunk) > LONG_HUNK or len(view.hunks) > MANY_HUNKS:
        return None
    tested = view.settings.tier == "tested" and hunk.kind not in NEVER_TESTED
    rules = (
        *(() if hunk.kind in NEVER else RULES),
        *(TESTED if tested else ()),
    )
    return _first_answer(view, index, rules)


def _first_answer(view: FileView, index: int, rules: Sequence[Rule]) -> Answer | None:
    """The first answer without a doubt, else the first that there is."""
    doubtful = None
    for rule in rules:
        answer = None if _off(view, rule.name) else rule.settle(view, index)
        if answer is not None and not answer.doubt:
            return answer
        doubtful = doubtful or answer
    return doubtful


def _likeliest(view: FileView, index: int) -> Answer | None:
    """The answer of the first rule that has any, for a person to judge.

    Called where `_answer` found none, so the proven rules that it asked are not asked again.
    """
    untried = RULES if view.hunks[index].kind in NEVER else ()
    rules = (rule for rule in (*untried, *TESTED, *GUESSES) if not _off(view, rule.name))
    return next(filter(None, (rule.settle(view, index) for rule in rules)), None)


def _with_proposals(view: FileView, answers: Sequence[Answer | None]) -> tuple[Segment, ...]:
    """The segments, each hunk with the best guess; a long one has none.

    Where no hunk is left, though the file may not be settled, the whole file is one.
    """
    if not view.hunks:
        return (_whole(view),)
    out: list[Segment] = []
    index = 0
    for segment in view.segments:
        if isinstance(segment, ConflictHunk):
            answer = answers[index]
            if answer is None and _length(segment) <= LONG_HUNK and index < MANY_HUNKS:
                answer = _likeliest(view, index)
            out.append(_proposed(segment, answer))
            index += 1
        else:
            out.append(segment)
    return tuple(out)


def _whole(view: FileView) -> ConflictHunk:
    """The file as one hunk, with what its lines merge to as proposal."""
    base, ours, theirs = map(split_lines, (view.base, view.ours, view.theirs))
    merged = tuple(line for segment in view.segments for line in segment)  # type: ignore[union-attr]
    return ConflictHunk(
        base, ours, theirs, ours_line=1, proposal=merged, proposal_why=reasons(("line-merge",))
    )


def _proposed(hunk: ConflictHunk, answer: Answer | None) -> ConflictHunk:
    if answer is None:
        return hunk
    why = "; but ".join(filter(None, (reasons((answer.rule,)), answer.doubt)))
    return replace(hunk, proposal=answer.lines, proposal_why=why)
