"""Whole runs on real repositories with a real agent process, as a user starts them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.project import AGENT, PHASE, Project, plan_text
from tests.support.repo import Repo


def two_plans() -> dict[str, str]:
    return {
        "01": plan_text("01", files=["src/a.txt"]),
        "02": plan_text("02", files=["src/b.txt"]),
    }


def fsck(repo: Repo) -> list[str]:
    return repo.git("fsck", "--strict").splitlines()


def test_independent_plans_land_by_one_merge_each_and_leave_nothing_behind(repo: Repo) -> None:
    project = Project.make(repo, two_plans())
    done = project.execute()
    assert "2 of 2 plans merged into main" in done.stderr
    assert project.merges() == [
        "Merge gsd/03-01: Part 01 of the API",
        "Merge gsd/03-02: Part 02 of the API",
    ]
    assert repo.read("src/a.txt") == b"line of 03-01\n"
    assert repo.git("status", "--porcelain") == ""
    assert repo.git("branch", "--list") == "* main"
    assert len(repo.git("worktree", "list").splitlines()) == 1
    assert repo.git("for-each-ref", "refs/wtrun") == ""
    # git is asked about two small commits of wtrun's own (git/merger.py), everywhere the same two
    left = [line.removeprefix("dangling commit ") for line in fsck(repo)]
    assert {repo.git("log", "-1", "--format=%an %s", commit) for commit in left} <= {"wtrun wtrun"}
    assert len(left) <= 2
    assert project.processes() == []


def test_merge_commits_name_plan_and_run_and_have_two_parents(repo: Repo) -> None:
    project = Project.make(repo, two_plans())
    project.execute()
    run = project.status()["run"]
    commit = project.status()["plans"][0]["commit"]
    body = repo.git("log", "-1", "--format=%(trailers:only)", commit)
    assert body.splitlines()[:2] == ["Wtrun-Plan: 03-01", f"Wtrun-Run: {run}"]
    assert len(repo.git("rev-list", "--parents", "-n", "1", commit).split()) == 3


def test_a_second_execute_says_that_nothing_is_left(repo: Repo) -> None:
    project = Project.make(repo, two_plans())
    project.execute()
    head = repo.git("rev-parse", "HEAD")
    done = project.execute()
    assert "nothing to do, 2 plans have their SUMMARY" in done.stderr
    assert repo.git("rev-parse", "HEAD") == head


def test_state_and_road_map_are_written_once_at_the_end(repo: Repo) -> None:
    project = Project.make(repo, two_plans())
    project.execute()
    assert b"Plan: 2 of 2 in current phase" in repo.read(".planning/STATE.md")
    assert b"- [x] 03-01: part\n- [x] 03-02: part\n" in repo.read(".planning/ROADMAP.md")
    touched = repo.git("log", "--format=%s", "--", ".planning/STATE.md").splitlines()
    assert touched == ["docs(phase-3): record 2 plans as executed", "plan the API"]


def test_done_phase_names_a_prompt_for_an_agent_that_verifies_it(repo: Repo) -> None:
    plans = {"01": plan_text("01", files=["a.txt"], extra="requirements: [API-1]\n")}
    done = Project.make(repo, plans).execute()
    named = done.stderr.partition("to an agent without that command:\n")[2].split("\n")[0]
    prompt = Path(named.strip()).read_text()
    assert prompt.startswith("# Verify phase 03")
    assert "Requirements of this phase: API-1" in prompt
    assert ".planning/phases/03-api/03-VERIFICATION.md" in prompt


def test_plans_of_a_wave_that_share_a_file_run_one_after_another(repo: Repo) -> None:
    steps = [
        {"replace": "shared.txt", "old": "start\n", "new": "start\nfirst\n"},
        {"commit": "feat: first"},
        {"summary": True},
    ]
    later = [
        {"replace": "shared.txt", "old": "first\n", "new": "first\nsecond\n"},
        {"commit": "feat: second"},
        {"summary": True},
    ]
    plans = {
        "01": plan_text("01", files=["shared.txt"], steps=steps),
        "02": plan_text("02", files=["shared.txt"], steps=later),
    }
    project = Project.make(repo, plans, {"shared.txt": "start\n"})
    done = project.execute()
    assert "03-01 and 03-02 share files: one after another" in done.stderr
    assert repo.read("shared.txt") == b"start\nfirst\nsecond\n"


def test_a_later_wave_starts_from_what_the_earlier_one_landed(repo: Repo) -> None:
    second = [
        {"replace": "src/a.txt", "old": "03-01", "new": "03-01 and 03-02"},
        {"commit": "feat: two"},
        {"summary": True},
    ]
    plans = {
        "01": plan_text("01", files=["src/a.txt"]),
        "02": plan_text("02", wave=2, depends_on=["03-01"], files=["x"], steps=second),
    }
    project = Project.make(repo, plans)
    project.execute()
    assert repo.read("src/a.txt") == b"line of 03-01 and 03-02\n"


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([{"write": "a", "text": "a"}, {"commit": "feat: a"}], "no 03-01-SUMMARY.md was written"),
        ([{"say": "done"}], "the agent made no commit"),
        ([{"write": "a", "text": "a"}, {"commit": "a"}, {"summary": "failed"}], "FAILED"),
        ([{"write": "a", "text": "a"}, {"commit": "a"}, {"summary": True}, {"exit": 3}], "code 3"),
    ],
)
def test_without_evidence_a_plan_has_failed_and_its_worktree_stays(
    repo: Repo, steps: list[dict[str, object]], reason: str
) -> None:
    plans = {
        "01": plan_text("01", steps=steps),
        "02": plan_text("02", wave=2, depends_on=["03-01"]),
        "03": plan_text("03", files=["c"]),
    }
    project = Project.make(repo, plans)
    done = project.execute("--on-failure", "continue", expect=1)
    assert reason in done.stderr
    assert project.statuses() == {"03-01": "failed", "03-02": "skipped", "03-03": "landed"}
    assert (repo.path / ".worktrees/wt-03-01").is_dir()
    assert repo.git("status", "--porcelain") == ""


def test_a_summary_that_was_left_uncommitted_is_rescued(repo: Repo) -> None:
    steps = [{"write": "a", "text": "a"}, {"commit": "feat: a"}, {"summary": "uncommitted"}]
    project = Project.make(repo, {"01": plan_text("01", steps=steps)})
    done = project.execute()
    assert "wtrun committed it" in done.stderr
    assert b"Did it" in repo.read(f"{PHASE}/03-01-SUMMARY.md")


def test_a_failed_plan_is_tried_again_on_a_new_branch_and_the_old_one_is_kept(repo: Repo) -> None:
    steps = [{"run": ["test", "-e", "/nowhere"]}, {"exit": 1}]
    project = Project.make(repo, {"01": plan_text("01", steps=steps)})
    project.execute(expect=1)
    project.execute(expect=1)
    assert repo.git("branch", "--list", "gsd/*").split() == ["+", "gsd/03-01", "+", "gsd/03-01-a2"]
    assert project.starts("03-01") == 2


def test_local_edits_elsewhere_survive_and_overlapping_ones_hold_the_target_back(
    repo: Repo,
) -> None:
    project = Project.make(repo, two_plans(), {"src/a.txt": "base\n", "other.txt": "other\n"})
    repo.write("other.txt", "mine\n")
    repo.write("src/a.txt", "base\nmine\n")
    done = project.execute(expect=5)
    assert "landed, not published" in done.stderr
    assert repo.read("src/a.txt") == b"base\nmine\n"
    assert repo.git("log", "-1", "--format=%s") == "plan the API"
    repo.git("checkout", "--", "src/a.txt")
    project.wtrun("publish", expect=0)
    assert repo.read("src/a.txt") == b"base\nline of 03-01\n"
    assert repo.read("other.txt") == b"mine\n"
    project.execute(expect=0)
    assert project.status()["finished"] == 0


def test_the_users_commits_meanwhile_are_merged_and_published(repo: Repo, tmp_path: Path) -> None:
    go, ready = tmp_path / "go", tmp_path / "ready"
    steps = [
        {"touch": str(ready)},
        {"wait": str(go)},
        {"write": "a", "text": "a"},
        {"commit": "feat: a"},
        {"summary": True},
    ]
    project = Project.make(repo, {"01": plan_text("01", steps=steps)})
    process = project.start("execute", "3")
    wait_for(ready)
    repo.commit("meanwhile", {"mine.txt": "mine\n"})
    go.touch()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "had moved on; merged it" in err
    assert repo.read("mine.txt") == b"mine\n"
    assert repo.read("a") == b"a"
    assert repo.git("status", "--porcelain") == ""


def wait_for(file: Path) -> None:
    """Until the agent has made the file; the test's own time limit ends it otherwise."""
    import time

    while not file.exists():
        time.sleep(0.02)


def test_planning_files_that_are_not_committed_stop_the_run_with_the_command(repo: Repo) -> None:
    project = Project.make(repo, {"01": plan_text("01", files=["a"])})
    repo.write(f"{PHASE}/03-02-PLAN.md", plan_text("02", files=["b"]))
    repo.write("unrelated.txt", "mine\n")
    repo.git("add", "unrelated.txt")
    done = project.execute(expect=5)
    assert f"git add -A -- {PHASE}/03-02-PLAN.md && git commit" in done.stderr
    assert not (repo.path / ".worktrees").exists()
    project.execute("--yes")
    assert project.statuses() == {"03-01": "landed", "03-02": "landed"}
    assert repo.git("status", "--porcelain") == "A  unrelated.txt"


def test_an_ignored_planning_directory_is_handed_in_and_the_summary_comes_back(repo: Repo) -> None:
    project = Project.make(repo, {"01": plan_text("01", files=["a"])})
    repo.git("rm", "-r", "-q", "--cached", ".planning")
    repo.commit("ignore planning", {".gitignore": ".planning/\n"})
    project.execute()
    assert b"Did it" in repo.read(f"{PHASE}/03-01-SUMMARY.md")
    assert b"Plan: 1 of 1" in repo.read(".planning/STATE.md")
    assert repo.git("ls-files", ".planning") == ""
    assert project.execute().stderr.count("nothing to do") == 1


def test_a_dry_run_changes_nothing(repo: Repo) -> None:
    plans = {**two_plans(), "03": plan_text("03", wave=2, files=["src/a.txt"], depends_on=["01"])}
    project = Project.make(repo, plans)
    before = sorted(str(path) for path in repo.path.rglob("*"))
    done = project.execute("--dry-run")
    assert sorted(str(path) for path in repo.path.rglob("*")) == before
    assert "Phase 03 API: 3 plans in 2 waves" in done.stdout
    assert "branch gsd/03-01" in done.stdout
    assert "after 03-01" in done.stdout
    assert f"command {sys.executable} {AGENT} " in done.stdout
    unknown = project.execute("--dry-run", "--agent", "nobody", expect=2)
    assert "branch gsd/03-01" in unknown.stdout
    assert "nobody" in unknown.stderr


def test_only_some_plans_run_and_a_wave_waits_for_lower_ones(repo: Repo) -> None:
    plans = {**two_plans(), "03": plan_text("03", wave=2, files=["c"])}
    project = Project.make(repo, plans)
    done = project.execute("--wave", "2", expect=2)
    assert "wave" in done.stderr
    project.execute("--only", "03-02")
    assert project.statuses() == {"03-02": "landed"}
    project.execute("--only", "03-01")
    project.execute("--wave", "2")
    assert project.statuses() == {"03-03": "landed"}


def test_files_that_others_own_keep_the_targets_side(repo: Repo) -> None:
    steps = [
        {"append": ".planning/STATE.md", "text": "the agent wrote here\n"},
        {"write": "a", "text": "a"},
        {"commit": "feat: a"},
        {"summary": True},
    ]
    project = Project.make(repo, {"01": plan_text("01", steps=steps)})
    project.execute()
    assert b"the agent wrote here" not in repo.read(".planning/STATE.md")
    assert repo.read("a") == b"a"


def test_a_second_execute_names_the_one_that_holds_the_lock(repo: Repo, tmp_path: Path) -> None:
    go, ready = tmp_path / "go", tmp_path / "ready"
    steps = [{"touch": str(ready)}, {"wait": str(go)}]
    project = Project.make(repo, {"01": plan_text("01", steps=steps)})
    process = project.start("execute", "3")
    wait_for(ready)
    second = project.execute(expect=6)
    assert f"'wtrun execute 3', process {process.pid}" in second.stderr
    assert project.status()["at_work"] is True
    go.touch()
    process.communicate(timeout=60)
