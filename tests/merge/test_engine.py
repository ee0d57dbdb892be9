"""Merging commits of real repositories, in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from merge import Choice, ChoiceKind, MergeOutcome, Settings, merge_commits
from tests.support.objects import GitObjects
from tests.support.repo import Repo

Files = dict[str, str | bytes | None]


def branches(repo: Repo, base: Files, ours: Files, theirs: Files) -> tuple[str, str]:
    """Two commits on one base; None deletes a file."""
    change(repo, base, "base")
    repo.git("branch", "plan")
    target = change(repo, ours, "ours")
    repo.git("checkout", "-q", "plan")
    return target, change(repo, theirs, "theirs")


def change(repo: Repo, files: Files, message: str) -> str:
    for path, text in files.items():
        if text is None:
            (repo.path / path).unlink()
        else:
            repo.write(path, text)
    return repo.commit(message)


def merged(repo: Repo, sides: tuple[str, str], **options: object) -> MergeOutcome:
    return merge_commits(GitObjects(repo), *sides, **options)  # type: ignore[arg-type]


def test_clean_merge_gives_the_tree_that_git_gives(repo: Repo) -> None:
    sides = branches(repo, {"a": "1\n", "b": "1\n"}, {"a": "2\n"}, {"b": "2\n"})
    outcome = merged(repo, sides)
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "m", "plan")
    assert outcome.tree == repo.git("rev-parse", "HEAD^{tree}")
    assert outcome.resolutions == outcome.conflicts == ()


def test_replacements_of_neighbouring_lines_are_both_kept_and_listed(repo: Repo) -> None:
    sides = branches(repo, {"a.py": "x = 1\ny = 1\n"}, {"a.py": "x = 2\ny = 1\n"},
                     {"a.py": "x = 1\ny = 3\n"})  # fmt: skip
    outcome = merged(repo, sides)
    assert outcome.tree is not None
    assert repo.show(outcome.tree, "a.py") == b"x = 2\ny = 3\n"
    (resolution,) = outcome.resolutions
    assert (resolution.path, resolution.resolver, resolution.tier) == ("a.py", "adjacent", "proven")
    assert "+y = 3" in resolution.diff
    assert "-y = 1" in resolution.diff


@pytest.mark.parametrize("end", ["\n", "", "\r\n"])
def test_the_listed_diff_is_one_that_git_applies(repo: Repo, end: str) -> None:
    base, left, right = (f"x = {a}\ny = {b}{end}" for a, b in ((1, 1), (2, 1), (1, 3)))
    sides = branches(repo, {"a.txt": base}, {"a.txt": left}, {"a.txt": right})
    none = Settings(tier="none")
    mark = merged(repo, sides, settings=none).conflicts[0].fingerprint
    choice = Choice("a.txt", ChoiceKind.BOTH, mark)
    outcome = merged(repo, sides, settings=none, choices=[choice])
    assert outcome.tree is not None
    repo.git("checkout", "-q", sides[0])
    (repo.path / "patch").write_bytes(outcome.resolutions[0].diff.encode())
    repo.git("apply", "patch")
    assert repo.read("a.txt") == repo.show(outcome.tree, "a.txt")


def test_overlapping_change_is_a_question_with_marked_text(repo: Repo) -> None:
    sides = branches(repo, {"a.py": "x = 1\n"}, {"a.py": "x = 2\n"}, {"a.py": "x = 3\n"})
    outcome = merged(repo, sides, labels=("main", "03-02"))
    assert outcome.tree is None
    (conflict,) = outcome.conflicts
    assert (conflict.kind, len(conflict.hunks)) == ("content", 1)
    assert repo.show(outcome.marked_tree, "a.py") == (
        b"<<<<<<< main\nx = 2\n||||||| base\nx = 1\n=======\nx = 3\n>>>>>>> 03-02\n"
    )


def test_tier_none_and_unresolve_make_a_question_with_the_rule_as_proposal(repo: Repo) -> None:
    sides = branches(repo, {"a.py": "x = 1\ny = 1\n"}, {"a.py": "x = 2\ny = 1\n"},
                     {"a.py": "x = 1\ny = 3\n"})  # fmt: skip
    for settings in (Settings(tier="none"), Settings(unresolve=("a.py",))):
        outcome = merged(repo, sides, settings=settings)
        assert outcome.tree is None
        assert outcome.conflicts[0].hunks[0].proposal == (b"x = 2\n", b"y = 3\n")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ChoiceKind.OURS, b"x = 2\n"),
        (ChoiceKind.THEIRS, b"x = 3\n"),
        (ChoiceKind.BOTH, b"x = 2\nx = 3\n"),
        (ChoiceKind.BOTH_REVERSED, b"x = 3\nx = 2\n"),
    ],
)
def test_answer_decides_the_hunk(repo: Repo, kind: ChoiceKind, expected: bytes) -> None:
    sides = branches(repo, {"a.py": "x = 1\n"}, {"a.py": "x = 2\n"}, {"a.py": "x = 3\n"})
    mark = merged(repo, sides).conflicts[0].fingerprint
    outcome = merged(repo, sides, choices=[Choice("a.py", kind, mark)])
    assert outcome.tree is not None
    assert repo.show(outcome.tree, "a.py") == expected
    assert outcome.resolutions[0].tier == "manual"


def test_answer_for_another_state_of_the_file_is_ignored_and_named(repo: Repo) -> None:
    sides = branches(repo, {"a.py": "x = 1\n"}, {"a.py": "x = 2\n"}, {"a.py": "x = 3\n"})
    outcome = merged(repo, sides, choices=[Choice("a.py", ChoiceKind.OURS, "stale")])
    assert outcome.tree is None
    assert any("a.py" in notice for notice in outcome.notices)


def test_one_answer_of_two_leaves_the_file_a_question(repo: Repo) -> None:
    text = "x = {}\n" + "same\n" * 5 + "y = {}\n"
    sides = branches(repo, {"a.txt": text.format(1, 1)}, {"a.txt": text.format(2, 2)},
                     {"a.txt": text.format(3, 3)})  # fmt: skip
    mark = merged(repo, sides).conflicts[0].fingerprint
    first = Choice("a.txt", ChoiceKind.OURS, mark, hunk=0)
    second = Choice("a.txt", ChoiceKind.THEIRS, mark, hunk=1)
    assert merged(repo, sides, choices=[first]).tree is None
    outcome = merged(repo, sides, choices=[first, second])
    assert outcome.tree is not None
    told = "hunk 1: the target's side; hunk 2: the branch's side"
    assert outcome.resolutions[0].why.endswith(told)
    assert repo.show(outcome.tree, "a.txt").decode() == text.format(2, 3)


def test_edited_answer_with_markers_left_in_is_refused(repo: Repo) -> None:
    sides = branches(repo, {"a.py": "x = 1\n"}, {"a.py": "x = 2\n"}, {"a.py": "x = 3\n"})
    before = merged(repo, sides)
    text = repo.show(before.marked_tree, "a.py")
    mark = before.conflicts[0].fingerprint
    choice = Choice("a.py", ChoiceKind.CONTENT, mark, content=text)
    outcome = merged(repo, sides, choices=[choice])
    assert outcome.tree is None
    assert "markers" in outcome.conflicts[0].why


def test_modify_delete_is_never_settled_and_takes_a_whole_file_answer(repo: Repo) -> None:
    sides = branches(repo, {"a": "1\n", "b": "1\n"}, {"a": None}, {"a": "2\n"})
    outcome = merged(repo, sides)
    (conflict,) = outcome.conflicts
    assert (conflict.kind, conflict.hunks) == ("modify/delete", ())
    for kind, present in ((ChoiceKind.OURS, False), (ChoiceKind.THEIRS, True)):
        done = merged(repo, sides, choices=[Choice("a", kind, conflict.fingerprint, whole=True)])
        assert done.tree is not None
        assert ("a" in repo.git("ls-tree", "--name-only", done.tree).split()) is present


def test_binary_link_and_submodule_conflicts_are_named(repo: Repo) -> None:
    other = Repo.make(repo.path.parent / "other", repo.path.parent / "home2")
    heads = [other.commit(str(n), {"x": str(n)}) for n in range(3)]

    def state(n: int) -> Files:
        link = repo.path / "link"
        link.unlink(missing_ok=True)
        link.symlink_to(f"to-{n}")
        repo.git("update-index", "--add", "--cacheinfo", f"160000,{heads[n]},sub")
        return {"bin": b"\0" + bytes([n]) * 9}

    first = state(0)
    repo.write("bin", first["bin"] or b"")
    repo.git("add", "bin", "link")
    repo.git("commit", "-qm", "base")
    tips = []
    for n in (1, 2):
        repo.git("checkout", "-q", "-B", f"side{n}", "main")
        for path, data in state(n).items():
            repo.write(path, data or b"")
        repo.git("add", "bin", "link")
        repo.git("commit", "-qm", "side")
        tips.append(repo.git("rev-parse", "HEAD"))
    outcome = merged(repo, (tips[0], tips[1]))
    kinds = {conflict.path: conflict.kind for conflict in outcome.conflicts}
    assert kinds == {"bin": "binary", "link": "symlink", "sub": "submodule"}


def test_renames_of_one_file_to_two_names_are_questions(repo: Repo) -> None:
    text = "".join(f"line {n}\n" for n in range(20))
    sides = branches(repo, {"a": text}, {"a": None, "b": text}, {"a": None, "c": text})
    outcome = merged(repo, sides)
    assert outcome.tree is None
    assert {conflict.kind for conflict in outcome.conflicts} == {"rename/rename"}
    # nobody has the old name any more: there is nothing to decide about it
    assert {conflict.path: conflict.others for conflict in outcome.conflicts} == {
        "b": ("c",),
        "c": ("b",),
    }


def test_file_against_directory_is_a_question(repo: Repo) -> None:
    sides = branches(repo, {"k": "1\n"}, {"a": "file\n"}, {"a/b": "inside\n"})
    outcome = merged(repo, sides)
    assert [conflict.kind for conflict in outcome.conflicts] == ["file/directory"]
    assert outcome.tree is None


def test_mode_of_one_side_and_contents_of_the_other_are_both_kept(repo: Repo) -> None:
    sides = branches(repo, {"a.py": "x = 1\ny = 1\n"}, {"a.py": "x = 2\ny = 1\n"},
                     {"a.py": "x = 1\ny = 3\n"})  # fmt: skip
    (repo.path / "a.py").chmod(0o755)
    sides = (sides[0], repo.commit("executable"))
    outcome = merged(repo, sides)
    assert outcome.tree is not None
    assert repo.git("ls-tree", outcome.tree, "a.py").startswith("100755")


def test_both_sides_defining_one_name_is_noticed_in_a_clean_merge(repo: Repo) -> None:
    middle = "".join(f"x{n} = {n}\n" for n in range(12))
    new = "def helper():\n    return 1\n"
    sides = branches(repo, {"a.py": middle}, {"a.py": new + middle}, {"a.py": middle + new})
    outcome = merged(repo, sides)
    (conflict,) = outcome.conflicts
    assert (conflict.kind, "helper" in conflict.why) == ("duplicate", True)
    keep = Choice("a.py", ChoiceKind.BOTH, conflict.fingerprint, whole=True)
    accepted = merged(repo, sides, choices=[keep])
    assert accepted.tree is not None
    assert repo.show(accepted.tree, "a.py").decode() == new + middle + new


@pytest.mark.parametrize(
    ("ours", "theirs", "asked"),
    [
        ("app/migrations/0005_a.py", "app/migrations/0005_b.py", True),
        ("db/migrate/V7__a.sql", "db/migrate/V7__b.sql", True),
        ("docs/adr/012-a.md", "docs/adr/012-b.md", True),
        ("app/migrations/0005_a.py", "app/migrations/0006_b.py", False),
        ("app/migrations/0005_a.py", "web/migrations/0005_b.py", False),
        ("pages/0005_a.txt", "pages/0005_b.txt", False),
    ],
)
def test_two_new_files_of_one_number_are_a_question_though_git_has_nothing_to_merge(
    repo: Repo, ours: str, theirs: str, asked: bool
) -> None:
    outcome = merged(repo, branches(repo, {"a": "1\n"}, {ours: "x\n"}, {theirs: "y\n"}))
    assert [conflict.path for conflict in outcome.conflicts] == [theirs] * asked
    assert (outcome.tree is None) == asked
    if asked:
        assert f"{ours} is new too and has the same number" in outcome.conflicts[0].why
        choice = Choice(theirs, ChoiceKind.BOTH, outcome.conflicts[0].fingerprint, whole=True)
        assert merged(repo, ("main", "plan"), choices=[choice]).tree is not None


def test_markers_that_a_plan_committed_are_noticed_in_a_clean_merge(repo: Repo) -> None:
    marked = "<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> plan\n"
    sides = branches(repo, {"a": "1\n"}, {"b": "1\n"}, {"a": marked})
    outcome = merged(repo, sides)
    assert [(c.path, c.kind) for c in outcome.conflicts] == [("a", "other")]


def test_files_of_the_run_keep_the_target_version(repo: Repo) -> None:
    state = ".planning/STATE.md"
    sides = branches(repo, {state: "0\n", "a": "1\n"}, {"a": "2\n"},
                     {state: "plan\n", ".planning/NEW.md": "new\n"})  # fmt: skip
    outcome = merged(repo, sides, settings=Settings(keep_ours=("STATE.md",)))
    assert outcome.tree is not None
    assert repo.show(outcome.tree, state) == b"0\n"
    assert repo.show(outcome.tree, ".planning/NEW.md") == b"new\n"
    assert any(state in notice for notice in outcome.notices)


def test_lock_file_conflict_names_the_command(repo: Repo) -> None:
    sides = branches(repo, {"uv.lock": "a = 1\n"}, {"uv.lock": "a = 2\n"}, {"uv.lock": "a = 3\n"})
    assert merged(repo, sides).conflicts[0].command == "uv lock"
    settings = Settings(regenerate={"*.lock": "make lock"})
    assert merged(repo, sides, settings=settings).conflicts[0].command == "make lock"


def test_criss_cross_history_uses_no_rule(repo: Repo, tmp_path: Path) -> None:
    sides = branches(repo, {"a.py": "x = 1\ny = 1\n"}, {"b": "1\n"}, {"c": "1\n"})
    one = repo.git("commit-tree", f"{sides[0]}^{{tree}}", "-p", sides[0], "-p", sides[1], "-m", "m")
    two = repo.git("commit-tree", f"{sides[1]}^{{tree}}", "-p", sides[1], "-p", sides[0], "-m", "n")
    tips = []
    for commit, text in ((one, "x = 2\ny = 1\n"), (two, "x = 1\ny = 3\n")):
        repo.git("checkout", "-q", commit)
        tips.append(repo.commit("side", {"a.py": text}))
    outcome = merged(repo, (tips[0], tips[1]))
    assert "criss-cross" in next(c.why for c in outcome.conflicts if c.path == "a.py")
