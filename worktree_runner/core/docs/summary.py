"""What a plan's summary (SUMMARY, recap) says, as far as it can be read.

A summary is a claim, not evidence. Missing front matter, broken YAML and every spelling of the
keys that is in use are accepted; a missing self-check is ABSENT, which is no failure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from worktree_runner.core.docs.front import read_front, texts
from worktree_runner.core.docs.lists import is_nothing, plain_title
from worktree_runner.core.docs.markdown import Section, bullets, field, fields, sections
from worktree_runner.core.docs.page import Page
from worktree_runner.core.docs.refs import requirement_ids


class SelfCheck(StrEnum):
    """The verdict under `## Self-Check`."""

    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary; paths are as written, without back-quotes and remarks."""

    title: str = ""
    one_liner: str = ""
    phase: str = ""
    plan: str = ""
    status: str = ""
    key_files_created: tuple[str, ...] = ()
    key_files_modified: tuple[str, ...] = ()
    key_decisions: tuple[str, ...] = ()
    requirements_completed: tuple[str, ...] = ()
    evidence: tuple[tuple[str, str], ...] = ()
    """Requirement id and what proves it, where the summary says so."""
    self_check: SelfCheck = SelfCheck.ABSENT
    issues: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()
    duration: str = ""
    completed: str = ""
    provides: tuple[str, ...] = ()
    error: str | None = None
    """What is wrong with the front matter, if it is no valid YAML."""


_TITLE_END = re.compile(r"\s+(?:summary|recap)\s*$", re.I)
_TITLE_HEAD = re.compile(
    r"^(?:(?:phase|stage)\s+\S+[:,]?\s*)?(?:(?:[\w .&-]*?)?\b(?:plan|run)\s+\S+\s*(?::|—|–|-)\s*)",
    re.I,
)
_SELF_CHECK = re.compile(r"^self[- ]?check\b(.*)$", re.I)
_VERDICT = re.compile(r"\b(passed|pass|failed|fail)\b|(✅|✓|❌|✗)", re.I)
_HASH = re.compile(r"`([0-9a-f]{7,40})`")
_COMMIT_TITLE = re.compile(r"^(?:task )?commits\b|^tasks? completed", re.I)
_TICKS = re.compile(r"`([^`]+)`")
_REMARK = re.compile(r"\s+(?:\(.*|—.*|–.*|- .*|# .*)$")
_NONE = re.compile(r"^\W*(?:none\b|no (?:deviations|issues|problems)\b|n/a\b)", re.I)


def parse_summary(data: bytes) -> Summary:
    """The summary as a value; never raises, unknown things are empty."""
    page = Page(data, "")
    front = read_front(page)
    values = _flat(front.values)
    every = sections(page)
    created = _paths(page, values, every, ("created", "added"))
    modified = _paths(page, values, every, ("modified", "changed", "updated"))
    covered = _covered(values)
    done = _first(values, "requirements-completed", "requirements")
    ids = requirement_ids(" ".join(texts(done))) or tuple(key for key, _ in covered)
    return Summary(
        title=_title(every),
        one_liner=_one_liner(page, values, every),
        phase=_word(values, "phase", "stage"),
        plan=_word(values, "plan", "run"),
        status=_word(values, "status"),
        key_files_created=created,
        key_files_modified=modified,
        key_decisions=_decisions(page, values, every),
        requirements_completed=ids,
        evidence=tuple((key, text) for key, text in covered if text),
        self_check=_self_check(page, every),
        issues=_entries(page, every, r"^(?:issues|problems)(?: encountered)?\b"),
        deviations=_entries(page, every, r"^(?:deviations?|drifts?)\b"),
        commits=_commits(page, values, every),
        duration=_word(values, "duration") or _labelled(page, "duration"),
        completed=_word(values, "completed", "completed-date", "completion-date", "date"),
        provides=texts(_first(values, "provides")),
        error=front.error,
    )


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values by lower-case keys with hyphens; wrappers such as `metrics` are opened."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = _key(key)
        flat.setdefault(name, value)
        if name in ("metrics", "dependency-graph", "file-tracking") and isinstance(value, dict):
            for inner, each in value.items():
                flat.setdefault(_key(inner), each)
    return flat


def _key(text: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_ ]", "-", str(text)).lower()


def _first(values: Mapping[str, Any], *names: str) -> Any:
    return next((values[name] for name in names if values.get(name)), None)


def _word(values: Mapping[str, Any], *names: str) -> str:
    value = _first(values, *names)
    return value.strip() if isinstance(value, str) else ""


def _title(every: tuple[Section, ...]) -> str:
    head = next((each.title for each in every if each.level == 1), "")
    return _TITLE_HEAD.sub("", _TITLE_END.sub("", head)).strip(" :*")


def _one_liner(page: Page, values: Mapping[str, Any], every: tuple[Section, ...]) -> str:
    """The front matter's, else the bold line below the title, else a section of that name."""
    stated = _word(values, "one-liner", "oneliner")
    if stated:
        return stated
    top = next((each for each in every if each.level == 1), None)
    for line in top.own if top else range(page.body, min(len(page), page.body + 8)):
        text = page.lines[line].strip()
        if m := re.match(r"^\*\*(?!\w[\w /]*:)(.+?)\*\*$", text):
            return m[1].strip()
    named = _section(every, r"^one[- ]?liner\b")
    for line in named.own if named else ():
        if page.lines[line].strip():
            return page.lines[line].strip().strip("*>").strip()
    found = field(page, page.open_lines(archived=True), "one-liner", "one liner")
    return found.value.strip("* ") if found else ""


def _section(every: tuple[Section, ...], pattern: str) -> Section | None:
    wanted = re.compile(pattern, re.I)
    return next((each for each in every if wanted.search(plain_title(each.title))), None)


def _paths(
    page: Page, values: Mapping[str, Any], every: tuple[Section, ...], names: tuple[str, ...]
) -> tuple[str, ...]:
    holder = _first(values, "key-files", "files")
    listed: Any = None
    if isinstance(holder, dict):
        lower = {_key(key): each for key, each in holder.items()}
        listed = next((lower[name] for name in names if lower.get(name)), None)
    for name in names:
        listed = listed or _first(values, f"key-files.{name}", f"files-{name}")
    if listed:
        return tuple(dict.fromkeys(p for text in texts(listed) for p in _split_paths(text)))
    for name in names:
        section = _section(every, rf"^(?:key )?files {name}\b(?!.*(?:created|modified))")
        if section is not None:
            items = bullets(page, section.own)
            found = (_TICKS.search(each.text) for each in items)
            return tuple(dict.fromkeys(m[1] for m in found if m))
    return ()


def _split_paths(text: str) -> list[str]:
    """The paths of one entry: usually one; `a.py, b.py` where the list was a plain text."""
    parts = text.split(",") if "," in text and "(" not in text else [text]
    plain = (_REMARK.sub("", part.strip().strip("`\"'")).strip("`\"' ") for part in parts)
    return [part for part in plain if part and not _NONE.match(part) and part != "[]"]


def _decisions(
    page: Page, values: Mapping[str, Any], every: tuple[Section, ...]
) -> tuple[str, ...]:
    stated = texts(_first(values, "key-decisions", "decisions", "decisions-made"))
    if stated:
        return tuple(text for text in stated if not _NONE.match(text))
    return _entries(page, every, r"^(?:key )?decisions(?: made)?$")


def _entries(page: Page, every: tuple[Section, ...], pattern: str) -> tuple[str, ...]:
    """The list of a section; its sub-headings and bold openings where it has no list."""
    section = _section(every, pattern)
    if section is None:
        return ()
    lines = [n for n in section.whole if page.lines[n].strip() and n not in page.quoted]
    lines = [n for n in lines if n in section.own] or lines
    if not lines or _NONE.match(page.lines[lines[0]]) or is_nothing(page.lines[lines[0]]):
        return ()
    bold = [m[1] for n in section.whole if (m := re.match(r"^\*\*(\d+\..*?)\*\*", page.lines[n]))]
    if bold:
        return tuple(re.sub(r"^\d+\.\s*", "", text) for text in bold)
    items = tuple(each.text for each in bullets(page, section.own) if not is_nothing(each.text))
    if items:
        return tuple(re.sub(r"\*\*", "", text) for text in items if not _NONE.match(text))
    return (" ".join(page.lines[n].strip() for n in lines[:3]),)


def _covered(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Ariadna's list of {id, description, evidence}."""
    value = values.get("requirements-covered")
    found = []
    for each in value if isinstance(value, list) else ():
        if isinstance(each, dict) and isinstance(each.get("id"), str):
            found.append((each["id"], str(each.get("evidence") or "")))
        else:
            found.extend((key, "") for key in requirement_ids(" ".join(texts(each))))
    return found


def _self_check(page: Page, every: tuple[Section, ...]) -> SelfCheck:
    """The verdict in the heading, else on the first line below that has one."""
    verdict = SelfCheck.ABSENT
    for section in every:
        m = _SELF_CHECK.match(plain_title(section.title))
        if m is None:
            continue
        own = [page.lines[n] for n in section.own if page.lines[n].strip()]
        found = next((v for text in (m[1], *own) if (v := _VERDICT.search(text))), None)
        if found is None:
            continue
        if found[0].lower() in ("failed", "fail", "❌", "✗"):
            return SelfCheck.FAILED
        verdict = SelfCheck.PASSED
    labelled = field(page, page.open_lines(archived=True), "self-check", "self check")
    if verdict is SelfCheck.ABSENT and labelled and (v := _VERDICT.search(labelled.value)):
        failed = v[0].lower() in ("failed", "fail", "❌", "✗")
        verdict = SelfCheck.FAILED if failed else SelfCheck.PASSED
    return verdict


def _commits(page: Page, values: Mapping[str, Any], every: tuple[Section, ...]) -> tuple[str, ...]:
    stated = [
        m for text in texts(values.get("commits")) for m in re.findall(r"\b[0-9a-f]{7,40}\b", text)
    ]
    if stated:
        return tuple(dict.fromkeys(stated))
    found: list[str] = []
    for section in every:
        if _COMMIT_TITLE.match(plain_title(section.title)):
            for line in section.whole:
                found.extend(_HASH.findall(page.lines[line]))
    return tuple(dict.fromkeys(found))


def _labelled(page: Page, name: str) -> str:
    found = next(
        (f for f in fields(page, page.open_lines(archived=True)) if f.name.casefold() == name), None
    )
    return found.value if found else ""
