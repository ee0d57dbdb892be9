from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from worktree_runner.core.frontmatter import parse_document, split_flow
from worktree_runner.core.yamltext import load_with_libyaml


@pytest.mark.parametrize(
    "raw",
    [
        "[" * 100_000,
        "x: " + "[a, " * 5_000,
        "x: " + "{a: " * 5_000,
        "- " * 50_000,
        "? " * 50_000,
        "\n".join(" " * n + "a:" for n in range(2_000)),
        "x: *nowhere",
        "x: &a [*a]",
        "a: &a [x, x]\nb: &b [*a, *a]\n" + "".join(f"c{n}: &c{n} [*b, *b]\n" for n in range(30)),
        "? [a, b]\n: c",
        "%YAML 9.9\n---\n",
        "x: \x07",
        "x: =\ny: !!python/object:os.system [x]",
        "\t- a",
    ],
)
def test_hostile_front_matter_neither_raises_nor_hangs(raw: str) -> None:
    document = parse_document(f"---\nwave: 2\n{raw}\n---\nbody\n".encode(), "p.md")
    assert document.body.endswith("body\n")


def test_shared_anchors_cost_nothing() -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
    found = load_with_libyaml(f"a0: &a0 [x]\n{levels}")
    assert found["a39"][0] is found["a39"][8]


def test_a_recursive_anchor_is_a_value() -> None:
    found = load_with_libyaml("x: &x [*x]")
    assert found["x"][0] is found["x"]


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)
trees = st.recursive(
    texts | st.integers().map(str) | st.sampled_from(["no", "1.10", "012", "12:30", "~", "="]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(texts, trees, max_size=6), st.booleans())
def test_strings_are_read_as_the_loader_of_pyyaml_reads_them(
    value: dict[str, object], flow: bool
) -> None:
    raw = yaml.safe_dump(value, allow_unicode=True, default_flow_style=flow)
    assert load_with_libyaml(raw) == yaml.load(raw, Loader=yaml.BaseLoader)


def test_the_line_of_a_problem_is_that_of_the_file() -> None:
    document = parse_document(b"---\nwave: 1\nnote: a: b\n---\n", "p.md")
    assert [note.line for note in document.problems] == [3]
    assert document.front == {"wave": "1", "note": "a: b"}


def test_doubled_keys_are_said() -> None:
    document = parse_document(b"---\nwave: 1\nwave: 2\n---\n", "p.md")
    assert document.front == {"wave": "2"}
    assert "'wave' stands more than once" in document.problems[0].message


def test_front_matter_without_an_end_still_gives_its_keys() -> None:
    document = parse_document(b"---\nwave: 3\nfiles: [a]\n\n# Title\n---\n", "p.md")
    # the rule below the title ends it for YAML readers, and so it does here
    assert document.front["wave"] == "3"
    open_ended = parse_document(b"---\nwave: 3\n\n# Title\ntext\n", "p.md")
    assert open_ended.front == {"wave": "3"}
    assert open_ended.body == "\n# Title\ntext\n"
    assert "does not end" in open_ended.problems[0].message


def test_other_encodings_are_read_with_a_warning() -> None:
    wide = parse_document("---\nwave: 2\n---\n".encode("utf-16"), "p.md")
    assert wide.front == {"wave": "2"} and "UTF-16" in wide.problems[0].message
    latin = parse_document(b"---\nwave: 2\nname: caf\xe9\n---\n", "p.md")
    assert latin.front["wave"] == "2" and "not UTF-8" in latin.problems[0].message


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("[a, b]", ["a", "b"]),
        ("[\"a, b\", 'c']", ["a, b", "c"]),
        ("[app/[id]/page.tsx, x]", ["app/[id]/page.tsx", "x"]),
        ("[]", []),
        ("[a,]", ["a"]),
        ("[a, b] # why", ["a", "b"]),
        ("[a", ["a"]),
    ],
)
def test_flow_lists_without_yaml(text: str, entries: list[str]) -> None:
    assert split_flow(text) == entries


@given(st.binary(max_size=300))
def test_any_bytes_are_a_document(data: bytes) -> None:
    document = parse_document(data, "p.md")
    assert document.body_line >= 1
