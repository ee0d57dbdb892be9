"""Agent names: what is honoured, what is made up, and that a made-up name is stable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worktree_runner.core import names


@pytest.mark.parametrize("hint", ["plan-03-01", "BoldMarsh", "a", "wt_1.2", "A" * 128])
def test_a_safe_id_is_honoured_as_it_is(hint: str) -> None:
    assert names.honoured(hint, "opencode") == hint


@pytest.mark.parametrize(
    "hint",
    ["", None, "claude-code", "Codex", "../x", "a/b", ".hidden", "-x", "A" * 129, "two words",
     "YOUR_AGENT_NAME", "$AGENT", "{MY_AGENT_NAME}", "<YourAgentName>", "a.json", "naïve", "a\nb"],
)  # fmt: skip
def test_unsafe_names_placeholders_and_programs_are_not_honoured(hint: str | None) -> None:
    assert names.honoured(hint, "gsd-executor") is None


def test_the_callers_own_program_is_no_name() -> None:
    assert names.honoured("gsd-executor", "GSD-Executor") is None


def test_the_same_seed_gives_the_same_name_and_a_taken_one_makes_way() -> None:
    first = names.make_up("run/03-01/1", ())
    assert first == names.make_up("run/03-01/1", ())
    assert not names.same(names.make_up("run/03-01/1", [first.upper()]), first)


def test_every_pair_is_used_before_a_number_is_added() -> None:
    everyone = {a + n for a in names.ADJECTIVES for n in names.NOUNS}
    last = everyone.pop()
    assert names.make_up("x", everyone) == last
    numbered = names.make_up("x", {*everyone, last})
    assert numbered[-1] == "2" and names.is_safe(numbered)


@given(st.text(max_size=20))
def test_made_up_names_are_always_safe(seed: str) -> None:
    assert names.is_safe(names.make_up(seed, ()))
