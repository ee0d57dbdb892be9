"""White space, brackets and definitions in languages that nothing here can parse."""

from __future__ import annotations

import pytest

from merge import merge_file
from merge.checks import doubled_definition
from merge.languages import parses, same_meaning

Sides = tuple[str, str, str]


@pytest.mark.parametrize(
    ("path", "left", "right"),
    [
        ("a.php", "<?php\nf($a,  1);\n", "<?php\nf(\n    $a, 1);\n"),
        ("a.php", "<?php\n/** @param  int $a */\n", "<?php\n/** @param int  $a */\n"),
        ("A.cs", "class A { int F() => 1; }\n", "class A\n{\n    int F() => 1;\n}\n"),
        ("a.rb", "def f\n  g 'a'\nend\n", "def f\n\n    g 'a'\nend\n"),
        ("a.sh", "if f; then\n  g\nfi\n", "if f; then\n\tg\nfi\n"),
        ("a.swift", "func f() {\n  g()\n}\n", "func f() {\n\n    g()\n}\n"),
    ],
)
def test_layout_alone_differs(path: str, left: str, right: str) -> None:
    assert same_meaning(path, left.encode(), right.encode())


@pytest.mark.parametrize(
    ("path", "left", "right"),
    [
        pytest.param("a.php", "<?php $a = 'x  y';\n", "<?php $a = 'x y';\n", id="text"),
        pytest.param("a.php", "<?php f(); ?>  x\n", "<?php f(); ?> x\n", id="markup"),
        pytest.param("a.php", "<?php\n$a = <<<E\n a\nE;\n", "<?php\n$a = <<<E\na\nE;\n", id="doc"),
        pytest.param("a.php", "<?php f(1 . 2);\n", "<?php f(1.2);\n", id="a number"),
        pytest.param("a.rb", "f -1\n", "f - 1\n", id="an argument"),
        pytest.param("a.rb", "f [1]\n", "f[1]\n", id="an index"),
        pytest.param("a.rb", "a = <<~E\n  a\nE\n", "a = <<~E\na\nE\n", id="text up to a line"),
        pytest.param("a.rb", "a = 'x\n  y'\n", "a = 'x\ny'\n", id="text over two lines"),
        pytest.param("a.rb", "a = %q(x\n  y)\n", "a = %q(x\ny)\n", id="text in brackets"),
        pytest.param("a.rb", "a\n.b\n", "a\n\n.b\n", id="a chain cut by a blank line"),
        pytest.param("a.sh", "cat <<E\n a\nE\n", "cat <<E\na\nE\n", id="here document"),
        pytest.param("a.sh", "f \\\n  a\n", "f \\ \n  a\n", id="space after a backslash"),
        pytest.param("a.swift", "a - b\n", "a -b\n", id="a sign"),
        pytest.param("a.swift", 'a = """\n  x\n"""\n', 'a = """\n x\n"""\n', id="long text"),
        pytest.param("a.scala", "def f =\n  g\n  h\n", "def f =\n  g\nh\n", id="indentation"),
        pytest.param("A.cs", '$"{f("a  b")}";\n', '$"{f("a b")}";\n', id="text in a text"),
        pytest.param("A.cs", "#if A\nx();\n#endif\n", "#if A x();\n#endif\n", id="a directive"),
    ],
)
def test_white_space_that_may_count(path: str, left: str, right: str) -> None:
    assert not same_meaning(path, left.encode(), right.encode())


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.php", '<?php\nf(")"); # }\n#[A(1)]\nfunction f() {}\n', True),
        ("a.php", "<?php\nfunction f() {\n", False),
        ("a.php", "<p>it's</p><?php f(\n", None),
        ("a.swift", 'let a = "\\(b["c"] ?? "")"\n', True),
        ("a.scala", "def f(c: Char) = c == '(' // '\n", True),
        ("A.cs", 'var p = @"C:\\"; {\n', False),
    ],
)
def test_brackets(path: str, text: str, expected: bool | None) -> None:
    assert parses(path, text.encode()) is expected


@pytest.mark.parametrize(
    ("path", "once", "other", "expected"),
    [
        ("a.php", "<?php\nfinal class A {}\n", "<?php\nclass A {}\n", "A"),
        ("a.rb", "class A\n  def f\n  end\nend\n", "class A\n  def f\n  end\nend\n", "A.f"),
        ("a.rb", "class A\n  def f\n  end\nend\n", "class B\n  def f\n  end\nend\n", None),
        ("a.rb", "class A\n  def f=(x)\n  end\nend\n", "class A\n  def f\n  end\nend\n", None),
        ("a.swift", "struct A {}\n", "extension A {}\n", None),
        ("a.swift", "struct A {}\n", "final class A {}\n", "A"),
        ("a.scala", "case class A(x: Int)\n", "object A\n", None),
    ],
)
def test_definition_from_both_sides(path: str, once: str, other: str, expected: str | None) -> None:
    sides = [once.encode(), other.encode()]
    assert doubled_definition(path, sides, b"".join(sides)) == expected


def merged(path: str, sides: Sides) -> str | None:
    base, ours, theirs = (side.encode() for side in sides)
    data = merge_file(base, ours, theirs, path).data
    assert (data is None) == (merge_file(base, theirs, ours, path).data is None)
    return None if data is None else data.decode()


@pytest.mark.parametrize(
    ("path", "sides", "expected"),
    [
        ("a.php", ("<?php\nf( 1);\n", "<?php\nf(1);\n", "<?php\nf( 2);\n"), "<?php\nf( 2);\n"),
        ("a.rb", ("a 1\nb 1\n", "a 2\nb 1\n", "a 1\nb 3\n"), "a 2\nb 3\n"),
        ("a.php", ("<?php\nf(1);\ng(1);\n", "<?php\nf(2);\ng(1);\n", "<?php\nf(1);\ng(3);\n"),
         "<?php\nf(2);\ng(3);\n"),
    ],
)  # fmt: skip
def test_rules_know_the_language(path: str, sides: Sides, expected: str) -> None:
    assert merged(path, sides) == expected


@pytest.mark.parametrize(
    ("path", "base", "ours", "theirs"),
    [
        pytest.param(
            "a.php", "foreach ($x as $a)\nf($a);", "foreach ($y as $a)\nf($a);",
            "foreach ($x as $a)\ng($a);", id="loop",
        ),
        pytest.param(
            "a.php", "foreach ($x as $k => $v)\nf($v);", "foreach ($y as $k => $v)\nf($v);",
            "foreach ($x as $k => $v)\ng($v);", id="loop over pairs",
        ),
        pytest.param(
            "a.php", "} catch (E $e) {\nf($e);", "} catch (F $e) {\nf($e);",
            "} catch (E $e) {\ng($e);", id="what was caught",
        ),
        pytest.param(
            "a.php", "function f(A $a)\n{ g($a); }", "function f(B $a)\n{ g($a); }",
            "function f(A $a)\n{ h($a); }", id="parameter",
        ),
        pytest.param("a.sh", "A=1\nf $A", "A=2\nf $A", "A=1\ng $A", id="variable"),
    ],
)  # fmt: skip
def test_line_that_uses_what_the_other_sides_line_gives_is_a_question(
    path: str, base: str, ours: str, theirs: str
) -> None:
    head = "<?php\n" if path.endswith(".php") else ""
    sides = tuple(f"{head}{text}\n" for text in (base, ours, theirs))
    assert merged(path, (sides[0], sides[1], sides[2])) is None
