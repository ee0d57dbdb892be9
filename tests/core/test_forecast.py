"""Which branches have to be compared, and what is news."""

from __future__ import annotations

from worktree_runner.core.forecast import Pair, Touched, begun, candidates, in_words, to_json


def changed(*paths: str, added: tuple[str, ...] = (), removed: tuple[str, ...] = ()) -> Touched:
    every = frozenset((*paths, *added, *removed))
    return Touched(every, frozenset(added), frozenset(removed))


def test_only_pairs_that_touch_the_same_path_are_compared() -> None:
    touched = {"03-01": changed("a", "b"), "03-02": changed("b"), "03-03": changed("c")}
    assert candidates(touched) == (("03-01", "03-02"),)


def test_a_file_where_another_branch_needs_a_folder_is_compared() -> None:
    touched = {"1": changed(added=("x/y",)), "2": changed(added=("x",)), "3": changed("x1")}
    assert candidates(touched) == (("1", "2"),)


def test_a_file_added_to_a_folder_that_another_branch_emptied_is_compared() -> None:
    touched = {"1": changed(removed=("x/a",), added=("y/a",)), "2": changed(added=("x/new",))}
    assert candidates(touched) == (("1", "2"),)


def test_only_paths_that_were_no_question_before_are_news() -> None:
    before = [to_json(Pair("1", "2", ("a",)))]
    now = (Pair("1", "2", ("a", "b")), Pair("2", "3", ("a",)), Pair("1", "3", (), ("c",)))
    assert begun(before, now, "main") == (Pair("1", "2", ("b",)), Pair("2", "3", ("a",)))


def test_a_known_conflict_is_no_news_when_one_of_its_plans_has_landed() -> None:
    before = [to_json(Pair("1", "2", ("a",)))]
    assert begun(before, (Pair("main", "2", ("a",)),), "main") == ()
    assert begun(before, (Pair("main", "2", ("a", "b")),), "main") == (Pair("main", "2", ("b",)),)


def test_words_name_both_plans_and_what_rules_would_settle() -> None:
    item = to_json(Pair("03-01", "03-02", ("a.py",), ("b.py",)))
    assert in_words(item) == "03-01 and 03-02 in a.py; 1 more would be settled by rule"
    item = to_json(Pair("03-01", "03-02", (), ("b.py",)))
    assert in_words(item) == "03-01 and 03-02: b.py (settled by rule)"
