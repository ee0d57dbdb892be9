"""Conflicts that no rule settles: reported, answered from the shell, continued by hand."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.support.project import ROOT, Project, plan_text
from tests.support.repo import Repo

BASE = "one\ntwo\nthree\n"


def rewrite(text: str) -> list[dict[str, Any]]:
    return [
        {"replace": "shared.txt", "old": "two\n", "new": text},
        {"commit": "feat: change two"},
        {"summary": True},
    ]


def conflicting(repo: Repo) -> Project:
    """Two plans that change the same line without declaring the file."""
    plans = {
        "01": plan_text("01", steps=rewrite("first\n")),
        "02": plan_text("02", steps=rewrite("second\n")),
        "03": plan_text("03", files=["free.txt"]),
        "04": plan_text("04", wave=2, depends_on=["03-02"], files=["d.txt"]),
    }
    return Project.make(repo, plans, {"shared.txt": BASE})


def test_a_real_conflict_waits_and_holds_back_only_what_depends_on_it(repo: Repo) -> None:
    project = conflicting(repo)
    done = project.execute(expect=3)
    assert "wtrun resolve 03-02" in done.stderr
    assert project.statuses() == {
        "03-01": "landed",
        "03-02": "conflicted",
        "03-03": "landed",
        "03-04": "waiting",
    }
    assert repo.read("shared.txt") == b"one\nfirst\nthree\n"


def test_the_report_has_both_sides_their_base_and_both_objectives(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    report = next((repo.path / ".git/wtrun/runs").glob("*/conflicts/03-02.md")).read_text()
    assert "Part 02 of the API" in report
    assert "Part 01 of the API" in report
    assert "first\n||||||| base\ntwo\n=======\nsecond\n" in report
    document = next((repo.path / ".git/wtrun/runs").glob("*/conflicts/03-02.json")).read_text()
    assert json.loads(document)


def test_the_report_of_the_run_says_what_landed_and_what_waits(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    report = project.wtrun("report", expect=0).stdout
    assert "## Phase 03: API: Execution Incomplete" in report
    assert "**Plans completed:** 2 of 4" in report
    assert "- **03-02** Part 02 of the API (conflict)" in report
    assert "  - in conflict: `shared.txt`" in report
    assert "wtrun resolve 03-02" in report
    document = json.loads(project.wtrun("report", "--format", "json", expect=0).stdout)
    assert document["counts"]["merged"] == 2
    assert document["exit_code"] == 3
    project.wtrun("resolve", "03-02", "--take", "plan", expect=0)
    project.execute(expect=0)
    report = project.wtrun("report", "3", expect=0).stdout
    assert "Execution Complete" in report and "### Next" not in report
    junit = project.wtrun("report", "--format", "junit", expect=0).stdout
    assert 'tests="4" failures="0" errors="0" skipped="0"' in junit


def test_taking_the_plans_side_lands_it_and_the_run_goes_on(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    project.wtrun("resolve", "03-02", "--take", "plan", "--path", "shared.txt", expect=0)
    assert repo.read("shared.txt") == b"one\nsecond\nthree\n"
    project.execute(expect=0)
    assert set(project.statuses().values()) == {"landed"}
    assert project.starts("03-02") == 1


def test_both_sides_can_be_taken_in_either_order(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    project.wtrun("resolve", "03-02", "--take", "both-reversed", expect=0)
    assert repo.read("shared.txt") == b"one\nsecond\nfirst\nthree\n"


def test_each_hunk_can_be_answered_from_the_shell_and_what_was_answered_is_listed(
    repo: Repo,
) -> None:
    def changing(word: str) -> list[dict[str, Any]]:
        names = [{"replace": "m.py", "old": f"{n} = 0\n", "new": f"{n} = {word}\n"} for n in "ab"]
        return [*names, *rewrite("")[1:]]

    plans = {"01": plan_text("01", steps=changing("1")), "02": plan_text("02", steps=changing("2"))}
    project = Project.make(repo, plans, {"m.py": "a = 0\n" + "x = 1\n" * 9 + "b = 0\n"})
    project.execute(expect=3)
    take = ("resolve", "03-02", "--path", "m.py", "--take")
    done = project.wtrun(*take, "plan", "--hunk", "2", expect=3)
    assert "answered: m.py, hunk 2: 03-02's lines" in done.stderr
    assert "to go on with what is open:\n  wtrun resolve 03-02\n" in done.stderr
    listed = project.wtrun("resolve", "03-02", "--list", expect=0).stdout
    assert "answered: m.py, hunk 2: 03-02's lines" in listed
    document = json.loads(project.wtrun("resolve", "03-02", "--list", "--json").stdout)
    assert document["answered"] == [{"path": "m.py", "hunk": 2, "take": "plan"}]
    shown, code = typed(at_terminal(project, "resolve", "03-02"), "k", "u", "k", "m", "n")
    assert "1 answer from before still fits" in shown
    assert code == 3
    done = project.wtrun(*take, "both-reversed", "--hunk", "1", expect=0)
    assert "warning: m.py" not in done.stderr
    told = "decided by you: hunk 1: both sides, the branch's first; hunk 2: the branch's side"
    assert told in done.stderr
    assert repo.read("m.py") == b"a = 2\na = 1\n" + b"x = 1\n" * 9 + b"b = 2\n"


def test_several_files_are_named_in_one_command_and_an_unknown_one_changes_nothing(
    repo: Repo,
) -> None:
    def changing(word: str) -> list[dict[str, Any]]:
        files = [{"write": f"{n}.py", "text": f"def f():\n    {word}\n"} for n in "abc"]
        return [*files, *rewrite("")[1:]]

    plans = {n: plan_text(n, steps=changing(word)) for n, word in (("01", "one"), ("02", "two"))}
    project = Project.make(repo, plans, {f"{n}.py": "def f():\n    pass\n" for n in "abc"})
    project.execute(expect=3)
    before = len(project.events())
    wrong = ("resolve", "03-02", "--take", "plan", "--path", "a.py", "--path", "nope.py")
    assert "nope.py is not in conflict" in project.wtrun(*wrong, expect=2).stderr
    alone = project.wtrun("resolve", "03-02", "--path", "a.py", expect=2)
    assert "--path needs --take or --tool" in alone.stderr
    assert len(project.events()) == before
    project.wtrun(*wrong[:-1], "b.py", expect=3)
    assert "c.py" in project.wtrun("resolve", "03-02", "--list", expect=0).stdout
    repo.git("config", "merge.tool", "mine")
    repo.git("config", "mergetool.mine.cmd", 'cat "$LOCAL" "$REMOTE" > "$MERGED"')
    repo.git("config", "mergetool.mine.trustExitCode", "true")
    done = project.wtrun("resolve", "03-02", "--tool", expect=0)
    assert "c.py defines f twice with these answers" in done.stderr
    assert repo.read("a.py") == repo.read("b.py") == b"def f():\n    two\n"


def test_a_merge_tool_that_gives_one_file_up_keeps_the_answers_to_the_others(repo: Repo) -> None:
    def changing(word: str) -> list[dict[str, Any]]:
        files = [{"write": f"{n}.txt", "text": f"{word}\n"} for n in "ab"]
        return [*files, *rewrite("")[1:]]

    plans = {n: plan_text(n, steps=changing(n)) for n in ("01", "02")}
    project = Project.make(repo, plans, {f"{n}.txt": "base\n" for n in "ab"})
    project.execute(expect=3)
    repo.git("config", "merge.tool", "mine")
    repo.git("config", "mergetool.mine.trustExitCode", "true")
    tool = 'echo mine > "$MERGED"; case $MERGED in *b.txt) exit 1;; esac'
    repo.git("config", "mergetool.mine.cmd", tool)
    done = project.wtrun("resolve", "03-02", "--tool", expect=3)
    assert "b.txt stays open: the merge tool 'mine' ended with 1" in done.stderr
    assert "03-02: 1 file" in project.wtrun("resolve", "03-02", "--list", expect=0).stdout
    project.wtrun("resolve", "03-02", "--take", "plan", expect=0)
    assert (repo.read("a.txt"), repo.read("b.txt")) == (b"mine\n", b"02\n")


def test_listing_changes_nothing(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    before = len(project.events())
    listed = project.wtrun("resolve", "03-02", "--list", expect=0)
    assert "shared.txt: content" in listed.stdout
    assert len(project.events()) == before


def test_an_edit_in_the_plans_worktree_is_continued(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    early = project.wtrun("resolve", "03-02", "--continue", expect=5)
    assert "Nothing was changed" in early.stderr
    place = repo.path / ".worktrees/wt-03-02"
    repo.git("merge", "main", cwd=place, check=False)
    marked = project.wtrun("resolve", "03-02", "--continue", expect=5)
    assert "shared.txt" in marked.stderr
    (place / "shared.txt").write_text("one\nby hand\nthree\n")
    repo.git("add", "shared.txt", cwd=place)
    project.wtrun("resolve", "03-02", "--continue", expect=0)
    assert repo.read("shared.txt") == b"one\nby hand\nthree\n"
    project.execute(expect=0)
    assert not place.exists()


def test_an_aborted_conflict_leaves_the_plan_out_and_its_work_where_it_is(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    project.wtrun("resolve", "03-02", "--abort", expect=0)
    assert (repo.path / ".worktrees/wt-03-02").is_dir()
    assert project.statuses()["03-02"] == "skipped"


def _ends_on_hangup() -> None:
    """Who started the tests may ignore it (nohup), and a child would with them."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def at_terminal(project: Project, *args: str) -> pexpect.spawn[str]:
    return pexpect.spawn(
        sys.executable,
        ["-m", "worktree_runner", *args],
        cwd=project.path,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)},
        dimensions=(40, 80),
        encoding="utf-8",
        timeout=60,
        preexec_fn=_ends_on_hangup,
    )


def typed(child: pexpect.spawn[str], *keys: str) -> tuple[str, int]:
    """Answers each prompt with one line; what was shown, and the exit code."""
    shown = []
    for key in keys:
        child.expect(r"\[\?\](?: more)?: ")
        shown.append(str(child.before))
        child.sendline(key)
    child.expect(pexpect.EOF)
    shown.append(str(child.before))
    child.close()
    return "".join(shown), child.exitstatus or 0


def test_a_failure_is_asked_with_what_the_agent_did_not_with_its_raw_events(repo: Repo) -> None:
    said = {"kind": "text", "text": "The tests are red."}
    steps = [{"say": json.dumps(said)}, {"exit": 9}]
    project = Project.make(repo, {"01": plan_text("01", steps=steps)})
    config = (repo.path / ".wtrun.toml").read_text()
    repo.commit("events", {".wtrun.toml": config + 'events = "jsonl"\n'})
    shown, code = typed(at_terminal(project, "execute", "3"), "y", "l", "s")
    assert shown.count("The tests are red.") >= 2  # below the reason, and in the pager
    assert '"kind"' not in shown
    assert code == 1


@pytest.mark.parametrize("keys", [("p", "n"), ("s",), ("p", "u", "a")])
def test_answers_that_were_not_confirmed_merge_nothing(repo: Repo, keys: tuple[str, ...]) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    before = repo.git("rev-parse", "main")
    _, code = typed(at_terminal(project, "resolve", "03-02"), *keys)
    assert code == 3
    project.execute(expect=3)
    assert repo.git("rev-parse", "main") == before
    assert project.statuses()["03-02"] == "conflicted"


def test_what_answers_break_is_said_before_they_are_committed(repo: Repo) -> None:
    def defining(text: str) -> list[dict[str, Any]]:
        new = f"def g(a={text!r}):\n    return a + {text!r}\n"
        return [{"replace": "m.py", "old": "A = 1\n", "new": new}, *rewrite("")[1:]]

    plans = {n: plan_text(n, steps=defining(n)) for n in ("01", "02")}
    project = Project.make(repo, plans, {"m.py": "import os\n\nA = 1\n"})
    project.execute(expect=3)
    shown, code = typed(at_terminal(project, "resolve", "03-02"), "b", "n")
    assert "m.py defines g twice with these answers" in shown
    assert code == 3


def test_answers_that_were_not_confirmed_are_shown_again(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    typed(at_terminal(project, "resolve", "03-02"), "p", "n")
    shown, code = typed(at_terminal(project, "resolve", "03-02"), "k", "y")
    assert "1 answer from before still fit" in shown
    assert code == 0
    assert repo.read("shared.txt") == b"one\nsecond\nthree\n"


def test_ctrl_c_at_the_last_question_of_a_run_keeps_the_answers_and_merges_nothing(
    repo: Repo,
) -> None:
    project = conflicting(repo)
    child = at_terminal(project, "execute", "3")
    child.expect_exact("[?] more: ")
    child.sendline("p")
    child.expect_exact("Commit this resolution?")
    child.expect_exact("[?]: ")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert repo.read("shared.txt") == b"one\nfirst\nthree\n"
    shown, code = typed(at_terminal(project, "execute", "3"), "k", "y")
    assert "1 answer from before still fit" in shown
    assert code == 0
    assert repo.read("shared.txt") == b"one\nsecond\nthree\n"


def test_answers_outlive_a_terminal_that_is_closed_and_a_process_that_is_killed(
    repo: Repo,
) -> None:
    def changing(word: str) -> list[dict[str, Any]]:
        files = [{"write": f"{n}.txt", "text": f"{word}\n"} for n in "ab"]
        return [*files, *rewrite("")[1:]]

    plans = {n: plan_text(n, steps=changing(n)) for n in ("01", "02")}
    project = Project.make(repo, plans, {f"{n}.txt": "base\n" for n in "ab"})
    project.execute(expect=3)
    for end in (signal.SIGHUP, signal.SIGKILL):
        child = at_terminal(project, "resolve", "03-02")
        if end is signal.SIGKILL:
            child.expect_exact("1 answer from before still fits.")
            child.expect_exact("[?]: ")
            child.sendline("k")
        child.expect_exact("[?] more: ")
        child.sendline("p" if end is signal.SIGHUP else "m")
        child.expect_exact("[u]ndo")
        child.kill(end)
        child.expect(pexpect.EOF)
        child.close()
    shown, code = typed(at_terminal(project, "resolve", "03-02"), "k", "y")
    assert "2 answers from before still fit." in shown
    assert code == 0
    assert (repo.read("a.txt"), repo.read("b.txt")) == (b"02\n", b"01\n")
    assert not list((repo.path / ".git/wtrun/runs").glob("*/conflicts/*/answers.json"))


def test_a_run_at_a_terminal_asks_and_merges_what_was_decided(repo: Repo) -> None:
    project = conflicting(repo)
    shown, code = typed(at_terminal(project, "execute", "3"), "b", "y")
    assert "wave 1/2 · " in shown
    assert "main: plan 03-01" in shown
    assert code == 0
    assert repo.read("shared.txt") == b"one\nfirst\nsecond\nthree\n"
    assert set(project.statuses().values()) == {"landed"}


def later_plans(repo: Repo, go: Path, first: list[dict[str, Any]]) -> Project:
    """A question about 03-02 while 03-03 runs; a second wave hangs on each of the two."""
    late = [{"wait": str(go)}, {"write": "c.txt", "text": "c"}, {"commit": "c"}, {"summary": True}]
    plans = {
        "01": plan_text("01", steps=rewrite("first\n")),
        "02": plan_text("02", steps=first),
        "03": plan_text("03", files=["c.txt"], steps=late),
        "04": plan_text("04", wave=2, depends_on=["03-02"], files=["d.txt"]),
        "05": plan_text("05", wave=2, depends_on=["03-03"], files=["e.txt"]),
    }
    return Project.make(repo, plans, {"shared.txt": BASE})


@pytest.mark.parametrize("key", ["s", "a"])
def test_a_conflict_left_for_later_holds_back_only_what_depends_on_it(
    repo: Repo, tmp_path: Path, key: str
) -> None:
    project = later_plans(repo, tmp_path / "go", rewrite("second\n"))
    child = at_terminal(project, "execute", "3")
    child.expect_exact("[?] more: ")
    child.sendline(key)
    child.expect_exact("its conflict is left for later; the others go on")
    (tmp_path / "go").touch()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 3
    assert project.statuses() == {
        "03-01": "landed",
        "03-02": "conflicted",
        "03-03": "landed",
        "03-04": "waiting",
        "03-05": "landed",
    }
    shown, code = typed(at_terminal(project, "execute", "3"), "p", "y")
    assert code == 0, shown
    assert set(project.statuses().values()) == {"landed"}


def test_a_checkpoint_answered_with_later_holds_back_only_what_depends_on_it(
    repo: Repo, tmp_path: Path
) -> None:
    stop = {"type": "human-verify", "awaiting": "your word", "details": "look at it"}
    project = later_plans(repo, tmp_path / "go", [{"checkpoint": stop}])
    child = at_terminal(project, "execute", "3")
    child.expect_exact("[?]: ")
    child.sendline("l")
    child.expect_exact("its question is left for later; the others go on")
    (tmp_path / "go").touch()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 4
    assert project.statuses() == {
        "03-01": "landed",
        "03-02": "asking",
        "03-03": "landed",
        "03-04": "waiting",
        "03-05": "landed",
    }


def test_what_a_person_decided_is_never_called_a_rule(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    done = project.wtrun("resolve", "03-02", "--take", "plan", expect=0)
    assert "shared.txt: decided by you: the branch's side" in done.stderr
    done = project.execute(expect=0)
    assert "1 file decided by you" in done.stderr
    assert "1 file decided by you" in project.wtrun("status", expect=0).stdout
    report = project.wtrun("report", expect=0).stdout
    assert "| `shared.txt` | 03-02 | manual | decided by you | the branch's side |" in report
    trailers = repo.git("log", "--format=%(trailers:only)", "--grep=Wtrun-Plan: 03-02")
    assert "Wtrun-Resolved: shared.txt (by hand)" in trailers
    assert "by rule" not in done.stderr + report and "person" not in report + trailers


def test_whoever_removed_a_file_that_the_plan_renamed_is_named(repo: Repo) -> None:
    text = "".join(f"line {n}\n" for n in range(9))
    gone = [{"delete": "old.txt"}, *rewrite("")[1:]]
    moved = [{"delete": "old.txt"}, {"write": "new.txt", "text": text}, *rewrite("")[1:]]
    plans = {
        "01": plan_text("01", steps=gone, files=["old.txt"]),
        "02": plan_text("02", steps=moved).replace("Part 02", "Moves old.txt. Part 02"),
    }
    project = Project.make(repo, plans, {"old.txt": text})
    project.execute(expect=3)
    (file,) = json.loads(project.wtrun("resolve", "03-02", "--list", "--json").stdout)["files"]
    assert (file["path"], file["kind"], file["made_by"]) == ("new.txt", "rename/delete", ["03-01"])
    assert [one["plan"] for one in file["commits"]["theirs"]] == ["03-02"]
    assert "CONFLICT" not in file["why"]


def test_a_file_renamed_and_changed_by_two_plans_is_edited_with_both_texts(
    repo: Repo, tmp_path: Path
) -> None:
    text = "".join(f"line {n}\n" for n in range(9))

    def moving(name: str) -> list[dict[str, Any]]:
        changed = text.replace("line 4\n", f"{name} 4\n")
        return [{"delete": "old.txt"}, {"write": name, "text": changed}, *rewrite("")[1:]]

    plans = {
        n: plan_text(n, steps=moving(name)).replace("Part", "Moves old.txt. Part")
        for n, name in (("01", "left.txt"), ("02", "right.txt"))
    }
    project = Project.make(repo, plans, {"old.txt": text})
    project.execute(expect=3)
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\ncp "$1" "$1.seen"\nsed -i \'/^[<|=>][<|=>]/d\' "$1"\n')
    editor.chmod(0o755)
    repo.git("config", "core.editor", str(editor))
    shown, code = typed(at_terminal(project, "resolve", "03-02"), "E", "r", "y")
    assert code == 0, shown
    both = "line 3\nleft.txt 4\nline 4\nright.txt 4\nline 5\n"
    assert both in repo.read("left.txt").decode()
    assert not (repo.path / "right.txt").exists() and not (repo.path / "old.txt").exists()
    (seen,) = (repo.path / ".git/wtrun/runs").glob("*/conflicts/03-02/texts/left.txt.seen")
    assert "<<<<<<< main\nleft.txt 4\n||||||| base\nline 4\n" in seen.read_text()


def test_only_open_conflicts_can_be_answered(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    wrong = project.wtrun("resolve", "03-01", "--take", "plan", expect=2)
    assert "open conflicts: 03-02" in wrong.stderr


def test_a_later_plan_that_means_to_change_a_stuck_plans_files_waits_with_it(repo: Repo) -> None:
    plans = {
        "01": plan_text("01", steps=rewrite("first\n")),
        "02": plan_text("02", steps=rewrite("second\n"), files=["lib/*.txt"]),
        "03": plan_text("03", wave=2, depends_on=["03-01"], files=["lib/d.txt"]),
        "04": plan_text("04", wave=2, depends_on=["03-01"], files=["free.txt"]),
    }
    project = Project.make(repo, plans, {"shared.txt": BASE})
    for _ in range(2):
        project.execute(expect=3)
        statuses = project.statuses()
        assert (statuses["03-02"], statuses["03-03"]) == ("conflicted", "waiting")
        assert statuses["03-04"] == "landed"
    project.wtrun("resolve", "03-02", "--take", "plan", expect=0)
    project.execute(expect=0)
    assert repo.read("lib/d.txt") == b"line of 03-03\n"


def test_an_undeclared_deletion_waits_for_a_word_and_a_declared_one_lands(repo: Repo) -> None:
    # naming the file in the plan would declare it
    steps = [{"run": ["sh", "-c", "rm ol*"]}, {"commit": "feat: less"}, {"summary": True}]
    plans = {
        "01": plan_text("01", steps=steps),
        "02": plan_text("02", files=["gone.txt"], steps=[{"delete": "gone.txt"}, *steps[1:]]),
    }
    project = Project.make(repo, plans, {"old.txt": "1\n", "gone.txt": "1\n"})
    done = project.execute(expect=3)
    assert "old.txt" in done.stderr
    assert project.statuses() == {"03-01": "conflicted", "03-02": "landed"}
    assert "was not declared" in project.wtrun("resolve", "03-01", "--list", expect=0).stdout
    assert (repo.path / "old.txt").exists()
    assert not (repo.path / "gone.txt").exists()
    project.wtrun("resolve", "03-01", "--take", "plan", expect=0)
    assert not (repo.path / "old.txt").exists()
    listed = project.wtrun("resolutions", expect=0).stdout
    assert "old.txt  (03-01" in listed and "decided by you" in listed
    assert "03-02: gone.txt: removed, as 03-02 declared" in listed


def test_a_plan_in_conflict_is_given_back_to_its_agent_at_the_prompt(repo: Repo) -> None:
    first = [{"replace": "shared.txt", "old": "two\n", "new": "left\n"}]
    second = {
        "first": [{"replace": "shared.txt", "old": "two\n", "new": "right\n"}],
        "again": [{"replace": "shared.txt", "old": "left\n", "new": "left and right\n"}],
    }
    end = [{"commit": "feat: work"}, {"summary": True}]
    plans = {
        "01": plan_text("01", steps=[*first, *end]),
        "02": plan_text("02", steps={name: [*steps, *end] for name, steps in second.items()}),
    }
    project = Project.make(repo, plans, {"shared.txt": "one\ntwo\nthree\n"})
    _, code = typed(at_terminal(project, "execute", "3"), "R", "y")
    assert code == 0
    assert repo.read("shared.txt") == b"one\nleft and right\nthree\n"
    assert project.starts("03-02") == 2


def test_a_path_that_is_no_utf8_lands_and_is_asked_about_as_any_other(repo: Repo) -> None:
    def plan(number: str) -> str:
        make = f"printf {number} > \"$(printf 'n\\377')\"; git add -A; git commit -qm 'feat: n'"
        steps: list[dict[str, Any]] = [{"run": ["sh", "-c", make]}, {"summary": True}]
        return plan_text(number, steps=steps)

    project = Project.make(repo, {number: plan(number) for number in ("01", "02")})
    project.execute(expect=3)
    assert project.statuses() == {"03-01": "landed", "03-02": "conflicted"}
    name = "n\udcff"
    asked = [event for event in project.events() if event["type"] == "merge.conflicted"]
    assert name in json.dumps(asked[-1]["data"], ensure_ascii=False)
    assert r"n\udcff" in project.wtrun("report", expect=0).stdout
    project.wtrun("resolve", "03-02", "--take", "plan", expect=0)
    assert repo.show("main", name) == b"02"
