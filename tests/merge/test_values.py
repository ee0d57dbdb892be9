"""Neighbouring changes of TOML and YAML: settled where they reach different keys."""

from __future__ import annotations

import pytest

from merge import merge_file

Sides = tuple[str, str, str]
HEAD = '[project]\nname = "p"\n\n'


def settle(path: str, sides: Sides) -> tuple[str | None, str]:
    base, ours, theirs = (side.encode() for side in sides)
    result = merge_file(base, ours, theirs, path)
    back = merge_file(base, theirs, ours, path)
    assert (result.data is None) == (back.data is None)
    if result.data is None:
        return None, result.why
    assert merge_file(theirs, result.data, theirs, path).data == result.data
    return result.data.decode(), "+".join(result.rules)


SETTLED: list[tuple[str, str, Sides, str, str]] = [
    ("a value, and a key of the table above", "a.yml",
     ("a:\n  m: 1\n", "a:\n  m: 2\n", "a:\n  m: 1\nb:\n  n: 3\n"),
     "a:\n  m: 2\nb:\n  n: 3\n", "values"),
    ("two tables", "a.toml",
     (HEAD + "[z]\nn = 1\n", HEAD + "[a]\nn = 1\n\n[z]\nn = 1\n",
      HEAD + "[b]\nm = 2\n\n[z]\nn = 1\n"),
     HEAD + "[a]\nn = 1\n\n[b]\nm = 2\n\n[z]\nn = 1\n", "values"),
    ("a key of the table above, and a table", "a.toml",
     ("[f]\nx = 1\n", "[f]\nx = 1\n[g]\nn = 1\n", "[f]\nx = 1\ny = 2\n"),
     "[f]\nx = 1\ny = 2\n[g]\nn = 1\n", "values"),
    ("members of several lines", "a.yaml",
     ("z: 1\n", "a:\n  x: 1\nz: 1\n", "b: 2\nz: 1\n"), "a:\n  x: 1\nb: 2\nz: 1\n", "keys"),
    ("a file in which a key stands twice already", "a.yaml",
     ("k: 1\nk: 2\nz: 1\n", "k: 1\nk: 2\na: 1\nz: 1\n", "k: 1\nk: 2\nb: 1\nz: 1\n"),
     "k: 1\nk: 2\na: 1\nb: 1\nz: 1\n", "keys"),
    ("a comment inside a member", "a.yaml",
     ("z: 1\n", "a: {}\n  # x: 1\n\nz: 1\n", "b:\n  y: 2\n\nz: 1\n"),
     "a: {}\n  # x: 1\nb:\n  y: 2\n\nz: 1\n", "keys"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "sides", "expected", "rule"),
    [case[1:] for case in SETTLED],
    ids=[case[0] for case in SETTLED],
)
def test_settled(path: str, sides: Sides, expected: str, rule: str) -> None:
    assert settle(path, sides) == (expected, rule)


QUESTIONS: list[tuple[str, str, Sides]] = [
    ("one list", "a.yml",
     ("l:\n- a: 1\n", "l:\n- a: 2\n", "l:\n- a: 1\n- b: 1\n")),
    ("one key from both sides", "a.yml",
     ("a:\n  m: 1\n", "a:\n  m: 1\nb:\n  x: 1\n", "a:\n  m: 1\nb:\n  y: 1\n")),
    ("one thing under two names", "a.toml",
     ("[z]\n", "[sync-branch]\na = 1\n[z]\n", "[sync_branches]\nb = 1\n[z]\n")),
    ("a comment beside a value", "a.yml",
     ("a:\n  m: 1\nb: 1\n", "a:\n  m: 2\nb: 1\n", "a:\n  m: 1\n  # low\nb: 1\n")),
    ("a key in a text", "a.yml",
     ("a: |\n  z: 1\n", "a: |\n  x: 1\n  z: 1\n", "a: |\n  y: 1\n  z: 1\n")),
    ("a key in a text of a template", "a.yml",
     ("{{ if }}\nz: 1\n", "{{ if }}\nx: 1\nz: 1\n", "{{ if }}\ny: 1\nz: 1\n")),
    ("a key in a text, where another key stands twice", "a.yml",
     ("k: 1\nk: 2\na: |\n  z: 1\n", "k: 1\nk: 2\na: |\n  x: 1\n  z: 1\n",
      "k: 1\nk: 2\na: |\n  y: 1\n  z: 1\n")),
    ("several documents", "a.yml",
     ("a:\n  m: 1\n---\nz: 1\n", "a:\n  m: 2\n---\nz: 1\n",
      "a:\n  m: 1\nb:\n  n: 3\n---\nz: 1\n")),
    ("a value that another one repeats", "a.yml",
     ("a: &x\n  m: 1\nz: 1\n", "a: &x\n  m: 2\nz: 1\n", "a: &x\n  m: 1\nb: *x\nz: 1\n")),
    ("sisters that would part", "Cargo.toml",
     ('[dependencies]\na-x = "1.1"\na-y = "1.1"\n', '[dependencies]\na-x = "1.2"\na-y = "1.1"\n',
      '[dependencies]\na-x = "1.1"\na-y = "1.3"\n')),
    ("a package at the number that its sisters have left", "Cargo.toml",
     ('[dependencies]\na-x = "1.1"\na-y = "1.1"\n', '[dependencies]\na-x = "1.2"\na-y = "1.2"\n',
      '[dependencies]\na-x = "1.1"\na-y = "1.1"\n[dependencies.a-z]\nversion = "1.1"\n')),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "sides"), [case[1:] for case in QUESTIONS], ids=[case[0] for case in QUESTIONS]
)
def test_left_to_a_person(path: str, sides: Sides) -> None:
    assert settle(path, sides)[0] is None


def test_large_file_is_not_read_for_each_of_its_hunks() -> None:
    """Reading takes time: a lock file of many hunks took ten seconds."""
    path, (base, ours, theirs), expected, _ = SETTLED[1][1:]
    long = "\n" + "# note\n" * 10_000
    assert settle(path, (base, ours, theirs))[0] == expected
    assert settle(path, (base + long, ours + long, theirs + long))[0] is None
