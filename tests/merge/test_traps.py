"""Cases made to lead the proven rules astray: each looks settled and is not, or the other way."""

from __future__ import annotations

import pytest

from merge import Settings, merge_file

Sides = tuple[str | bytes, str | bytes, str | bytes]


def settle(path: str, sides: Sides) -> bytes | None:
    base, ours, theirs = (s if isinstance(s, bytes) else s.encode() for s in sides)
    found = merge_file(base, ours, theirs, path)
    assert (found.data is None) == (merge_file(base, theirs, ours, path).data is None)
    return found.data


def package(key: str, *members: str) -> str:
    return '{\n  "%s": {\n    %s\n  }\n}\n' % (key, ",\n    ".join(members))  # noqa: UP031


IMPORTS: list[tuple[str, str, Sides]] = [
    ("two dot imports", "a.go",
     ('import (\n\t"x"\n)\n', 'import (\n\t. "t"\n\t"x"\n)\n', 'import (\n\t. "u"\n\t"x"\n)\n')),
    ("a package for its effect and for its names", "a.go",
     ('import (\n\t"x"\n)\n', 'import (\n\t_ "e"\n\t"x"\n)\n', 'import (\n\t"e"\n\t"x"\n)\n')),
    ("two globs", "a.rs", ("use a::X;\n", "use a::X;\nuse b::*;\n", "use a::X;\nuse c::*;\n")),
    ("a package from two places", "a.py",
     ("import six\nimport pack\n", "import six\nfrom z.ext import pack\n",
      "import six\nimport pack.spec\nimport pack.ver\n")),
    ("macros that later modules use", "a.rs",
     ("mod a;\n", "mod b;\nmod a;\n", "#[macro_use]\nmod m;\nmod a;\n")),
]  # fmt: skip

WHITE_SPACE: list[tuple[str, str, Sides]] = [
    ("a macro without and with a parameter", "a.h",
     ("#define X (a)\n", "#define X(a)\n", "#define X (b)\n")),
    ("a line of the preprocessor", "a.c",
     ("#if A\nx;\n#endif\n", "#if A x;\n#endif\n", "#if A\ny;\n#endif\n")),
    ("a macro cut short", "a.h",
     ("#define X \\\n  f()\n", "#define X \\\n\n  f()\n", "#define X \\\n  g()\n")),
    ("markup put on one line", "a.tsx",
     ("<a>\n  b\n  c\n</a>\n", "<a>\n  b c\n</a>\n", "<a>\n  b\n  d\n</a>\n")),
    ("a text in markup that goes on in the next line", "a.tsx",
     ("<a>{`\nb`}</a>\n", "<a>{`\n  b`}</a>\n", "<a>{`\nc`}</a>\n")),
    ("an attribute that goes on in the next line", "a.tsx",
     ('<a b="c\nd" />\n', '<a b="c\n  d" />\n', '<a b="c\ne" />\n')),
    ("two selectors made one", "a.css", ("a .b { }\n", "a.b { }\n", "a .b { c: d }\n")),
    ("a sign in calc", "a.css",
     ("w: calc(1px + 2px)\n", "w: calc(1px +2px)\n", "w: calc(1px + 3px)\n")),
    ("a deletion that leaves a blank line", "a.go",
     ("a()\nb()\n\nc()\n", "a()\nb()\nc()\n", "a()\n\nc()\n")),
]  # fmt: skip

VERSIONS: list[tuple[str, str, Sides]] = [
    ("a cap", "requirements.txt", ("a<1.5\n", "a<1.6\n", "a<1.7\n")),
    ("an exception", "requirements.txt", ("a!=1.5\n", "a!=1.6\n", "a!=1.7\n")),
    ("a cap in a table", "package.json", tuple(
        package("peerDependencies", f'"a": "<{n}.0.0"') for n in (3, 4, 5))),
    ("a pin against a minimum", "pyproject.toml", (
        '[tool.x.dependencies]\na = "==2.1"\nb = "1"\n',
        '[tool.x.dependencies]\na = "==3.9"\nb = "1"\n',
        '[tool.x.dependencies]\na = ">=2.1"\nb = "1"\n')),
    ("an address", "build.gradle", tuple(f"host = '10.0.0.{n}'\n" for n in (1, 2, 3))),
    ("a threshold", "pyproject.toml", tuple(f"[tool.x]\nratio = 0.{n}\n" for n in (5, 6, 8))),
    ("a time limit", "build.gradle", tuple(f"timeout = {n}.5\n" for n in (1, 2, 3))),
    ("a colour", "setup.py", tuple(f"color = (1, 2, {n})\n" for n in (3, 4, 5))),
    ("a version that is left out", "go.mod", tuple(f"exclude x v1.{n}.0\n" for n in (0, 1, 2))),
    ("one that was taken back", "go.mod",
     tuple(f"retract (\n\tv1.{n}.0\n)\n" for n in (0, 1, 2))),
    ("the version of a format", "schema.json",
     tuple(f'{{\n"version": "1.{n}"\n}}\n' for n in (1, 2, 3))),
    ("a chart, which needs a number for each change", "Chart.yaml",
     tuple(f"name: a\nversion: 1.{n}.0\n" for n in "123")),
    ("sisters raised one by each side", "package.json", (
        package("dependencies", '"react": "17.0.0"', '"react-dom": "17.0.0"'),
        package("dependencies", '"react": "18.0.0"', '"react-dom": "17.0.0"'),
        package("dependencies", '"react": "17.0.0"', '"react-dom": "18.2.0"'))),
    ("sisters of which each side raised another further", "package.json", (
        package("dependencies", '"react": "17.0.0"', '"react-dom": "17.0.0"'),
        package("dependencies", '"react": "18.0.0"', '"react-dom": "18.0.0"'),
        package("dependencies", '"react": "18.2.0"', '"react-dom": "17.0.2"'))),
    ("a sister added at the number that the others leave", "composer.json", (
        package("require", '"z/a": "^12.0"', '"z/z": "^1"'),
        package("require", '"z/a": "^13.0"', '"z/z": "^1"'),
        package("require", '"z/a": "^12.0"', '"z/b": "^12.0"', '"z/z": "^1"'))),
    ("an alternative added beside others that moved", "composer.json", (
        package("require", '"php": ">=7.4"', '"z/core": "^4.0"', '"log": "^1.1"'),
        package("require", '"php": ">=8.0"', '"z/core": "^5.0"', '"log": "^1.1"'),
        package("require", '"php": ">=7.4"', '"z/core": "^4.0"', '"log": "^1.0 || ^2.0"'))),
    ("an end cut off beside others that moved", "requirements.txt", (
        "a==1.2\nb==1.3\nc==2.6.*\n", "a==1.4\nb==1.5\nc==2.6.*\n",
        "a==1.2\nb==1.3\nc==2.*\n")),
    ("a dependency added in a row that moved", "Cargo.toml", (
        '[dependencies]\na = "0.2"\nb = "0.2"\n', '[dependencies]\na = "0.4"\nb = "0.4"\n',
        '[dependencies]\na = "0.2"\nb = "0.2"\nc = "0.1"\n')),
]  # fmt: skip

NEIGHBOURS: list[tuple[str, str, Sides]] = [
    ("what a loop gives", "a.py",
     ("for x in a:\n    f(x)\n", "for x in b(a):\n    f(x)\n", "for x in a:\n    f(x, 1)\n")),
    ("what an assignment gives", "a.py",
     ("r = f()\nprint(r)\n", "r = f()[0]\nprint(r)\n", "r = f()\nprint(r.x)\n")),
    ("what a pattern gives", "a.rs",
     ("if let Some(s) = a::<T>() {\n    s.go(d.into())\n}\n",
      "if let Some(s) = a::<U>() {\n    s.go(d.into())\n}\n",
      "if let Some(s) = a::<T>() {\n    s.go(d)\n}\n")),
    ("what an import gives", "a.js",
     ("import a from 'a'\na.f()\n", "import a from 'b'\na.f()\n", "import a from 'a'\na.g()\n")),
    ("what a function returns", "a.go",
     ("func f() int {\n\treturn 1\n}\n", "func f() string {\n\treturn 1\n}\n",
      "func f() int {\n\treturn 2\n}\n")),
    ("what a comment speaks of", "a.go",
     ("\t// both are written\n\tf(a)\n", "\t// only the new one is\n\tf(a)\n",
      "\t// both are written\n\tf(a, b)\n")),
    ("what an annotation is of", "A.java",
     ('  @Given("old")\n  int f() { return a; }\n', '  @Given("new")\n  int f() { return a; }\n',
      '  @Given("old")\n  int f() { return b; }\n')),
    ("one number for two", "a.c",
     ("case 1:\ncase 2:\n  f();\n", "case 3:\ncase 2:\n  f();\n", "case 1:\ncase 3:\n  f();\n")),
    ("one short name for two", "a.py",
     ("def f(\n    a,\n    b,\n): pass\n", "def f(\n    c,\n    b,\n): pass\n",
      "def f(\n    a,\n    c=1,\n): pass\n")),
    ("lines that changed places", "a.py", ("aa()\nbb()\n", "bb()\nbb()\n", "aa()\naa()\n")),
    ("parts of one value", "a.json",
     ('{\n  "a": [\n    1,\n    2\n  ]\n}\n', '{\n  "a": [\n    9,\n    2\n  ]\n}\n',
      '{\n  "a": [\n    1,\n    8\n  ]\n}\n')),
]  # fmt: skip

LISTS: list[tuple[str, str, Sides]] = [
    ("one folder in two spellings", ".gitignore", ("a\n", "a\nb/\n", "a\n# new\n/b\n")),
    ("a folder and a part of it", ".gitignore", ("a\n", "a\n.x/local\n", "a\n.x/\n")),
    ("one person with two addresses", "AUTHORS",
     ("A <a@x>\n", "A <a@x>\nBo Li <b@x>\n", "A <a@x>\nBo Li <b@y>\n")),
    ("one issue in two entries", "CHANGES.md",
     ("- a\n", "- a\n- fix a crash (#12)\n", "- a\n- no panic on start any more, #12\n")),
    ("two kinds of bullets", "CHANGES.md", ("- a\n", "- a\n* b\n", "- a\n- c\n")),
    ("one package in two spellings", "pyproject.toml",
     ('[p]\na = "1"\n', '[p]\na = "1"\nmy-lib = "1"\n', '[p]\na = "1"\nmy_lib = "2"\n')),
    ("conditions, which are asked in order", "package.json", (
        package("exports", '"default": "./a"'),
        package("exports", '"import": "./b"', '"default": "./a"'),
        package("exports", '"node": "./c"', '"default": "./a"'))),
    ("binary contents", "a.txt", (b"a\0=1\nb=1\n", b"a\0=2\nb=1\n", b"a\0=1\nb=2\n")),
]  # fmt: skip

TRAPS = [*IMPORTS, *WHITE_SPACE, *VERSIONS, *NEIGHBOURS, *LISTS]


@pytest.mark.parametrize(
    ("path", "sides"), [case[1:] for case in TRAPS], ids=[case[0] for case in TRAPS]
)
def test_trap_is_left_to_a_person(path: str, sides: Sides) -> None:
    assert settle(path, sides) is None


SAFE: list[tuple[str, str, Sides, str]] = [
    ("sisters that one side raised and the other left", "requirements.txt",
     ("a==1.0\nb==1.0\nc==2.0\n", "a==1.1\nb==1.1\nc==2.0\n", "a==1.0\nb==1.0\nc==2.1\n"),
     "a==1.1\nb==1.1\nc==2.1\n"),
    ("a minimum in a table", "pyproject.toml",
     tuple(f'[project]\nrequires-python = ">=3.{n}"\n' for n in (8, 9, 10)),
     '[project]\nrequires-python = ">=3.10"\n'),
    ("requirements of a list", "pyproject.toml",
     ('a = [\n  "b>=1",\n  "c>2",\n]\n', 'a = [\n  "b>=1.4",\n  "c>2",\n]\n',
      'a = [\n  "b>=1",\n  "c>3",\n]\n'),
     'a = [\n  "b>=1.4",\n  "c>3",\n]\n'),
    ("a name that a later line gives", "a.py",
     ("if is_co(r):\n    r = g(r)\n", "if x.is_co(r):\n    r = g(r)\n",
      "if is_co(r):\n    r = g(r)  # why\n"), "if x.is_co(r):\n    r = g(r)  # why\n"),
    ("two parts of one package", "a.py",
     ("import a\n", "import a\nimport p.q\n", "import a\nimport p.r\n"),
     "import a\nimport p.q\nimport p.r\n"),
    ("an insertion beside a blank line", "a.go",
     ("a()\nb()\n", "a()\n\nb()\n", "a()\n// why\nc()\nb()\n"), "a()\n// why\nc()\nb()\n"),
    ("imports of a text without a last line end", "a.py",
     ("import a", "import a\nimport b", "import a\nimport c"), "import a\nimport b\nimport c\n"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "sides", "expected"), [case[1:] for case in SAFE], ids=[case[0] for case in SAFE]
)
def test_what_only_looks_like_a_trap_is_settled(path: str, sides: Sides, expected: str) -> None:
    assert settle(path, sides) == expected.encode()


def test_conflict_without_a_hunk_is_shown_as_one() -> None:
    sides = (b"a\nb\nc\nd\n", b"A\nb\nc\nd\n", b"a\nb\nc\nD\n")
    found = merge_file(*sides, "a.py", Settings(), forbidden="the history is criss-cross")
    (hunk,) = found.segments
    assert found.data is None
    assert not isinstance(hunk, tuple)
    assert hunk.proposal == (b"A\n", b"b\n", b"c\n", b"D\n")


def test_lock_file_has_no_proposal_since_its_tool_writes_it() -> None:
    found = merge_file(b"a: 1\nb: 1\n", b"a: 2\nb: 1\n", b"a: 1\nb: 2\n", "pnpm-lock.yaml")
    (hunk,) = found.segments
    assert not isinstance(hunk, tuple)
    assert hunk.proposal is None
    assert found.command == "pnpm install --lockfile-only"


def test_comment_that_only_moved_its_white_space_speaks_of_what_it_did() -> None:
    sides = ("  //why\n  f(a);\n", "  // why\n  f(a);\n", "  //why\n  f(b);\n")
    assert settle("a.js", sides) == b"  // why\n  f(b);\n"


def test_version_raised_beside_a_constraint_that_was_widened() -> None:
    sides = tuple(
        package("require", f'"a": "^1.{n}"', f'"b": "{b}"')
        for n, b in ((1, "^1.0"), (2, "^1.0"), (1, "^1.0 || ^2.0"))
    )
    data = settle("composer.json", sides)  # one package moved, so the others are as they were
    assert data == package("require", '"a": "^1.2"', '"b": "^1.0 || ^2.0"').encode()
