"""Ways of keeping both sides that are likely, not proven.

They are shown as proposals. In the tier `tested` they are taken, but only where the file parses,
every line is accounted for, nothing is defined twice and nothing speaks against them
(`merge.doubts`), and only to be kept if the gate is green on the result; the caller runs that gate
and undoes them if it is not.
"""

from __future__ import annotations

from merge import doubts
from merge.checks import doubled_definition, lengthened, moved_statement, oddity, unaccounted_line
from merge.hunk_kinds import ends_cut_off, merged_tokens
from merge.languages import compiles, parses
from merge.resolvers.orders import theirs_first
from merge.text import Lines, hunks_of, line_end, merge_lines
from merge.types import ConflictHunk
from merge.view import Answer, FileView


def both_inserted(view: FileView, index: int) -> Answer | None:
    """Both insertions whole, in the first order in which nothing speaks against them: the likely
    order first (`orders`), or the other one if the settings say so.

    Taken from before equal ends were cut off: where two functions end in the same line, that line
    belongs to both.
    """
    hunk, raw = view.hunks[index], view.raw[index]
    if not view.base or raw.base or not hunk.ours or not hunk.theirs or _starts_alike(raw):
        return None
    pairs = ((raw.ours, raw.theirs), (raw.theirs, raw.ours))
    if view.settings.plan_first != theirs_first(view.path, hunk, raw.ours, raw.theirs):
        pairs = pairs[::-1]
    lead, tail = ends_cut_off(hunk, raw)
    rivals = doubts.of_rivals(view.path, raw.ours[lead:], raw.theirs[lead:], view.above(index))
    doubtful = None
    for first, second in pairs:
        whole = (*_ended(first), *second)
        lines = whole[lead : len(whole) - tail]
        if not _holds_together(view, index, lines):
            continue
        doubt = rivals or doubts.of_order(view.path, first, second) or _oddity(view, index, lines)
        explained = frozenset(raw.ours[len(raw.ours) - tail :])
        answer = Answer(lines, "both-inserted", explained, doubt)
        if not doubt:
            return answer
        doubtful = doubtful or answer
    return doubtful


def _starts_alike(raw: ConflictHunk) -> bool:
    """Whether both insertions begin with the same line that is not blank: likely the same work."""
    first = [next((line for line in side if line.strip()), b"") for side in (raw.ours, raw.theirs)]
    return first[0].strip() == first[1].strip()


def _ended(lines: Lines) -> Lines:
    if not lines or lines[-1].endswith(b"\n"):
        return lines
    return (*lines[:-1], lines[-1] + line_end(lines))


def adjacent_changes(view: FileView, index: int) -> Answer | None:
    """Both sides' changes where they only touch, insertions and deletions included."""
    hunk = view.hunks[index]
    if not hunk.base:
        return None
    merged = merge_lines(hunk.base, hunk.ours, hunk.theirs, touching=False)
    if hunks_of(merged):
        return None
    lines = tuple(line for segment in merged if isinstance(segment, tuple) for line in segment)
    if not _holds_together(view, index, lines):
        return None
    doubt = doubts.of_changes(view.path, hunk) or _oddity(view, index, lines)
    return Answer(lines, "adjacent-changes", doubt=doubt)


def separate_words(view: FileView, index: int) -> Answer | None:
    """Both sides' changes where they changed different words of the same lines."""
    hunk = view.hunks[index]
    if not hunk.base or not hunk.ours or not hunk.theirs:
        return None
    lines = merged_tokens(hunk)
    if lines is None or not _holds_together(view, index, lines):
        return None
    explained = frozenset((*hunk.ours, *hunk.theirs, *hunk.base, *lines))
    doubt = doubts.of_words(view.path, hunk, lines) or _oddity(view, index, lines)
    return Answer(lines, "separate-words", explained, doubt)


def _holds_together(view: FileView, index: int, lines: Lines) -> bool:
    data = view.with_hunk(index, lines)
    if parses(view.path, data) is False and parses(view.path, view.ours) is not False:
        return False
    return doubled_definition(view.path, (view.ours, view.theirs), data) is None


def _oddity(view: FileView, index: int, lines: Lines) -> str:
    """What speaks against these lines where they stand in the file, or an empty string.

    Not looked for where they are only to be shown: it takes time, and a person looks anyway.
    """
    if view.settings.tier != "tested":
        return ""
    data = view.with_hunk(index, lines)
    sides = (view.ours, view.theirs)
    if compiles(view.path, data) is False and all(compiles(view.path, side) for side in sides):
        return "with both, Python would not take the file"
    odd = oddity(view.path, sides, data)
    if odd is not None:
        return f"with both, {odd}"
    longer = lengthened(view.path, *sides, data)
    if longer is not None:
        return f"both sides add something by position to {longer}"
    moved = moved_statement(view.path, *sides, data)
    return "" if moved is None else f"with both, '{moved}' would stand where neither side has it"


def accounted(hunk: ConflictHunk, answer: Answer) -> bool:
    return unaccounted_line(hunk, answer.lines, answer.explained) is None
