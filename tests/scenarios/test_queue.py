"""What the merge queue does with conflicts: left to a person, settled by a setting, or tested."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.test_execute import wait_for
from tests.scenarios.test_gate import NO_BAD_FILES, gates, landed, nothing_left
from tests.support.project import Project, plan_text
from tests.support.repo import Repo

BASE = "one\ntwo\nthree\n"
PYTHON = "def first():\n    return 1\n\n\ndef last():\n    return 9\n"


def change(new: str, path: str = "shared.txt", old: str = "two\n") -> list[dict[str, Any]]:
    return [
        {"replace": path, "old": old, "new": new},
        {"commit": f"feat: {new.split(maxsplit=1)[0]}"},
        {"summary": True},
    ]


def conflicting(repo: Repo) -> Project:
    """Two plans that change one line each in its own way, and one beside them."""
    plans = {
        "01": plan_text("01", steps=change("left\n")),
        "02": plan_text("02", steps=change("right\n")),
        "03": plan_text("03", files=["free.txt"]),
    }
    return Project.make(repo, plans, {"shared.txt": BASE})


def adding(repo: Repo, first: str, second: str, base: str = PYTHON) -> Project:
    """Two plans that add a function each at the same place: no rule proves an order."""
    old = "def last():\n"
    plans = {
        "01": plan_text("01", steps=change(f"{first}\n\n\n{old}", "app.py", old)),
        "02": plan_text("02", steps=change(f"{second}\n\n\n{old}", "app.py", old)),
    }
    return Project.make(repo, plans, {"app.py": base})


ALPHA = "def alpha(x):\n    return x + 1"
BETA = "def beta(y):\n    return y * 2"
CHECK = "python3 -c 'import app; assert app.last() == 9; getattr(app, \"beta\", int)(2)'"


def test_plans_beside_a_conflict_land_in_one_batch_and_the_report_says_why(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute("-j", "1", "--gate", NO_BAD_FILES, expect=3)
    assert landed(project) == ["03-01", "03-03"]
    assert [run["plans"] for run in gates(project)] == [["03-01", "03-03"]]
    report = project.wtrun("report", expect=0).stdout
    assert "it lands once its conflict with 03-01 in shared.txt is decided (1 hunk)" in report
    assert "'wtrun resolve 03-02 --rerun' has an agent do it again" in report
    assert "**Checked with:** '! ls bad-* >/dev/null 2>&1' (gate.command): 1 run" in report


def test_an_answered_conflict_is_checked_before_it_lands(repo: Repo) -> None:
    project = conflicting(repo)
    gate = "! grep -q right shared.txt"
    project.execute("-j", "1", "--gate", gate, expect=3)
    refused = project.wtrun("resolve", "03-02", "--take", "plan", expect=3)
    assert "not merged: the check is red with it" in refused.stderr
    assert "the check is red with your answers; they are kept as a draft" in refused.stderr
    assert repo.read("shared.txt") == b"one\nleft\nthree\n"
    assert project.statuses()["03-02"] == "conflicted"
    nothing_left(project)


@pytest.mark.parametrize(("side", "line"), [("ours", b"left"), ("theirs", b"right")])
def test_one_side_is_taken_on_the_users_word_and_what_that_drops_is_said(
    repo: Repo, side: str, line: bytes
) -> None:
    project = conflicting(repo)
    done = project.execute("-j", "2", "--on-conflict", side)
    assert repo.read("shared.txt") == b"one\n" + line + b"\nthree\n"
    loser = "plan" if side == "ours" else "target"
    told = f"--on-conflict {side}: dropped 1 line of the {loser} in 1 hunk"
    assert told in " ".join(done.stderr.replace("|", " ").split())
    report = project.wtrun("report", expect=0).stdout
    assert f"| on-conflict-{side} | dropped 1 line of the {loser} in 1 hunk |" in report
    body = repo.git("log", "--format=%(trailers:only)", "main")
    assert f"Wtrun-Resolved: shared.txt (on-conflict-{side})" in body


def test_a_plan_in_conflict_is_left_out_where_the_user_said_skip(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute("-j", "2", "--on-conflict", "skip", expect=1)
    assert project.statuses()["03-02"] == "skipped"
    assert (repo.path / ".worktrees/wt-03-02").is_dir()


def test_stop_starts_no_further_plan_after_a_conflict(repo: Repo) -> None:
    plans = {
        "01": plan_text("01", steps=change("left\n")),
        "02": plan_text("02", steps=change("right\n")),
        "03": plan_text("03", wave=2, depends_on=["03-01"], files=["free.txt"]),
    }
    project = Project.make(repo, plans, {"shared.txt": BASE})
    done = project.execute("-j", "2", "--on-conflict", "stop", expect=3)
    assert "no further plan is started: 03-02 is in conflict" in done.stderr
    assert project.statuses()["03-03"] == "waiting"


def test_a_plan_in_conflict_is_run_again_once_on_what_has_landed(repo: Repo) -> None:
    again = {
        "first": change("right\n"),
        "again": change("left and right\n", old="left\n"),
    }
    plans = {
        "01": plan_text("01", steps=change("left\n")),
        "02": plan_text("02", steps=again),
    }
    project = Project.make(repo, plans, {"shared.txt": BASE})
    project.execute("-j", "2", "--on-conflict", "rerun")
    assert repo.read("shared.txt") == b"one\nleft and right\nthree\n"
    assert project.starts("03-02") == 2
    runs = repo.path / ".git/wtrun/runs"
    prompt = next(runs.glob("*/attempts/03-02-a2/prompt.md")).read_text()
    assert "-two\n+right\n" in prompt
    assert "shared.txt" in prompt
    assert repo.git("branch", "--list", "gsd/03-02").strip() == "+ gsd/03-02"


def test_a_likely_resolution_is_taken_where_the_gate_is_green_with_it(repo: Repo) -> None:
    project = adding(repo, ALPHA, BETA)
    done = project.execute("-j", "2", "--resolve", "tested", "--gate", CHECK)
    assert landed(project) == ["03-01", "03-02"]
    text = repo.read("app.py").decode()
    assert ALPHA in text and BETA in text
    assert "by rule 'both-inserted', tested" in done.stderr
    report = project.wtrun("report", expect=0).stdout
    assert "| tested |" in report
    assert "whether the check looks at these lines is not known" in report
    assert "app.py (both-inserted, tested)" in repo.git("log", "--format=%B", "main")


def test_a_likely_resolution_is_undone_where_the_gate_is_not_green(repo: Repo) -> None:
    beta = BETA.replace("y * 2", "y / 0 if 'alpha' in globals() else 1")
    project = adding(repo, ALPHA, beta)
    done = project.execute("-j", "2", "--resolve", "tested", "--gate", CHECK, expect=3)
    assert landed(project) == ["03-01"]
    assert "its likely resolution was undone" in done.stderr
    assert b"beta" not in repo.read("app.py")
    assert project.statuses()["03-02"] == "conflicted"
    nothing_left(project)


@pytest.mark.parametrize(("right", "code"), [("2, 4, 8", 0), ("2, 4", 3)])
def test_both_orders_of_two_insertions_are_tried_and_the_gate_decides(
    repo: Repo, right: str, code: int
) -> None:
    project = adding(repo, "x = x * 2", "x = x + 3", base="x = 1\n\n\n" + PYTHON)
    gate = f"python3 -c 'import app; assert app.x in ({right})'"
    done = project.execute("-j", "2", "--resolve", "tested", "--gate", gate, expect=code)
    runs = [run["verdict"] for run in gates(project, "batch") if run["plans"] == ["03-02"]]
    assert runs == ["red", "green" if code == 0 else "red"]
    told = " ".join(done.stderr.replace("|", " ").split())
    if code == 0:
        assert b"x = x + 3\n\n\nx = x * 2\n" in repo.read("app.py")
        assert "tested: both sides inserted something here" in told
        assert "the other order was not green" in told
    else:
        assert b"x + 3" not in repo.read("app.py")
        assert "not green with it, in both orders" in told
    nothing_left(project)


def test_without_a_gate_likely_resolutions_are_not_tried_and_that_is_said_once(repo: Repo) -> None:
    project = adding(repo, ALPHA, BETA)
    done = project.execute("-j", "2", "--resolve", "tested", "--no-gate", expect=3)
    assert landed(project) == ["03-01"]
    assert done.stderr.count("--resolve tested is not used") == 1


def test_the_order_of_fewest_conflicts_lands_more_plans(repo: Repo) -> None:
    """The first plan conflicts with both others, which get along."""
    plans = {
        "01": plan_text(
            "01",
            steps=[
                {"write": "a.txt", "text": "all\n"},
                {"write": "b.txt", "text": "all\n"},
                {"commit": "feat: all"},
                {"summary": True},
            ],
        ),
        "02": plan_text("02", steps=change("A\n", "a.txt", "a\n")),
        "03": plan_text("03", steps=change("B\n", "b.txt", "b\n")),
    }
    project = Project.make(repo, plans, {"a.txt": "a\n", "b.txt": "b\n"})
    project.execute("-j", "3", "--merge-order", "fewest-conflicts", expect=3)
    assert landed(project) == ["03-02", "03-03"]
    assert project.statuses()["03-01"] == "conflicted"


def test_merge_hooks_run_and_can_refuse_where_git_makes_the_merge(repo: Repo) -> None:
    plans = {"01": plan_text("01", files=["good"]), "02": plan_text("02", files=["secret"])}
    project = Project.make(repo, plans)
    hook = repo.path / ".git/hooks/pre-merge-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho ran >> {repo.path}/.git/ran\n! test -e secret\n")
    hook.chmod(0o755)
    done = project.execute("-j", "2", "--checkout-merge", expect=1)
    assert project.statuses() == {"03-01": "landed", "03-02": "rejected"}, done.stderr
    assert "'git merge' with its hooks ended with 1" in done.stderr
    assert (repo.path / ".git/ran").read_text() == "ran\nran\n"
    assert not (repo.path / "secret").exists()
    assert len(project.merges()) == 1
    nothing_left(project)


def test_a_merge_by_git_follows_the_rules_that_one_in_memory_does(repo: Repo) -> None:
    old = "a = 1\nb = 2\n"
    plans = {
        "01": plan_text("01", steps=change("a = 10\n", "app.py", "a = 1\n")),
        "02": plan_text("02", steps=change("b = 20\n", "app.py", "b = 2\n")),
    }
    project = Project.make(repo, plans, {"app.py": old})
    hook = repo.path / ".git/hooks/commit-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'Seen-By: hook' >> \"$1\"\n")
    hook.chmod(0o755)
    done = project.execute("-j", "2", "--checkout-merge", "--gate", NO_BAD_FILES)
    assert repo.read("app.py") == b"a = 10\nb = 20\n"
    assert "by rule 'adjacent'" in done.stderr
    assert len(repo.git("rev-list", "--parents", "-n", "1", "main~1").split()) == 3
    assert "Seen-By: hook" in repo.git("log", "-1", "--format=%B", "main~1")
    nothing_left(project)


def test_agents_go_on_while_a_hook_takes_its_time(repo: Repo, tmp_path: Path) -> None:
    """The hook of the first plan's merge waits for the end of the second plan's agent."""
    seen = tmp_path / "seen"
    wait = [{"append": "b.txt", "text": "b\n"}, {"commit": "feat: b"}, {"summary": True}]
    plans = {
        "01": plan_text("01", files=["a.txt"]),
        "02": plan_text("02", wave=2, depends_on=["03-01"], files=["c.txt"]),
        "03": plan_text("03", steps=[{"wait": str(seen)}, *wait], files=["b.txt"]),
    }
    project = Project.make(repo, plans)
    journal = f"{repo.path}/.git/wtrun/runs/*/journal.jsonl"
    hook = repo.path / ".git/hooks/pre-merge-commit"
    hook.parent.mkdir(exist_ok=True)
    # the loop has to see the end of 03-03, which begins its end when the hook runs
    hook.write_text(
        f"#!/bin/sh\ntouch {seen}\nn=0\n"
        f"while ! grep -q 'attempt.ended.*03-03\\|03-03.*attempt.ended' {journal}; do\n"
        "  n=$((n + 1)); test $n -lt 600 || exit 1; sleep 0.1\ndone\n"
    )
    hook.chmod(0o755)
    project.execute("-j", "2", "--checkout-merge")
    assert sorted(landed(project)) == ["03-01", "03-02", "03-03"]


def test_ctrl_c_ends_a_hook_and_the_merge_is_made_again(repo: Repo, tmp_path: Path) -> None:
    there, first = tmp_path / "there", tmp_path / "first"
    project = Project.make(repo, {"01": plan_text("01", files=["a.txt"])})
    hook = repo.path / ".git/hooks/pre-merge-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntest -e {first} && exit 0\ntouch {first} {there}\nsleep 600\n")
    hook.chmod(0o755)
    run = project.start("execute", "3", "--checkout-merge")
    wait_for(there)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=100)
    assert run.returncode == 130, err
    assert project.statuses() == {"03-01": "queued"}
    assert project.processes() == []
    git_dir = next((repo.path / ".git/worktrees").glob("wt-03-gate*"))
    (git_dir / "index.lock").touch()  # as a git that was killed outright leaves it
    project.execute("--checkout-merge")
    assert landed(project) == ["03-01"]
    nothing_left(project)
