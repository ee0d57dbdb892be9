"""What the tier `tested` must not take, though it parses and a gate need not notice."""

from __future__ import annotations

import pytest

from merge import Settings, merge_file
from merge.text import hunks_of

Texts = tuple[str, str, str]
SWITCH = "switch (x) {\n  case 1:\n    a();\n    break;\n%s}\n"
IF = 'def f(x):\n    if x == 1:\n        return "a"\n%s'
FN = "import x\n\n\n%sdef g():\n    return 1\n"


def inserted(frame: str, ours: str, theirs: str) -> Texts:
    return frame % "", frame % ours, frame % theirs


def take(path: str, texts: Texts, *, plan_first: bool = False) -> tuple[str | None, str]:
    """The text, or None and why not; one that is not taken must still be a proposal or nothing."""
    base, ours, theirs = (text.encode() for text in texts)
    found = merge_file(base, ours, theirs, path, Settings("tested", plan_first=plan_first))
    return (None if found.data is None else found.data.decode()), found.why


RIVALS: list[tuple[str, str, Texts]] = [
    ("one flag", "cli.py", inserted(
        "p = make()\n%srun(p)\n", 'p.add_argument("--n", help="x")\n', 'p.add_argument("--n")\n')),
    ("one option of a command", "cli.py", inserted(
        '@click.option("-v")\n%sdef main(v): ...\n', '@click.option("--n", default=1)\n',
        '@click.option("--n", type=int)\n')),
    ("one key", "d.py", inserted('D = {\n    "a": 1,\n%s}\n', '    "b": 2,\n', '    "b": 3,\n')),
    ("one key among others", "d.py", inserted(
        'D = {\n    "a": 1,\n%s}\n', '    "b": 2,\n    "c": 3,\n', '    "z": 9,\n    "b": 3,\n')),
    ("one key by name", "d.py", inserted("D = {\n    K.a: 1,\n%s}\n", "    K.b: f,\n",
                                         "    K.b: g,\n")),
    ("one value of an enum", "e.py", inserted(
        "class E(enum.Enum):\n    A = 1\n%s", "    B = 2\n", "    C = 2\n")),
    ("one bit of a flag", "e.py", inserted(
        "class E(IntFlag):\n    A = 1\n    B = 2\n%s", "    C = 4\n", "    D = 4\n")),
    ("one constant", "c.py", inserted("A = 1\n%s", "T = 5\n", "T = 7\n")),
    ("one typed field", "c.py", inserted(
        "class S:\n    a: int = 1\n%s", "    t: int = 5\n", "    t: float = 7\n")),
    ("one attribute", "c.py", inserted(
        "def f(self):\n    self.a = 1\n%s", "    self.c = {}\n", "    self.c = []\n")),
    ("one test", "test_x.py", inserted(
        "T = 1\n%s", "\n\n@slow\ndef test_b():\n    f(2)\n",
        '\n\n@p("a", [1])\ndef test_b(a):\n    f(3)\n')),
    ("one path of an app", "app.py", inserted(
        "app = F()\n%s", '\n\n@app.get("/b")\ndef b1():\n    f(2)\n',
        '\n\n@app.get("/b")\ndef b2():\n    f(3)\n')),
    ("one keyword", "p.py", inserted("x = call(\n    a=1,\n%s)\n", "    t=3,\n", "    t=4,\n")),
    ("one parameter", "p.py", inserted("def f(\n    a,\n%s): ...\n", "    b=1,\n", "    b=2,\n")),
    ("two parameters by position", "p.py", inserted(
        "def f(\n    a,\n%s): ...\n", "    b,\n", "    c,\n")),
    ("two arguments by position", "p.py", inserted("f(\n    a,\n%s)\n", "    b,\n", "    c,\n")),
    ("two docstrings", "f.py", inserted(
        "def g():\n%s    return 1\n", '    """One.\n\n    More.\n    """\n',
        '    """Two.\n\n    Other.\n    """\n')),
    ("one documented parameter", "f.py", inserted(
        'def g(a):\n    """Does.\n\n    :param a: a\n%s    """\n', "    :param b: x\n",
        "    :param b: y\n")),
    ("an else and an elif", "f.py", inserted(
        IF, '    else:\n        b()\n', "    elif y:\n        c()\n")),
    ("one condition", "f.py", inserted(
        IF, "    elif x == 3:  # new\n        c()\n", "    elif x == 3:\n        d()\n")),
    ("one exception", "f.py", inserted(
        "try:\n    a()\nexcept OSError:\n    b()\n%s", "except ValueError:  # c\n    c()\n",
        "except ValueError:\n    d()\n")),
    ("two ends", "r.py", inserted("def f(y):\n    a()\n%s", "    return y + 1\n",
                                  "    return y * 2\n")),
    ("one migration", "m.py", inserted(
        'M = [\n    (1, "a"),\n%s]\n', '    (2, "b"),\n', '    (2, "c"),\n')),
    ("one registration", "r.py", inserted(
        'register("a", A)\n%s', 'register("b", B)\n', 'register("b", C)\n')),
    ("one address of a list", "urls.py", inserted(
        'U = [\n    path("a", a),\n%s]\n', '    path("b", b1),\n', '    path("b", b2),\n')),
    ("one entry among others", "l.py", inserted(
        'L = [\n    "a",\n%s]\n', '    "b",\n    "c",\n', '    "d",\n    "b",\n')),
    ("one arm of a switch", "s.js", inserted(
        SWITCH, "  case 2:\n    b();\n    break;\n", "  case 2: // c\n    c();\n    break;\n")),
    ("two arms without an end", "s.c", inserted(
        SWITCH, "  case 2:\n    b();\n", "  case 3:\n    c();\n")),
    ("one name of a block", "o.js", inserted(
        "function f() {\n  a();\n%s}\n", "  const b = 2;\n", "  const b = 3;\n")),
    ("one key of an object", "o.js", inserted(
        "x = {\n  a: 1,\n%s};\n", '  "b": 2,\n', "  b: 3,\n")),
    ("one field", "o.ts", inserted(
        "interface E {\n  a: string;\n%s}\n", "  b: string;\n", "  b?: number;\n")),
    ("one value of an enum in C", "e.h", inserted(
        "enum E {\n  A = 1,\n%s};\n", "  B = 2,\n", "  C = 2,\n")),
    ("one macro", "e.h", inserted("#define A 1\n%s", "#define B 2\n", "#define B 3\n")),
    ("one method", "c.go", inserted(
        "type T struct{}\n%s", "\nfunc (t T) A() {\n}\n", "\nfunc (x *T) A() {\n}\n")),
    ("one field in Go", "c.go", inserted(
        "type T struct {\n\tA int\n%s}\n", "\tB int\n", "\tB string\n")),
    ("one key in Go", "c.go", inserted(
        'var m = M{\n\t"a": 1,\n%s}\n', '\t"b": 2,\n', '\t"b": 3,\n')),
    ("one arm in Rust", "a.rs", inserted(
        "match x {\n    1 => 2,\n%s}\n", "    3 => 4,\n", "    3 => 5,\n")),
    ("one variant", "a.rs", inserted("enum E {\n    A,\n%s}\n", "    B(u8),\n", "    B(u16),\n")),
    ("one column", "s.sql", inserted("CREATE TABLE t (\n%s  z int\n);\n", "  b int,\n",
                                     "  b text,\n")),
    ("one arm of a shell", "a.sh", inserted("case $1 in\n  a) x ;;\n%sesac\n", "  b) y ;;\n",
                                            "  b) w ;;\n")),
    ("one rule", "a.css", inserted(".a { top: 0; }\n%s", ".b { top: 1px; }\n",
                                   ".b { top: 2px; }\n")),
    ("one property", "a.css", inserted(".a {\n  top: 0;\n%s}\n", "  left: 1px;\n",
                                       "  left: 2px;\n")),
    ("one number of a message", "a.proto", inserted(
        "message M {\n  string a = 1;\n%s}\n", "  string b = 2;\n", "  string c = 2;\n")),
    ("one package", "x.txt", inserted("a==1\n%s", "b==2\n", "b==3\n")),
    ("one import", "a.py", inserted(
        "import a\n%sf()\n", "from .t import P, S\nx = P()\n", "from .t import S\ny = S()\n")),
    ("one type", "a.ts", inserted(
        "f();\n%sg();\n", "import type { A } from './a';\nconst x = 1;\n",
        "import { A } from './a';\nconst y = 1;\n")),
    ("one thing done in two ways", "a.go", inserted(
        "a()\n%s", "// why\nserver.stop(now, all)\nwait.done(all)\n",
        "wait.done(all)\nserver.stop(now, all)\n// since\nx.y(1)\nz.w(2)\n")),
    ("one item", "README.md", inserted("1. a\n%s", "2. b\n", "2. c\n")),
]  # fmt: skip

WORDS: list[tuple[str, str, Texts]] = [
    ("one word twice", "l.py", ('L = ("a", "b")\n', 'L = ("a", "c")\n', 'L = ("c", "b")\n')),
    ("one text", "x.py", ('P = r"(foo|bar)"\n', 'P = r"(foo|foobar|bar)"\n',
                          'P = r"(foo|bar|barbaz)"\n')),
    ("one condition", "x.py", ("if a and b: f()\n", "if a and c: f()\n", "if a or b: f()\n")),
    ("an operator and its operand", "x.py", ("t = p * 1.2\n", "t = p / 1.2\n", "t = p * 0.8\n")),
    ("a name that is gone", "x.py", (
        "def f(x):\n    total = x + 1\n    return total\n",
        "def f(x):\n    total = x + 1\n    print(total)\n    return total\n",
        "def f(x):\n    result = x + 1\n    return result\n")),
    ("arguments by position", "x.py", ("foo(a, b)\n", "foo(a, b, c)\n", "foo(x, a, b)\n")),
    ("sentences", "README.md", (
        "It is fast, and small.\n", "It is quick, and small.\n", "It is fast, and tiny.\n")),
]  # fmt: skip

REFUSED = [*RIVALS, *WORDS]


@pytest.mark.parametrize("plan_first", [False, True])
@pytest.mark.parametrize(
    ("path", "texts"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_a_gate_may_not_notice_is_left_to_a_person(
    path: str, texts: Texts, plan_first: bool
) -> None:
    text, why = take(path, texts, plan_first=plan_first)
    assert text is None
    assert why


ORDERED: list[tuple[str, str, Texts, str]] = [
    ("a decorator stays with its function", "f.py",
     inserted(FN, "@cache\n", "def h():\n    return 2\n\n\n"), "@cache\ndef g"),
    ("a comment stays with its function", "f.py",
     inserted(FN, "# slow\n", "def h():\n    return 2\n\n\n"), "# slow\ndef g"),
    ("an attribute stays with its function", "a.rs",
     inserted("%sfn g() {}\n", "#[inline]\n", "fn h() {}\n\n"), "#[inline]\nfn g"),
    ("a docstring stays the first", "f.py",
     inserted("def g():\n%s    return 1\n", "    log()\n", '    """One."""\n'), '"""\n    log()'),
    ("a return comes last", "f.py",
     inserted("def g(y):\n    a()\n%s", "    return y\n", "    log(y)\n"), "log(y)\n    return y"),
    ("an else stays with its loop", "f.py",
     inserted("def g(x):\n    for i in x:\n        a(i)\n%s", "    if x:\n        c()\n",
              "    else:\n        b()\n"), "a(i)\n    else:"),
    ("a wider exception comes last", "f.py",
     inserted("try:\n    a()\nexcept OSError:\n    b()\n%s", "except Exception:\n    c()\n",
              "except ValueError:\n    d()\n"), "d()\nexcept Exception"),
    ("a branch for the rest comes last", "m.py",
     inserted("match x:\n    case 1:\n        a()\n%s", "    case _:\n        z()\n",
              "    case 2:\n        b()\n"), "b()\n    case _"),
]  # fmt: skip


@pytest.mark.parametrize("plan_first", [False, True])
@pytest.mark.parametrize(
    ("path", "texts", "part"), [case[1:] for case in ORDERED], ids=[case[0] for case in ORDERED]
)
def test_of_two_orders_only_the_one_that_can_be_right_is_taken(
    path: str, texts: Texts, part: str, plan_first: bool
) -> None:
    text, _ = take(path, texts, plan_first=plan_first)
    assert text is not None
    assert part in text


TAKEN: list[tuple[str, str, Texts]] = [
    ("two flags", "cli.py", inserted(
        "p = make()\n%srun(p)\n", 'p.add_argument("--n")\n', 'p.add_argument("--m")\n')),
    ("two options of a command", "cli.py", inserted(
        '@click.option("-v")\n%sdef main(v): ...\n', '@click.option("--n")\n',
        '@click.option("--m")\n')),
    ("two tests with inner names alike", "test_x.py", inserted(
        "T = 1\n%s", "\n\ndef test_b():\n    r = f(2)\n    assert r\n",
        "\n\ndef test_c():\n    r = f(3)\n    assert r\n")),
    ("two arms", "s.js", inserted(
        SWITCH, "  case 2:\n    b();\n    break;\n", "  case 3:\n    c();\n    break;\n")),
    ("two steps of one value", "a.py", inserted("x = 1\n%s", "x = x * 2\n", "x = x + 3\n")),
    ("two parameters with defaults", "p.py", inserted(
        "def f(\n    a,\n%s): ...\n", "    b=1,\n", "    c=2,\n")),
    ("a function of a file with overloads", "a.py", inserted(
        "@overload\ndef f(a: int): ...\n@overload\ndef f(a: str): ...\ndef f(a): ...\n%s",
        "\n\ndef g():\n    x()\n", "\n\ndef h():\n    y()\n")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "texts"), [case[1:] for case in TAKEN], ids=[case[0] for case in TAKEN]
)
def test_two_different_things_are_taken(path: str, texts: Texts) -> None:
    text, why = take(path, texts)
    assert text is not None, why
    assert {*texts[1].split("\n"), *texts[2].split("\n")} <= {*text.split("\n")}


def test_what_both_sides_insert_for_is_named_as_it_is_written() -> None:
    flags = ('p.add_argument("--n", help="x")\n', 'p.add_argument("--n")\n')
    why = take("cli.py", inserted("p = make()\n%srun(p)\n", *flags))[1]
    assert why == "both sides insert something for 'p.add_argument(--n)'"


def test_a_refused_combination_is_a_proposal_that_says_what_speaks_against_it() -> None:
    texts = inserted("A = 1\n%s", "T = 5\n", "T = 7\n")
    base, ours, theirs = (text.encode() for text in texts)
    found = merge_file(base, ours, theirs, "c.py", Settings("tested"))
    (hunk,) = hunks_of(found.segments)
    assert found.why == "both sides insert something for 'T'"
    assert hunk.proposal == (b"T = 5\n", b"T = 7\n")
    assert hunk.proposal_why.endswith("; but both sides insert something for 'T'")
