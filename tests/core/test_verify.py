"""Must-haves of plans against a tree: what is there, what is not, and what can't be told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.test_prompts import plan
from worktree_runner.core.verify import Found, check_plans

TREE = {
    "src/chat.tsx": "import { send } from './api';\nexport default function Chat() {\nsend()\n}\n",
    "src/api.ts": "export async function send() { return fetch('/api/chat', {}) }\n",
    "src/app/[id]/page.tsx": "x\n",
    "web/lib/deep.py": "def f():\n    return 1\n",
    "a/same.py": "1\n",
    "b/same.py": "2\n",
    "pkg/__init__.py": "",
}


def found(must: dict[str, Any]) -> list[tuple[Found, str]]:
    checks = check_plans([plan(must_haves=must)], list(TREE), lambda path: TREE[path].encode())
    return [(one.found, one.why) for one in checks]


P, M, L, U = Found.PRESENT, Found.MISSING, Found.LOOSE, Found.UNCLEAR


@pytest.mark.parametrize(
    ("artifact", "state", "why"),
    [
        ({"path": "src/chat.tsx", "exports": ["Chat"], "min_lines": "4"}, P, ""),
        ({"path": "./src/chat.tsx (new)", "contains": "function Chat"}, P, ""),
        ({"path": "src/app/[id]/page.tsx"}, P, ""),
        ({"path": "pkg/__init__.py"}, P, ""),
        ({"path": "lib/deep.py", "contains": "def f"}, P, ""),
        ({"path": "src/"}, P, ""),
        ({"path": "src/*.ts"}, P, ""),
        ({"path": "src/api.ts", "contains": "fetch, send"}, P, ""),
        ({"path": "src/api.ts", "contains": 'fetch("/api/chat"'}, P, ""),
        ({"path": "src/api.ts", "exports": "send, other"}, M, "does not export other"),
        ({"path": "src/api.ts", "min_lines": 9}, M, "has 1 of at least 9 lines"),
        ({"path": "src/api.ts", "contains": "axios("}, M, "does not contain 'axios('"),
        ({"path": "src/gone.ts"}, M, "is not there"),
        ({"path": "src/*.rs"}, M, "is not there"),
        ("src/gone.ts exports a thing", M, "is not there"),
        ("src/chat.tsx's close button is there", P, ""),
        ("The button / the link work together", U, "is no path"),
        ({"path": "~/.claude/settings.json"}, U, "lies outside of the repository"),
        ({"path": "same.py", "min_lines": 1}, U, "is there more than once"),
        ({"path": "src/api.ts", "contains": "polls every ten seconds"}, U,
         "'polls every ten seconds' is prose"),
    ],
)  # fmt: skip
def test_an_artifact_is_there_missing_or_unclear(artifact: Any, state: Found, why: str) -> None:
    assert found({"artifacts": [artifact]}) == [(state, why)]


@pytest.mark.parametrize(
    ("link", "state", "why"),
    [
        ({"from": "src/chat.tsx", "to": "src/api.ts", "pattern": r"import.*api"}, P, ""),
        ({"from": "src/chat.tsx", "to": "src/api.ts", "pattern": r"fetch\(.*chat"}, P, ""),
        ({"from": "src/chat.tsx", "to": "src/api.ts"}, P, ""),
        ({"from": "src/chat.tsx", "to": "db", "pattern": "prisma"}, L, "nothing matches 'prisma'"),
        ({"from": "src/gone.ts", "to": "x", "pattern": "y"}, L, "src/gone.ts is not there"),
        ({"from": "the chat", "to": "x", "pattern": "y"}, U, "names no file"),
        ({"from": "src/chat.tsx", "to": "x", "pattern": "(unclosed"}, U,
         "its pattern can't be searched"),
        ({"from": "src/chat.tsx::Chat", "to": "nobody"}, U, "it says no pattern"),
        ("src/chat.tsx <-> the API: they agree", U, "it says no pattern"),
    ],
)  # fmt: skip
def test_a_link_is_found_loose_or_unclear(link: Any, state: Found, why: str) -> None:
    assert found({"key_links": [link]}) == [(state, why)]


@pytest.mark.parametrize(
    "must",
    [
        {},
        {"artifacts": "none"},
        {"artifacts": [{}, None, [], 3]},
        {"key_links": {"from": ["a.py"]}},
        {"artifacts": {"path": {}}},
    ],
)
def test_nothing_that_is_unknown_counts_as_there(must: dict[str, Any]) -> None:
    assert all(state in (U, L) for state, _ in found(must))


def test_what_lies_in_a_submodule_can_not_be_told() -> None:
    must = {"artifacts": [{"path": "sub/inside.txt"}, {"path": "sub"}, {"path": "subs/x.txt"}]}
    checks = check_plans([plan(must_haves=must)], ["sub/.", "a.txt"], lambda path: b"")
    assert [one.found for one in checks] == [U, U, M]


def test_a_pattern_that_would_search_for_ever_is_not_searched() -> None:
    hostile = ["(a+)+$", "(a|a)*b", "a*a*a*a*a*a*a*a*b", "[[a]"]
    text = "a" * 5000 + "\n"
    links = [{"from": "x.py", "to": "y", "pattern": pattern} for pattern in hostile]
    hung = plan(must_haves={"key_links": links})
    checks = check_plans([hung], ["x.py"], lambda path: text.encode())
    assert {one.found for one in checks} == {U}


def test_expressions_of_several_parts_are_looked_for_one_after_the_other() -> None:
    text = "import { a, b } from './lib/x.ts'\n" + "x" * 4000 + "\n"
    cases = {
        r"import.*b.*from.*\.ts": P,
        r"import.*from.*b[.*]": L,
        ".*x.*x.*x.*x.*z": L,  # in one search: hours
        r"\w+\s*\w*\w*=": U,
        "x?" * 40 + "x" * 40 + "z": U,
    }
    links = [{"from": "x.py", "to": "y", "pattern": pattern} for pattern in cases]
    checks = check_plans(
        [plan(must_haves={"key_links": links})], ["x.py"], lambda path: text.encode()
    )
    assert [one.found for one in checks] == list(cases.values())
