from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worktree_runner.core.ids import (
    format_number,
    name_plans,
    number_key,
    parse_directory,
    parse_token,
    safe_text,
)


@pytest.mark.parametrize(
    ("name", "token", "slug", "code"),
    [
        ("03-accounts", "03", "accounts", ""),
        ("3-accounts", "03", "accounts", ""),
        ("02.1-name", "02.1", "name", ""),
        ("2.1-name", "02.1", "name", ""),
        ("04b-audit", "04b", "audit", ""),
        ("12A.1.2-deep", "12A.1.2", "deep", ""),
        ("100-hundred", "100", "hundred", ""),
        ("CK-01-foundation", "01", "foundation", "CK"),
        ("80", "80", "", ""),
        ("phase-01", "01", "", "phase"),
        ("integration-01-shared", "integration-01-shared", "integration-01-shared", ""),
        ("2fa-setup", "2fa-setup", "2fa-setup", ""),
    ],
)
def test_directory_names_give_token_slug_and_project_code(
    name: str, token: str, slug: str, code: str
) -> None:
    found = parse_directory(name)
    assert (found.token.text, found.slug, found.code) == (token, slug, code)


def test_phases_sort_by_number_then_letter_then_each_decimal() -> None:
    names = [
        "12B",
        "3",
        "2.10",
        "2.2",
        "12",
        "x-y",
        "2",
        "12A.1",
        "100",
        "2.1",
        "12A",
        "10",
        "2.1.1",
    ]
    ordered = sorted(names, key=lambda name: parse_token(name))
    assert ordered == [
        "2", "2.1", "2.1.1", "2.2", "2.10", "3", "10", "12", "12A", "12A.1", "12B", "100", "x-y",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "same"), [("3", "03"), ("02.1", "2.1"), ("4B", "04b"), ("CK-01", "1")]
)
def test_one_phase_may_be_written_in_several_ways(typed: str, same: str) -> None:
    assert parse_token(typed) == parse_token(same)


@pytest.mark.parametrize(("one", "other"), [("10", "100"), ("2", "2.1"), ("2.1", "2.10")])
def test_a_token_is_no_prefix(one: str, other: str) -> None:
    assert parse_token(one) != parse_token(other)


@pytest.mark.parametrize(
    ("directory", "stem", "number", "foreign"),
    [
        ("03-x", "03-01", "01", ""),
        ("03-x", "3-1", "01", ""),
        ("03-x", "03-01-auth", "01", ""),
        ("03-x", "03-01a", "01a", ""),
        ("03-x", "03-P02", "02", ""),
        ("03-x", "03-gap-01", "gap-01", ""),
        ("03-x", "03.02", "02", ""),
        ("03-x", "", "01", ""),
        ("03-x", "03", "01", ""),
        ("03-x", "02", "02", ""),
        ("03-x", "STAGE-01", "01", ""),
        ("02.1-x", "02.1-01", "01", ""),
        ("02.1-x", "2.1-01", "01", ""),
        ("02.1-x", "02.1.01", "01", ""),
        ("02-x", "02.1-01", "01", "02.1"),
        ("02-x", "02.1.01", "01", "02.1"),
        ("02-x", "02.01", "01", ""),
        ("02-x", "02.01-2fa", "01", ""),
        ("03-x", "04-02", "02", "04"),
        ("03-x", "04.02", "02", "04"),
        ("CK-01-x", "CK-01-02", "02", ""),
        ("CK-01-x", "01-02", "02", ""),
        ("100-x", "100-10", "10", ""),
        ("integration-01-x", "01-piano", "01", ""),
        ("integration-01-x", "integration-01-x-02", "02", ""),
    ],
)
def test_plan_numbers_are_read_relative_to_the_directory(
    directory: str, stem: str, number: str, foreign: str
) -> None:
    name = name_plans([stem], parse_directory(directory))[stem]
    assert (name.number, name.foreign) == (number, foreign)


def test_names_with_one_number_are_plan_numbers_if_they_differ() -> None:
    phase = parse_directory("03-x")
    names = name_plans(["01", "02", "03"], phase)
    assert [names[stem].number for stem in ("01", "02", "03")] == ["01", "02", "03"]


def test_names_with_the_same_number_are_told_apart_by_their_words() -> None:
    names = name_plans(["03-api", "03-db"], parse_directory("03-x"))
    assert {name.number for name in names.values()} == {"api", "db"}


def test_plans_sort_by_number_not_by_text() -> None:
    numbers = ["10", "02", "02a", "gap-01", "01", "100", "02.1"]
    assert sorted(numbers, key=number_key) == ["01", "02", "02.1", "02a", "10", "100", "gap-01"]


tokens = st.builds(
    lambda n, letter, parts: f"{n}{letter}" + "".join(f".{part}" for part in parts),
    st.integers(0, 999),
    st.sampled_from(["", "a", "B", "z"]),
    st.lists(st.integers(0, 30), max_size=3),
)


@given(tokens, tokens)
def test_order_of_tokens_is_total_and_agrees_with_equality(first: str, second: str) -> None:
    one, other = parse_token(first), parse_token(second)
    assert (one < other) + (other < one) + (one == other) == 1


@given(tokens)
def test_a_printed_token_means_the_same_phase(text: str) -> None:
    token = parse_token(text)
    assert parse_token(token.text) == token
    assert parse_directory(f"{token.text}-some-name").token == token


@given(tokens, st.integers(1, 200), st.sampled_from(["-", "."]))
def test_token_and_number_written_together_are_taken_apart_again(
    text: str, number: int, separator: str
) -> None:
    phase = parse_directory(f"{parse_token(text).text}-name")
    stem = f"{phase.token.text}{separator}{number:02d}"
    assert name_plans([stem], phase)[stem].number == format_number(str(number))


@given(st.text(max_size=60))
def test_every_name_has_a_safe_token_and_number(name: str) -> None:
    phase = parse_directory(name)
    number = name_plans([name], phase)[name].number
    for text in (phase.token.text, number):
        assert safe_text(text) == text or text[0].isdigit()
        assert not set(text) & set(" /\\:~^?*[\0") and ".." not in text and text
