"""`wtrun resolve` without a prompt: files edited in the worktree, merge tools, answers kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.scenarios.test_conflicts import BASE, conflicting, rewrite
from tests.support.project import Project, plan_text
from tests.support.repo import Repo
from worktree_runner.store.paths import Layout
from worktree_runner.store.runlock import run_lock

MARKED = "one\n<<<<<<< main\nfirst\n||||||| base\ntwo\n=======\nsecond\n>>>>>>> 03-02\nthree\n"


def place(repo: Repo) -> Path:
    return repo.path / ".worktrees/wt-03-02"


def test_the_merge_is_set_up_in_the_worktree_edited_and_continued(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    shown = project.wtrun("resolve", "03-02", "--edit", expect=0)
    assert "with conflict markers: shared.txt" in shown.stderr
    prompt = Path(shown.stderr.partition("edit them there: ")[2].split("\n")[0]).read_text()
    assert prompt.startswith("# Resolve a merge conflict: gsd/03-02 into main")
    assert "    second\n    >>>>>>> 03-02\n    three\n" in prompt
    file = place(repo) / "shared.txt"
    assert file.read_text() == MARKED
    assert "free.txt" in repo.git("diff", "--cached", "--name-only", cwd=place(repo))
    marked = project.wtrun("resolve", "03-02", "--continue", expect=5)
    assert "shared.txt line 2 (<<<<<<< main)" in marked.stderr
    file.write_text("one\nby hand\n>>>>>>> 03-02\nthree\n")
    assert "line 3" in project.wtrun("resolve", "03-02", "--continue", expect=5).stderr
    file.write_text("one\nby hand\nthree\n")
    (place(repo) / "README.md").write_text("# mine\n")
    stopped = project.wtrun("resolve", "03-02", "--continue", expect=5)
    assert "changes that are not staged: README.md" in stopped.stderr
    repo.git("checkout", "--", "README.md", cwd=place(repo))
    (place(repo) / "note.txt").write_text("mine\n")
    done = project.wtrun("resolve", "03-02", "--continue", expect=0)
    assert "shared.txt: decided by you: edited in the worktree" in done.stderr
    assert repo.read("shared.txt") == b"one\nby hand\nthree\n"
    assert "note.txt" not in repo.git("ls-tree", "-r", "--name-only", "main")
    kept = repo.git("for-each-ref", "--format=%(refname)", "refs/wtrun/salvage").splitlines()
    assert [repo.git("show", f"{ref}:note.txt") for ref in kept] == ["mine"]
    project.execute(expect=0)
    assert set(project.statuses().values()) == {"landed"}


def test_what_was_set_up_is_put_back_and_edits_are_kept(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    before = repo.git("rev-parse", "HEAD", cwd=place(repo))
    (place(repo) / "README.md").write_text("# mine\n")
    project.wtrun("resolve", "03-02", "--edit", expect=0)
    twice = project.wtrun("resolve", "03-02", "--edit", expect=5)
    assert "under way" in twice.stderr
    (place(repo) / "shared.txt").write_text("one\nhalf\nthree\n")
    done = project.wtrun("resolve", "03-02", "--abort", expect=3)
    ref = done.stderr.split("is kept in ")[1].split()[0]
    assert repo.git("show", f"{ref}:shared.txt") == "one\nhalf\nthree"
    assert repo.git("rev-parse", "HEAD", cwd=place(repo)) == before
    assert repo.git("status", "--porcelain", cwd=place(repo)) == " M README.md"
    assert (place(repo) / "shared.txt").read_text() == "one\nsecond\nthree\n"
    assert project.statuses()["03-02"] == "conflicted"


def test_a_rebase_of_the_user_is_neither_taken_nor_put_back(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    before = repo.git("rev-parse", "main")
    repo.git("rebase", "main", check=False, cwd=place(repo))
    kept = project.wtrun("resolve", "03-02", "--abort", expect=5)
    assert "a rebase is under way" in kept.stderr
    assert repo.git("diff", "--name-only", "--diff-filter=U", cwd=place(repo)) == "shared.txt"
    (place(repo) / "shared.txt").write_text("one\nby hand\nthree\n")
    repo.git("add", "shared.txt", cwd=place(repo))
    taken = project.wtrun("resolve", "03-02", "--continue", expect=5)
    assert "git rebase --continue" in taken.stderr
    assert repo.git("rev-parse", "main") == before
    repo.git("-c", "core.editor=true", "rebase", "--continue", cwd=place(repo))
    repo.git("checkout", "-q", "--detach", "main", cwd=place(repo))
    elsewhere = project.wtrun("resolve", "03-02", "--continue", expect=5)
    assert "is on no branch, not on gsd/03-02" in elsewhere.stderr
    repo.git("switch", "-q", "gsd/03-02", cwd=place(repo))
    project.wtrun("resolve", "03-02", "--continue", expect=0)
    assert repo.read("shared.txt") == b"one\nby hand\nthree\n"


def test_a_branch_without_the_plans_work_decides_nothing(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    repo.git("reset", "-q", "--hard", "main", cwd=place(repo))
    refused = project.wtrun("resolve", "03-02", "--continue", expect=5)
    assert "holds nothing of 03-02: its HEAD has landed already" in " ".join(refused.stderr.split())
    assert project.statuses()["03-02"] == "conflicted"
    head = refused.stderr.split("reset --keep")[1].split()[0]
    repo.git("reset", "-q", "--keep", head, cwd=place(repo))
    project.wtrun("resolve", "03-02", "--take", "plan", expect=0)
    assert repo.read("shared.txt") == b"one\nsecond\nthree\n"


def test_an_untouched_set_up_leaves_nothing_behind_when_put_back(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    project.wtrun("resolve", "03-02", "--edit", expect=0)
    project.wtrun("resolve", "03-02", "--abort", expect=3)
    assert repo.git("for-each-ref", "refs/wtrun/salvage") == ""
    assert repo.git("status", "--porcelain", cwd=place(repo)) == ""
    project.wtrun("resolve", "03-02", "--edit", expect=0)


def test_a_file_in_the_way_of_the_set_up_is_never_overwritten(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    exclude = repo.path / ".git/info/exclude"
    exclude.write_text(exclude.read_text() + "\nfree.txt\n")
    (place(repo) / "free.txt").write_text("mine\n")
    refused = project.wtrun("resolve", "03-02", "--edit", expect=5)
    assert "in the way of the merge: free.txt" in refused.stderr
    assert (place(repo) / "free.txt").read_text() == "mine\n"


def test_a_plan_that_was_left_out_is_not_started_again_in_this_run(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    project.wtrun("resolve", "03-02", "--abort", expect=0)
    project.execute(expect=1)
    assert project.starts("03-02") == 1
    assert project.statuses() == {
        "03-01": "landed",
        "03-02": "skipped",
        "03-03": "landed",
        "03-04": "skipped",
    }
    assert place(repo).is_dir()


def test_a_file_removed_on_one_side_is_decided_with_git(repo: Repo) -> None:
    remove = [{"delete": "shared.txt"}, {"commit": "feat: remove"}, {"summary": True}]
    plans = {
        "01": plan_text("01", files=["shared.txt"], steps=remove),
        "02": plan_text("02", files=["x.txt"], steps=rewrite("second\n")),
    }
    project = Project.make(repo, plans, {"shared.txt": BASE})
    project.execute(expect=3)
    shown = project.wtrun("resolve", "03-02", "--edit", expect=0)
    assert "decided by git add or git rm there: shared.txt" in shown.stderr
    undecided = project.wtrun("resolve", "03-02", "--continue", expect=5)
    assert "Not decided" in undecided.stderr and "git rm" in undecided.stderr
    repo.git("rm", "-q", "shared.txt", cwd=place(repo))
    done = project.wtrun("resolve", "03-02", "--continue", expect=0)
    assert "shared.txt: decided by you: removed in the worktree" in done.stderr
    assert not (repo.path / "shared.txt").exists()


def test_every_kind_of_conflict_is_listed_in_names_not_commits(repo: Repo) -> None:
    remove = [{"delete": "shared.txt"}, {"commit": "feat: remove"}, {"summary": True}]
    late = [
        *rewrite("second\n")[:1],
        {"append": "m.py", "text": "\n\ndef g():\n    return 2\n"},
        {"commit": "feat: g"},
        {"summary": True},
    ]
    doubled = "def g():\n    return 1\n\n\nA = 1\n"
    early = [{"replace": "m.py", "old": "A = 1\n", "new": doubled}, *remove]
    plans = {
        "01": plan_text("01", files=["shared.txt"], steps=early),
        "02": plan_text("02", files=["x.txt"], steps=late),
    }
    project = Project.make(
        repo, plans, {"shared.txt": BASE, "m.py": "A = 1\n\n\ndef a():\n    return 1\n"}
    )
    project.execute(expect=3)
    listed = project.wtrun("resolve", "03-02", "--list", expect=0).stdout
    assert "shared.txt: modify/delete: main deleted the file, 03-02 changed it" in listed
    assert "m.py: duplicate: git merged it cleanly, but the result defines g twice" in listed
    folder = Path(listed.split("every version and a report: ")[1].strip())
    marked = next(folder.glob("*-m.marked.py")).read_text()
    assert marked.count("def g():") == 2 and "<<<<" not in marked


def test_while_a_run_is_at_work_a_list_is_refused_with_what_shows_it(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    with run_lock(Layout(repo.path / ".git"), "wtrun execute 3"):
        locked = project.wtrun("resolve", "03-02", "--list", expect=6)
        shown = project.wtrun("conflicts", expect=0)
    assert "'wtrun execute 3'" in locked.stderr and "hint: wtrun conflicts" in locked.stderr
    assert "03-02: shared.txt; wtrun resolve 03-02" in shown.stdout


def test_a_merge_tool_decides_whole_files(repo: Repo, tmp_path: Path) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    none = project.wtrun("resolve", "03-02", "--tool", expect=2)
    assert "git config merge.tool" in none.stderr
    script = tmp_path / "tool"
    script.write_text('cat "$LOCAL" "$REMOTE" > "$MERGED"\n')
    command = f'LOCAL=$LOCAL REMOTE=$REMOTE MERGED=$MERGED sh "{script}"'
    repo.git("config", "merge.tool", "mine")
    repo.git("config", "mergetool.mine.cmd", command)
    repo.git("config", "mergetool.mine.trustExitCode", "true")
    project.wtrun("resolve", "03-02", "--tool", expect=0)
    assert repo.read("shared.txt") == b"one\nfirst\nthree\none\nsecond\nthree\n"


def test_a_merge_tool_that_gives_up_leaves_the_conflict_open(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    repo.git("config", "merge.tool", "mine")
    repo.git("config", "mergetool.mine.cmd", "false")
    repo.git("config", "mergetool.mine.trustExitCode", "true")
    failed = project.wtrun("resolve", "03-02", "--tool", expect=3)
    assert "ended with 1, so its result is not taken" in failed.stderr
    assert project.statuses()["03-02"] == "conflicted"


def test_the_conflict_is_listed_for_people_and_programs(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    listed = project.wtrun("resolve", "03-02", "--list", expect=0).stdout
    folder = Path(listed.split("every version and a report: ")[1].strip())
    assert {"conflict.md", "conflict.json", "target.patch", "plan.patch"} <= {
        file.name for file in folder.iterdir()
    }
    assert (folder / "01-shared.base.txt").read_text() == BASE
    document = json.loads(project.wtrun("resolve", "03-02", "--list", "--json", expect=0).stdout)
    hunk = document["files"][0]["hunks"][0]
    assert (hunk["base"], hunk["ours"], hunk["theirs"]) == (["two\n"], ["first\n"], ["second\n"])


def test_an_answer_is_offered_when_the_same_conflict_comes_back(repo: Repo) -> None:
    project = conflicting(repo)
    settings = repo.read(".wtrun.toml") + b"[merge]\nremember = true\n"
    start = repo.commit("settings", {".wtrun.toml": settings})
    project.execute(expect=3)
    project.wtrun("resolve", "03-02", "--take", "both-reversed", expect=0)
    project.execute(expect=0)
    repo.git("checkout", "-q", "-b", "again", start)
    project.execute(expect=3)
    listed = project.wtrun("resolve", "03-02", "--list", expect=0).stdout
    assert "hunk 1 has a proposal: you decided the same conflict like this in shared.txt" in listed
    project.wtrun("resolve", "03-02", "--take", "proposal", expect=0)
    assert repo.read("shared.txt") == b"one\nsecond\nfirst\nthree\n"


def test_answers_are_kept_only_where_the_setting_says_so(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute(expect=3)
    project.wtrun("resolve", "03-02", "--take", "plan", expect=0)
    assert not (repo.path / ".git/wtrun/answers").exists()


def test_answers_that_the_gate_refuses_are_asked_again_with_a_draft(repo: Repo) -> None:
    project = conflicting(repo)
    project.execute("--gate", "! grep -q second shared.txt", expect=3)
    head = repo.git("rev-parse", "main")
    red = project.wtrun("resolve", "03-02", "--take", "plan", expect=3)
    assert "the check is red with your answers; they are kept as a draft" in red.stderr
    assert repo.git("rev-parse", "main") == head
    assert project.statuses()["03-02"] == "conflicted"
    listed = project.wtrun("resolve", "03-02", "--list", expect=0).stdout
    assert "the check is red with your answers" in listed and "a person" not in listed
    project.wtrun("resolve", "03-02", "--take", "target", expect=0)
    assert project.statuses()["03-02"] == "landed"


def test_an_answer_that_the_gate_refused_is_not_offered_as_one_that_was_good(repo: Repo) -> None:
    project = conflicting(repo)
    settings = repo.read(".wtrun.toml") + b"[merge]\nremember = true\n"
    repo.commit("settings", {".wtrun.toml": settings})
    project.execute("--gate", "! grep -q second shared.txt", expect=3)
    project.wtrun("resolve", "03-02", "--take", "plan", expect=3)
    listed = project.wtrun("resolve", "03-02", "--list", expect=0).stdout
    assert "the check is red with your answers" in listed
    assert "has a proposal" not in listed
    project.wtrun("resolve", "03-02", "--take", "target", expect=0)
    assert len(list((repo.path / ".git/wtrun/answers").iterdir())) == 1


def test_an_answer_for_a_whole_file_is_offered_when_the_same_conflict_comes_back(
    repo: Repo,
) -> None:
    gone = [{"delete": "old.txt"}, {"commit": "feat: drop it"}, {"summary": True}]
    kept = [{"append": "old.txt", "text": "more\n"}, {"commit": "feat: more"}, {"summary": True}]
    plans = {"01": plan_text("01", steps=gone), "02": plan_text("02", steps=kept)}
    project = Project.make(repo, plans, {"old.txt": "old\n"})
    settings = repo.read(".wtrun.toml") + b"[merge]\nremember = true\n"
    start = repo.commit("settings", {".wtrun.toml": settings})
    project.execute(expect=3)
    project.wtrun("resolve", "03-02", "--take", "plan", expect=0)
    project.execute(expect=0)
    repo.git("checkout", "-q", "-b", "again", start)
    project.execute(expect=3)
    listed = project.wtrun("resolve", "03-02", "--list", expect=0).stdout
    assert "old.txt: you decided the same conflict like this" in listed
    project.wtrun("resolve", "03-02", "--take", "proposal", expect=0)
    assert repo.read("old.txt") == b"old\nmore\n"


def test_a_submodule_and_a_file_against_a_folder_are_decided_in_the_worktree(repo: Repo) -> None:
    def link(commit: str) -> list[dict[str, Any]]:
        cacheinfo = f"160000,{commit * 40},lib"
        return [
            {"run": ["git", "update-index", "--add", "--cacheinfo", cacheinfo]},
            {"run": ["git", "commit", "-qm", f"feat: lib at {commit}"]},
        ]

    folder = [{"delete": "thing"}, {"write": "thing/inner", "text": "x\n"}]
    file = [{"append": "thing", "text": "more\n"}]
    plans = {
        str(number): plan_text(
            str(number), steps=[*steps, {"commit": "feat: work"}, *link(at), {"summary": True}]
        )
        for number, steps, at in (("01", folder, "2"), ("02", file, "3"))
    }
    project = Project.make(repo, plans, {"thing": "t\n"})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},lib")
    repo.git("commit", "-qm", "lib")
    (repo.path / "lib").mkdir()
    project.execute(expect=3)
    kept = next(path for path in project.status()["plans"][1]["conflicts"] if "~" in path)
    refused = project.wtrun("resolve", "03-02", "--take", "plan", "--path", kept, expect=2)
    assert "there is a folder of its name" in refused.stderr
    told = project.wtrun("resolve", "03-02", "--edit", expect=0).stderr
    assert f"160000,{'2' * 40},lib" in told and f"160000,{'3' * 40},lib" in told
    place = repo.path / ".worktrees/wt-03-02"
    repo.git("add", kept, cwd=place)
    repo.git("mv", kept, "thing.txt", cwd=place)
    undecided = project.wtrun("resolve", "03-02", "--continue", expect=5)
    assert "160000,COMMIT,lib" in undecided.stderr
    repo.git("update-index", "--cacheinfo", f"160000,{'3' * 40},lib", cwd=place)
    project.wtrun("resolve", "03-02", "--continue", expect=0)
    assert repo.git("ls-tree", "main", "lib").split()[2] == "3" * 40
    assert repo.read("thing.txt") == b"t\nmore\n"
    assert repo.read("thing/inner") == b"x\n"
    listed = project.wtrun("resolutions", "--no-diff", expect=0).stdout
    assert "\nthing  (03-02" in listed
