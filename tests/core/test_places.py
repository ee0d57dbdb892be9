"""Names of branches and folders."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worktree_runner.core.places import MAX_BYTES, branch_of, folder_of, safe_name
from worktree_runner.dialects.schema import load


def test_names_are_those_of_the_worktree_document() -> None:
    gsd = load("gsd")
    assert branch_of(gsd, "03", "01") == "gsd/03-01"
    assert folder_of(gsd, "03", "01") == "wt-03-01"
    assert branch_of(gsd, "02.1", "01", attempt=2) == "gsd/02.1-01-a2"
    assert folder_of(gsd, "02.1", "01", attempt=2) == "wt-02.1-01-a2"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a b", "a-b"),
        ("../x", "x"),
        ("a..b", "a-b"),
        ("a@{1}", "a-1"),
        ("x.lock", "x-lock"),
        ("-x-", "x"),
        ("ü", "ü"),
    ],
)
def test_what_git_refuses_is_replaced(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_two_long_names_stay_two_names() -> None:
    one, two = safe_name("x" * 300 + "1"), safe_name("x" * 300 + "2")
    assert one != two
    assert len(one.encode()) <= MAX_BYTES


@given(st.text(max_size=200))
def test_any_text_gives_one_short_component(text: str) -> None:
    name = safe_name(text)
    assert name
    assert "/" not in name
    assert len(name.encode()) <= MAX_BYTES
    assert safe_name(name) == name


def test_git_accepts_what_comes_out() -> None:
    texts = ["\x00", "\x7f~^:?*[\\", ".", "..", "@", "@{", "a.lock.lock", "é" * 100, "\u200b", "x."]
    for text in texts:
        done = subprocess.run(["git", "check-ref-format", f"refs/heads/{safe_name(text)}"])
        assert done.returncode == 0, text
