"""New values in the form of the old ones: positions, counters, bars, dates.

Each function takes the value that stands in the document and gives the one to write, or None
where the old form says something that these facts can't replace.
"""

from __future__ import annotations

import re

from worktree_runner.core.docs.facts import PhaseRef, Progress
from worktree_runner.core.docs.refs import TOKEN, same_phase, styled_token

_NAME = r"\((?P<name>(?:[^()]|\([^()]*\))*)\)"
_OF = re.compile(rf"^(?P<token>{TOKEN}) of (?P<last>\S+)(?:\s+{_NAME})?(?P<rest>.*)$")
_NAMED = re.compile(rf"^(?P<token>{TOKEN})\s*{_NAME}(?P<rest>.*)$")
_DASHED = re.compile(rf"^(?P<token>{TOKEN})(?P<dash>\s*(?:—|–|--|-|:)\s+)(?P<rest>.+)$")
_BARE = re.compile(rf"^(?P<token>{TOKEN})$")
_REMARK = re.compile(r"^(?P<dash>\s*(?:—|–|--|-)\s+)\S")
_PLAN_OF = re.compile(r"^(?P<done>\d+) of (?P<total>\d+|TBD|\?)(?P<rest>.*)$", re.I)
_PLAN_SLASH = re.compile(r"^(?:All\s+)?(?P<done>\d+)/(?P<total>\d+|TBD|\?)(?P<rest>.*)$", re.I)
_ACTIVITY = re.compile(r"^\d{4}-\d\d-\d\d(?P<gap>\s*(?:—|–|--|-|:|\|)\s*)?(?P<text>.*)$")
_BAR = re.compile(
    r"^(?P<open>\[?)(?P<full>[█▓■●#=]*)(?P<empty>[░▒□○.·\- ]*)(?P<close>\]?)"
    r"(?P<gap>\s*)(?P<percent>\d+)\s?%(?P<rest>.*)$"
)
_BAR_COUNT = re.compile(
    r"(?<=\()\d+(?P<mid>/| of )\d+"
    r"(?P<rest> [a-z ]*\b(?P<what>plans|runs|phases|stages)\b[a-z ]*[,;)])"
)
_ANY_COUNT = re.compile(r"\d+(?:/| of )\d+ [a-z ]*\b(?:plans|runs|phases|stages)\b")
_DATE = re.compile(r"^\d{4}-\d\d-\d\d$")
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d")
_DAY_TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d")


def phase_value(
    old: str, phase: PhaseRef, *, word: str, last: str | None = None, remark: str = ""
) -> str:
    """`3 of 5 (Name)`, `3 — Name`, `3 (Name) — EXECUTING`, `Phase 3: Name`, as the old one was."""
    if not re.fullmatch(r"(?:[^()]|\([^()]*\))*", phase.name):
        phase = PhaseRef(phase.token, re.sub(r"[()]", "", phase.name))
    lead = re.match(rf"(?:{word}|phase|stage)\s+", old, re.I)
    prefix = lead[0] if lead else ""
    body = old[len(prefix) :].strip()
    token = styled_token(phase.token, body)
    if m := _OF.match(body):
        name = phase.name or _kept(m, phase)
        named = f" ({name})" if name else ""
        return f"{prefix}{token} of {last or m['last']}{named}{_remark(m['rest'], remark)}"
    if m := _NAMED.match(body):
        name = phase.name or _kept(m, phase)
        return f"{prefix}{token} ({name}){_remark(m['rest'], remark)}" if name else prefix + token
    if m := _DASHED.match(body):
        return f"{prefix}{token}{m['dash']}{phase.name}" if phase.name else prefix + token
    if _BARE.match(body):
        return prefix + token
    named = f" ({phase.name})" if phase.name else ""
    return f"{prefix}{token} of {last}{named}" if last else f"{prefix}{token}{named}"


def _kept(match: re.Match[str], phase: PhaseRef) -> str:
    """The old name, if it is the same phase's."""
    return match["name"] or "" if same_phase(match["token"], phase.token) else ""


def _remark(rest: str, remark: str) -> str:
    """A remark behind the name, only where the document has one there."""
    m = _REMARK.match(rest)
    return f"{m['dash']}{remark}" if m and remark else ""


def plan_value(old: str, done: int, total: int, *, word: str) -> str:
    """`2 of 5 in current phase` or `2/5 complete`, as the old one was."""
    if m := _PLAN_OF.match(old):
        wide = len(m["done"]) if m["done"].startswith("0") else 1
        rest = f" in current {word}" if "in current" in m["rest"] else ""
        rest = " complete" if not rest and "complete" in m["rest"].lower() else rest
        return f"{done:0{wide}d} of {total:0{wide}d}{rest}"
    if m := _PLAN_SLASH.match(old):
        return f"{done}/{total}{' complete' if 'complete' in m['rest'].lower() else ''}"
    return f"{done} of {total} in current {word}"


def activity_value(old: str, date: str, text: str) -> str:
    """`2026-01-31 — text` with the separator in use; the date alone where only that stood."""
    m = _ACTIVITY.match(old)
    if m is None or (m["text"] and not m["gap"]):
        return f"{date} — {text}"
    if not m["text"]:
        return date
    return f"{date}{m['gap']}{text}"


def is_dated(old: str) -> bool:
    """Whether the value starts with a day, with or without a text behind it."""
    return bool(_ACTIVITY.match(old))


def stamp_value(old: str, date: str, now: str) -> str | None:
    """A date or time in the precision of the old one; None if the old one is neither."""
    old = old.strip().strip("\"'")
    if _STAMP.match(old):
        return now
    if _DAY_TIME.match(old):
        return f"{date} {now[11:16]}" + (" UTC" if "UTC" in old else "")
    if _DATE.match(old):
        return date
    return None


def bar_value(old: str, progress: Progress) -> str | None:
    """The bar with its own width and signs, then the percentage; None if there is no bar.

    What stands behind stays as it is, but for a count of plans or phases in parentheses. A count
    of another form would contradict the new percentage: None.
    """
    m = _BAR.match(old)
    if m is None or (m["open"] == "[") != (m["close"] == "]"):
        return None
    if _ANY_COUNT.search(_BAR_COUNT.sub("", m["rest"], count=1)):
        return None
    width = len(m["full"]) + len(m["empty"].rstrip() if not m["open"] else m["empty"])
    percent = progress.percent
    gap = m["gap"]
    if not m["open"] and not gap and m["empty"].endswith(" "):
        gap = " "
    bar = ""
    if width:
        full = m["full"][:1] or ("█" if "░" in m["empty"] or not m["empty"].strip() else "#")
        empty = m["empty"][:1] if m["empty"].strip() or m["open"] else "░"
        empty = empty or ("░" if full == "█" else "-")
        cells = (width * percent + 50) // 100
        bar = full * cells + empty * (width - cells)
    rest = _BAR_COUNT.sub(lambda count: _count(count, progress), m["rest"], count=1)
    return f"{m['open']}{bar}{m['close']}{gap}{percent}%{rest}"


def _count(old: re.Match[str], progress: Progress) -> str:
    if old["what"] in ("plans", "runs"):
        done, total = progress.plans_done, progress.plans
    else:
        done, total = progress.phases_done, progress.phases
    return f"{done}{old['mid']}{total}{old['rest']}"
