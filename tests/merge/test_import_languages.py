"""Imports of PHP, C#, Swift, Scala, C and Ruby: merged by name, or left to a person."""

from __future__ import annotations

import pytest

from merge import merge_file

Sides = tuple[str, str, str]
GAP = "\n" * 8


def merged(path: str, sides: Sides) -> str | None:
    base, ours, theirs = (side.encode() for side in sides)
    result = merge_file(base, ours, theirs, path)
    back = merge_file(base, theirs, ours, path)
    assert (result.data is None) == (back.data is None)
    if result.data is None or back.data is None:
        return None
    assert sorted(result.data.split(b"\n")) == sorted(back.data.split(b"\n"))
    assert merge_file(theirs, result.data, theirs, path).data == result.data
    return result.data.decode()


def php(*uses: str, rest: str = "class A {}") -> str:
    lines = "".join(f"use {use};\n" for use in uses)
    return f"<?php\n\nnamespace App;\n\n{lines}\n{rest}\n"


def lines(word: str, *names: str, rest: str = "") -> str:
    return "".join(f"{word} {name}\n" for name in names) + f"\n{rest}\n"


SETTLED: list[tuple[str, str, Sides, str]] = [
    ("sorted", "a.php",
     (php("A\\B", "A\\Z"), php("A\\B", "A\\C", "A\\Z"), php("A\\B", "A\\D", "A\\Z")),
     php("A\\B", "A\\C", "A\\D", "A\\Z")),
    ("sorted by length", "a.php",
     (php("Z\\B", "A\\Long"), php("Z\\B", "A\\Cc", "A\\Long"), php("Z\\B", "A\\Ddd", "A\\Long")),
     php("Z\\B", "A\\Cc", "A\\Ddd", "A\\Long")),
    ("group", "a.php",
     (php("A\\{B, Z}"), php("A\\{B, C, Z}"), php("A\\{B, D, Z}")), php("A\\{B, C, D, Z}")),
    ("function and class of one name", "a.php",
     (php("A\\B"), php("A\\B", "function A\\c"), php("A\\B", "A\\C")),
     php("A\\B", "A\\C", "function A\\c")),
    ("removed with its last use", "a.php",
     (php("A\\B", "A\\Z", rest="f(); // b"), php("A\\Z", rest="f();"),
      php("A\\B", "A\\C", "A\\Z", rest="f(); // b")),
     php("A\\C", "A\\Z", rest="f();")),
    ("removed, and used anew beside a dot", "a.php",
     (php("A\\B", "A\\Z", rest="f();" + GAP + "g();"), php("A\\Z", rest="f();" + GAP + "g();"),
      php("A\\B", "A\\C", "A\\Z", rest="f();" + GAP + "g('x'.b::y());")),
     php("A\\B", "A\\C", "A\\Z", rest="f();" + GAP + "g('x'.b::y());")),
    ("two aliases of one class", "a.php",
     (php("A\\B"), php("A\\B", "A\\C as D"), php("A\\B", "A\\C as E")),
     php("A\\B", "A\\C as D", "A\\C as E")),
    ("namespaces and aliases", "a.cs",
     (lines("using", "A;", "Z;"), lines("using", "A;", "B.C;", "Z;"),
      lines("using", "A;", "static D.E;", "F = A.F;", "Z;")),
     lines("using", "A;", "static D.E;", "F = A.F;", "B.C;", "Z;")),
    ("modules", "a.swift",
     (lines("import", "A", "Z"), lines("import", "A", "B", "Z"), lines("import", "A", "C", "Z")),
     lines("import", "A", "B", "C", "Z")),
    ("an import for its effect that one side took out", "a.ts",
     ("import 'e'\n", "import { a } from 'm'\nimport 'e'\n",
      "import { a } from 'm'\n"), "import { a } from 'm'\n"),
    ("scala group", "a.scala",
     (lines("import", "a.b.{C, Z}"), lines("import", "a.b.{C, D, Z}"),
      lines("import", "a.b.{C, E, Z}")),
     lines("import", "a.b.{C, D, E, Z}")),
    ("sorted includes", "a.c",
     (lines("#include", "<a.h>", "<b.h>", "<z.h>"),
      lines("#include", "<a.h>", "<b.h>", "<c.h>", "<z.h>"),
      lines("#include", "<a.h>", "<b.h>", "<d.h>", "<z.h>")),
     lines("#include", "<a.h>", "<b.h>", "<c.h>", "<d.h>", "<z.h>")),
    ("sorted requires", "a.rb",
     (lines("require", "'a'", "'b'", "'z'"), lines("require", "'a'", "'b'", "'c'", "'z'"),
      lines("require", "'a'", "'b'", "'d'", "'z'")),
     lines("require", "'a'", "'b'", "'c'", "'d'", "'z'")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "sides", "expected"), [case[1:] for case in SETTLED], ids=[c[0] for c in SETTLED]
)
def test_settled(path: str, sides: Sides, expected: str) -> None:
    assert merged(path, sides) == expected


INCLUDES = ("<a.h>", "<b.h>", "<z.h>")
QUESTIONS: list[tuple[str, str, Sides]] = [
    ("one short name from two places", "a.php",
     (php("A\\B"), php("A\\B", "C\\Foo"), php("A\\B", "D\\Foo"))),
    ("one short name but for its case", "a.php",
     (php("A\\B"), php("A\\B", "C\\Foo"), php("A\\B", "D\\FOO"))),
    ("a class beside the file's", "a.php",
     (php("A\\B", rest=GAP + "f();"), php("A\\B", "C\\Foo", rest=GAP + "f();"),
      php("A\\B", "A\\C", rest=GAP + "f(new Foo());"))),
    ("traits of a class", "a.php",
     ("<?php\nclass A {\nuse B;\n}\n", "<?php\nclass A {\nuse B;\nuse C;\n}\n",
      "<?php\nclass A {\nuse B;\nuse D;\n}\n")),
    ("two namespaces", "a.php",
     tuple(php("A\\B", *more, rest="namespace N;") for more in ((), ("A\\C",), ("A\\D",)))),
    ("inside a comment", "a.php",
     tuple("<?php\n/*\n" + "".join(f"use {u};\n" for u in ("A", *more)) + "*/\n"
           for more in ((), ("B",), ("C",)))),
    ("a namespace closed by one side", "a.cs",
     (lines("using", "A;", "Z;"), lines("using", "A;"), lines("using", "A;", "B;", "Z;"))),
    ("one alias for two things", "a.cs",
     (lines("using", "A;"), lines("using", "A;", "F = A.B;"), lines("using", "A;", "F = A.C;"))),
    ("a module closed by one side", "a.swift",
     (lines("import", "A", "Z"), lines("import", "A"), lines("import", "A", "B", "Z"))),
    ("imports for their effect put in another order", "a.ts",
     ("import 'e'\nimport 'f'\n", "import { a } from 'm'\nimport 'e'\nimport 'f'\n",
      "import { b } from 'm'\nimport 'f'\nimport 'g'\nimport 'e'\n")),
    ("everything of a package", "a.scala",
     (lines("import", "a.B"), lines("import", "a.B", "a.c._"), lines("import", "a.B", "a.d.E"))),
    ("a path that starts at another import", "a.scala",
     (lines("import", "a.b"), lines("import", "a.b", "b.C"), lines("import", "a.b", "d.E"))),
    ("a name that is hidden", "a.scala",
     (lines("import", "a.B"), lines("import", "a.B", "a.{C => _}"), lines("import", "a.B", "d.E"))),
    ("includes out of order", "a.c",
     (lines("#include", "<z.h>", "<b.h>", "<a.h>"),
      lines("#include", "<z.h>", "<b.h>", "<c.h>", "<a.h>"),
      lines("#include", "<z.h>", "<b.h>", "<d.h>", "<a.h>"))),
    ("an include put out of order by one side", "a.c",
     (lines("#include", *INCLUDES), lines("#include", *INCLUDES, "<c.h>"),
      lines("#include", *INCLUDES, "<zz.h>"))),
    ("too few includes to show an order", "a.c",
     (lines("#include", "<a.h>", "<z.h>"), lines("#include", "<a.h>", "<c.h>", "<z.h>"),
      lines("#include", "<a.h>", "<d.h>", "<z.h>"))),
    ("an include that one side took out", "a.c",
     (lines("#include", *INCLUDES), lines("#include", *INCLUDES[::2]),
      lines("#include", "<a.h>", "<b.h>", "<c.h>", "<z.h>"))),
    ("requires out of order", "a.rb",
     (lines("require", "'z'", "'b'", "'a'"), lines("require", "'z'", "'b'", "'c'", "'a'"),
      lines("require", "'z'", "'b'", "'d'", "'a'"))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "sides"), [case[1:] for case in QUESTIONS], ids=[case[0] for case in QUESTIONS]
)
def test_left_to_a_person(path: str, sides: Sides) -> None:
    assert merged(path, sides) is None


def test_rest_that_merges_in_two_ways_is_a_question() -> None:
    copy = "def f():\n    g()\n    check(1)\n\n"
    base = "import a\n\n" + GAP + copy + "end()\n"
    ours = base.replace("import a\n", "import a\nimport b\n").replace("check(1)", "check(2)")
    theirs = base.replace("import a\n", "import a\nimport c\n").replace(copy, copy + copy)
    assert merged("a.py", (base, ours, theirs)) is None
