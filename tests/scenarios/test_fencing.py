"""Agents that leave their own ground in whole runs: stopped, or found and asked about."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.scenarios.test_conflicts import at_terminal, typed
from tests.scenarios.test_execute import wait_for
from tests.support.project import Project, kill, plan_text
from tests.support.repo import Repo
from worktree_runner.serve import start
from worktree_runner.store.paths import Layout

Steps = list[dict[str, Any]]


def work(file: str, *attacks: str) -> Steps:
    """Honest work on one file, then shell commands in the worktree, then the summary."""
    return [
        {"write": file, "text": f"{file}\n"},
        {"commit": f"feat: {file}"},
        *({"run": ["sh", "-c", attack]} for attack in attacks),
        {"summary": True},
    ]


def plans(**steps: Steps) -> dict[str, str]:
    return {
        number[1:]: plan_text(number[1:], files=[f"src/{number}.txt"], steps=given)
        for number, given in steps.items()
    }


def said(project: Project, kind: str) -> dict[str, list[str]]:
    """The texts of the findings that the run recorded, by plan."""
    found: dict[str, list[str]] = {}
    for event in project.events():
        if event["type"] == kind:
            texts = [str(one["text"]) for one in event["data"]["findings"]]
            found.setdefault(event["plan"], []).extend(texts)
    return found


def refs(repo: Repo) -> dict[str, str]:
    lines = repo.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return {name: oid for name, oid in map(str.split, lines) if not name.startswith("refs/wtrun")}


STOPPED = (
    "git stash list; echo x >> src/p01.txt; git stash; git checkout -q -- src/p01.txt",
    "git push -q . HEAD:refs/heads/main",
    "git update-ref refs/heads/main HEAD",
    "git branch -f side HEAD",
    "git branch -D side",
    "git tag v1",
    "git gc -q",
    "git -C ../.. commit -q --allow-empty -m x",
    "git -C ../.. commit -q --no-verify --allow-empty -m x",
    "git worktree remove ../wt-03-02; git worktree remove --force ../wt-03-02",
    "git branch -D gsd/03-02",
)
"""Attacks that leave no trace: a guard or a lock stops each."""


def test_what_the_guards_stop_changes_nothing_and_the_plan_lands(
    repo: Repo, tmp_path: Path
) -> None:
    go, ready = tmp_path / "go", tmp_path / "ready"
    tries = [f"({attack}) && touch {tmp_path}/passed-{n} || true" for n, attack in
             enumerate(STOPPED) if n]  # fmt: skip
    first = work("src/p01.txt", f"({STOPPED[0]}) || true", *tries)
    sibling = [{"touch": str(ready)}, {"wait": str(go)}, *work("src/p02.txt")]
    project = Project.make(
        repo,
        plans(p01=[{"wait": str(ready)}, *first[:-1], {"touch": str(go)}, first[-1]], p02=sibling),
    )
    repo.git("branch", "side")
    before = refs(repo)
    repo.write("users.txt", "the user works here meanwhile\n")
    done = project.execute()
    assert sorted(file.name for file in tmp_path.glob("passed-*")) == []
    assert project.statuses() == {"03-01": "landed", "03-02": "landed"}
    assert "breach" not in done.stderr
    after = refs(repo)
    assert {name for name in after if after[name] != before.get(name)} == {"refs/heads/main"}
    assert repo.git("stash", "list") == ""
    assert repo.read("users.txt") == b"the user works here meanwhile\n"


# -- found ------------------------------------------------------------------------------------


def test_what_gets_past_the_guards_is_found_and_the_users_own_work_is_not_blamed(
    repo: Repo, tmp_path: Path
) -> None:
    go, ready = tmp_path / "go", tmp_path / "ready"
    main = repo.path
    attacks = {
        # a ref by plumbing, and one below .git
        "p01": ["git -c core.hooksPath= update-ref refs/heads/evil HEAD",
                "git rev-parse HEAD > ../../.git/refs/tags/v1"],
        # the main worktree by an absolute path
        "p02": [f"cp src/p02.txt {main}/copied.txt"],
        # the same through a committed link
        "p03": [f"ln -s {main} out; cp src/p03.txt out/linked.txt; "
                "git add out; git -c core.hooksPath= commit -qm link"],
        # a reserved path, past the hooks
        "p04": ["echo 2 > held.txt; git -c core.hooksPath=/dev/null commit -qam held"],
        "p05": ["echo 2 > held.txt; git add -A; git update-ref refs/heads/gsd/03-05 "
                "$(git commit-tree -p HEAD -m x $(git write-tree)); git reset -q --soft HEAD"],
        # its worktree's link to the repository
        "p06": ["rm .git"],
        "p07": ["git -c core.hooksPath= stash -q; echo 3 > src/p07.txt; "
                "git -c core.hooksPath= stash -q"],
    }  # fmt: skip
    steps = {name: work(f"src/{name}.txt", *each) for name, each in attacks.items()}
    steps["p01"] = [{"touch": str(ready)}, {"wait": str(go)}, *steps["p01"]]
    project = Project.make(repo, plans(**steps), {"held.txt": "1\n"})
    project.wtrun("reserve", "held.txt", "--reason", "mine", expect=0)
    run = project.start("execute", "3", "-j", "7", "--on-failure", "continue")
    wait_for(ready)
    repo.git("branch", "of-the-user")
    repo.write("notes.txt", "the user's\n")
    repo.commit("the user's commit", {"users.txt": "u\n"})
    go.touch()
    _, err = run.communicate(timeout=100)
    assert run.returncode == 4, err
    found = said(project, "attempt.breached")
    assert [line.split(" ")[0] for line in found["03-01"]] == ["refs/heads/evil", "refs/tags/v1"]
    assert found["03-02"][0].startswith("copied.txt in the main worktree is new")
    assert sorted(line.split(" ")[0] for line in found["03-03"]) == ["linked.txt", "out"]
    assert [line.split(" (")[0] for line in found["03-04"]] == ["held.txt is reserved by user"]
    assert [line.split(" (")[0] for line in found["03-05"]] == ["held.txt is reserved by user"]
    assert [line.split(" ")[0] for line in found["03-07"]] == ["refs/stash"]
    assert set(found) == {"03-01", "03-02", "03-03", "03-04", "03-05", "03-07"}
    blamed = json.dumps(found)
    assert not any(name in blamed for name in ("of-the-user", "notes.txt", "refs/heads/main"))
    states = project.statuses()
    assert states.pop("03-06") == "failed"
    assert set(states.values()) == {"asking"}
    assert "its .git file leads elsewhere" in err
    assert repo.read("users.txt") == b"u\n"
    # the answers, each by its option
    project.wtrun("resolve", "03-04", "--drop", expect=0)
    assert repo.read("held.txt") == b"1\n"
    assert repo.read("src/p04.txt") == b"src/p04.txt\n"
    project.wtrun("resolve", "03-05", "--accept-breach", expect=0)
    assert repo.read("held.txt") == b"2\n"
    done = project.wtrun("resolve", "03-01", "--put-back", expect=4)
    assert "put back: refs/heads/evil and refs/tags/v1" in done.stderr
    assert repo.git("branch", "--list", "evil") == repo.git("tag") == ""
    project.wtrun("resolve", "03-01", "--accept-breach", expect=0)
    project.wtrun("resolve", "03-02", "--fail", expect=0)
    states = project.statuses()
    assert (states["03-01"], states["03-02"], states["03-04"]) == ("landed", "failed", "landed")
    assert "03-03 changed what is not its own" in project.wtrun("resolve", "03-03", "--list").stdout
    assert repo.read("copied.txt") == b"src/p02.txt\n", "nothing in the checkout was touched"


def test_a_target_that_an_agent_moved_is_not_followed_until_the_user_says_so(repo: Repo) -> None:
    move = "git -c core.hooksPath= update-ref refs/heads/main HEAD"
    steps = {"p01": work("src/p01.txt", move), "p02": work("src/p02.txt")}
    project = Project.make(repo, plans(**steps))
    base = repo.git("rev-parse", "main")
    done = project.execute(expect=4)
    assert "landed, not published: the agent of 03-01 moved main" in done.stderr
    assert "wtrun resolve 03-01 --put-back" in done.stderr
    assert project.statuses() == {"03-01": "asking", "03-02": "landed"}
    assert repo.git("rev-parse", "main") != base
    tip = project.status()["tip"]
    assert "feat: src/p01.txt" not in repo.git("log", "--format=%s", tip)
    project.wtrun("resolve", "03-01", "--put-back")
    assert "src/p02.txt" in repo.git("ls-tree", "-r", "--name-only", "main")
    assert "src/p01.txt" not in repo.git("ls-tree", "-r", "--name-only", "main")
    project.wtrun("resolve", "03-01", "--fail", expect=0)
    assert repo.git("status", "--porcelain") == ""


def test_at_a_terminal_a_breach_is_asked_with_its_evidence_and_refs_are_brought_back(
    repo: Repo,
) -> None:
    evil = "git -c core.hooksPath= branch -f side HEAD"
    project = Project.make(repo, plans(p01=work("src/p01.txt", evil)))
    repo.git("branch", "side")
    before = repo.git("rev-parse", "side")
    shown, code = typed(at_terminal(project, "execute", "3"), "b", "k")
    assert "refs/heads/side changed from" in shown
    assert code == 0, shown
    assert repo.git("rev-parse", "side") == before
    assert project.statuses() == {"03-01": "landed"}


# -- files that others have reserved ----------------------------------------------------------


def until_said(run: subprocess.Popen[str], words: str) -> str:
    """What the run says up to the line with these words."""
    assert run.stderr is not None
    text = ""
    while words not in text:
        line = run.stderr.readline()
        assert line, f"ended without {words!r}:\n{text}"
        text += line
    return text


def test_a_plan_waits_for_its_holder_and_ctrl_c_ends_the_wait(repo: Repo) -> None:
    project = Project.make(repo, plans(p01=work("src/p01.txt"), p02=work("src/p02.txt")))
    project.wtrun("reserve", "src/p01.txt", "--reason", "by hand", expect=0)
    run = project.start("execute", "3")
    text = until_said(run, "03-01 waits: ")
    assert "src/p01.txt is reserved by user" in text and "by hand" in text
    until_said(run, "03-02 merged as")
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "wtrun execute 03" in err
    run = project.start("execute", "3")
    until_said(run, "03-01 waits: ")
    project.wtrun("release", expect=0)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    assert project.statuses() == {"03-01": "landed", "03-02": "landed"}
    assert json.loads(project.wtrun("reservations", "--json").stdout) == []


def test_fail_names_the_holder_and_the_others_go_on(repo: Repo) -> None:
    project = Project.make(repo, plans(p01=work("src/p01.txt"), p02=work("src/p02.txt")))
    project.wtrun("reserve", "src/p01.txt", "--reason", "by hand", expect=0)
    done = project.execute("--on-reserved", "fail", "--on-failure", "continue", expect=1)
    assert "03-01 failed: src/p01.txt is reserved by user" in done.stderr
    assert project.statuses() == {"03-01": "failed", "03-02": "landed"}


def test_ask_lets_the_user_wait_or_fail_the_plan(repo: Repo) -> None:
    project = Project.make(repo, plans(p01=work("src/p01.txt")))
    project.wtrun("reserve", "src/p01.txt", "--reason", "by hand", expect=0)
    child = at_terminal(project, "execute", "3", "--on-reserved", "ask")
    child.expect(r"\[\?\](?: more)?: ")
    assert "needs files of user" in str(child.before)
    child.sendline("w")
    child.expect("03-01 waits: ")
    project.wtrun("release", expect=0)
    shown, code = typed(child)
    assert code == 0, shown
    assert project.statuses() == {"03-01": "landed"}


# -- mail -------------------------------------------------------------------------------------


def test_a_run_mails_what_its_agents_did_not(repo: Repo) -> None:
    told = "--to $WTRUN_ORCHESTRATOR -s '[gsd-03-02] Plan Complete' -m own --thread gsd-03-02"
    send = f"{sys.executable} -P -m worktree_runner mail send {told}"
    steps = {"p01": work("src/p01.txt"), "p02": work("src/p02.txt", send), "p03": [{"exit": 3}]}
    project = Project.make(repo, plans(**steps))
    project.execute("--on-failure", "continue", expect=1)
    assert "[gsd-03-03] Plan FAILED [high]" in project.wtrun("mail", "inbox", expect=0).stdout
    mails = json.loads(project.wtrun("mail", "inbox", "--json", expect=0).stdout)
    by_thread = {mail["thread_id"]: mail for mail in mails}
    assert set(by_thread) == {"gsd-03-01", "gsd-03-02", "gsd-03-03"} and len(mails) == 3
    assert by_thread["gsd-03-03"]["importance"] == "high"
    assert by_thread["gsd-03-02"]["importance"] == "normal"
    page = project.wtrun("mail", "read", "--thread", "gsd-03-01", expect=0).stdout
    assert "**Worktree:** .worktrees/wt-03-01" in page
    assert "feat: src/p01.txt" in page
    assert "- src/p01.txt" in page
    assert "own" in project.wtrun("mail", "read", "--thread", "gsd-03-02", expect=0).stdout


# -- the project's own hooks ------------------------------------------------------------------


HOOK = """#!/bin/sh
echo "${0##*/} $*" >> "$HOOK_LOG"
case ${0##*/} in
  reference-transaction) sed "s/^/  /" >> "$HOOK_LOG" ;;
  commit-msg) ! grep -q BAD "$1" || exit 7 ;;
  pre-commit) [ ! -e stop.txt ] || { echo "stop.txt is there" >&2; exit 3; } ;;
esac
"""


@pytest.mark.parametrize("hooks", ["run", "skip"])
def test_the_projects_own_hooks_run_for_an_agent_as_for_the_user(
    repo: Repo, tmp_path: Path, hooks: str
) -> None:
    log, codes = tmp_path / "hooks.log", tmp_path / "codes"
    bad = f"echo 1 > src/more.txt; git add src; git commit -qm BAD; echo msg $? >> {codes}"
    stop = f"touch stop.txt; git commit -qm 'feat: x'; echo pre $? >> {codes}; rm stop.txt; "
    steps = [
        {"write": "src/p01.txt", "text": "1\n"},
        {"commit": "feat: one"},
        *({"run": ["sh", "-c", part]} for part in (bad, stop + "git reset -q --hard")),
        {"summary": True},
    ]
    names = ("pre-commit", "commit-msg", "reference-transaction", "post-commit")
    text = HOOK.replace("$HOOK_LOG", str(log))
    project = Project.make(repo, plans(p01=steps), {f".husky/{name}": text for name in names})
    for name in names:
        (repo.path / ".husky" / name).chmod(0o755)
    config = (repo.path / ".wtrun.toml").read_text()
    config += (
        f"[merge]\nhooks = '{hooks}'\n[worktrees]\nsetup = ['git config core.hooksPath .husky']\n"
    )
    repo.commit("hooks", {".wtrun.toml": config})
    project.execute()
    assert project.statuses() == {"03-01": "landed"}
    ran = log.read_text() if log.exists() else ""
    if hooks == "skip":
        assert "commit-msg" not in ran
        return
    assert codes.read_text().split() == ["msg", "1", "pre", "1"], "git makes 1 of a hook's code"
    assert "pre-commit \n" in ran
    assert "commit-msg .git" in ran or "commit-msg /" in ran
    assert "reference-transaction committed" in ran
    assert " refs/heads/gsd/03-01\n" in ran, "it got its standard input"


# -- the endpoint -----------------------------------------------------------------------------


def test_the_endpoint_ends_with_a_killed_run_and_is_back_at_its_port_on_resume(
    repo: Repo, tmp_path: Path
) -> None:
    go, ready = tmp_path / "go", tmp_path / "ready"
    steps: Steps = [{"touch": str(ready)}, {"wait": str(go)}, *work("src/p01.txt")]
    texts = plans(p01=steps)
    texts["02"] = plan_text("02", wave=2, files=["src/p02.txt"])
    project = Project.make(repo, texts)
    config = (repo.path / ".wtrun.toml").read_text()
    repo.commit("serve", {".wtrun.toml": config + "[serve]\nenabled = 'on'\n"})
    layout = Layout(repo.path / ".git")
    run = project.start("execute", "3")
    wait_for(ready)
    info = start.wait_ready(layout, timeout=60)
    assert info is not None
    server = psutil.Process(info.pid)
    kill(run)
    server.wait(60)
    assert start.running(layout) is None
    held = json.loads(project.wtrun("reservations", "--json", expect=0).stdout)
    assert held == [], "a dead run keeps nothing"
    run = project.start("execute", "3")
    second = start.wait_ready(layout, timeout=60)
    assert second is not None and (second.port, second.pid != info.pid) == (info.port, True)
    held = json.loads(project.wtrun("reservations", "--json", expect=0).stdout)
    assert [one["pattern"] for one in held] == ["src/p01.txt"], "the adopted attempt has its files"
    go.touch()
    _, err = run.communicate(timeout=100)
    assert run.returncode == 0, err
    assert start.running(layout) is None
    assert project.processes() == []
