"""Objects read through one process, and trees compared in it, as git itself sees them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merge.types import Entry
from tests.support.repo import Repo
from worktree_runner.git.gateway import Git, GitError
from worktree_runner.git.objects import Objects
from worktree_runner.git.reader import Reader

NAMES = ["a", "b c", "ä", "dir", "dir.x", "dir0"]
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
FILES = st.dictionaries(PATHS, st.sampled_from([b"1", b"2\n", b"\0\xff"]), max_size=6)


def tree_of(repo: Repo, files: dict[str, bytes]) -> str:
    """A tree with these files; where a file is in the way of a folder, the folder wins."""
    git, lines = Git(repo.path), b""
    for path, data in files.items():
        if not any(other.startswith(path + "/") for other in files):
            oid = git.run("hash-object", "-w", "--stdin", stdin=data).text
            mode = "100755" if data == b"1" else "100644"
            lines += f"{mode} {oid}\t{path}\0".encode()
    index = {"GIT_INDEX_FILE": str(repo.path / ".git" / "index-for-test")}
    git.run("read-tree", "--empty", env=index)
    git.run("update-index", "-z", "--index-info", stdin=lines, env=index)
    return git.run("write-tree", env=index).text


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(FILES, FILES)
def test_changed_paths_are_those_of_diff_tree(
    repo: Repo, left: dict[str, bytes], right: dict[str, bytes]
) -> None:
    old, new = tree_of(repo, left), tree_of(repo, right)
    told = {}
    fields = Git(repo.path).run("diff-tree", "-r", "-z", "--no-renames", old, new).fields
    for meta, path in zip(fields[0::2], fields[1::2], strict=True):
        told[path] = tuple(meta.lstrip(":").split()[:4])
    reader = Reader(Git(repo.path))
    nothing = ("000000", "0" * 40)
    found = {
        path: tuple((e.mode, e.oid) if e else nothing for e in pair)
        for path, pair in reader.changed(old, new).items()
    }
    assert {p: (a[0], b[0], a[1], b[1]) for p, (a, b) in found.items()} == told
    wanted = [path for path, pair in reader.changed(old, new).items() if pair[1]]
    assert set(reader.entries(new, [*wanted, "none", "dir"])) >= set(wanted)


def test_file_that_changed_its_mode_alone_has_changed(repo: Repo) -> None:
    old = repo.commit("old", {"a/b": "x\n"})
    (repo.path / "a/b").chmod(0o755)
    new = repo.commit("new")
    ((left, right),) = Reader(Git(repo.path)).changed(old, new).values()
    assert left and right
    assert (left.mode, right.mode, left.oid) == ("100644", "100755", right.oid)


def test_object_written_after_the_reader_started_is_found(repo: Repo) -> None:
    objects = Objects(Git(repo.path))
    first = objects.write_blob(b"first")
    assert objects.read_blob(first) == b"first"
    second = objects.write_blob(b"\0second\n")
    assert objects.read_blobs([second, first]) == {first: b"first", second: b"\0second\n"}
    repo.git("repack", "-adq")
    assert objects.read_blob(second) == b"\0second\n"


def test_more_objects_than_a_pipe_holds_come_in_order(repo: Repo) -> None:
    objects = Objects(Git(repo.path))
    data = [bytes([65 + n % 26]) * 3000 + str(n).encode() for n in range(250)]
    oids = [objects.write_blob(text) for text in data[:3]]
    many = [oids[n % 3] for n in range(2500)]
    assert [read.data for read in objects.reader.objects(many)] == [
        data[n % 3] for n in range(2500)
    ]


def test_missing_object_is_an_error_and_the_reader_goes_on(repo: Repo) -> None:
    objects = Objects(Git(repo.path))
    oid = objects.write_blob(b"x")
    with pytest.raises(GitError, match="is missing"):
        objects.read_blobs([oid, "0" * 39 + "1"])
    assert objects.read_blob(oid) == b"x"


def test_reader_that_lost_its_process_starts_another(repo: Repo) -> None:
    objects = Objects(Git(repo.path))
    oid = objects.write_blob(b"x")
    assert objects.read_blob(oid) == b"x"
    conversation = objects.reader._open
    assert conversation is not None
    conversation.process.kill()
    conversation.process.wait()
    assert objects.read_blob(oid) == b"x"
    assert objects.reader._open is not conversation


def test_command_that_ends_at_once_is_an_error_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        Reader(Git(tmp_path)).objects(["0" * 40])


def test_closing_ends_the_process(repo: Repo) -> None:
    objects = Objects(Git(repo.path))
    objects.read_blob(objects.write_blob(b"x"))
    conversation = objects.reader._open
    assert conversation is not None
    objects.reader.close()
    assert conversation.process.returncode == 0


def test_modes_of_old_trees_are_shown_as_git_shows_them(repo: Repo) -> None:
    blob = Objects(Git(repo.path)).write_blob(b"x")
    old, new = (
        Git(repo.path).run(
            "hash-object", "-t", "tree", "-w", "--literally", "--stdin",
            stdin=b"".join(mode + name + bytes.fromhex(blob) for mode, name in entries),
        ).text
        for entries in (
            [(b"100664 ", b"a\0"), (b"100775 ", b"b\0")],
            [(b"100644 ", b"a\0"), (b"100755 ", b"b\0"), (b"100664 ", b"c\0")],
        )
    )  # fmt: skip
    reader = Reader(Git(repo.path))
    assert reader.changed(old, new) == {"c": (None, Entry("100644", blob))}
    assert reader.entries(old, ["a", "b"]) == {
        "a": Entry("100644", blob),
        "b": Entry("100755", blob),
    }


def test_scan_names_the_paths_of_every_pair_in_conflict(repo: Repo) -> None:
    base = repo.commit("base", {"a ä.txt": "1\n2\n3\n", "b": "x\n", "c": "x\n"})
    commits = {}
    for name, files in {
        "one": {"a ä.txt": "1\none\n3\n", "b": "one\n"},
        "two": {"a ä.txt": "1\ntwo\n3\n", "b": "two\n"},
        "far": {"c": "far\n"},
    }.items():
        repo.git("checkout", "-q", "--detach", base)
        commits[name] = repo.commit(name, dict(files))
    one, two, far = commits["one"], commits["two"], commits["far"]
    objects = Objects(Git(repo.path))
    found = objects.scan([(one, two), (one, far), (two, one), (far, two)])
    assert found == (("a ä.txt", "b"), None, ("a ä.txt", "b"), None)
    assert objects.scan([]) == ()
