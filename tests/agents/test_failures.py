from __future__ import annotations

from datetime import datetime

import pytest

from worktree_runner.agents.failures import classify, retry_after
from worktree_runner.agents.protocol import FailureKind as K


@pytest.mark.parametrize(
    ("text", "status", "expected"),
    [
        ("Overloaded", 529, K.OVERLOADED),
        ("whatever", 401, K.AUTH),
        ("unexpected status 401 Unauthorized: no", None, K.AUTH),
        ("Invalid API key · Fix external API key", None, K.AUTH),
        ("Your credit balance is too low", 400, K.QUOTA),
        ("You exceeded your current quota", 429, K.QUOTA),
        ("You exceeded your current quota. Please retry in 31.5s.", 429, K.RATE_LIMIT),
        ("Too many requests", 429, K.RATE_LIMIT),
        ("Rate limit reached for gpt-x in organization y", 429, K.RATE_LIMIT),
        ("Claude usage limit reached", None, K.QUOTA),
        ("bwrap: No permissions to create new namespace", None, K.SANDBOX),
        ("--x cannot be used with root/sudo privileges", None, K.PERMISSION),
        ("error: unknown option '--jsn'", None, K.CONFIG),
        ("stream disconnected before completion", None, K.OVERLOADED),
        ("everything is fine", None, None),
    ],
)
def test_failure_classes(text: str, status: int | None, expected: K | None) -> None:
    assert classify(text, status) is expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Retry-After: 30", 30.0),
        ("try again in 2 minutes", 120.0),
        ("Please retry in 800ms", 0.8),
        ("resets in 3h", 10800.0),
        ("later", None),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after(text) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Claude AI usage limit reached|1760000600", 600),
        ("usage limit reached, resets at 14:30", 1800),
        ("You've hit your limit; resets 3pm", 3600),
        ("limit will reset at 1:59pm (UTC)", 86400 - 60),
        ("resets 12am", 36000),
        ("resets at 99:99", None),
        ("resets on Monday", None),
    ],
)
def test_a_wait_until_a_time_of_day(text: str, seconds: float | None) -> None:
    now = datetime(2025, 10, 9, 14, 0, 0)
    if "|" in text:
        now = datetime.fromtimestamp(1_760_000_000)
    assert retry_after(text, now) == seconds
