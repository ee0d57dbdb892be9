from __future__ import annotations

from pathlib import Path

import pytest

from worktree_runner.dialects import detect, load
from worktree_runner.dialects.detect import named_workstream
from worktree_runner.errors import PreconditionError, UsageError


def test_workstreams_are_named_and_read_by_their_name_or_place() -> None:
    root = ".planning/workstreams/auth"
    paths = [f"{root}/STATE.md", f"{root}/phases/01-x/01-01-PLAN.md"]
    paths += [".planning/workstreams/web/STATE.md", ".planning/workstreams/README.md"]
    with pytest.raises(PreconditionError) as caught:
        detect(paths)
    hint = "workstreams are read one at a time: --dialect gsd:auth or --dialect gsd:web"
    assert caught.value.hint == hint
    assert detect(paths, override=f"gsd:{root}").root == root
    assert detect(paths, override="gsd:auth").root == root
    assert detect([*paths, "auth/ROADMAP.md"], override="gsd:auth").root == "auth"
    with pytest.raises(PreconditionError, match=r"no planning directory \.elsewhere"):
        detect(paths, override="gsd:.elsewhere/")
    with pytest.raises(PreconditionError) as caught:
        detect(paths, override="gsd:aut")
    assert caught.value.hint == hint


def test_the_tools_own_variable_names_a_workstream() -> None:
    assert named_workstream({"GSD_WORKSTREAM": "auth"}) == "gsd:auth"
    assert named_workstream({"GSD_WORKSTREAM": ""}) is None


def test_a_phases_directory_or_a_known_file_makes_a_root() -> None:
    assert detect([".planning/phases/01-a/01-01-PLAN.md"]).name == "gsd"
    assert detect([".planning/ROADMAP.md", "src/a.py"]).name == "gsd"


def test_nothing_found_says_what_was_looked_for() -> None:
    with pytest.raises(PreconditionError, match=r"\.planning \(GSD\)"):
        detect(["README.md", ".planning-notes/ROADMAP.md"])


def test_an_unknown_dialect_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        detect([".planning/STATE.md"], override="nope")
    assert "gsd" in (caught.value.hint or "")


def test_an_own_dialect_is_found_and_several_roots_are_named(tmp_path: Path) -> None:
    own = load("gsd").model_copy(update={"name": "mine", "title": "Mine", "root": ".plans"})
    both = [".planning/STATE.md", ".plans/STATE.md"]
    assert detect(both[1:], own={"mine": own}).root == ".plans"
    with pytest.raises(UsageError) as caught:
        detect(both, own={"mine": own})
    assert ".planning (GSD)" in str(caught.value) and ".plans (Mine)" in str(caught.value)
    assert detect(both, own={"mine": own}, override="mine").name == "mine"
