"""Ways round the guard, each tried on a real repository: stopped, or found by the audit.

docs/guards.md has the table; a row there is a test here.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.attempt import ALICE, SIBLING, Attempt
from tests.support.repo import Repo
from worktree_runner.core.audit import Finding, Kind, Report
from worktree_runner.core.mentions import Mention
from worktree_runner.core.reservations import Holder
from worktree_runner.git import audit


@pytest.fixture
def attempt(repo: Repo) -> Attempt:
    repo.commit("first", {"src/a.py": "1\n", "src/b.py": "1\n", "README.md": "x\n", "e": ""})
    found = Attempt(repo)
    found.reserve(Holder("r1", "03-01"), "src/a.py", "new.py")
    audit.save_before(found.spec)
    return found


def report(attempt: Attempt, *mentions: Mention) -> Report:
    return audit.report(attempt.spec, attempt.base, mentions=mentions)


def subjects(findings: tuple[Finding, ...]) -> list[tuple[Kind, str]]:
    return [(one.kind, one.subject) for one in findings]


# -- stopped, or found ------------------------------------------------------------------------


def test_honest_work_has_no_findings_but_what_it_did_not_declare(attempt: Attempt) -> None:
    attempt.ok("echo 2 > src/a.py; echo 1 > new.py; git add -A; git commit -qm one")
    assert report(attempt) == Report()
    attempt.ok("echo 1 > barrel.ts; git add -A; git commit -qm two; echo x > left.txt")
    found = report(attempt)
    assert found.undeclared == ("barrel.ts",)
    assert found.breaches == ()
    assert audit.report(attempt.spec, attempt.base, allowed=["*.ts"]) == Report()


def test_no_verify_is_stopped(attempt: Attempt) -> None:
    attempt.reserve(ALICE, "src/b.py")
    attempt.refused("echo 2 > src/b.py; git commit -q --no-verify -am one")


@pytest.mark.parametrize(
    "how",
    [
        "git -c core.hooksPath=/dev/null commit -qam one",
        "env -u GIT_CONFIG_COUNT git commit -qam one",
        "git add -A; git update-ref refs/heads/gsd/03-01 $(git commit-tree -p HEAD -m x "
        "$(git write-tree))",
        "rm -rf ../../.git/wtrun/runs/r1/attempts/*/guard/hooks; git commit -qam one",
    ],
)
def test_a_commit_past_the_hooks_is_found(attempt: Attempt, how: str) -> None:
    attempt.reserve(ALICE, "src/b.py")
    attempt.reserve(SIBLING, "README.md")
    attempt.ok(f"echo 2 > src/b.py; echo 2 > README.md; {how}")
    found = report(attempt)
    assert subjects(found.breaches) == [(Kind.RESERVED, "src/b.py")]
    assert found.breaches[0].holder == "alice"
    assert subjects(found.of(Kind.SIBLING)) == [(Kind.SIBLING, "README.md")]


def test_strict_makes_a_sibling_s_path_a_breach(repo: Repo) -> None:
    repo.commit("first", {"src/a.py": "1\n"})
    attempt = Attempt(repo, reservations="strict")
    attempt.reserve(SIBLING, "src/a.py")
    attempt.ok("echo 2 > src/a.py; git -c core.hooksPath= commit -qam one")
    assert subjects(report(attempt).breaches) == [(Kind.RESERVED, "src/a.py")]


@pytest.mark.parametrize(
    ("how", "ref"),
    [
        ("git -c core.hooksPath= update-ref refs/heads/main HEAD", "refs/heads/main"),
        ("env -u GIT_CONFIG_COUNT git tag v1", "refs/tags/v1"),
        ("git rev-parse HEAD > ../../.git/refs/heads/evil", "refs/heads/evil"),
        ("git rev-parse HEAD > $(git rev-parse --git-common-dir)/refs/heads/main",
         "refs/heads/main"),
    ],
)  # fmt: skip
def test_a_ref_moved_past_the_hooks_to_own_work_is_a_breach(
    attempt: Attempt, how: str, ref: str
) -> None:
    attempt.ok(f"echo 1 > new.py; git add -A; git commit -qm one; {how}")
    (found,) = report(attempt).breaches
    assert (found.kind, found.subject) == (Kind.REF, ref)
    assert "the attempt's own commit" in found.evidence[0]
    assert found.before in ("", attempt.base)


def test_a_ref_moved_elsewhere_is_a_breach_if_events_or_the_log_name_it(
    attempt: Attempt, repo: Repo
) -> None:
    repo.commit("users", {"z": "1\n"})
    repo.git("branch", "users")
    attempt.ok("git -c core.hooksPath= update-ref refs/heads/side HEAD")
    assert report(attempt).breaches == ()
    assert [one.subject for one in report(attempt).changed_meanwhile] == [
        "refs/heads/main", "refs/heads/side", "refs/heads/users"
    ]  # fmt: skip
    call = Mention("Bash", "git -c core.hooksPath= update-ref refs/heads/side HEAD")
    assert [one.subject for one in report(attempt, call).breaches] == ["refs/heads/side"]
    short = Mention("Bash", "cd x && git branch -f side HEAD")
    assert [one.subject for one in report(attempt, short).breaches] == ["refs/heads/side"]
    for harmless in ("git log main side", "git diff side", "git branch other-side"):
        assert report(attempt, Mention("Bash", harmless)).breaches == ()
    assert report(attempt, Mention("Read", "refs/heads/side")).breaches == ()
    attempt.refused("git branch -D side")
    assert [one.subject for one in report(attempt).breaches] == ["refs/heads/side"]


def test_what_the_run_itself_moved_is_nobody_s_fault(attempt: Attempt, repo: Repo) -> None:
    tip = repo.commit("published by the run")
    repo.git("update-ref", "refs/wtrun/runs/r1/tip", tip)
    moves = {"refs/heads/main": frozenset([tip])}
    assert audit.report(attempt.spec, attempt.base, own_moves=moves) == Report()


def test_merging_what_has_landed_is_not_the_plan_s_own_work(attempt: Attempt, repo: Repo) -> None:
    attempt.ok("echo 1 > new.py; git add -A; git commit -qm one")
    tip = repo.commit("a sibling's", {"src/b.py": "3\n"})
    attempt.ok("git merge -q --no-edit main")
    found = audit.report(
        attempt.spec,
        attempt.base,
        landed=[tip],
        own_moves={"refs/heads/main": frozenset([tip])},
    )
    assert found == Report()


def test_absolute_paths_into_the_main_worktree_are_denied_and_found(
    attempt: Attempt, repo: Repo
) -> None:
    target = str(repo.path / "README.md")
    assert attempt.asked(tool_name="Write", tool_input={"file_path": target})
    repo.write("src/b.py", "the user works here\n")
    repo.write("notes.txt", "and here\n")
    repo.write("ok.txt", "ok\n")  # as short as this, the same in both places proves nothing
    attempt.ok(f"echo 'said = True  # hello' | tee {repo.path}/copied.py > new.py; echo ok > ok")
    attempt.ok(f"echo other > {target}")
    found = report(attempt)
    assert subjects(found.breaches) == [(Kind.MAIN, "README.md"), (Kind.MAIN, "copied.py")]
    assert "guard refused this edit" in found.breaches[0].evidence[0]
    assert "what the attempt wrote" in found.breaches[1].evidence[0]
    assert subjects(found.changed_meanwhile) == [
        (Kind.MAIN, "notes.txt"), (Kind.MAIN, "ok.txt"), (Kind.MAIN, "src/b.py")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "sed -i s/1/2/ {root}/src/b.py",
        "cd {root} && sed -i s/1/2/ src/b.py",
        "git -C '{root}' checkout -- src/b.py",
    ],
)
def test_a_command_that_names_the_main_worktree_s_file_is_evidence(
    attempt: Attempt, repo: Repo, text: str
) -> None:
    repo.write("src/b.py", "2\n")
    call = Mention("Bash", text.format(root=repo.path))
    assert subjects(report(attempt, call).breaches) == [(Kind.MAIN, "src/b.py")]
    own = Mention("Bash", f"sed -i s/1/2/ {attempt.worktree}/src/b.py")
    assert report(attempt, own).breaches == ()
    assert report(attempt, Mention("Read", str(repo.path / "src/b.py"))).breaches == ()


def test_an_empty_file_proves_nothing(attempt: Attempt, repo: Repo) -> None:
    attempt.ok("mkdir pkg; touch pkg/__init__.py; git add -A; git commit -qm one")
    repo.write("theirs/__init__.py", "")
    assert report(attempt).breaches == ()


def test_users_dirt_that_was_there_before_is_no_change(repo: Repo) -> None:
    repo.commit("first", {"a": "1\n", "b": "1\n"})
    repo.write("a", "dirty\n")
    repo.write("untracked", "u\n")
    attempt = Attempt(repo)
    audit.save_before(attempt.spec)
    assert report(attempt) == Report()
    repo.git("commit", "-qam", "the user commits it")
    assert [one.subject for one in report(attempt).changed_meanwhile] == ["refs/heads/main"]
    repo.git("checkout", "-q", "-b", "elsewhere")
    repo.git("rm", "-q", "b")
    found = report(attempt).changed_meanwhile
    assert [one.subject for one in found] == [
        "HEAD",
        "refs/heads/elsewhere",
        "refs/heads/main",
        "b",
    ]


def test_a_symlink_out_is_denied_found_and_its_commit_is_a_breach(
    attempt: Attempt, repo: Repo, tmp_path: Path
) -> None:
    attempt.ok(f"ln -s {repo.path} out; ln -s ../../../elsewhere climb; ln -s src/a.py fine")
    assert attempt.asked(tool_name="Edit", tool_input={"file_path": "out/src/b.py"})
    attempt.ok("echo 2 > out/src/b.py; git add -A; git commit -qm links")
    found = report(attempt)
    assert subjects(found.breaches) == [(Kind.LINK, "out"), (Kind.MAIN, "src/b.py")]
    assert subjects(found.of(Kind.LINK)) == [(Kind.LINK, "climb"), (Kind.LINK, "out")]


def test_removing_a_sibling_s_worktree_is_found(attempt: Attempt, repo: Repo) -> None:
    sibling = Attempt(repo, plan="03-02")
    (attempt.spec.folder / "guard/before.json").unlink()
    audit.save_before(attempt.spec)
    attempt.ok(f"git worktree remove {sibling.worktree}")
    found = report(attempt)
    assert subjects(found.changed_meanwhile) == [(Kind.WORKTREE, str(sibling.worktree))]
    call = Mention("Bash", f"git worktree remove {sibling.worktree}")
    assert subjects(report(attempt, call).breaches) == [(Kind.WORKTREE, str(sibling.worktree))]


def test_a_worktree_that_wtrun_locked_is_not_removed_by_a_forced_remove(
    attempt: Attempt, repo: Repo
) -> None:
    sibling = Attempt(repo, plan="03-02")
    repo.git("worktree", "lock", "--reason", "wtrun", str(sibling.worktree))
    done = attempt.sh(f"git worktree remove --force {sibling.worktree}")
    assert done.returncode != 0
    assert sibling.worktree.is_dir()


def test_stash_and_push_are_stopped_and_past_the_hooks_the_stash_is_found(
    attempt: Attempt,
) -> None:
    attempt.refused("echo 2 > src/a.py; git stash")
    attempt.refused("git push -q . HEAD:refs/heads/main")
    attempt.ok("git checkout -q -- . && echo 3 > src/a.py && git -c core.hooksPath= stash -q")
    found = report(attempt)
    assert subjects(found.breaches) == [(Kind.REF, "refs/stash")]


@pytest.mark.parametrize("how", ["reset -q --hard", "checkout -q -- src/b.py", "restore src/b.py"])
def test_what_git_does_before_it_asks_is_only_found(attempt: Attempt, repo: Repo, how: str) -> None:
    repo.write("src/b.py", "the user's edit\n")
    (attempt.spec.folder / "guard/before.json").unlink()
    audit.save_before(attempt.spec)
    attempt.sh(f"git -C {repo.path} {how}")
    assert repo.read("src/b.py") == b"1\n", "not stopped: docs/guards.md says so"
    assert subjects(report(attempt).changed_meanwhile) == [(Kind.MAIN, "src/b.py")]
    call = Mention("Bash", f"git -C {repo.path} {how}")
    assert subjects(report(attempt, call).breaches) == [(Kind.MAIN, "src/b.py")]


def test_settings_hooks_and_attributes_of_the_repository_are_found(
    attempt: Attempt, repo: Repo
) -> None:
    hook = "echo 'echo pwned' | tee new.py > ../../.git/hooks/pre-commit"
    attempt.ok(f"{hook}; chmod +x ../../.git/hooks/pre-commit; git config alias.x '!evil'")
    attempt.ok("git config user.name Agent; echo '* merge=evil' > ../../.git/info/attributes")
    repo.git("config", "branch.gsd/03-02.remote", ".")
    found = audit.report(attempt.spec, attempt.base, quiet=["refs/heads/gsd/03-02"])
    assert [str(one) for one in found.breaches] == [
        "git's hooks/pre-commit is new (its content is what the attempt wrote)"
    ]
    assert [str(one) for one in found.changed_meanwhile] == [
        "git's info/attributes is new",
        "git's setting alias.x is new",
        "git's setting user.name was changed",
    ]
    calls = ("git config --get user.name; git config alias.x '!evil'", "ls > .git/info/attributes")
    found = report(attempt, *(Mention("Bash", text) for text in calls))
    assert [one.subject for one in found.breaches] == [
        "git's hooks/pre-commit", "git's info/attributes", "git's setting alias.x"
    ]  # fmt: skip


def test_the_index_of_the_main_worktree_is_compared_too(attempt: Attempt, repo: Repo) -> None:
    attempt.ok(f"cd {repo.path}; git rm -q --cached README.md; echo 1 > u; git add u")
    found = report(attempt)
    assert subjects(found.findings) == [(Kind.MAIN, "u"), (Kind.INDEX, "README.md")]
    assert found.breaches == ()
    call = Mention("Bash", f"cd {repo.path} && git rm -q --cached README.md")
    assert subjects(report(attempt, call).breaches) == [(Kind.INDEX, "README.md")]
    repo.git("commit", "-q", "-m", "the user commits what is staged")
    assert [one.subject for one in report(attempt).changed_meanwhile] == ["refs/heads/main"]


def test_a_reservation_that_was_edited_away_counts_as_held(attempt: Attempt, repo: Repo) -> None:
    attempt.reserve(ALICE, "src/b.py", "README.md")
    attempt.registry.release(ALICE, patterns=["README.md"])
    file = attempt.registry.folder / "reservations.json"
    value = json.loads(file.read_text())
    value["reservations"] = [one for one in value["reservations"] if one["name"] != "alice"]
    file.write_text(json.dumps(value))
    attempt.ok("echo 2 > src/b.py; echo 2 > README.md; git commit -qam x")
    found = report(attempt)
    assert subjects(found.breaches) == [(Kind.RESERVED, "src/b.py")]
    assert "the registry's reservation of src/b.py by alice was removed" in map(str, found.findings)


def test_an_attempt_whose_record_of_the_start_is_gone_is_a_breach(
    attempt: Attempt, repo: Repo
) -> None:
    (attempt.spec.folder / "started.json").write_text("{}")
    attempt.reserve(ALICE, "src/b.py")
    attempt.ok(f"rm -r {attempt.spec.folder}/guard; echo 2 > src/b.py; git commit -qam one")
    attempt.ok("git tag v1")
    path, start = report(attempt).breaches
    assert (path.kind, path.subject) == (Kind.RESERVED, "src/b.py")
    assert str(start).startswith("the snapshot of the attempt's start was removed")


def test_a_push_past_the_hooks_is_not_found(attempt: Attempt, repo: Repo, tmp_path: Path) -> None:
    repo.git("init", "-q", "--bare", str(tmp_path / "remote.git"))
    attempt.ok(f"git -c core.hooksPath= push -q {tmp_path}/remote.git HEAD:refs/heads/main")
    assert report(attempt) == Report(), "not found: docs/guards.md says so"


def test_work_that_the_branch_does_not_contain_is_found_for_salvage(attempt: Attempt) -> None:
    attempt.ok("echo 1 > new.py; git add -A; git commit -qm thrown; git reset -q --hard HEAD~1")
    attempt.ok("echo 2 > new.py; git add -A; git commit -qm kept")
    attempt.ok("git checkout -q --detach; git commit -q --allow-empty -m aside")
    aside = attempt.ok("git rev-parse HEAD").strip()
    attempt.ok("git checkout -q gsd/03-01; git update-ref refs/worktree/keep HEAD~1")
    stray = [one.subject for one in report(attempt).of(Kind.STRAY)]
    assert aside in stray
    assert len(stray) == 2
    attempt.ok("git reflog expire --expire=now --all; rm -f ../../.git/worktrees/*/logs/HEAD")
    assert report(attempt).breaches == ()


def test_a_removed_worktree_is_judged_by_its_branch(attempt: Attempt, repo: Repo) -> None:
    attempt.ok("echo 1 > barrel.ts; git add -A; git commit -qm one")
    repo.git("worktree", "remove", "--force", str(attempt.worktree))
    assert report(attempt).undeclared == ("barrel.ts",)


def test_without_its_git_file_a_worktree_tells_nothing_of_the_main_one(
    attempt: Attempt, repo: Repo
) -> None:
    attempt.ok("rm .git; echo 'new in the folder' > mine.txt")
    repo.commit("the user's", {"users.txt": "new in the folder\n"})
    repo.write("note.txt", "new in the folder\n")
    found = report(attempt)
    assert found.breaches == ()
    assert [one.subject for one in found.changed_meanwhile] == ["refs/heads/main", "note.txt"]


def test_without_a_first_snapshot_only_the_branch_is_judged(attempt: Attempt, repo: Repo) -> None:
    (attempt.spec.folder / "guard/before.json").write_text("{")
    repo.commit("users", {"z": "1\n"})
    attempt.ok("echo 1 > barrel.ts; git add -A; git commit -qm one")
    assert subjects(report(attempt).findings) == [(Kind.UNDECLARED, "barrel.ts")]


def test_the_first_snapshot_is_kept_when_an_attempt_is_taken_up_again(
    attempt: Attempt, repo: Repo
) -> None:
    repo.git("branch", "meanwhile")
    audit.save_before(attempt.spec)
    assert [one.subject for one in report(attempt).changed_meanwhile] == ["refs/heads/meanwhile"]


def test_gathering_changes_nothing(attempt: Attempt, repo: Repo) -> None:
    attempt.ok("echo 2 > src/a.py; touch README.md")
    files = [repo.path / ".git/index", attempt.git_dir / "index"]
    before = [(file.stat().st_mtime_ns, file.read_bytes()) for file in files]
    objects = sorted((repo.path / ".git/objects").rglob("*"))
    report(attempt)
    assert [(file.stat().st_mtime_ns, file.read_bytes()) for file in files] == before
    assert sorted((repo.path / ".git/objects").rglob("*")) == objects


def test_mentions_come_from_the_event_stream(attempt: Attempt, repo: Repo, tmp_path: Path) -> None:
    (attempt.worktree / "out").symlink_to(repo.path)
    rows = [
        {"kind": "tool", "tool": "Write", "paths": ["out/src/b.py", "src/a.py"]},
        {"kind": "text", "text": "I will now edit main"},
        {"kind": "tool", "tool": "Bash", "text": "git status"},
    ]
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)) + '\n{"kind": "to')
    found = list(audit.mentions(file, attempt.worktree))
    assert found == [
        Mention("Write", "", (str(repo.path / "src/b.py"), str(attempt.worktree / "src/a.py"))),
        Mention("Bash", "git status"),
    ]
    assert list(audit.mentions(tmp_path / "none", attempt.worktree)) == []


def test_findings_are_said_in_words(attempt: Attempt, repo: Repo) -> None:
    repo.git("branch", "meanwhile")
    repo.write("README.md", "y\n")
    attempt.ok("echo 1 > barrel.ts; git add -A; git commit -qm one")
    texts = [str(one) for one in report(attempt).findings]
    assert texts[0] == "barrel.ts was not declared"
    assert texts[1] == f"refs/heads/meanwhile is new ({attempt.base[:10]})"
    assert texts[2].startswith("README.md in the main worktree changed from ")


def test_a_bare_repository_with_worktrees_is_guarded_and_judged_alike(
    repo: Repo, tmp_path: Path
) -> None:
    repo.commit("first", {"src/a.py": "1\n"})
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    bare = Repo(tmp_path / "bare.git", repo.env)
    home = tmp_path / "home-of-the-user"
    bare.git("worktree", "add", "-q", str(home), "main")
    attempt = Attempt(bare, home=home)
    audit.save_before(attempt.spec)
    attempt.ok(f"echo 'the same text' | tee src/a.py > {home}/b; git commit -qam one")
    attempt.refused("git tag v1")
    attempt.ok("git -c core.hooksPath= tag v1")
    found = report(attempt)
    assert subjects(found.findings) == [
        (Kind.UNDECLARED, "src/a.py"), (Kind.REF, "refs/tags/v1"), (Kind.MAIN, "b")
    ]  # fmt: skip
    assert [one.kind for one in found.breaches] == [Kind.REF, Kind.MAIN]


@pytest.mark.parametrize(("how", "found"), [("commit", False), ("take", True)])
def test_sibling_that_makes_the_very_same_commit_is_nobodys_doing(
    attempt: Attempt, repo: Repo, how: str, found: bool
) -> None:
    """Dates are fixed here, so equal commits have one id; `take` has the agent move the branch."""
    place, ref = attempt.worktree.parent / "wt-03-02", "refs/heads/gsd/03-02"
    repo.git("worktree", "add", "-q", str(place), "-b", "gsd/03-02", attempt.base)
    audit.save_before(attempt.spec)
    work = "echo 1 > new.py; git add -A; git commit -qm one"
    attempt.ok(work)
    if how == "take":
        repo.git("merge", "-q", "--ff-only", attempt.branch, cwd=place)
    else:
        repo.write(f".worktrees/{place.name}/new.py", "1\n")
        repo.git("add", "-A", cwd=place)
        repo.git("commit", "-qm", "one", cwd=place)
    assert repo.git("rev-parse", ref) == repo.git("rev-parse", attempt.branch)
    breaches = audit.report(attempt.spec, attempt.base, quiet=[ref]).breaches
    assert subjects(breaches) == ([(Kind.REF, ref)] if found else [])
