"""Name and goal of a phase from the road map. Read only; the writer is elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass

from worktree_runner.core.frontmatter import decode
from worktree_runner.core.ids import PhaseToken, parse_token
from worktree_runner.dialects.schema import Dialect

_GOAL = re.compile(
    r"\*\*Goal(?::\*\*|\*\*[ \t]*:)[ \t]*([^\n]+(?:\n(?![ \t]*(?:\n|[*#|>-]))[^\n]+)*)"
)
_NAME_END = re.compile(
    r"\s*(?:\((?:INSERTED|[0-9]+/[0-9]+ plans)[^)]*\)|[✅✓✔]|\[[^\]]*\]|—\s*completed.*)\s*$", re.I
)


@dataclass(frozen=True, slots=True)
class PhaseHeading:
    """What the road map calls a phase, and what it is for; empty where it says nothing."""

    name: str = ""
    goal: str = ""


def phase_heading(roadmap: bytes | None, token: PhaseToken, dialect: Dialect) -> PhaseHeading:
    """The phase's section in the current milestone's part, else in an archived part."""
    if not roadmap:
        return PhaseHeading()
    text, _ = decode(roadmap)
    word = re.escape(dialect.words.phase)
    pattern = re.compile(
        rf"^(#{{2,5}})[ \t]+(?:[✅✓🚧📋][ \t]*)?{word}[ \t]+([0-9][\w.]*?)[ \t]*"
        r"(?:[:.—–-][ \t]*|$)(.*)$",
        re.MULTILINE | re.IGNORECASE,
    )
    found = [match for match in pattern.finditer(text) if _same(match[2], token)]
    if not found:
        return _checklist(text, token, word)
    current = [match for match in found if not _archived(text, match.start())]
    match = (current or found)[0]
    level = len(match[1])
    end = re.compile(rf"^#{{1,{level}}}[ \t]", re.MULTILINE).search(text, match.end())
    part = text[match.end() : end.start() if end else len(text)]
    goal = _GOAL.search(part)
    return PhaseHeading(_clean(match[3]), " ".join(goal[1].split()) if goal else "")


def _same(text: str, token: PhaseToken) -> bool:
    return parse_token(text.rstrip(".")) == token


def _archived(text: str, at: int) -> bool:
    before = text[:at].lower()
    return before.count("<details") > before.count("</details")


def _checklist(text: str, token: PhaseToken, word: str) -> PhaseHeading:
    line = re.compile(
        rf"^[ \t]*[-*][ \t]+\[[ xX]\][ \t]+\**{word}[ \t]+([0-9][\w.]*?):[ \t]*([^*\n]+)",
        re.MULTILINE | re.IGNORECASE,
    )
    for match in line.finditer(text):
        if _same(match[1], token):
            return PhaseHeading(_clean(match[2].partition(" - ")[0]))
    return PhaseHeading()


def _clean(name: str) -> str:
    name = re.sub(r"^[✅✓✔]\s*", "", name.replace("*", "").strip())
    previous = ""
    while previous != name:
        previous, name = name, _NAME_END.sub("", name).strip()
    return name
