"""What a settled text must not hold or do, whichever rules settled it."""

from __future__ import annotations

import pytest

from merge.checks import doubled_definition, moved_statement, oddity, stops_parsing

CLEAN: list[tuple[str, str, str]] = [
    ("a key", 'D = {"b": 1,\n "x": 1,\n "b": 2}\n', "the key 'b' is in one mapping twice"),
    ("an end", "def f():\n    return 1\n    return 2\n", "nothing after 'return 1' is ever run"),
    ("a flag", 'p.add_argument("-n")\nx = 1\np.add_argument("-n")\n',
     "'p.add_argument('-n')' is there twice"),
    ("a value", "A = 1\nB = 1\nA = 2\n", "A is set twice, and its first value is never read"),
    ("an exception", "try: ...\nexcept Exception: ...\nexcept OSError: ...\n",
     "'except OSError' comes after a wider one and is never run"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("result", "words"), [case[1:] for case in CLEAN], ids=[case[0] for case in CLEAN]
)
def test_what_neither_side_wrote_is_noticed_but_not_what_one_has(result: str, words: str) -> None:
    data = result.encode()
    assert oddity("a.py", (b"x = 1\n", b"y = 1\n"), data) == words
    assert oddity("a.py", (data, b"y = 1\n"), data) is None


def test_texts_without_a_word_may_be_in_a_list_twice() -> None:
    assert oddity("a.py", (b"", b""), b"lines = ['', 'a', '', '---', 'b', '---']\n") is None
    assert oddity("a.py", (b"", b""), b"names = ['a', 'b', 'a']\n") is not None


def test_a_value_that_is_read_before_it_is_set_again_is_no_oddity() -> None:
    data = b"A = 1\nB = A\nA = 2\nself.x = 1\nself.f()\nself.x = 2\n"
    assert oddity("a.py", (b"", b""), data) is None


MOVED: list[tuple[str, str, str, str]] = [
    ("an else of another if",
     "if a:\n    b()\nelse:\n    c()\n", "if a:\n    b()\nif d:\n    e()\n",
     "if a:\n    b()\nif d:\n    e()\nelse:\n    c()\n"),
    ("a decorator of another function",
     "@mark\ndef f(): ...\n", "def g(): ...\ndef f(): ...\n",
     "@mark\ndef g(): ...\ndef f(): ...\n"),
    ("a statement of another function",
     "def f():\n    a()\n    b()\n", "def f():\n    a()\ndef g():\n    c()\n",
     "def f():\n    a()\ndef g():\n    c()\n    b()\n"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs", "result"), [case[1:] for case in MOVED], ids=[case[0] for case in MOVED]
)
def test_a_statement_that_stands_where_no_side_has_it_is_noticed(
    ours: str, theirs: str, result: str
) -> None:
    texts = [text.encode() for text in (ours, theirs, result)]
    assert moved_statement("a.py", *texts) is not None
    assert moved_statement("a.py", texts[0], texts[2], texts[2]) is None


def test_a_block_that_the_other_side_calls_otherwise_moves_nothing() -> None:
    ours = b"def g(x):\n    if x and y:\n        a()\n"
    theirs = b"def f(x):\n    if x:\n        a()\n        b()\n"
    both = b"def g(x):\n    if x and y:\n        a()\n        b()\n"
    assert moved_statement("a.py", ours, theirs, both) is None


def test_what_python_parses_but_does_not_take_stops_parsing() -> None:
    ours, theirs = b"def f(a, b=1): ...\n", b"def f(a, c=1, b=2): ...\n"
    assert stops_parsing("a.py", ours, theirs, b"def f(a, b=1, b=2): ...\n")
    assert not stops_parsing("a.py", ours, b"def f(a, a): ...\n", b"def f(a, a): ...\n")


IN_ARM = b"def g(x):\n    if x:\n        def h(): ...\n"


@pytest.mark.parametrize(
    ("result", "name"),
    [
        (IN_ARM + b"    def h(): ...\n", None),
        (IN_ARM + b"    else:\n        def h(): ...\n", None),
        (IN_ARM + b"        def h(): ...\n", "g.h"),
        (b"@a\ndef f(): ...\n@b\ndef f(): ...\n", "f"),
        (b"@f.setter\ndef f(): ...\n@f.setter\ndef f(): ...\n", None),
        (b"@overload\ndef f(): ...\n@overload\ndef f(): ...\n", None),
    ],
)
def test_one_name_is_defined_twice_only_where_both_definitions_hold(
    result: bytes, name: str | None
) -> None:
    assert doubled_definition("a.py", (b"x = 1\n", b"y = 1\n"), result) == name
