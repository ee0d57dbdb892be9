"""The line reader never disagrees with libyaml: what it accepts, libyaml reads the same way.

WTRUN_FUZZ sets the number of mutated texts, WTRUN_CORPUS real ones to start from.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import corpus
from tests.support.mutate import mutate
from worktree_runner.core.frontmatter import parse_document
from worktree_runner.core.yamllines import Unsure, read_simple
from worktree_runner.core.yamltext import is_too_deep, load_with_libyaml

COUNT = int(os.environ.get("WTRUN_FUZZ", "1500"))
ORDINARY = """phase: 03-api
plan: 010
when: 12:30
off: no
empty:
quoted: "a \\\\ \\"b\\" # c: d"
single: 'x: # "y"'
remark: value # gone
depends_on: [03-01, "03-02", 'x y']   # gone too
files_modified:
  - src/a.py
  - app/[id]/page.tsx

  # a remark
  - "with: colon"
requirements: [
  AUTH-01,
    "src/c, d.py",

  # a remark
  'x'
]
must_haves:
  truths:
  - At the indent of its key
  - "Quoted"
  artifacts:
    -   path: src/a.py
        exports: ["read", write]
        none: []
    - path: b
      deep:
        deeper:
          - x
  key_links: {}
emoji: ✅ done — 🚀
last: x
"""


def libyaml(raw: str) -> Any:
    try:
        return load_with_libyaml(raw)
    except yaml.YAMLError:
        return None


def agrees(raw: str) -> bool:
    """Whether the text was accepted; asserts that libyaml says the same."""
    try:
        found = read_simple(raw)
    except Unsure:
        return False
    # brackets in quotes count as depth there, so that is no answer
    assert is_too_deep(raw) or found == libyaml(raw), raw
    return True


def test_ordinary_front_matter_is_read_here_and_as_libyaml_does() -> None:
    assert agrees(ORDINARY)


@pytest.mark.parametrize(
    "raw",
    [
        "a: b: c", "a: |\n  x", "a: >-\n  x", "a: &x 1", "a: *x", "a: !t 1", "a: x\n  goes on",
        "a: 'it''s'", 'a: "\\n"', 'a: "x\n  y"', "a: {b: c}", "a: [b, [c]]", "a: [b: c]",
        "a: `x`", "a: @x", "a: - x", "? a\n: b", "<<: x", "a:\tb", "- a", "a: [b,\n c]",
        "a: [,]", "a: x:", "a:\n - b\n  - c", "a:\n   b: 1\n  c: 2", "a: 1\n b: 2", " a: 1",
        "a\n", "%YAML 1.1\na: 1", "...\n", "a: 1\n...\n", "a: x\x85y", "a: x\u2028y",
        "a: \ufeffx", "a:\n-\n", "- \n", "a: 'x' # y", "a: #x", 'a: "x"y',
        "a:\n  - b: 1\n   c: 2", "a: %x", "a: ? x", "a: [a b, c:d]", "a:  x ", "a:\n- b\n c: 1",
        "a: -x", "a: ,x", "a: x\n\n\n  y", "a: [a #b, c]", "a: [x, -y]", "a: [*b]",
        "a: [\n b\n]", "a: [\n b,\n c,\n]", "a: [\n b\n c\n]", "a: [\n,\n]", "a: [\n]",
        'a: [\n "b,\n c"\n]', "a: [\n b # x\n]", "a: [\n b: c\n]", "a: [\n b,\nd: e",
        "a: [\n b, c,\n 'd'\n  ]", "a: [\n ]\n ]", "a: [ # x\n b\n]", "a: [\n b\n], c",
        "a: [\nb\n]", "a: [\n ...\n]", "a: [\n...\n]", "a: 1\na: 2",
        f"a: {'x' * 1100}", f"a: \"{'x' * 1100}\"",
    ],
)  # fmt: skip
def test_what_may_mean_more_is_left_to_libyaml_or_read_alike(raw: str) -> None:
    agrees(raw)
    agrees(f"first: 1\n{raw}\nlast: 2\n")
    agrees(f"outer:\n  - path: x\n    {raw}\n")


LINE = st.one_of(
    st.builds(
        lambda indent, lead, text: " " * indent + lead + text,
        st.integers(0, 5),
        st.sampled_from(["", "", "- ", "-   ", "# ", "a: ", "b:", "c-d: ", "- e: ", "- f:"]),
        st.sampled_from(
            [
                "",
                "x",
                "x y",
                '"q"',
                "'s'",
                "[]",
                "[a, b]",
                "[",
                "]",
                "a,",
                "x: y",
                "x #y",
                "- z",
                "{}",
            ]
        )
        | st.text(st.sampled_from("ab:#-,[]{}\"'\\ &*!|>%@`?./=~"), max_size=8),
    ),
    st.text(max_size=12),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(LINE, max_size=8))
def test_any_lines_are_read_alike(lines: list[str]) -> None:
    agrees("\n".join(lines))


def test_mutated_front_matter_is_read_alike() -> None:
    random = Random(20260103)
    raws = [ORDINARY]
    if corpus.NAMED:
        found = sorted(Path(corpus.NAMED).glob("*/.*planning/**/*PLAN*.md"))
        raws += [parse_document(file.read_bytes(), "").raw for file in found]
    accepted = 0
    for _ in range(COUNT):
        data = mutate(random.choice(raws).encode(), random)
        accepted += agrees(data.decode("utf-8", "replace").replace("\r\n", "\n"))
    assert accepted > COUNT / 20, "nearly nothing was accepted, so nothing was compared"
