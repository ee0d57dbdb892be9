"""What a guard decides, on values."""

from __future__ import annotations

import pytest

from worktree_runner.core.guarding import Places, decide_edit, decide_paths, refusal
from worktree_runner.core.reservations import By, Holder, Reservation

OWN = Holder("r1", "03-01")
SIBLING = Holder("r1", "03-02")
OTHER_RUN = Holder("r0", "03-02")
ALICE = Holder(name="alice", by=By.HAND)
PLACES = Places(
    own="/repo/.worktrees/wt-1",
    folder="/repo/.git/wtrun/runs/r1/attempts/03-01-a1",
    common_dir="/repo/.git",
    others=("/repo", "/repo/.worktrees/wt-2"),
    temporary=("/tmp",),
)


def record(holder: Holder, pattern: str, *, exclusive: bool = True) -> Reservation:
    return Reservation(1, holder, pattern, exclusive, "moving it", 0.0, 10.0)


@pytest.mark.parametrize(
    ("holder", "strict", "refused"),
    [
        (SIBLING, False, False),
        (SIBLING, True, True),
        (OTHER_RUN, False, True),
        (ALICE, False, True),
        (Holder(run="", plan="", name=""), False, True),
    ],
)
def test_only_a_sibling_s_path_may_pass_and_only_by_default(
    holder: Holder, strict: bool, refused: bool
) -> None:
    (found,) = decide_paths(["src/a.py", "b"], [record(holder, "src/")], OWN, strict=strict)
    assert (found.path, found.refused) == ("src/a.py", refused)


def test_own_and_shared_reservations_say_nothing() -> None:
    held = [record(OWN, "src/"), record(ALICE, "src/", exclusive=False)]
    assert decide_paths(["src/a.py"], held, OWN, strict=True) == ()


def test_case_is_folded_where_the_repository_says_so() -> None:
    held = [record(ALICE, "SRC/")]
    assert decide_paths(["src/a.py"], held, OWN, strict=False) == ()
    assert decide_paths(["src/a.py"], held, OWN, strict=False, fold_case=True)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/repo/.worktrees/wt-1/src/a.py", None),
        ("/repo/.worktrees/wt-1", None),
        ("/repo/.worktrees/wt-1/.gitignore", None),
        ("/repo/.worktrees/wt-1/.github/ci.yml", None),
        ("/repo/.worktrees/wt-1/.git", "belongs to git"),
        ("/repo/.worktrees/wt-10/a", "another worktree"),
        ("/repo/.worktrees/wt-2/a", "another worktree"),
        ("/repo/src/a.py", "another worktree"),
        ("/repo/.git/config", "belongs to git"),
        ("/repo/.git/wtrun/runs/r1/attempts/03-01-a1/outbox/checkpoint.json", None),
        ("/repo/.git/wtrun/runs/r1/attempts/03-01-a1/guard/hooks/pre-push", "belongs to git"),
        ("/repo/.git/wtrun/runs/r1/journal.jsonl", "belongs to git"),
        ("/tmp/x", None),
        ("/home/user/.bashrc", "outside of the agent's own worktree"),
    ],
)
def test_where_an_attempt_may_edit(path: str, why: str | None) -> None:
    answer = decide_edit(path, PLACES)
    assert (answer is None) if why is None else (answer is not None and why in answer)


def test_a_refusal_says_who_why_until_when_and_what_to_do() -> None:
    found = decide_paths(["src/a.py"], [record(ALICE, "src/")], OWN, strict=False)
    assert refusal(found, ["until 14:20"], "commit").splitlines() == [
        "wtrun: this commit was refused:",
        "  src/a.py is reserved by alice (src/) until 14:20: moving it",
        "wtrun: leave these files as they are and do the rest of the work, or ask the holder:",
        "  wtrun mail send --to alice -s 'May I edit src/a.py?' -m '...'",
    ]
