"""The verifier's report (VERIFICATION, proof), read.

- Status by front matter, else by a `status:` line in broken YAML, else by `**Status:**` in the
  body. Anything that isn't one of the known words is UNKNOWN: a person has to look.
- A status that takes back what it begins with (`passed with 2 gaps`) is UNKNOWN.
- `passed` beside listed human checks is HUMAN_NEEDED. A mere "Human Verification" heading is
  not: most reports have one that says there is nothing to check.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from worktree_runner.core.docs.front import read_front, texts
from worktree_runner.core.docs.lists import is_nothing, plain_title
from worktree_runner.core.docs.markdown import bullets, sections
from worktree_runner.core.docs.page import Page


class VerificationStatus(StrEnum):
    """What the report says of the phase's goal."""

    PASSED = "passed"
    HUMAN_NEEDED = "human_needed"
    GAPS_FOUND = "gaps_found"
    UNKNOWN = "unknown"
    """No status or one that isn't known; treated as human_needed."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the goal needs and the code lacks."""

    truth: str
    reason: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HumanCheck:
    """Something that only a person can check."""

    test: str
    expected: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """A report; `stated` is the status as written."""

    status: VerificationStatus
    stated: str = ""
    score: str = ""
    verified: str = ""
    gaps: tuple[Gap, ...] = ()
    human: tuple[HumanCheck, ...] = ()
    error: str | None = None
    """What is wrong with the front matter, if it is no valid YAML."""


_WORDS = {
    "passed": VerificationStatus.PASSED,
    "pass": VerificationStatus.PASSED,
    "verified": VerificationStatus.PASSED,
    "human_needed": VerificationStatus.HUMAN_NEEDED,
    "human_verification_needed": VerificationStatus.HUMAN_NEEDED,
    "gaps_found": VerificationStatus.GAPS_FOUND,
    "gaps": VerificationStatus.GAPS_FOUND,
    "failed": VerificationStatus.GAPS_FOUND,
}
_BODY_STATUS = re.compile(
    r"^(?:\W*\*\*(?:overall )?(?:status|verdict)(?::\*\*|\*\*:)|#{1,6} (?:status|verdict):|status:)"
    r"\s*(.+)$",
    re.I,
)
_FRONT_STATUS = re.compile(r"^status:\s*(.*?)\s*$", re.I)
_NONE_OF_IT = re.compile(r"\b(?:no|0|zero|without)\s+\w+", re.I)
_TAKEN_BACK = re.compile(
    r"\b(?:gaps?|issues?|concerns?|except|but|not|partial\w*|fail\w*|pending|incomplete|human)\b",
    re.I,
)
_SCORE = re.compile(r"^\W*\*\*score(?::\*\*|\*\*:)\s*(.+?)\s*$", re.I)
_HUMAN_TITLE = re.compile(
    r"^human verification|^manual (?:verification|checks)|^items? for human", re.I
)
_GAP_TITLE = re.compile(r"^gaps?\b", re.I)
_NO_ITEMS = re.compile(r"^\W*(?:none|no\b|nothing|n/a|not (?:required|needed|applicable))", re.I)


def parse_verification(data: bytes) -> Verification:
    """The report as a value; never raises, unknown things are empty."""
    page = Page(data, "")
    front = read_front(page)
    values = front.values
    stated = _text(values.get("status")) or _front_line(page) or _first(page, _BODY_STATUS)
    status = status_of(stated)
    gaps = tuple(_gap(each) for each in _items(values.get("gaps")))
    human = tuple(_check(each) for each in _items(values.get("human_verification")))
    if status is VerificationStatus.PASSED and human:
        status = VerificationStatus.HUMAN_NEEDED
    if status is VerificationStatus.HUMAN_NEEDED and not human:
        human = tuple(HumanCheck(text) for text in _listed(page, _HUMAN_TITLE))
    if status is VerificationStatus.GAPS_FOUND:
        gaps = gaps or tuple(Gap(text) for text in _listed(page, _GAP_TITLE))
    score = _text(values.get("score")) or _first(page, _SCORE)
    verified = _text(values.get("verified"))
    return Verification(status, stated, score, verified, gaps, human, front.error)


def status_of(stated: str) -> VerificationStatus:
    """The known status that a text begins with, in any case and with marks around it."""
    plain = re.sub(r"[^\w ]+", " ", stated.casefold()).strip()
    words = plain.split()
    for count in (3, 2, 1):
        found = _WORDS.get("_".join(words[:count])) if len(words) >= count else None
        if found is VerificationStatus.PASSED and _TAKEN_BACK.search(_NONE_OF_IT.sub("", plain)):
            return VerificationStatus.UNKNOWN
        if found is not None:
            return found
    return VerificationStatus.UNKNOWN


def choose_report(paths: Iterable[str], token: str, suffixes: Iterable[str]) -> tuple[str, ...]:
    """The reports of the phase among file paths, the one named `{token}-VERIFICATION.md` first.

    Reports of single plans (`03-01-VERIFICATION.md`) are left out.
    """
    plain = token.lstrip("0").casefold() or "0"
    found = []
    for path in paths:
        name = path.rpartition("/")[2].casefold()
        for suffix in suffixes:
            end = f"{suffix.casefold()}.md"
            stem = name.removesuffix(end).rstrip("-._")
            if not name.endswith(end) or re.search(r"\d-\d+[a-z]?$", stem):
                continue
            if stem and not re.match(rf"0*{re.escape(plain)}(?![\d.]*\d)", stem):
                continue
            found.append((stem.lstrip("0") != plain, len(stem), path))
            break
    return tuple(path for *_, path in sorted(found))


def with_word(report: bytes, date: str, *, issues: str = "") -> bytes:
    """The report with what the user said to it at its end: approved, or these issues.

    Issues make it one that found gaps, with each paragraph as a gap, so that what plans the next
    steps finds them. Said twice, it stands there once.
    """
    text = report.decode(errors="surrogateescape")
    end = "\r\n" if "\r\n" in text else "\n"
    if issues:
        parts = [" ".join(part.split()) for part in re.split(r"\n\s*\n", issues) if part.strip()]
        lines = [f"## Gaps reported by the user ({date})", "", *(f"- {part}" for part in parts)]
        text = re.sub(r"^(status:[ \t]*)\S[^\r\n]*", r"\1gaps_found", text, count=1, flags=re.M)
    else:
        lines = [f"## Approved by the user ({date})"]
    if lines[0] in text:
        return text.encode(errors="surrogateescape")
    body = text if not text or text.endswith("\n") else text + end
    added = end.join(["", *lines, ""])
    return (body + added).encode(errors="surrogateescape")


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) and value.strip().lower() != "null" else ""


def _front_line(page: Page) -> str:
    for line in page.front:
        if m := _FRONT_STATUS.match(page.lines[line]):
            return m[1].strip("'\"")
    return ""


def _first(page: Page, pattern: re.Pattern[str]) -> str:
    for line in page.open_lines(archived=True):
        if m := pattern.match(page.lines[line]):
            return m[1].strip()
    return ""


def _items(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [each for each in value if each not in ("", None) and not _is_none(each)]
    if isinstance(value, dict):
        return [value]
    return []


def _is_none(value: Any) -> bool:
    return isinstance(value, str) and is_nothing(value)


def _gap(value: Any) -> Gap:
    if not isinstance(value, dict):
        return Gap(" ".join(texts(value)))
    truth = _text(value.get("truth")) or _text(value.get("gap")) or "; ".join(texts(value))
    return Gap(truth, _text(value.get("reason")), texts(value.get("missing")))


def _check(value: Any) -> HumanCheck:
    if not isinstance(value, dict):
        return HumanCheck(" ".join(texts(value)))
    test = _text(value.get("test")) or _text(value.get("name")) or "; ".join(texts(value))
    return HumanCheck(test, _text(value.get("expected")), _text(value.get("why_human")))


def _listed(page: Page, titles: re.Pattern[str]) -> tuple[str, ...]:
    """The items of a body section: its sub-headings, else its list."""
    every = sections(page)
    for section in every:
        if not titles.search(plain_title(section.title)):
            continue
        first = next((page.lines[n] for n in section.own if page.lines[n].strip()), "")
        if _NO_ITEMS.match(first):
            continue
        deeper = [s for s in every if s.line in section.whole and s.level == section.level + 1]
        names = [re.sub(r"^\d+[.)]\s*", "", s.title).strip() for s in deeper]
        if not names:
            names = [each.text for each in bullets(page, section.own)]
        if not names:
            numbered = (re.match(r"^\s*\d+[.)]\s+(.*)$", page.lines[n]) for n in section.own)
            names = [m[1] for m in numbered if m]
        if names:
            return tuple(names)
    return ()
