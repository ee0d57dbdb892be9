"""Patches that git itself takes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.repo import Repo
from worktree_runner.core.patch import changed_lines, unified


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.txt", b"one\ntwo\n", b"one\n2\nthree\n"),
        ("a.txt", b"one\ntwo", b"one\ntwo\n"),
        ("a.txt", b"one\r\ntwo\r\n", b"one\r\nTWO\r\n"),
        ("a.txt", None, b"new\nfile"),
        ("a.txt", b"gone\n", None),
        ('dir with space/q"uo\tte\u00e9.txt', b"a\n", b"b\n"),
        ("latin.txt", b"caf\xe9\n", b"caf\xe8\n"),
        (
            "far.txt",
            b"x\n" * 40 + b"a\n" + b"y\n" * 40,
            b"0\n" + b"x\n" * 40 + b"b\n" + b"y\n" * 40,
        ),
    ],
)
def test_git_applies_what_we_write(
    repo: Repo, path: str, old: bytes | None, new: bytes | None
) -> None:
    if old is not None:
        repo.write(path, old)
    repo.write("p.patch", unified(path, old, new))
    repo.git("apply", "p.patch")
    file = repo.path / path
    assert (file.read_bytes() if file.exists() else None) == new


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    old=st.lists(st.sampled_from([b"a\n", b"b\n", b"c\r\n", b"\n"]), min_size=1, max_size=12),
    new=st.lists(st.sampled_from([b"a\n", b"b\n", b"c\r\n", b"\n"]), min_size=1, max_size=12),
    cut=st.booleans(),
)
def test_random_patches_apply(repo: Repo, old: list[bytes], new: list[bytes], cut: bool) -> None:
    before, after = b"".join(old), b"".join(new)
    after = after.rstrip(b"\r\n") + b"x" if cut else after
    patch = unified("f", before, after)
    repo.write("f", before)
    repo.write("p.patch", patch)
    if before == after:
        assert patch == b""
        return
    repo.git("apply", "p.patch")
    assert (repo.path / "f").read_bytes() == after


def test_binary_contents_give_no_patch_and_no_count() -> None:
    assert unified("f", b"a\0", b"b\0") == b""
    assert changed_lines(b"a\0", b"b\0") is None


def test_counting_lines() -> None:
    assert changed_lines(b"a\nb\nc\n", b"a\nB\nc\nd\n") == (2, 1)
    assert changed_lines(None, b"a\nb") == (2, 0)
