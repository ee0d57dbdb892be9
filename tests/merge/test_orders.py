"""Which of two insertions a proposal puts first; and bullets that are indented."""

from __future__ import annotations

import pytest

from merge import Settings, merge_file
from merge.text import hunks_of

Sides = tuple[str, str, str]


def proposed(path: str, sides: Sides, settings: Settings | None = None) -> str:
    base, ours, theirs = (side.encode() for side in sides)
    result = merge_file(base, ours, theirs, path, settings or Settings())
    (hunk,) = hunks_of(result.segments)
    assert hunk.proposal is not None
    return b"".join(hunk.proposal).decode()


def entry(*names: str) -> str:
    return "x = [\n" + "".join(f"    f('{name}'),\n" for name in names) + "]\n"


@pytest.mark.parametrize(
    ("path", "sides", "expected"),
    [
        pytest.param(
            "a.py", (entry("a", "z"), entry("a", "n", "z"), entry("a", "m", "z")),
            "    f('m'),\n    f('n'),\n", id="sorted around",
        ),
        pytest.param(
            "a.py", (entry("z", "a"), entry("z", "n", "a"), entry("z", "m", "a")),
            "    f('n'),\n    f('m'),\n", id="not sorted around",
        ),
        pytest.param(
            "a.py", (entry("z"), entry("n", "z"), entry("m", "z")),
            "    f('n'),\n    f('m'),\n", id="too few to show an order",
        ),
        pytest.param(
            "CHANGES.md",
            ("# 1.0\n\n- z\n", "# 1.1\n\n- old thing\n\n# 1.0\n\n- z\n",
             "- new matter\n\n# 1.0\n\n- z\n"),
            "- new matter\n\n# 1.1\n\n- old thing\n", id="no release yet",
        ),
    ],
)  # fmt: skip
def test_order_of_a_proposal(path: str, sides: Sides, expected: str) -> None:
    assert proposed(path, sides) == expected


def test_caller_can_have_the_other_order() -> None:
    sides = (entry("a", "z"), entry("a", "n", "z"), entry("a", "m", "z"))
    assert proposed("a.py", sides, Settings(plan_first=True)) == "    f('n'),\n    f('m'),\n"


def log(*bullets: str, after: str = " * last one") -> str:
    return "1.0\n---\n\n" + "".join(f"{bullet}\n" for bullet in bullets) + after + "\n"


def settled(sides: Sides) -> bytes | None:
    base, ours, theirs = (side.encode() for side in sides)
    return merge_file(base, ours, theirs, "CHANGELOG.md").data


def test_indented_bullets_are_bullets() -> None:
    sides = (log(), log(" * alpha beta", "   gamma"), log(" * delta epsilon"))
    expected = log(" * alpha beta", "   gamma", " * delta epsilon")
    assert settled(sides) == expected.encode()


@pytest.mark.parametrize(
    "sides",
    [
        pytest.param((log(), log(" * alpha beta"), log("* delta epsilon")), id="two depths"),
        pytest.param((log(), log(" * alpha beta"), log(" - delta epsilon")), id="two marks"),
        pytest.param(
            (
                log(after="   last"),
                log(" * alpha", after="   last"),
                log(" * beta", after="   last"),
            ),
            id="inside a bullet",
        ),
        pytest.param(
            (log(), log(" * alpha beta", "plain text"), log(" * delta epsilon")), id="other text"
        ),
    ],
)
def test_what_is_no_list_of_bullets_is_a_question(sides: Sides) -> None:
    assert settled(sides) is None
