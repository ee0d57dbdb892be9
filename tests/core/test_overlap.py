"""The exact intersection of two patterns, checked against every short path there is."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worktree_runner.core.overlap import covering, matches, overlap, overlapping
from worktree_runner.core.patterns import PatternError, compiled, escape

TABLE = [
    ("src/a.py", "src/a.py", True),
    ("src/a.py", "src/b.py", False),
    ("./src//a.py", "/src/a.py", True),
    ("src", "src/a.py", True),
    ("src/", "src/a.py", True),
    ("src", "src2/a.py", False),
    ("src/auth", "src/auth/login/form.tsx", True),
    ("src/*.py", "src/a*", True),
    ("src/*.py", "src/a.ts", False),
    ("src/*.py", "src/deep/a.py", False),
    ("src/*", "src/deep/a.py", True),
    ("src/**", "src/deep/a.py", True),
    ("src/**/a.py", "src/a.py", True),
    ("src/**/a.py", "src/**/b.py", False),
    ("**/x.py", "a/b/**", True),
    ("**/*.test.ts", "**/*.md", False),
    ("lib/*.py", "lib/x*", True),
    ("b/**", "b", True),
    ("**", "anything/at/all", True),
    (".", "anything", True),
    ("*", "top.txt", True),
    ("glob:[ab].py", "glob:[bc].py", True),
    ("glob:[ab].py", "glob:[cd].py", False),
    ("test_[ab].py", "test_b.py", True),
    ("[a-c].py", "b.py", True),
    ("[!a-c].py", "b.py", False),
    ("[!a].py", "[!b].py", True),
    ("?.py", "ab.py", False),
    ("a?c", "ab*", True),
    ("{src,lib}/*.py", "lib/x.py", True),
    ("{src,lib}/*.py", "tests/x.py", False),
    ("a{b,c{d,e}}f", "acef", True),
    ("{{cookiecutter.name}}/x", "{{cookiecutter.name}}/x", True),
    # route parameters are literal
    ("app/[id]/page.tsx", "app/[id]/page.tsx", True),
    ("app/[id]/page.tsx", "app/[userId]/page.tsx", False),
    ("app/[id]/page.tsx", "app/d/page.tsx", False),
    ("glob:app/[id]/page.tsx", "app/d/page.tsx", True),
    ("app/[id]/*.tsx", "app/[id]/page.tsx", True),
    ("app/[...slug]", "app/[...slug]/page.tsx", True),
    ("app/[[...slug]]/page.tsx", "app/[...slug]/page.tsx", False),
    ("pages/[id].tsx", "pages/i.tsx", False),
    ("app/(shop)/cart", "app/(shop)/cart/page.tsx", True),
    ("app/(shop)/cart", "app/shop/cart/page.tsx", False),
    ("app/(.)[photo]/page.tsx", "app/(.)p/page.tsx", False),
    ("app/[0-9]/page.tsx", "app/7/page.tsx", True),
    # a name with an extension is a file, unless the other pattern goes on after it
    ("README.md", "**/*.ts", False),
    ("README.md/", "**/*.ts", True),
    ("conf/app.d", "conf/app.d/x.ts", True),
    ("conf/*.d", "conf/app.d/x.ts", True),
    ("conf/*.d", "conf/app.d", True),
    ("docs", "**/*.ts", True),
    ("docs/v1.2", "**/*.ts", True),
    (".github", "**/*.yml", True),
    (r"a\*b", "acb", False),
    (r"a\*b", r"a*b", True),
    ("tool://build", "tool://build", True),
    ("tool://build", "**", False),
    ("tool://build", "tool://test", False),
]


@pytest.mark.parametrize(("a", "b", "expected"), TABLE)
def test_overlap_table_both_ways(a: str, b: str, expected: bool) -> None:
    assert overlap(a, b) is expected
    assert overlap(b, a) is expected


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("src/*", "src/a/b.py", True),
        ("conf/*.d", "conf/app.d/x", True),
        ("src/*.py", "src/a/b.py", False),
        ("**/*.py", "a.py", True),
        ("**/test/**", "a/test/b", True),
        ("**/test/**", "a/tests/b", False),
        ("src/**/a/**/b", "src/x/a/y/z/b", True),
        ("app/[id]/page.tsx", "app/[id]/page.tsx", True),
        ("tool://x", "tool://x", True),
        ("**", "tool://x", False),
        ("src", "src", True),
        ("src", "srcs", False),
    ],
)
def test_matches_table(pattern: str, path: str, expected: bool) -> None:
    assert matches(pattern, path) is expected


def test_case_is_folded_only_on_request() -> None:
    assert not overlap("SRC/A.py", "src/a.py")
    assert overlap("SRC/A.py", "src/a.py", fold_case=True)
    assert overlap("glob:[A-C].py", "b.py", fold_case=True)
    assert not overlap("glob:[!A-C].py", "b.py", fold_case=True)
    assert matches("App/[ID]/*", "app/[id]/x", fold_case=True)


@pytest.mark.parametrize("bad", ["", "  ", "../x", "src/../../x", "glob:[b-a]", "{a,b}" * 7])
def test_pattern_that_names_no_file_is_refused(bad: str) -> None:
    with pytest.raises(PatternError):
        compiled(bad)


# -- brute force ----------------------------------------------------------------------------

NAMES = ["".join(chars) for n in (1, 2, 3) for chars in itertools.product("ab.c", repeat=n)]
"""Every short name; `.` and `..` count as names here, as they do in the code."""
REAL = [name for name in NAMES if name not in (".", "..")]

tokens = st.sampled_from(["a", "b", ".", "*", "?", "[ab]", "[!a]", "[!b.]"])
names = st.one_of(
    st.sampled_from(["a", "b", "a.b", "b.a", "*", "**", "**", "?", "*.b", "a*"]),
    st.lists(tokens, min_size=1, max_size=2).map("".join),
).filter(lambda name: name not in (".", ".."))
long = st.lists(names, min_size=1, max_size=3)
short = st.lists(names, min_size=1, max_size=2)
patterns = long.map(lambda parts: "glob:" + "/".join(parts))


def name_fits(pattern: str, name: str) -> bool:
    """One name against one name pattern, straight from the definition."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(name_fits(pattern[1:], name[at:]) for at in range(len(name) + 1))
    if not name:
        return False
    if pattern[0] == "[":
        end = pattern.index("]", 2)
        inside = pattern[1:end]
        hit = name[0] not in inside[1:] if inside[0] == "!" else name[0] in inside
        return hit and name_fits(pattern[end + 1 :], name[1:])
    return pattern[0] in ("?", name[0]) and name_fits(pattern[1:], name[1:])


def describes(parts: list[str], path: tuple[str, ...]) -> bool:
    if not parts:
        return not path
    if parts[0] == "**":
        return any(describes(parts[1:], path[at:]) for at in range(len(path) + 1))
    return bool(path) and name_fits(parts[0], path[0]) and describes(parts[1:], path[1:])


def short_paths(a: list[str], b: list[str]) -> Iterator[tuple[str, ...]]:
    """Paths of up to 4 names, one name for each way in which names fit these patterns.

    4 names are enough for a witness where both patterns together have at most 5.
    """
    wanted = [part for part in (*a, *b) if part != "**"]
    kinds = {tuple(name_fits(part, name) for part in wanted): name for name in NAMES}
    for length in range(1, 5):
        yield from itertools.product(sorted(kinds.values()), repeat=length)


def covers(parts: list[str], path: tuple[str, ...]) -> bool:
    """As `overlap` takes a pattern: below what it describes, but not below files."""
    head, dot, tail = parts[-1].rpartition(".")
    if dot and head and tail and set(tail) <= set("abc*?"):
        return describes(parts, path)
    return any(describes(parts, path[:at]) for at in range(len(path) + 1))


def is_folder_of(parts: list[str], path: tuple[str, ...]) -> bool:
    """True if the pattern names this folder literally on its way down."""
    return any(
        describes(parts[: at + 1], path)
        for at, part in enumerate(parts[:-1])
        if not set(part) & set("*?[")
    )


@settings(max_examples=400, deadline=None)
@given(long, short)
def test_overlap_agrees_with_every_short_path(a: list[str], b: list[str]) -> None:
    expected = any(
        (covers(a, path) and covers(b, path))
        or (describes(a, path) and is_folder_of(b, path))
        or (describes(b, path) and is_folder_of(a, path))
        for path in short_paths(a, b)
    )
    left, right = "glob:" + "/".join(a), "glob:" + "/".join(b)
    assert overlap(left, right) is expected
    assert overlap(right, left) is expected


@settings(max_examples=300, deadline=None)
@given(patterns, st.lists(st.sampled_from(REAL), min_size=1, max_size=4).map(tuple))
def test_matches_agrees_with_the_definition(pattern: str, path: tuple[str, ...]) -> None:
    parts = pattern.removeprefix("glob:").split("/")
    expected = any(describes(parts, path[:at]) for at in range(len(path) + 1))
    assert matches(pattern, "/".join(path)) is expected
    if expected:
        assert overlap(pattern, escape("/".join(path)))


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_characters="/\0"), min_size=1))
def test_an_escaped_path_describes_itself(name: str) -> None:
    if name in (".", ".."):
        return
    assert matches(escape(name), name)
    assert matches(escape(f"x/{name}"), f"x/{name}")
    assert overlap(escape(f"x/{name}"), f"x/{escape(name)}")


def test_escaping_leaves_ordinary_and_route_paths_as_they_are() -> None:
    assert escape("app/[id]/(group)/page.tsx") == "app/[id]/(group)/page.tsx"
    assert escape("a/test_[ab]*.py") == r"a/test_\[ab\]\*.py"
    assert not matches(escape("a/{b,c}"), "a/b")


@settings(max_examples=100, deadline=None)
@given(st.lists(patterns, max_size=6), st.lists(patterns, max_size=6))
def test_the_lookup_finds_the_same_pairs_as_trying_all(wanted: list[str], held: list[str]) -> None:
    found = list(overlapping(wanted, held))
    tried = [(i, j) for i, a in enumerate(wanted) for j, b in enumerate(held) if overlap(a, b)]
    assert found == tried


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(REAL), min_size=1, max_size=4).map("/".join), max_size=5),
    st.lists(st.one_of(patterns, st.sampled_from(["port://1", "port://2"])), max_size=6),
)
def test_the_lookup_of_paths_finds_the_same_pairs_as_trying_all(
    paths: list[str], held: list[str]
) -> None:
    paths = [*paths, "port://1"]
    tried = [(a, j) for a in paths for j, b in enumerate(held) if matches(b, a)]
    assert list(covering(paths, held)) == tried


def test_a_thousand_held_patterns_cost_little() -> None:
    held = [f"src/mod{n % 40}/{'*' if n % 7 == 0 else 'part'}{n}/**/*.py" for n in range(1000)]
    wanted = [f"src/mod{n}/part{n}*/**" for n in range(20)]
    list(overlapping(wanted[:1], held))
    best = 9.0
    for _ in range(3):
        start = time.perf_counter()
        pairs = list(overlapping(wanted, held))
        best = min(best, time.perf_counter() - start)
    assert pairs
    assert best < 0.25  # measured 20 times less; the margin is for a busy machine
