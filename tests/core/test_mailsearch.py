"""The mailbox's search language."""

from __future__ import annotations

import pytest

from worktree_runner.core.mailsearch import parse_query


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("", True),
        ("login", True),
        ("LOGIN cookie", True),
        ("login banana", False),
        ("banana OR cookie", True),
        ("login NOT cookie", False),
        ("login -banana", True),
        ('"session cookie"', True),
        ('"cookie session"', False),
        ("cook", False),
        ("cook*", True),
        ("subject:login", True),
        ("body:03-01", False),
        ("(login OR banana) AND cookie", True),
    ],
)
def test_queries(query: str, fits: bool) -> None:
    subject, body = "[gsd-03-01] Login complete", "Uses a session cookie."
    assert parse_query(query)(subject, body) is fits
