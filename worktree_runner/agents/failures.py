"""Failure classes from what agents and services say: status codes first, words second.

Words are matched only in an agent's own error texts, never in what a model wrote.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from worktree_runner.agents.protocol import FailureKind

CUT_OFF = "ended in the middle of its turn"
"""How wtrun's own bridge says that a program it speaks to is gone."""
_BY_STATUS = {
    400: FailureKind.CONFIG,
    401: FailureKind.AUTH,
    402: FailureKind.QUOTA,
    403: FailureKind.AUTH,
    404: FailureKind.CONFIG,
    408: FailureKind.OVERLOADED,
    429: FailureKind.RATE_LIMIT,
    500: FailureKind.OVERLOADED,
    502: FailureKind.OVERLOADED,
    503: FailureKind.OVERLOADED,
    504: FailureKind.OVERLOADED,
    529: FailureKind.OVERLOADED,
}
_BY_WORDS: tuple[tuple[FailureKind, tuple[str, ...]], ...] = (
    (FailureKind.SESSION, (
        "no conversation found", "no rollout found", "invalid session identifier",
        "no saved session found", "session not found", "error resuming session",
    )),
    (FailureKind.CRASH, (CUT_OFF,)),
    (FailureKind.QUOTA, (
        "insufficient_quota", "quota (?:exceeded|exhausted)", "exceeded your .*quota",
        "usage limit", "out of credits?", "credit balance", "(?<!rate )(?<!rate-)limit reached",
    )),
    (FailureKind.RATE_LIMIT, ("rate.?limit", "too many requests")),
    (FailureKind.OVERLOADED, (
        "overloaded", "temporarily unavailable", "service unavailable", "bad gateway",
        "gateway timeout", "internal server error", "econnre(?:set|fused)", "etimedout",
        "socket hang up", "connection (?:reset|refused|error|closed)", "stream disconnected",
        "fetch failed",
    )),
    (FailureKind.AUTH, (
        "invalid (?:x-)?api.?key", "unauthori[sz]ed", "authentication (?:failed|error|required)",
        "not logged in", "please (?:log|sign) ?in", "run /login", "oauth token",
        "api key (?:not|is) ", "invalid auth method",
    )),
    (FailureKind.SANDBOX, (
        "bubblewrap", "bwrap", "user namespace", "landlock", "seatbelt",
        "sandbox.*(?:fail|denied|unavailable|not available)",
    )),
    (FailureKind.PERMISSION, (
        "cannot be used with root", "untrusted (?:folder|workspace|directory)", "not trusted",
    )),
    (FailureKind.CONFIG, (
        "unknown (?:option|argument|model|flag)", "unexpected argument", "unrecognized option",
        "model.*not (?:found|exist|supported)", "command not found",
        "mcp servers? failed",
    )),
)  # fmt: skip
_PATTERNS = tuple(
    (kind, re.compile("|".join(words), re.IGNORECASE)) for kind, words in _BY_WORDS
)  # fmt: skip
_STATUS = re.compile(
    r"\b(?:status(?:\s*code)?|code|http|error)[\"\s:=]*(?:code[\s:=]*)?([45]\d\d)\b", re.I
)
_RETRY_AFTER = re.compile(
    r"(?:retry[- ]after|try again in|retry in|resets? in)[\s:=]*(\d+(?:\.\d+)?)\s*"
    r"(ms|milliseconds?|s|sec|seconds?|m|min|minutes?|h|hours?)?\b",
    re.IGNORECASE,
)
_UNITS = {"ms": 0.001, "mi": 60.0, "m": 60.0, "h": 3600.0, "s": 1.0}


_AT_SECOND = re.compile(r"limit reached\|(1\d{9})\b", re.IGNORECASE)
_AT_CLOCK = re.compile(
    r"resets?(?: at)? (\d{1,2})(?::(\d\d))?(?: ?(am|pm)\b|(?<=:\d\d))", re.IGNORECASE
)


SHORT_WAIT_S = 900.0
"""A service that says 'quota' and names a wait up to this means a rate limit."""


def classify(text: str, status: int | None = None) -> FailureKind | None:
    """The class of a failure, or None if nothing in it is known."""
    if status is None and (found := _STATUS.search(text)):
        status = int(found[1])
    worded = next((kind for kind, pattern in _PATTERNS if pattern.search(text)), None)
    if worded is FailureKind.QUOTA and status in (None, 400, 403, 429):
        wait = retry_after(text)
        short = wait is not None and wait <= SHORT_WAIT_S
        return FailureKind.RATE_LIMIT if short else worded
    return _BY_STATUS.get(status or 0, worded)


def retry_after(text: str, now: datetime | None = None) -> float | None:
    """Seconds to wait, where the text names them or the time when the wait is over.

    A time without a date is the next such time on this machine's clock.
    """
    found = _RETRY_AFTER.search(text)
    if found is None:
        return _until_named_time(text, now or datetime.now())
    unit = (found[2] or "s").lower()
    if unit.startswith("mil") or unit == "ms":
        return float(found[1]) * 0.001
    return float(found[1]) * _UNITS[unit[:1]]


def _until_named_time(text: str, now: datetime) -> float | None:
    if second := _AT_SECOND.search(text):
        return max(0.0, float(second[1]) - now.timestamp())
    clock = _AT_CLOCK.search(text)
    if clock is None:
        return None
    hour, minute, half = int(clock[1]), int(clock[2] or 0), (clock[3] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59:
        return None
    then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return ((then if then > now else then + timedelta(days=1)) - now).total_seconds()
