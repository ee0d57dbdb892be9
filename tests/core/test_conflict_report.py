"""The written conflict: the same facts for people, programs and tools."""

from __future__ import annotations

import json
from dataclasses import replace

from tests.support.conflicts import check_golden, facts, guard_file, picture, removed_file
from tests.support.repo import Repo
from worktree_runner.core.conflict_report import bundle, render_report, to_json
from worktree_runner.core.conflicts import FileContents, PlanFacts, dropped, summary_line

ALL = (guard_file(), removed_file(), picture())


def test_the_report_as_a_person_reads_it() -> None:
    check_golden("conflict.md", render_report(facts(), ALL))


def test_the_report_as_a_program_reads_it() -> None:
    check_golden("conflict.json", json.dumps(to_json(facts(), ALL), indent=2) + "\n")


def test_a_file_full_of_code_fences_does_not_end_the_block_it_is_shown_in() -> None:
    hunk = replace(guard_file().hunks[0], ours=(b"````sh\n", b"rm -rf /\n", b"````\n"))
    text = render_report(facts(), [replace(guard_file(), hunks=(hunk,))])
    fences = [line for line in text.splitlines() if line.startswith("`````")]
    assert fences == ["`````", "`````"]


def test_nothing_in_a_report_can_steer_a_terminal() -> None:
    hostile = "x\x1b]0;owned\x07\u202e"
    hunk = replace(guard_file().hunks[0], theirs=(hostile.encode() + b"\n",))
    one = replace(guard_file(), path=f"src/{hostile}.ts", why=hostile, hunks=(hunk,))
    text = render_report(facts(plan=PlanFacts("03-02", hostile, hostile)), [one])
    assert not set(text) & {"\x1b", "\x07", "\u202e"}


def test_lines_that_are_not_utf8_keep_their_bytes_in_json() -> None:
    hunk = replace(guard_file().hunks[0], ours=(b"caf\xe9\n",))
    document = to_json(facts(), [replace(guard_file(), hunks=(hunk,))])
    assert document["files"][0]["hunks"][0]["ours"] == {"base64": ["Y2Fm6Qo="]}
    json.dumps(document)


def test_the_bundle_holds_every_version_under_flat_names() -> None:
    files = bundle(facts(), ALL)
    assert sorted(files) == [
        "01-middleware.base.ts",
        "01-middleware.marked.ts",
        "01-middleware.ours.ts",
        "01-middleware.theirs.ts",
        "02-legacy.base.ts",
        "02-legacy.theirs.ts",
        "03-flow.base.png",
        "03-flow.ours.png",
        "03-flow.theirs.png",
        "conflict.json",
        "conflict.md",
        "plan.patch",
        "target.patch",
    ]
    assert files["03-flow.ours.png"] == b"\0bb"
    saved = {name for one in json.loads(files["conflict.json"])["files"] for name in one["saved"]}
    assert saved == {name for name in files if name[0] == "0"}


def test_a_path_from_a_repository_never_leaves_the_bundle() -> None:
    one = replace(guard_file(), path="../../etc/.ssh/..\\x y\n.t/s")
    names = bundle(facts(contents={one.path: FileContents(b"a\n", b"b\n", b"c\n")}), [one])
    assert all(set(name) <= set("0123456789-._abcdefghijklmnopqrstuvwxyz") for name in names)


def test_git_applies_the_patches_of_the_bundle(repo: Repo) -> None:
    content = facts().contents
    for path, one in content.items():
        if one.base is not None:
            repo.write(path, one.base)
    repo.write("plan.patch", bundle(facts(), ALL)["plan.patch"])
    repo.git("apply", "plan.patch")
    for path in ("src/auth/middleware.ts", "src/auth/legacy.ts"):
        assert (repo.path / path).read_bytes() == content[path].theirs


def test_what_a_whole_file_choice_drops_is_counted_in_lines() -> None:
    path = "src/auth/middleware.ts"
    assert str(dropped(facts(), path, target=False)) == "3 added and 1 removed lines"
    assert str(dropped(facts(), "src/auth/legacy.ts", target=False)) == "1 added line"
    assert str(dropped(facts(), "src/auth/legacy.ts", target=True)) == "1 removed line"
    assert dropped(facts(), "docs/flow.png", target=True) is None


def test_one_line_for_the_narration_names_the_other_plan() -> None:
    assert summary_line(facts(), ALL[:2]) == (
        "conflict with 03-01 in src/auth/middleware.ts and src/auth/legacy.ts"
        " (2 files, 2 hunks, 1 with a proposal)"
    )
