"""The goal of a phase whose plans are done: must-haves, a verifier, a person's word, and after."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from tests.scenarios.test_conflicts import at_terminal, typed
from tests.support.dialects import FULL, line, work
from tests.support.goals import REPORT, config, is_ticked, judge_does, make, report, writes
from tests.support.planning import PhaseBuilder
from tests.support.project import PHASE, Project, kill, plan_text, trust_commands
from tests.support.repo import Repo
from tests.support.words import Listening, foreign_words
from worktree_runner.dialects import load

MUST = '  artifacts:\n    - path: "{}"\n      provides: it\n'
HUMAN = 'human_verification:\n  - test: "Open the page"\n    expected: "It is green"\n'
GAPS = 'gaps:\n  - truth: "It answers"\n    reason: "nothing listens"\n'


def test_a_passed_goal_ticks_the_phase_and_its_report_lands_in_the_same_commit(repo: Repo) -> None:
    project = make(repo, writes("passed"), must=MUST.format("a.txt"))
    done = project.execute()
    assert "goal: 1 of 1 must-have found" in done.stderr
    assert "goal: passed, 1/1 must-haves verified" in done.stderr
    assert is_ticked(repo)
    assert repo.git("show", f"main:{REPORT}") == report("passed").strip()
    changed = repo.git("show", "--format=%s", "--name-only", "main").splitlines()
    assert changed[0] == "docs(phase-3): complete phase execution"
    assert {REPORT, ".planning/ROADMAP.md", ".planning/REQUIREMENTS.md"} <= set(changed)
    assert "/gsd:plan-phase 4" in done.stderr
    assert repo.git("worktree", "list").count("\n") == 0
    assert repo.git("branch", "--list", "gsd/*") == ""
    assert project.status()["goal"]["reached"] is True
    again = project.execute()
    assert "nothing to do" in again.stderr
    assert project.starts("verify") == 1


def test_gaps_end_with_one_are_listed_and_leave_the_phase_open(repo: Repo) -> None:
    project = make(repo, writes("gaps_found", GAPS))
    done = project.execute(expect=1)
    assert "It answers: nothing listens" in done.stderr
    assert "/gsd:plan-phase 03 --gaps" in done.stderr
    assert "wtrun execute 03 --gaps-only" in done.stderr
    assert not is_ticked(repo)
    assert "Gaps found" in repo.git("show", "main:.planning/STATE.md")
    assert repo.git("show", f"main:{REPORT}") == report("gaps_found", GAPS).strip()
    # nothing has changed since: the report still counts, and nobody is asked a second time
    project.execute(expect=1)
    assert project.starts("verify") == 1
    closing = plan_text("02", files=["server.txt"], extra="gap_closure: true\n")
    repo.commit("close the gap", {f"{PHASE}/03-02-PLAN.md": closing})
    judge_does(repo, writes("passed"))
    project.execute("--gaps-only")
    assert project.starts("verify") == 2
    assert is_ticked(repo)


def test_what_only_a_person_can_check_waits_and_is_asked_at_a_terminal(repo: Repo) -> None:
    project = make(repo, writes("human_needed", HUMAN))
    done = project.execute(expect=4)
    assert "Open the page (expected: It is green)" in done.stderr
    assert not is_ticked(repo)
    assert "Waiting for human verification" in repo.git("show", "main:.planning/STATE.md")
    shown, code = typed(at_terminal(project, "execute", "3"), "l")
    assert "Open the page" in shown
    assert code == 4
    shown, code = typed(at_terminal(project, "execute", "3"), "a")
    assert code == 0, shown
    assert is_ticked(repo)
    text = repo.git("show", f"main:{REPORT}")
    assert "status: human_needed" in text
    assert "\n## Approved by the user (" in text
    assert project.starts("verify") == 1


def test_a_plan_that_came_while_the_goal_waited_keeps_the_phase_open(repo: Repo) -> None:
    project = make(repo, writes("human_needed", HUMAN))
    project.execute(expect=4)
    repo.commit("one more", {f"{PHASE}/03-02-PLAN.md": plan_text("02", files=["b.txt"])})
    shown, code = typed(at_terminal(project, "execute", "3"), "a")
    assert code == 0, shown
    assert "03-02 is new on main: the phase stays open" in " ".join(shown.split())
    assert not is_ticked(repo)
    assert "## Approved by the user (" in repo.git("show", f"main:{REPORT}")
    judge_does(repo, writes("passed"))
    project.execute()
    assert (project.starts("03-02"), project.starts("verify")) == (1, 2)
    assert is_ticked(repo)


def test_issues_of_the_user_become_gaps_of_the_report(repo: Repo) -> None:
    project = make(repo, writes("human_needed", HUMAN))
    child = at_terminal(project, "execute", "3")
    child.expect(r"\[\?\](?: more)?: ")
    child.sendline("i")
    child.expect("What is wrong")
    child.sendline("The button is red")
    child.sendline("")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    assert not is_ticked(repo)
    text = repo.git("show", f"main:{REPORT}")
    assert "status: gaps_found" in text
    assert "- The button is red" in text
    assert project.execute(expect=1).stderr.count("The button is red") == 1
    assert project.starts("verify") == 1


def test_a_missing_artifact_turns_passed_into_a_question(repo: Repo) -> None:
    project = make(repo, writes("passed"), must=MUST.format("b.txt"))
    done = project.execute(expect=4)
    assert "missing: b.txt (03-01): is not there" in done.stderr
    assert "not found: b.txt (03-01): is not there" in done.stderr
    assert not is_ticked(repo)
    prompt = next((repo.path / ".git/wtrun/runs").glob("*/attempts/verify-a1/prompt.md"))
    assert "- b.txt (03-01): is not there" in prompt.read_text()


def test_gaps_that_a_passed_report_lists_are_put_to_a_person(repo: Repo) -> None:
    done = make(repo, writes("passed", GAPS)).execute(expect=4)
    assert "the report lists a gap: It answers: nothing listens" in done.stderr
    assert not is_ticked(repo)


def test_a_verifier_that_leaves_no_report_that_counts_fails_and_is_tried_again(repo: Repo) -> None:
    broken = [*writes("passed"), {"say": "out of memory"}, {"exit": 3}]
    project = make(repo, broken)
    done = project.execute(expect=1)
    assert "goal: not verified: judge ended: exit code 3" in done.stderr
    assert "wtrun logs verify" in done.stderr
    assert not is_ticked(repo)
    assert "out of memory" in project.wtrun("logs", "verify", expect=0).stdout
    judge_does(repo, [{"say": "all is well"}])
    done = project.execute(expect=1)
    assert "it wrote no 03-VERIFICATION.md" in done.stderr
    judge_does(repo, [{"write": REPORT, "text": "All good.\n"}])
    done = project.execute(expect=4)
    assert project.starts("verify") == 3
    assert project.starts("03-01") == 1
    assert not is_ticked(repo)


def test_a_report_that_leads_elsewhere_or_went_with_its_worktree_does_not_count(
    repo: Repo,
) -> None:
    secret = repo.path / ".git" / "secret"
    secret.write_text(report("passed"))
    (repo.path / ".git/judge.py").write_text(
        "import os, shutil\nhere = os.getcwd()\nos.chdir('/')\nshutil.rmtree(here)\n"
    )
    project = make(repo, [{"run": ["ln", "-s", str(secret), f"{PHASE}/03-API-VERIFICATION.md"]}])
    assert "it wrote no 03-VERIFICATION.md" in project.execute(expect=1).stderr
    judge_does(repo, [{"run": [sys.executable, str(repo.path / ".git/judge.py")]}])
    done = project.execute(expect=1)
    assert "goal: not verified: its worktree" in done.stderr
    judge_does(repo, [*writes("passed"), {"commit": "docs: verified"}])
    assert "; the verifier's own commits kept in refs/wtrun/" in project.execute().stderr
    assert is_ticked(repo)
    assert repo.git("show", f"main:{REPORT}") == report("passed").strip()


def test_of_a_verifiers_worktree_only_the_report_is_taken(repo: Repo) -> None:
    steps = [
        {"write": "mended.py", "text": "x = 1\n"},
        {"commit": "fix: mend it"},
        {"append": "a.txt", "text": "by the verifier\n"},
        *writes("passed"),
    ]
    project = make(repo, steps)
    done = project.execute()
    assert "a.txt and mended.py, changed by the verifier and not merged," in done.stderr
    assert "by the verifier" not in repo.git("show", "main:a.txt")
    assert "mended.py" not in repo.git("ls-tree", "-r", "--name-only", "main")
    refs = repo.git("for-each-ref", "--format=%(refname)", "refs/wtrun/salvage").splitlines()
    kept = {name for ref in refs for name in repo.git("ls-tree", "--name-only", ref).splitlines()}
    assert "mended.py" in kept
    assert repo.git("worktree", "list").count("\n") == 0


def test_switched_off_the_phase_is_complete_with_its_last_plan(repo: Repo) -> None:
    project = make(repo, writes("gaps_found"))
    project.execute("--skip-verification")
    assert is_ticked(repo)
    assert project.starts("verify") == 0


def test_an_agent_without_a_model_leaves_it_to_the_planning_tool_whose_report_is_read(
    repo: Repo,
) -> None:
    project = make(repo, [], must=MUST.format("b.txt"), settings="")
    text = (repo.path / ".wtrun.toml").read_text().replace('verifier = "judge"\n', "")
    repo.commit("no verifier", {".wtrun.toml": text})
    done = project.execute()
    assert "missing: b.txt (03-01): is not there" in done.stderr
    assert "/gsd:verify-work 03" in done.stderr
    assert not is_ticked(repo)
    assert "nothing to do" in project.execute().stderr
    repo.commit("verify", {"b.txt": "now\n", REPORT: report("passed")})
    project.execute()
    assert is_ticked(repo)
    assert repo.git("show", f"main:{REPORT}") == report("passed").strip()


def test_acceptance_is_asked_where_it_is_wanted(repo: Repo) -> None:
    project = make(repo, writes("passed"), settings="accept = true\n")
    done = project.execute(expect=4)
    assert "passed, waits to be accepted" in done.stderr
    assert not is_ticked(repo)
    shown, code = typed(at_terminal(project, "execute", "3"), "a")
    assert "03-01: Did it." in shown
    assert code == 0
    assert is_ticked(repo)
    assert project.starts("verify") == 1


def test_filters_and_plans_that_are_open_keep_the_goal_out(repo: Repo) -> None:
    project = make(repo, writes("passed"))
    project.execute("--only", "03-01")
    assert project.starts("verify") == 0
    assert not is_ticked(repo)
    project.execute()
    assert project.starts("verify") == 1
    assert is_ticked(repo)


def test_ignored_planning_files_get_the_report_on_disk(repo: Repo) -> None:
    project = make(repo, writes("passed"))
    repo.git("rm", "-r", "-q", "--cached", ".planning")
    repo.commit("ignore planning", {".gitignore": ".planning/\n"})
    project.execute()
    assert repo.read(REPORT).decode() == report("passed")
    assert "- [x] **Phase 3: API**" in repo.read(".planning/ROADMAP.md").decode()
    assert ".planning" not in repo.git("ls-tree", "--name-only", "main")


def test_a_dry_run_says_who_verifies(repo: Repo) -> None:
    project = make(repo, [])
    assert "Then judge verifies the phase's goal" in project.execute("--dry-run").stdout


@pytest.mark.parametrize("name", ["renn", *(["ace", "ariadna"] if FULL else [])])
def test_a_goal_is_verified_in_the_dialects_own_words_and_files(repo: Repo, name: str) -> None:
    phase = PhaseBuilder(load(name))
    phase.plan("01", objective="On top", tasks=work(line("top.txt", "1\n")), requirements=("A-1",))
    proof = f"{phase.directory}/03-{phase.dialect.files.verification[0]}.md"
    judge_does(repo, writes("human_needed", HUMAN, proof))
    repo.commit("plan", {".wtrun.toml": config(repo, "accept = true\n"), **phase.files()})
    trust_commands(repo.path)
    project = Project(repo)
    listening = Listening(project)
    assert "Then judge verifies" in listening.wtrun("execute 3 --dry-run")
    assert "Open the page" in listening.wtrun("execute 3", 4)
    listening.wtrun("status")
    shown, code = typed(at_terminal(project, "execute", "3"), "?", "a", "?", "a")
    assert code == 0, shown
    assert "does the direction look right" in shown
    listening.heard.append(shown)
    listening.wtrun("report")
    assert "## Approved by the user" in repo.git("show", f"main:{proof}")
    judge_does(repo, writes("gaps_found", GAPS, proof))
    repo.commit("open again", {f"{phase.root}/{phase.dialect.files.roadmap[0]}": phase.roadmap()})
    repo.git("rm", "-q", proof)
    repo.commit("no report", {"more.txt": "1\n"})
    listening.wtrun("execute 3", 1)
    found = listening.everything()
    wrong = {place: lines for place, text in found.items() if (lines := foreign_words(name, text))}
    assert wrong == {}


def at_work(repo: Repo) -> tuple[Project, subprocess.Popen[str], Path]:
    """A run whose verifier works until the file that comes back is there."""
    go, begun = repo.path / ".git" / "go", repo.path / ".git" / "begun"
    project = make(repo, [{"touch": str(begun)}, {"wait": str(go)}, *writes("passed")])
    first = project.start("execute", "3")
    while not begun.exists():
        assert first.poll() is None
    return project, first, go


def test_a_verifier_that_is_still_at_work_after_a_crash_is_taken_over(repo: Repo) -> None:
    project, first, go = at_work(repo)
    kill(first)
    second = project.start("execute", "3")
    while "run.resumed" not in [event["type"] for event in project.events()]:
        assert second.poll() is None
    go.touch()
    _, err = second.communicate(timeout=100)
    assert second.returncode == 0, err
    assert project.starts("verify") == 1
    assert is_ticked(repo)
    assert project.processes() == []


def test_ctrl_c_ends_the_verifier_and_the_next_call_starts_another(repo: Repo) -> None:
    project, first, go = at_work(repo)
    first.send_signal(signal.SIGINT)
    _, err = first.communicate(timeout=100)
    assert first.returncode == 130
    assert "the verifier was stopped" in err
    go.touch()
    project.execute()
    assert project.starts("verify") == 2
    assert is_ticked(repo)
    assert project.processes() == []
