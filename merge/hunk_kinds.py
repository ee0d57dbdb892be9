"""What kind of disagreement a hunk is, told from its three texts alone.

The kind decides what a rule may do: where both sides changed the same lines, or one deleted what
the other changed, nothing is ever settled by itself.
"""

from __future__ import annotations

import re
from functools import lru_cache

from merge.text import Lines, hunks_of, merge_lines
from merge.types import ConflictHunk

NEVER = {
    "overlap": "both sides changed the same lines",
    "delete-vs-change": "one side deleted lines that the other changed",
    "contains-other": "one side's lines hold all of the other's",
    "shared-insert": "both sides inserted here, and some lines of it are the same",
}
"""Kinds that are always a question, and what they are in words."""

_TOKEN = re.compile(rb"v?\d+(?:\s*[.,]\s*[\"']?\w+[\"']?)+[-+.\w]*|\w+|\s+|[^\w\s]")
"""A word; a version or a row of numbers is one word, since parts of two make a third thing."""
_NUMBER = re.compile(rb"[0-9a-f]{7,40}\b|v?\d+(?:\.\d+)*(?:[-.]?(?:dev|rc|alpha|beta|a|b)\.?\d*)?")


def base_lines(hunk: ConflictHunk) -> Lines:
    """The base's lines; none if all that happened to its last one is the line end it lacked."""
    last = hunk.before[-1:]
    ended = len(hunk.base) == 1 and last and last[0].rstrip(b"\r\n") == hunk.base[0]
    return () if ended else hunk.base


def kind_of(hunk: ConflictHunk, raw: ConflictHunk) -> str:
    """The first kind that fits; `raw` is the hunk with the ends on which both sides agree."""
    base, ours, theirs = (b"".join(s).split() for s in (base_lines(hunk), hunk.ours, hunk.theirs))
    flat = [b"".join(words) for words in (base, ours, theirs)]
    if flat[1] == flat[2]:
        return "same-whitespace"
    if flat[0] and flat[0] in flat[1:]:
        return "whitespace-one-side"
    if flat[0] and len({_NUMBER.sub(b"#", text) for text in flat}) == 1:
        return "version"
    if not flat[0]:
        return _insert_kind(hunk, raw)
    if not flat[1] or not flat[2]:
        return "delete-vs-change"
    if not hunks_of(merge_lines(hunk.base, hunk.ours, hunk.theirs, touching=False)):
        return "adjacent"
    if merged_tokens(hunk) is not None:
        return "token-disjoint"
    if flat[1] in flat[2] or flat[2] in flat[1]:
        return "contains-other"
    return "overlap"


def _insert_kind(hunk: ConflictHunk, raw: ConflictHunk) -> str:
    if not any(line.strip() for line in hunk.ours) or not any(line.strip() for line in hunk.theirs):
        return "contains-other" if _shared(raw) else "whitespace-one-side"
    return "shared-insert" if _shared(raw) else "both-insert"


def _shared(hunk: ConflictHunk) -> bool:
    """Whether both sides inserted a line of the same words."""
    base, ours, theirs = (
        {line.strip() for line in side} for side in (hunk.base, hunk.ours, hunk.theirs)
    )
    return any(re.search(rb"\w", line) for line in (ours & theirs) - base)


def ends_cut_off(hunk: ConflictHunk, raw: ConflictHunk) -> tuple[int, int]:
    """How many lines at each end of the raw hunk are settled already."""
    most = min(len(raw.ours), len(raw.theirs))
    lead = next((i for i in range(most) if raw.ours[i] != raw.theirs[i]), most)
    return lead, len(raw.ours) - lead - len(hunk.ours)


def alike(left: Lines, right: Lines) -> bool:
    """Whether a line of one side says nearly what a line of the other says.

    Two additions that share most of their words are likely one thing under two names.
    """
    return name_one_issue(left, right) or _share_words(left, right)


def name_one_issue(left: Lines, right: Lines) -> bool:
    """Whether both name one issue or pull request."""
    named = [set(_NUMBERED.findall(b"".join(side))) for side in (left, right)]
    return bool(named[0] & named[1])


def _share_words(left: Lines, right: Lines) -> bool:
    words = [[set(_WORD.findall(line.lower())) for line in side] for side in (left, right)]
    return any(a and b and len(a & b) >= 0.6 * len(a | b) for a in words[0] for b in words[1])


_NUMBERED = re.compile(rb"(?:#|/(?:issues|pull|pulls|merge_requests)/|\b[A-Z][A-Z]+-)\d+\b")
_WORD = re.compile(rb"[a-z]{2,}|[\x80-\xff]+")


def words_of(lines: Lines) -> tuple[bytes, ...]:
    """The words, signs and gaps of these lines, which together are their text."""
    return tuple(_TOKEN.findall(b"".join(lines)))


def merged_tokens(hunk: ConflictHunk) -> Lines | None:
    """The hunk merged word by word, or None where words conflict too."""
    return _merged_tokens(hunk.base, hunk.ours, hunk.theirs)


@lru_cache(maxsize=64)
def _merged_tokens(base: Lines, ours: Lines, theirs: Lines) -> Lines | None:
    sides = [words_of(side) for side in (base, ours, theirs)]
    if max(map(len, sides)) > 4000:
        return None
    merged = merge_lines(*sides)
    if hunks_of(merged):
        return None
    text = b"".join(token for segment in merged if isinstance(segment, tuple) for token in segment)
    parts = text.split(b"\n")
    last = parts.pop()
    return (*(part + b"\n" for part in parts), *((last,) if last else ()))
