"""What each rule settles, and what it must leave to a person."""

from __future__ import annotations

import re

import pytest

from merge import Settings, merge_file
from merge.languages import parses
from merge.text import hunks_of

Sides = tuple[str, str, str]


def settle(path: str, sides: Sides, settings: Settings | None = None) -> tuple[str | None, str]:
    """The settled text and its rules; or None and the reason."""
    base, ours, theirs = (text.encode() for text in sides)
    result = merge_file(base, ours, theirs, path, settings or Settings())
    if result.data is None:
        return None, result.why
    return result.data.decode(), "+".join(result.rules)


def proposals(path: str, sides: Sides) -> list[str | None]:
    base, ours, theirs = (text.encode() for text in sides)
    hunks = hunks_of(merge_file(base, ours, theirs, path).segments)
    return [None if h.proposal is None else b"".join(h.proposal).decode() for h in hunks]


SETTLED: list[tuple[str, str, Sides, str, str]] = [
    (
        "python laid out anew on both sides",
        "a.py",
        ("f(a)\n", "f(a, b)\n", "f(\n    a, b)\n"),
        "f(a, b)\n",
        "same-whitespace",
    ),
    (
        "python strings split in two ways",
        "a.py",
        ("x = ('a b')\n", "x = ('a '\n  'bc')\n", "x = ('a'\n  ' bc')\n"),
        "x = ('a '\n  'bc')\n",
        "same-whitespace",
    ),
    (
        "java laid out anew on one side",
        "A.java",
        ("int f(int a) {}\n", "int f(\n    int a) {}\n", "int f(int b) {}\n"),
        "int f(int b) {}\n",
        "whitespace-one-side",
    ),
    (
        "markup moved inwards on one side",
        "a.tsx",
        (
            "x = (\n<a>\ntext\n<b c={1} />\n</a>\n)\n",
            "x = (\n  <a>\n    text\n    <b c={1} />\n  </a>\n)\n",
            "x = (\n<a>\ntext\n<b c={2} />\n</a>\n)\n",
        ),
        "x = (\n<a>\ntext\n<b c={2} />\n</a>\n)\n",
        "whitespace-one-side",
    ),
    (
        "blank line against a statement",
        "a.go",
        ("func f() {\n\n\tg()\n}\n", "func f() {\n\th()\n\tg()\n}\n", "func f() {\n\tg()\n}\n"),
        "func f() {\n\th()\n\tg()\n}\n",
        "whitespace-one-side",
    ),
    (
        "two upgrades of one dependency",
        "requirements.txt",
        ("a==1.2\nb==1\n", "a==1.10\nb==1\n", "a==1.9\nb==1\n"),
        "a==1.10\nb==1\n",
        "version",
    ),
    (
        "entries of an ignore file",
        ".gitignore",
        ("a\n", "a\nb\n", "a\nc\n"),
        "a\nb\nc\n",
        "list",
    ),
    (
        "entries below a last line without its end",
        ".gitignore",
        ("a", "a\nb", "a\nc\n"),
        "a\nb\nc\n",
        "list",
    ),
    (
        "bullets of a change log",
        "CHANGELOG.md",
        ("# 1\n\n- a\n", "# 1\n\n- a\n- fix one\n", "# 1\n\n- a\n- add other thing\n"),
        "# 1\n\n- a\n- fix one\n- add other thing\n",
        "changelog",
    ),
    (
        "different keys of a JSON object",
        "a.json",
        ('{\n  "a": 1\n}\n', '{\n  "a": 1,\n  "b": 2\n}\n', '{\n  "z": 3,\n  "a": 1\n}\n'),
        '{\n  "a": 1,\n  "b": 2,\n  "z": 3\n}\n',
        "keys",
    ),
    (
        "new keys at one place of a JSON object",
        "a.json",
        (
            '{\n  "a": 1,\n  "z": 1\n}\n',
            '{\n  "a": 1,\n  "bb": 2,\n  "z": 1\n}\n',
            '{\n  "a": 1,\n  "cc": 3,\n  "z": 1\n}\n',
        ),
        '{\n  "a": 1,\n  "bb": 2,\n  "cc": 3,\n  "z": 1\n}\n',
        "keys",
    ),
    (
        "new keys at one place of a TOML table",
        "a.toml",
        ("[x]\na = 1\n", "[x]\na = 1\nbeta = 2\n", "[x]\na = 1\n# why\ngamma = 3\n"),
        "[x]\na = 1\nbeta = 2\n# why\ngamma = 3\n",
        "keys",
    ),
    (
        "layout of one side beside a line of the other",
        "A.java",
        ("int f(int a) {}\n", "int f(\n    int a) {}\n", "@Old\nint f(int a) {}\n"),
        "@Old\nint f(\n    int a) {}\n",
        "whitespace-one-side",
    ),
    (
        "go.sum",
        "go.sum",
        ("m/a v1.0.0 h1:x=\n", "m/a v1.0.0 h1:x=\nm/c v1.0.0 h1:c=\n",
         "m/a v1.0.0 h1:x=\nm/b v1.10.0 h1:y=\nm/b v1.9.0 h1:z=\n"),
        "m/a v1.0.0 h1:x=\nm/b v1.9.0 h1:z=\nm/b v1.10.0 h1:y=\nm/c v1.0.0 h1:c=\n",
        "go-sum",
    ),
    (
        "python names from one module",
        "a.py",
        ("from m import a\n\na()\n", "from m import a, b\n\na()\n", "from m import a, c\n\na()\n"),
        "from m import a, b, c\n\na()\n",
        "imports",
    ),
    (
        "javascript names from one module",
        "a.js",
        ("import { a } from 'm';\na();\n", "import { a, b } from 'm';\na();\n",
         "import { a, c } from 'm';\na();\n"),
        "import { a, b, c } from 'm';\na();\n",
        "imports",
    ),
    (
        "sorted go imports",
        "a.go",
        ('import (\n\t"a"\n\t"z"\n)\n', 'import (\n\t"a"\n\t"m"\n\t"z"\n)\n',
         'import (\n\t"a"\n\t"c"\n\t"z"\n)\n'),
        'import (\n\t"a"\n\t"c"\n\t"m"\n\t"z"\n)\n',
        "imports",
    ),
    (
        "rust names from one module",
        "a.rs",
        ("use m::{a};\nfn f() {}\n", "use m::{a, b};\nfn f() {}\n", "use m::{a, c};\nfn f() {}\n"),
        "use m::{a, b, c};\nfn f() {}\n",
        "imports",
    ),
    (
        "an import that one side removed with its last use",
        "a.py",
        ("import os\nimport re\n\nos.x()\n", "import os\nimport sys\n\nos.x()\n",
         "import os\nimport re\nimport json\n\nos.x()\n"),
        "import os\nimport json\nimport sys\n\nos.x()\n",
        "imports",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "sides", "expected", "rule"),
    [case[1:] for case in SETTLED],
    ids=[case[0] for case in SETTLED],
)
def test_settled(path: str, sides: Sides, expected: str, rule: str) -> None:
    assert settle(path, sides) == (expected, rule)
    base, ours, theirs = sides
    swapped, again = settle(path, (base, theirs, ours))
    assert swapped is not None
    assert again == rule
    if "whitespace" not in rule:
        words = [sorted(re.findall(r"[^\s,]+", text)) for text in (swapped, expected)]
        assert words[0] == words[1]


def test_line_ends_of_the_target_are_kept() -> None:
    base, ours, theirs = b"a\nb\nc\n", b"a\r\nb\r\nc\r\n", b"a\nB\nc\nd\n"
    result = merge_file(base, ours, theirs, "a.py")
    assert (result.data, result.rules) == (b"a\r\nB\r\nc\r\nd\r\n", ("line-ends",))


def test_changes_on_both_sides_of_turned_line_ends_are_for_a_person_or_the_gate() -> None:
    base, ours, theirs = b"a\nb\nc\n", b"a\r\nB\r\nc\r\n", b"a\nb\nc\nd\n"
    merged = b"a\r\nB\r\nc\r\nd\r\n"
    asked = merge_file(base, ours, theirs, "a.py")
    (hunk,) = hunks_of(asked.segments)
    assert asked.data is None
    assert b"".join(hunk.proposal or ()) == merged
    tested = merge_file(base, ours, theirs, "a.py", Settings(tier="tested"))
    assert (tested.data, tested.tier) == (merged, "tested")


NEVER: list[tuple[str, str, Sides]] = [
    ("both changed one line", "a.py", ("x = 1\n", "x = 2\n", "x = 3\n")),
    ("deletion against change", "a.py", ("a\nx = 1\nb\n", "a\nb\n", "a\nx = 2\nb\n")),
    ("indentation in python", "a.py", ("if a:\n  b\nc\n", "if a:\n  b\n  c\n", "if a:\n  b\nd\n")),
    ("spaces in a string", "a.js", ("f('a b');\n", "f('a  b');\n", "f('a b', c);\n")),
    ("a line break after return", "a.js", ("return a;\n", "return\na;\n", "return a + b;\n")),
    ("indentation in a list", "a.md", ("- a\n- b\n", "- a\n  - b\n", "- a\n- c\n")),
    ("code inserted on both sides", "a.py",
     ("z\n", "def f():\n    a\nz\n", "def g():\n    b\nz\n")),
    ("prose next to prose", "a.md", ("a b\nc d\n", "a x\nc d\n", "a b\nc y\n")),
    ("one new word in two lines", "setup.cfg",
     ("a = one\nb = two\n", "a = one,three\nb = two\n", "a = one\nb = two,three\n")),
    ("modules taken out of go.sum", "go.sum",
     ("m/a v1.0.0 h1:x=\nm/b v1.0.0 h1:y=\n", "m/b v1.0.0 h1:y=\nm/c v1.0.0 h1:z=\n",
      "m/a v1.0.0 h1:x=\nm/b v1.0.0 h1:y=\nm/d v1.0.0 h1:q=\n")),
    ("a downgrade", "requirements.txt", ("a==1.5\n", "a==1.4\n", "a==1.6\n")),
    ("a pre-release", "requirements.txt", ("a==1.5\n", "a==1.7rc1\n", "a==1.6\n")),
    ("other operators", "requirements.txt", ("a==1.5\n", "a>=1.6\n", "a==1.7\n")),
    ("numbers in no manifest", "expected.txt", ("size 1.5\n", "size 1.6\n", "size 1.7\n")),
    ("order in an ignore file", ".gitignore", ("a\n", "a\n!b\n", "a\nc\n")),
    ("one bullet in two wordings", "CHANGES.md",
     ("- a\n", "- a\n- fix the path of home\n", "- a\n- fix the path of homes\n")),
    ("a heading in a change log", "CHANGES.md", ("- a\n", "- a\n- b\n", "- a\n# 2.0\n- c\n")),
    ("one key with two values", "a.json",
     ("{\n}\n", '{\n  "a": 1\n}\n', '{\n  "a": 2\n}\n')),
    ("one thing under two keys", "a.json",
     ('{\n  "k": 1,\n  "z": 1\n}\n', '{\n  "k": 1,\n  "send": 1,\n  "z": 1\n}\n',
      '{\n  "k": 1,\n  "sendNow": 1,\n  "z": 1\n}\n')),
    ("one name from two modules", "a.py",
     ("import z\n\n", "import z\nfrom a import X\n\n", "import z\nfrom b import X\n\n")),
    ("a module that moved", "a.py",
     ("from .c import A\n\nA()\n", "from .c import A, B\n\nA(B)\n", "from ..c import A\n\nA()\n")),
    ("one module with two visibilities", "a.rs",
     ("mod z;\n", "mod a;\nmod z;\n", "pub(crate) mod a;\nmod z;\n")),
    ("order of imports for effect", "a.js",
     ("import 'a';\nf();\n",
      "import 'b';\nimport 'a';\nf();\n", "import 'c';\nimport 'a';\nf();\n")),
    ("star imports", "a.py", ("import z\n", "from a import *\nimport z\n", "import b\nimport z\n")),
    ("workflow files", ".github/workflows/a.yml", ("a: 1\nb: 1\n", "a: 2\nb: 1\n", "a: 1\nb: 2\n")),
    ("lock files", "uv.lock", ("a = 1\nb = 1\n", "a = 2\nb = 1\n", "a = 1\nb = 2\n")),
    ("snapshots", "a.snap", ("a = 1\nb = 1\n", "a = 2\nb = 1\n", "a = 1\nb = 2\n")),
    ("generated files", "a.py",
     tuple(f"# @generated\na = {a}\nb = {b}\n" for a, b in ((1, 1), (2, 1), (1, 2)))),
    ("planning state", ".planning/STATE.md", ("a: 1\nb: 1\n", "a: 2\nb: 1\n", "a: 1\nb: 2\n")),
    ("a result that defines one key twice", "a.toml",
     ("[x]\na = 1\nb = 1\n", "[x]\nc = 1\nb = 1\n", "[x]\na = 1\nc = 2\n")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "sides"), [case[1:] for case in NEVER], ids=[case[0] for case in NEVER]
)
def test_left_to_a_person(path: str, sides: Sides) -> None:
    base, ours, theirs = sides
    assert settle(path, sides)[0] is None
    assert settle(path, (base, theirs, ours))[0] is None


def test_name_that_the_other_side_still_uses_is_kept() -> None:
    base = "import os\nimport re\n\nre.x()\n\n\n\nend()\n"
    ours = "import os\nimport sys\n\n\n\n\nend()\n"
    theirs = "import os\nimport re\nimport json\n\nre.x()\n\n\n\nend()\nre.y()\n"
    data, rules = settle("a.py", (base, ours, theirs))
    assert data is not None
    assert "import re\n" in data
    assert "re.y()" in data
    assert rules.startswith("imports")


def test_a_file_is_settled_whole_or_not_at_all() -> None:
    gap = "same\n" * 4
    sides = (f"x = 1\ny = 1\n{gap}z = 1\n", f"x = 2\ny = 1\n{gap}z = 2\n",
             f"x = 1\ny = 3\n{gap}z = 3\n")  # fmt: skip
    assert settle("a.py", sides)[0] is None
    assert proposals("a.py", sides) == ["x = 2\ny = 3\n", None]


def test_files_added_on_both_sides_are_never_settled() -> None:
    result = merge_file(None, b"a\nb\n", b"a\nc\n", "a.txt")
    assert result.data is None
    assert "both sides added" in result.why


TESTED = Settings(tier="tested")


def test_functions_added_on_both_sides_are_kept_whole_in_the_tested_tier() -> None:
    ours = "a()\n\n\ndef f():\n    x()\n    return 1\n"
    theirs = "a()\n\n\ndef g():\n    y()\n    return 1\n"
    data, rule = settle("a.py", ("a()\n", ours, theirs), TESTED)
    assert rule == "both-inserted"
    assert data == ours + "\n\ndef g():\n    y()\n    return 1\n"


def test_words_changed_apart_are_combined_in_the_tested_tier_only() -> None:
    sides = ("f(a, b)\n", "f(a, c)\n", "g(a, b)\n")
    assert settle("a.py", sides)[0] is None
    assert settle("a.py", sides, TESTED) == ("g(a, c)\n", "separate-words")


def test_tested_tier_is_marked_so() -> None:
    assert merge_file(b"f(a, b)\n", b"f(a, c)\n", b"g(a, b)\n", "a.py", TESTED).tier == "tested"
    assert merge_file(b"x\n", b"x\n", b"y\n", "a.py", TESTED).tier == "proven"


@pytest.mark.parametrize("path", ["a.py", "a.txt"])
def test_overlap_and_deletion_stay_questions_in_the_tested_tier(path: str) -> None:
    assert settle(path, ("x = 1\n", "x = 2\n", "x = 3\n"), TESTED)[0] is None
    assert settle(path, ("a\nx = 1\nb\n", "a\nb\n", "a\nx = 2\nb\n"), TESTED)[0] is None


def test_one_definition_from_both_sides_is_not_kept_twice() -> None:
    sides = ("z = 1\n", "def f():\n    a()\nz = 1\n", "def f():\n    b()\nz = 1\n")
    assert settle("a.py", sides, TESTED)[0] is None


def test_rule_can_be_switched_off() -> None:
    sides = ("x = 1\ny = 1\n", "x = 2\ny = 1\n", "x = 1\ny = 3\n")
    assert settle("a.py", sides)[1] == "adjacent"
    assert settle("a.py", sides, Settings(disabled=("adjacent",)))[0] is None


def test_mixed_line_ends_survive_as_they_are() -> None:
    result = merge_file(b"a\nb\nc\n", b"a\nb\nC\n", b"a\r\nb\nc\n", "a.txt")
    assert (result.data, result.rules) == (b"a\r\nb\nC\n", ("line-merge",))


@pytest.mark.parametrize("path", ["a.go", "a.java", "a.ts", "a.rs"])
def test_likely_combination_with_open_brackets_is_refused(path: str) -> None:
    base = "f(a,\n  b);\ng();\n"
    ours = "f(a,\n  b, function() {\n    c();\n  });\ng();\n"
    theirs = "f(a,\n  b);\nif (x) { g();\n}\n"
    result = merge_file(base.encode(), ours.encode(), theirs.encode(), path, TESTED)
    text = result.data or b""
    assert text.count(b"(") == text.count(b")") and text.count(b"{") == text.count(b"}")
    assert parses(path, b"f(a, { b }") is False
    assert parses(path, b'f(a, "(", { b }) // {') is True
    assert parses(path, b"f(a ]") is False
