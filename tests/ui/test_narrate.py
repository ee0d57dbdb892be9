"""Sentences of a run that are put together from what the plans say."""

from __future__ import annotations

from worktree_runner.ui.narrate import what_it_builds


def test_a_title_cut_out_of_the_objective_gives_way_to_it() -> None:
    told = what_it_builds(
        "Create shared types for encrypted…",
        "Create shared types for encrypted\npayloads and **keys**.\n\nPurpose: One contract\n",
    )
    assert told == "Create shared types for encrypted payloads and keys. One contract."


def test_a_title_of_its_own_comes_first() -> None:
    assert what_it_builds("Keys", "Make them.\nOutput: a module") == "Keys. Make them. A module."


def test_lines_of_a_paragraph_are_one_sentence_and_list_items_are_their_own() -> None:
    told = what_it_builds("Limits", "When the quota\nis used up:\n- buying stops\n- selling too")
    assert told == "Limits. When the quota is used up: Buying stops. Selling too."


def test_a_plan_without_an_objective_has_its_title() -> None:
    assert what_it_builds("Keys", "\n") == "Keys"
