"""Releases that both sides added to a change log: where each goes, and what is a question."""

from __future__ import annotations

import pytest

from merge import merge_file

UNDERLINED = "Version {n}\n-----------\n\n{date}\n\n- {what}\n\n"
HASHES = "## {n} ({date})\n\n- {what} ([#{issue}])\n\n[#{issue}]: https://it.org/{issue}\n\n"
TOP = "Changes\n=======\n\n"


def section(form: str, n: str, what: str, date: str = "Unreleased", issue: int = 1) -> str:
    return form.format(n=n, what=what, date=date, issue=issue)


def merged(path: str, base: str, ours: str, theirs: str) -> str | None:
    result = merge_file(base.encode(), ours.encode(), theirs.encode(), path)
    back = merge_file(base.encode(), theirs.encode(), ours.encode(), path)
    assert result.data == back.data  # the numbers decide, whichever side is the target
    assert result.data is None or result.rules == ("releases",)
    return None if result.data is None else result.data.decode()


@pytest.mark.parametrize(
    ("path", "form", "top"),
    [("CHANGES.rst", UNDERLINED, TOP), ("CHANGELOG.md", HASHES, "# Log\n\n"), ("NEWS", HASHES, "")],
)
def test_releases_of_both_sides_are_kept_whole_the_greatest_first(
    path: str, form: str, top: str
) -> None:
    old = section(form, "1.9.2", "the first words of all", "2020-01-01", 19)
    fixed = section(form, "1.9.10", "a crash in the parser", "2020-02-01", 20)
    new = section(form, "2.0", "colours can be chosen", "to be decided", 30)
    assert merged(path, top + old, top + new + old, top + fixed + old) == top + new + fixed + old


def test_releases_of_one_side_stand_among_those_of_the_other() -> None:
    def several(*numbers: int) -> str:
        words = ("one", "a second thing", "the third of them", "four at last", "five is new")
        return TOP + "".join(
            section(UNDERLINED, f"1.{n}", words[n - 1], f"in {n}") for n in numbers
        )

    assert merged("CHANGES", several(1), several(5, 3, 1), several(4, 2, 1)) is not None
    assert merged("CHANGES", several(1), several(5, 3, 1), several(4, 2, 1)) == several(
        5, 4, 3, 2, 1
    )


OLD = section(UNDERLINED, "1.0", "the first", "2020-01-01")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param(("1.1", "colours"), ("1.1", "a crash is mended"), id="one number twice"),
        pytest.param(("1.1", "colours #5"), ("1.2", "a crash (#5)"), id="one issue"),
        pytest.param(("1.1", "a faster parser"), ("1.2", "the faster parser"), id="one thing"),
        pytest.param(("1.1.dev", "colours"), ("1.2", "a crash is mended"), id="a pre-release"),
        pytest.param(("0.9", "colours"), ("1.2", "a crash is mended"), id="less than what follows"),
        pytest.param(("1.1", "colours\n- all"), ("1.2", "a crash\n- all"), id="one line in both"),
        pytest.param(("next", "colours"), ("1.2", "a crash is mended"), id="no number"),
    ],
)
def test_releases_whose_place_is_a_decision_are_asked(
    ours: tuple[str, str], theirs: tuple[str, str]
) -> None:
    sides = [
        TOP + section(UNDERLINED, *side, date=f"by {side[0]}") + OLD for side in (ours, theirs)
    ]
    assert merged("CHANGES", TOP + OLD, *sides) is None


def test_section_that_goes_on_below_what_was_added_is_asked() -> None:
    body = "- the first\n\n"
    base = TOP + "Unreleased\n----------\n\n" + body + OLD
    ours = base.replace(body, "1.2\n---\n\n" + body)  # what was not released is now
    theirs = base.replace(body, "1.1\n---\n\n- another\n\n" + body)
    assert merged("CHANGES", base, ours, theirs) is None
