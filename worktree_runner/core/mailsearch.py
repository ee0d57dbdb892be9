"""The search language of the mailbox: the everyday part of SQLite's full-text syntax.

Words must all occur; `"a phrase"`, `start*`, `OR` between words, `NOT word` (or `-word`), and
`subject:word` or `body:word` for one field. Case never matters; a word matches whole words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

Fits = Callable[[str, str], bool]

_PART = re.compile(r'(?:(\w+):)?(?:"([^"]*)"|([^\s"()]+))')


@dataclass(frozen=True, slots=True)
class _Term:
    pattern: re.Pattern[str]
    field: str | None
    negated: bool

    def fits(self, subject: str, body: str) -> bool:
        texts = {"subject": [subject], "body": [body]}.get(self.field or "", [subject, body])
        return any(self.pattern.search(text) for text in texts) != self.negated


def parse_query(query: str) -> Fits:
    """A test for (subject, body). An empty query fits everything."""
    groups: list[list[_Term]] = [[]]
    negated = False
    for field, phrase, word in _PART.findall(query):
        if not field and word == "OR":
            groups.append([])
        elif not field and word == "NOT":
            negated = True
        elif not (not field and word == "AND"):
            groups[-1].append(_term(field.lower() or None, phrase, word, negated))
            negated = False
    wanted = [group for group in groups if group]
    return lambda subject, body: (
        not wanted or any(all(term.fits(subject, body) for term in group) for group in wanted)
    )


def _term(field: str | None, phrase: str, word: str, negated: bool) -> _Term:
    text = phrase or word
    if not phrase and word.startswith("-") and len(word) > 1:
        text, negated = word[1:], True
    open_end = text.endswith("*")
    text = text.rstrip("*")
    pattern = rf"(?<!\w){re.escape(text)}" + ("" if open_end else r"(?!\w)")
    return _Term(re.compile(pattern, re.IGNORECASE), field, negated)
