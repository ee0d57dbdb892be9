"""Which of two version numbers is taken, and when that is a person's decision."""

from __future__ import annotations

import pytest

from merge import Settings, merge_file
from merge.text import hunks_of

PACKAGE = '{{\n  "name": "{name}",\n  "version": "{version}"\n}}\n'


def settled(path: str, *sides: str, settings: Settings | None = None) -> tuple[str | None, str]:
    base, ours, theirs = (side.encode() for side in sides)
    result = merge_file(base, ours, theirs, path, settings or Settings())
    return (None if result.data is None else result.data.decode()), "+".join(result.rules)


def package(version: str, name: str = "it") -> str:
    return PACKAGE.format(name=name, version=version)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        pytest.param("1.1.0", "1.2.0", "1.3.0", "1.3.0", id="both released, the plan further"),
        pytest.param("1.1.0", "2.0.0", "1.1.1", "2.0.0", id="both released, the target further"),
        pytest.param("2.1.0-dev", "3.0.0-dev", "2.1.0", "3.0.0-dev", id="the plan released"),
        pytest.param("2.1.0", "2.2.0-rc1", "2.1.1", "2.2.0-rc1", id="the plan fixed the release"),
        pytest.param("1.0.0-rc.2", "3.0.0-beta.1", "1.1.0-rc.1", "3.0.0-beta.1", id="pre-releases"),
        pytest.param("1.0.0-rc.0", "1.0.0-rc.2", "1.0.0", None, id="one number in two forms"),
        pytest.param("1.0.0-rc.0", "1.0.0-rc.2", "1.0.0-rc.3", None, id="two pre-releases of one"),
        pytest.param("1.0.0", "1.1.0", "1.2.0-rc.1", None, id="the target would be a pre-release"),
        pytest.param("1.0.0", "1.1.0-rc.1", "1.2.0", None, id="the target would be a release"),
        pytest.param("1.0.4-dev", "1.1.0-dev", "1.0.7", None, id="the plan released several"),
        pytest.param("1.4.0", "1.3.0", "1.5.0", None, id="the target went down"),
        pytest.param("1.4.0", "nightly", "1.5.0", None, id="no version"),
    ],
)
def test_own_version(base: str, ours: str, theirs: str, expected: str | None) -> None:
    data, rule = settled("package.json", package(base), package(ours), package(theirs))
    assert data == (None if expected is None else package(expected))
    assert expected is None or rule in ("own-version", "keys")


def test_own_version_is_asked_where_the_setting_says_so_with_the_greater_as_proposal() -> None:
    sides = [package(f"1.{n}.0").encode() for n in (1, 2, 3)]
    result = merge_file(*sides, "package.json", Settings(own_version="ask"))
    assert result.data is None
    assert hunks_of(result.segments)[0].proposal == (b'  "version": "1.3.0"\n',)


def test_version_of_a_fork_is_asked_since_it_counts_for_itself() -> None:
    base, theirs = package("1.0.0"), package("1.1.0")
    assert settled("package.json", base, package("1.0.4", "fork"), theirs)[0] is None
    assert settled("package.json", base, package("1.0.0", "fork"), theirs)[0] is None


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("it/__init__.py", '__version__ = "{}"\n'),
        ("it/__init__.py", "VERSION = ({tuple})\n"),
        ("VERSION", "{}\n"),
        ("pom.xml", "  <version>{}-SNAPSHOT</version>\n"),
        ("it.js", "const VERSION = '{}'\n"),
        ("src/lib.rs", 'pub const VERSION: &str = "{}";\n'),
        ("It.java", '  public static final String VERSION = "{}";\n'),
        ("README.md", 'it = {{ version = "{}", features = ["all"] }}\n'),
        ("README.rst", ":Version: {}\n"),
    ],
)
def test_places_where_a_project_names_its_version(path: str, line: str) -> None:
    sides = [line.format(v, tuple=v.replace(".", ", ")) for v in ("1.1.0", "1.2.0", "1.1.1")]
    assert settled(path, *sides) == (sides[1], "own-version")


def test_line_that_repeats_the_own_version_follows_it() -> None:
    sides = [f'__version__ = "{v}+"\n__released__ = "{v}"\n' for v in ("1.0", "1.2", "1.1")]
    assert settled("it/__init__.py", *sides) == (sides[1], "own-version")


def test_line_end_that_both_sides_gave_the_last_line_is_no_change() -> None:
    assert settled("VERSION", "1.1.0", "1.3.0\n", "1.2.0\n") == ("1.3.0\n", "own-version")
    assert settled("VERSION", "1.1.0", "1.3.0\n", "1.2.0")[0] is None


@pytest.mark.parametrize(("last", "chosen"), [("bin", 1), ("all", None)])
def test_file_that_a_version_names_is_the_greater_if_it_is_of_one_kind(
    last: str, chosen: int | None
) -> None:
    names = ("8.1-bin", "8.6-bin", f"8.4-{last}")
    sides = [f"distributionUrl=https\\://it.org/gradle-{name}.zip\n" for name in names]
    data, rule = settled("gradle/wrapper/gradle-wrapper.properties", *sides)
    assert (data, rule) == ((sides[chosen], "version") if chosen else (None, ""))


def test_number_that_is_no_version_of_the_project_is_left_to_a_person() -> None:
    sides = [f"timeout = {v}\n" for v in ("1.1", "1.2", "1.3")]
    assert settled("it/settings.py", *sides)[0] is None


@pytest.mark.parametrize("line", ['v = "{}.{}.0"\n', "v = ({}, {}, 0)\n"])
def test_no_version_is_woven_from_parts_of_two(line: str) -> None:
    sides = [line.format(*pair).encode() for pair in ((1, 1), (2, 1), (1, 2))]
    result = merge_file(*sides, "it/numbers.py", Settings(tier="tested"))
    assert result.data is None
    assert hunks_of(result.segments)[0].proposal is None
