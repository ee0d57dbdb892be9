"""What a conflict stands in, as the prompt names it."""

from __future__ import annotations

import pytest

from merge.types import ConflictHunk, Entry, FileConflict
from worktree_runner.core.enclosing import enclosing, enclosing_of

PYTHON = """import os

@cache
class Store:
    size = 1

    @property
    def save(self):
        if self.size:
            return os

        return None


TOTAL = 3
"""
SCRIPT = """import { a } from './a'

export class Store extends Base {
  // class Wrong {
  async get(key) {
    if (key) {
      return a
    }
  }

  put = 1
}

export const guard = async (req) => {
  return deny()
}

const after = 1
"""
GO = "package main\n\nfunc (s *Server) Run(ctx context.Context) error {\n\treturn nil\n}\n"
RUST = "impl Store {\n    pub(crate) fn get(&self) -> u8 {\n        1\n    }\n}\n"
JAVA = "public class A {\n    private static int f(int x) {\n        return x;\n    }\n}\n"
MARKDOWN = "# Title\n\n## Install `it`\n\n```sh\n# no heading\n```\n\ntext\n"
TOML = "[project]\nname = 1\n\n[[tool.mypy.overrides]]  # note\nmodule = 2\n"
YAML = "on:\n  push:\n    branches:\n      - main\njobs:\n  test:\n    steps: []\n"
JSON = '{\n  "scripts": {\n    "build": "x",\n    "test": "y"\n  }\n}\n'


@pytest.mark.parametrize(
    ("path", "text", "line", "expected"),
    [
        ("a.py", PYTHON, 1, ""),
        ("a.py", PYTHON, 4, "class Store"),  # after its decorator
        ("a.py", PYTHON, 5, "class Store"),
        ("a.py", PYTHON, 8, "class Store, def save"),  # after its decorator
        ("a.py", PYTHON, 10, "class Store, def save"),
        ("a.py", PYTHON, 15, ""),
        ("a.py", PYTHON + "def broken(:\n", 10, "class Store, def save(self)"),
        ("a.ts", SCRIPT, 1, ""),
        ("a.ts", SCRIPT, 7, "export class Store extends Base, async get(key)"),
        ("a.ts", SCRIPT, 11, "export class Store extends Base"),
        ("a.ts", SCRIPT, 15, "export const guard = async (req)"),
        ("a.ts", SCRIPT, 18, ""),
        ("a.go", GO, 4, "func (s *Server) Run(ctx context.Context) error"),
        ("a.rs", RUST, 3, "impl Store, pub(crate) fn get(&self) -> u8"),
        ("A.java", JAVA, 3, "public class A, private static int f(int x)"),
        ("README.md", MARKDOWN, 9, '"Install `it`"'),
        ("pyproject.toml", TOML, 5, "[[tool.mypy.overrides]]"),
        ("ci.yml", YAML, 4, "on.push.branches"),
        ("ci.yml", YAML, 7, "jobs.test"),
        ("package.json", JSON, 4, "scripts"),
        ("notes.txt", "def x:\n  y\n", 2, ""),
    ],
)
def test_the_innermost_definitions_around_a_line_are_named(
    path: str, text: str, line: int, expected: str
) -> None:
    assert enclosing(path, text.encode(), line) == expected


def test_an_insertion_is_judged_by_its_own_indentation() -> None:
    hunk = ConflictHunk((), (), (b"    def load(self):\n",), ours_line=13)
    one = FileConflict("a.ts", "content", "", {2: Entry("100644", "2" * 40)}, (hunk,))
    target = b"class A {\n" + b"\n" * 11 + b"}\n"
    assert enclosing_of(one, target) == {0: "class A"}


def test_binary_and_huge_files_have_no_definitions() -> None:
    assert enclosing("a.py", b"\xff\x00\xfe def x", 1) == ""
    hunk = ConflictHunk((), (b"x\n",), (), ours_line=1)
    one = FileConflict("a.py", "content", "", {}, (hunk,))
    assert enclosing_of(one, b"x" * 2_000_001) == {}
    assert enclosing_of(one, None) == {}
