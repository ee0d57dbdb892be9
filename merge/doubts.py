"""What speaks against keeping both sides, told from their lines alone, in any language.

A doubt makes a likely resolution a proposal: no gate is asked about it, since no test need notice.

- Two insertions that are about one thing (`merge.subjects`), or that repeat each other.
- An order in which a decorator or comment meets another definition than its own, code follows a
  jump, or one `case` runs into the next.
- Changes of one word, expression or text, and words of which one side has no more and the other
  makes new use.
- Prose: no parser and no test would notice that two sentences do not fit.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter
from collections.abc import Iterable

from merge.diff import changed_blocks
from merge.hunk_kinds import words_of
from merge.languages import language_of
from merge.subjects import shared_subject
from merge.text import Lines
from merge.types import ConflictHunk

_JUMP = re.compile(rb"(?:return|raise|throw|break|continue|goto)\b")
_ARM = re.compile(rb"(?:case\b|default\s*:|else\b|elif\b|except\b|catch\b|finally\b|[}\])])")
_ARM_WORD = re.compile(rb"(?:\}\s*)?(else\s+if|elsif|elif|else|except|catch|finally)\b")
_CASE = re.compile(rb"(?:case\b[^:]*|default\s*):")
_FALLS_THROUGH = {"js", "ts", "c", "java", "csharp", "php"}
_BRACES = {"js", "ts", "go", "rust", "java", "kotlin", "c", "csharp", "php", "css"}
_NUMBER_SIGN = {"python", "yaml", "toml", "plain", "rb", "sh"}
_WORD = re.compile(rb"[^\W\d]\w*|\d+")
_COMMON = {
    word.encode()
    for word in (*keyword.kwlist, *dir(builtins), "self", "cls", "Optional", "Any", "null", "true",
                 "false", "undefined", "string", "number", "boolean", "const", "let", "var", "nil")
}  # fmt: skip
_SEPARATORS = frozenset((b",", b";", b"(", b")", b"[", b"]", b"{", b"}"))
_QUOTES = (b'"', b"'", b"`")
PROSE = "no check would notice two sentences that do not fit"


def of_rivals(path: str, ours: Lines, theirs: Lines, above: Lines) -> str:
    """Why two insertions are likely two answers to one question, or an empty string."""
    arms = [_ARM_WORD.match(_first(side)) for side in (ours, theirs)]
    if all(arms) and any(arm and arm[1] in (b"else", b"finally") for arm in arms):
        return "both sides add a branch here, and one of them is to be the last"
    same = shared_subject(path, ours, theirs, above)
    if same is not None:
        return f"both sides insert something for '{same[:60]}'"
    return "both sides insert much the same lines" if _much_the_same(ours, theirs) else ""


def _much_the_same(ours: Lines, theirs: Lines) -> bool:
    """Whether most of the lines of one insertion that say something are in the other too."""
    spoken = [
        Counter(line.strip() for line in side if len(_WORD.findall(line)) > 1)
        for side in (ours, theirs)
    ]
    shared = (spoken[0] & spoken[1]).total()
    return shared > 1 and 4 * shared >= 3 * min(side.total() for side in spoken)


def of_order(path: str, first: Lines, second: Lines) -> str:
    """Why the second insertion should not follow the first, or an empty string."""
    kind = _kind(path)
    before = next((line.strip() for line in reversed(first)), b"")
    after = _first(second)
    if _leans(kind, before) and not _leans(kind, (second or (b"",))[-1].strip()):
        return f"'{_shown(before)}' belongs to what follows it on its own side"
    last = next((line for line in reversed(first) if line.strip()), b"")
    jumps = _JUMP.match(last.strip()) is not None
    if jumps and _depth(last) == _least(first) and not _ARM.match(after):
        return f"nothing after '{_shown(last.strip())}' would run"
    ends = any(_JUMP.match(line.strip()) for line in [*filter(bytes.strip, first)][-3:])
    runs_on = not ends and kind in _FALLS_THROUGH and _CASE.match(after)
    if runs_on and any(map(_case, first)):
        return f"what stands before '{_shown(after)}' would run into it"
    return ""


def of_changes(path: str, hunk: ConflictHunk) -> str:
    """Why changes that touch should not be kept both, or an empty string."""
    if _kind(path) == "prose":
        return PROSE
    ours, theirs = (_added(hunk.base, side) for side in (hunk.ours, hunk.theirs))
    return of_rivals(path, ours, theirs, hunk.before) or _lost_word(hunk)


def of_words(path: str, hunk: ConflictHunk, merged: Lines) -> str:
    """Why changed words of the same lines should not be kept both, or an empty string."""
    if _kind(path) == "prose":
        return PROSE
    base, *sides = ([*words_of(lines)] for lines in (hunk.base, hunk.ours, hunk.theirs))
    slots = _slots(base)
    ours, theirs = (_word_changes(base, side) for side in sides)
    touched = [
        {slot for change in mine - other for slot in _touched(slots, change)}
        for mine, other in ((ours, theirs), (theirs, ours))
    ]
    if touched[0] & touched[1]:
        return "both sides changed one expression"
    known, *counts, found = map(_words, (hunk.base, hunk.ours, hunk.theirs, merged))
    twice = [w for w in counts[0] if counts[1][w] and not known[w] and found[w] > max(
        side[w] for side in counts)]  # fmt: skip
    if twice:
        return f"both sides bring '{_shown(min(twice))}' into these lines"
    return _lost_word(hunk)


def _lost_word(hunk: ConflictHunk) -> str:
    """A word that one side has no more here and the other uses more often."""
    base, ours, theirs = map(_words, (hunk.base, hunk.ours, hunk.theirs))
    for mine, other in ((ours, theirs), (theirs, ours)):
        lost = [
            word
            for word in base
            if not mine[word] and other[word] > base[word] and not word.isdigit()
        ]
        if lost:
            return f"one side has no '{_shown(min(lost))}' any more, and the other makes use of it"
    return ""


def _kind(path: str) -> str:
    return language_of(path) or path.rpartition(".")[2].lower()


def _first(lines: Lines) -> bytes:
    return next((line.strip() for line in lines if line.strip()), b"")


def _leans(kind: str, line: bytes) -> bool:
    """Whether a line says something of the next one: a decorator, an attribute, a comment."""
    if kind != "prose" and line.startswith((b"@", b"#[")):
        return True
    notes = (b"//", b"/*", b"*") if kind in _BRACES else (b"#",) if kind in _NUMBER_SIGN else ()
    return line.startswith(notes)


def _case(line: bytes) -> bool:
    return _CASE.match(line.strip()) is not None


def _least(lines: Lines) -> int:
    return min((_depth(line) for line in lines if line.strip()), default=0)


def _depth(line: bytes) -> int:
    line = line.expandtabs(8)
    return len(line) - len(line.lstrip())


def _added(base: Lines, side: Lines) -> Lines:
    blocks = changed_blocks(base, side)
    return tuple(line for block in blocks for line in side[block.new_start : block.new_end])


def _words(lines: Lines) -> Counter[bytes]:
    """How often each word is there, but for those that every text has."""
    found = _WORD.findall(b"".join(lines))
    return Counter(word for word in found if word not in _COMMON)


Change = tuple[int, int, tuple[bytes, ...]]
"""Words `start:end` of the base became these, gaps left out."""


def _word_changes(base: list[bytes], side: list[bytes]) -> set[Change]:
    """The changes of one side that are more than white space."""
    found = set()
    for block in changed_blocks(base, side):
        old = _spoken(base[block.old_start : block.old_end])
        new = _spoken(side[block.new_start : block.new_end])
        if old != new:
            found.add((block.old_start, block.old_end, new))
    return found


def _spoken(words: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(word for word in words if word.strip())


def _slots(words: Iterable[bytes]) -> list[int]:
    """The number of the expression that each word is part of: what stands between commas,
    brackets and line ends. A text in quotes is one."""
    slots, slot, quote = [], 0, b""
    for word in words:
        if b"\n" in word:
            slot, quote = slot + 1, b""
        elif quote:
            quote = b"" if word == quote else quote
        elif word in _QUOTES:
            quote = word
        elif word in _SEPARATORS:
            slot += 1
        slots.append(slot)
    return [*slots, slot]


def _touched(slots: list[int], change: Change) -> set[int]:
    """The expressions that a change is part of; none where it only adds further ones."""
    start, end, new = change
    if start < end:
        return set(slots[start:end])
    if new[0] in _SEPARATORS or new[-1] in _SEPARATORS:
        return set()
    return {slots[start], slots[max(0, start - 1)]}


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "replace")[:60]
