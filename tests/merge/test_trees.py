"""Conflicts between trees rather than lines, each on a real repository: named, and asked."""

from __future__ import annotations

import pytest

from merge import Choice, ChoiceKind, MergeOutcome, Settings, merge_commits
from merge.policy import Declared
from tests.support.objects import GitObjects
from tests.support.repo import Repo

TEXT = "".join(f"line {number}\n" for number in range(20))
EDITED = TEXT.replace("line 3\n", "line three\n")
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n"
NOTHING = Declared()


def side(repo: Repo, name: str, *steps: tuple[str, str, str]) -> str:
    """A commit on the base after these steps: write, remove, move, run (chmod) or link."""
    repo.git("checkout", "-q", "-B", name, "main")
    for what, path, value in steps:
        file = repo.path / path
        if what == "write":
            repo.write(path, value)
        elif what == "remove":
            repo.git("rm", "-rq", path)
        elif what == "move":
            (repo.path / value).parent.mkdir(parents=True, exist_ok=True)
            repo.git("mv", path, value)
        elif what == "run":
            file.chmod(0o755)
        elif what == "link":
            file.unlink(missing_ok=True)
            file.symlink_to(value)
    return repo.commit(name)


def merged(repo: Repo, ours: str, theirs: str, settings: Settings | None = None) -> MergeOutcome:
    return merge_commits(GitObjects(repo), ours, theirs, settings=settings or Settings("tested"))


def files(repo: Repo, tree: str) -> list[str]:
    return repo.git("ls-tree", "-r", "--name-only", tree).splitlines()


def kinds(outcome: MergeOutcome) -> dict[str, str]:
    assert (outcome.tree is None) == bool(outcome.conflicts)
    return {conflict.path: conflict.kind for conflict in outcome.conflicts}


def test_deletion_against_a_change_is_asked_and_never_comes_back_by_itself(repo: Repo) -> None:
    repo.commit("base", {"a": TEXT, "k": "1\n"})
    ours = side(repo, "one", ("remove", "a", ""))
    theirs = side(repo, "two", ("write", "a", EDITED))
    assert kinds(merged(repo, ours, theirs)) == {"a": "modify/delete"}
    assert kinds(merged(repo, theirs, ours)) == {"a": "modify/delete"}


def test_rename_against_a_deletion_is_asked(repo: Repo) -> None:
    repo.commit("base", {"a": TEXT, "k": "1\n"})
    ours, theirs = side(repo, "one", ("move", "a", "b")), side(repo, "two", ("remove", "a", ""))
    assert kinds(merged(repo, ours, theirs)) == {"b": "rename/delete"}


def test_two_files_renamed_to_one_name_are_asked(repo: Repo) -> None:
    repo.commit("base", {"a": TEXT, "b": TEXT.replace("line", "row"), "k": "1\n"})
    ours, theirs = side(repo, "one", ("move", "a", "c")), side(repo, "two", ("move", "b", "c"))
    assert set(kinds(merged(repo, ours, theirs))) == {"c"}


@pytest.mark.parametrize("taken", [ChoiceKind.OURS, ChoiceKind.THEIRS])
def test_a_file_renamed_and_changed_by_both_sides_lands_as_one_side_has_it_without_markers(
    repo: Repo, taken: ChoiceKind
) -> None:
    repo.commit("base", {"a": TEXT, "k": "1\n"})
    other = TEXT.replace("line 3\n", "line 3 too\n")
    ours = side(repo, "one", ("move", "a", "b"), ("write", "b", EDITED))
    theirs = side(repo, "two", ("move", "a", "c"), ("write", "c", other))
    asked = merged(repo, ours, theirs).conflicts
    assert {one.path: one.kind for one in asked} == dict.fromkeys("bc", "rename/rename")
    choices = [Choice(one.path, taken, one.fingerprint, whole=True) for one in asked]
    outcome = merge_commits(GitObjects(repo), ours, theirs, choices=choices)
    assert outcome.tree is not None
    name, expected = ("b", EDITED) if taken is ChoiceKind.OURS else ("c", other)
    assert files(repo, outcome.tree) == [name, "k"]
    assert repo.show(outcome.tree, name).decode() == expected


def test_a_file_renamed_and_changed_by_both_sides_is_marked_as_every_other(repo: Repo) -> None:
    repo.commit("base", {"a": TEXT, "k": "1\n"})
    ours = side(repo, "one", ("move", "a", "b"), ("write", "b", EDITED))
    theirs = side(repo, "two", ("move", "a", "c"), ("write", "c", TEXT.replace("line 3\n", "3\n")))
    outcome = merged(repo, ours, theirs)
    for path in ("b", "c"):
        text = repo.show(outcome.marked_tree, path).decode()
        assert "\n<<<<<<< ours\nline three\n" in text and "\n=======\n3\n>>>>>>> theirs\n" in text


def test_two_files_renamed_to_one_name_are_offered_without_markers(repo: Repo) -> None:
    repo.commit("base", {"a": TEXT, "b": TEXT.replace("line", "row"), "k": "1\n"})
    ours = side(repo, "one", ("move", "a", "c"), ("write", "c", EDITED))
    theirs = side(repo, "two", ("move", "b", "c"), ("write", "a", TEXT.replace("line 3", "3")))
    (one,) = merged(repo, ours, theirs).conflicts
    choice = Choice("c", ChoiceKind.OURS, one.fingerprint, whole=True)
    outcome = merge_commits(GitObjects(repo), ours, theirs, choices=[choice])
    assert outcome.tree is not None
    assert repo.show(outcome.tree, "c").decode() == EDITED


def test_change_follows_a_file_that_the_other_side_renamed(repo: Repo) -> None:
    repo.commit("base", {"a": TEXT, "k": "1\n"})
    ours, theirs = side(repo, "one", ("move", "a", "b")), side(repo, "two", ("write", "a", EDITED))
    outcome = merged(repo, ours, theirs)
    assert outcome.tree is not None
    assert repo.show(outcome.tree, "b").decode() == EDITED


def test_file_added_to_a_directory_that_the_other_side_renamed_is_asked(repo: Repo) -> None:
    repo.commit("base", {"old/a": TEXT, "old/b": TEXT.replace("line", "row"), "k": "1\n"})
    ours, theirs = (
        side(repo, "one", ("move", "old", "new")),
        side(repo, "two", ("write", "old/c", "c\n")),
    )
    repo.git("config", "merge.directoryRenames", "conflict")
    assert kinds(merged(repo, ours, theirs)) == {"new/c": "directory rename"}


def test_file_against_directory_is_asked(repo: Repo) -> None:
    repo.commit("base", {"k": "1\n"})
    ours, theirs = (
        side(repo, "one", ("write", "a", "1\n")),
        side(repo, "two", ("write", "a/b", "1\n")),
    )
    assert set(kinds(merged(repo, ours, theirs)).values()) == {"file/directory"}


def test_link_against_a_file_is_asked(repo: Repo) -> None:
    repo.commit("base", {"a": TEXT, "k": "1\n"})
    ours, theirs = side(repo, "one", ("link", "a", "k")), side(repo, "two", ("write", "a", EDITED))
    outcome = merged(repo, ours, theirs)
    assert kinds(outcome) == {"a": "symlink"}
    (one,) = outcome.conflicts
    for kind, expected in ((ChoiceKind.OURS, "k"), (ChoiceKind.THEIRS, EDITED)):
        choice = Choice("a", kind, one.fingerprint, whole=True)
        decided = merge_commits(GitObjects(repo), ours, theirs, choices=[choice])
        assert decided.tree is not None
        assert files(repo, decided.tree) == ["a", "k"]
        assert repo.show(decided.tree, "a").decode() == expected


def test_lfs_pointer_is_no_text(repo: Repo) -> None:
    repo.commit("base", {"a.bin": LFS.format("0" * 64)})
    ours, theirs = (
        side(repo, name, ("write", "a.bin", LFS.format(digit * 64)))
        for name, digit in (("one", "1"), ("two", "2"))
    )
    outcome = merged(repo, ours, theirs)
    assert kinds(outcome) == {"a.bin": "binary"}
    assert "LFS" in outcome.conflicts[0].why


def test_files_added_on_both_sides_are_asked_unless_equal(repo: Repo) -> None:
    repo.commit("base", {"k": "1\n"})
    ours = side(repo, "one", ("write", "same", TEXT), ("write", "other", "one = 1\n"))
    theirs = side(repo, "two", ("write", "same", TEXT), ("write", "other", "two = 2\n"))
    assert kinds(merged(repo, ours, theirs)) == {"other": "add/add"}


def test_equal_files_added_with_unlike_modes_are_asked(repo: Repo) -> None:
    repo.commit("base", {"k": "1\n"})
    ours = side(repo, "one", ("write", "a", TEXT), ("run", "a", ""))
    theirs = side(repo, "two", ("write", "a", TEXT))
    assert set(kinds(merged(repo, ours, theirs))) == {"a"}


@pytest.mark.parametrize(
    ("declared", "asked"),
    [
        pytest.param(None, False, id="nothing is to be declared"),
        pytest.param(NOTHING, True, id="undeclared"),
        pytest.param(Declared(("src/*.py",)), False, id="by a pattern"),
        pytest.param(Declared(text="Remove `src/old.py` at last."), False, id="by its path"),
        pytest.param(Declared(text="old.py is not needed any more"), False, id="by its name"),
        pytest.param(Declared(text="Clean up src/ and go."), False, id="by its folder"),
        pytest.param(
            Declared(text="see src/old.py.orig, very_old.py, src/new.py"), True, id="others"
        ),
    ],
)
def test_deletion_must_be_declared(repo: Repo, declared: Declared | None, asked: bool) -> None:
    repo.commit("base", {"src/old.py": TEXT, "k": "1\n"})
    ours = side(repo, "one", ("write", "k", "2\n"))
    theirs = side(repo, "two", ("remove", "src/old.py", ""))
    outcome = merged(repo, ours, theirs, Settings(declared=declared))
    assert kinds(outcome) == ({"src/old.py": "deletion"} if asked else {})
    assert (b"src/old.py" in repo.git("ls-tree", "-r", outcome.marked_tree).encode()) is asked


@pytest.mark.parametrize(("kind", "left"), [(ChoiceKind.OURS, True), (ChoiceKind.THEIRS, False)])
def test_person_decides_an_undeclared_deletion(repo: Repo, kind: ChoiceKind, left: bool) -> None:
    repo.commit("base", {"src/old.py": TEXT, "k": "1\n"})
    ours = side(repo, "one", ("write", "k", "2\n"))
    theirs = side(repo, "two", ("remove", "src/old.py", ""))
    settings = Settings(declared=NOTHING)
    (conflict,) = merged(repo, ours, theirs, settings).conflicts
    choice = Choice("src/old.py", kind, conflict.fingerprint, whole=True)
    done = merge_commits(GitObjects(repo), ours, theirs, settings=settings, choices=[choice])
    assert done.tree is not None
    assert ("src/old.py" in repo.git("ls-tree", "-r", "--name-only", done.tree).split()) is left


@pytest.mark.parametrize(
    ("declared", "asked"),
    [
        (Declared(("lib/new.py",)), False),
        (Declared(moves=("lib/",)), False),
        (Declared(("lib/other.py",)), True),
    ],
)
def test_move_to_a_declared_place_is_no_undeclared_deletion(
    repo: Repo, declared: Declared, asked: bool
) -> None:
    repo.commit("base", {"src/old.py": TEXT, "k": "1\n"})
    ours = side(repo, "one", ("write", "k", "2\n"))
    theirs = side(repo, "two", ("move", "src/old.py", "lib/new.py"))
    outcome = merged(repo, ours, theirs, Settings(declared=declared))
    assert kinds(outcome) == ({"src/old.py": "deletion"} if asked else {})


@pytest.mark.parametrize("said", ["merging a\\n", "merging a"])
def test_what_a_merge_driver_prints_is_not_taken_for_the_tree(repo: Repo, said: str) -> None:
    repo.git("config", "merge.loud.driver", f"printf '{said}'; git merge-file --union %A %O %B")
    repo.commit("base", {"a": TEXT, ".gitattributes": "a merge=loud\n"})
    ours = side(repo, "one", ("write", "a", TEXT + "one\n"))
    theirs = side(repo, "two", ("write", "a", TEXT + "two\n"))
    outcome = merged(repo, ours, theirs)
    assert outcome.tree is not None
    assert repo.show(outcome.tree, "a").decode() == TEXT + "one\ntwo\n"


def both_changed(repo: Repo, attributes: str, text: str = TEXT) -> MergeOutcome:
    """Two sides that change neighbouring lines, which the tested tier takes both of."""
    repo.commit("base", {"a": text, ".gitattributes": attributes})
    ours = side(repo, "one", ("write", "a", text.replace("line 3\n", "line three\n")))
    theirs = side(repo, "two", ("write", "a", text.replace("line 4\n", "line four\n")))
    return merged(repo, ours, theirs)


def test_what_a_driver_combined_is_listed(repo: Repo) -> None:
    outcome = both_changed(repo, "a merge=union\n")
    assert outcome.notices == ("a: combined by the merge driver union (attributes)",)


def test_rules_leave_alone_what_a_driver_of_the_repository_gave_up(repo: Repo) -> None:
    assert both_changed(repo, "").tree is not None  # neighbouring lines
    repo.git("config", "merge.strict.driver", "exit 1")
    repo.write(".git/info/attributes", "a merge=strict\n")
    again = merged(repo, "one", "two")
    assert [one.why for one in again.conflicts] == ["the merge driver strict left a conflict"]


@pytest.mark.parametrize("attributes", ["a -merge\n", "a binary\n", "a merge=binary\n"])
def test_files_that_must_not_be_merged_as_text_are_asked(repo: Repo, attributes: str) -> None:
    assert kinds(both_changed(repo, attributes)) == {"a": "binary"}


def test_default_driver_counts_and_an_unknown_one_is_text(repo: Repo) -> None:
    repo.git("config", "merge.default", "union")
    assert both_changed(repo, "").notices
    repo.write(".git/info/attributes", "a merge=nosuch\n")
    again = merged(repo, "one", "two")
    assert again.tree is not None and not again.notices
