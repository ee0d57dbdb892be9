"""Names that a module gives out: taken together only where order can't matter."""

from __future__ import annotations

import pytest

from merge.file import merge_file

PYTHON = b'from a import A\n\n__all__ = [\n    "A",\n]\n'


def settled(path: str, base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    return merge_file(base, ours, theirs, path).data


def with_entry(line: bytes) -> bytes:
    return PYTHON.replace(b'    "A",\n', b'    "A",\n' + line)


def test_entries_that_both_sides_added_to_all_are_kept() -> None:
    merged = settled("p/__init__.py", PYTHON, with_entry(b'    "B",\n'), with_entry(b'    "C",\n'))
    assert merged == with_entry(b'    "B",\n    "C",\n')


def test_a_name_that_both_sides_give_out_is_not_doubled() -> None:
    ours, theirs = with_entry(b'    "B",\n    "C",\n'), with_entry(b'    "C",\n    "D",\n')
    assert settled("p/__init__.py", PYTHON, ours, theirs) is None


def test_strings_in_another_list_are_left_to_a_person() -> None:
    base = PYTHON.replace(b"__all__", b"ORDER")
    ours, theirs = (
        base.replace(b'"A",', b'"A",\n    "B",'),
        base.replace(b'"A",', b'"A",\n    "C",'),
    )
    assert settled("p/__init__.py", base, ours, theirs) is None


BARREL = b'export { A } from "./a";\n'


@pytest.mark.parametrize(
    ("ours", "theirs", "taken"),
    [
        (b'export { B } from "./b";\n', b'export { C, D } from "./c";\n', True),
        (b'export { B } from "./b";\n', b'export type { C } from "./c";\n', True),
        (b'export { B } from "./b";\n', b'export { X as B } from "./c";\n', False),
        (b'export * from "./b";\n', b'export { C } from "./c";\n', False),
        (b'export { B } from "./b";\n', b"start();\n", False),
    ],
)
def test_named_re_exports_of_a_barrel(ours: bytes, theirs: bytes, taken: bool) -> None:
    merged = settled("src/index.ts", BARREL, BARREL + ours, BARREL + theirs)
    assert merged == (BARREL + ours + theirs if taken else None)
