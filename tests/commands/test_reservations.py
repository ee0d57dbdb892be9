"""`wtrun reserve`, `release`, `renew` and `reservations` from any worktree, without a server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.support.repo import Repo
from worktree_runner.commands import release, renew, reservations, reserve
from worktree_runner.core.reservations import By, Grant, Holder, Request
from worktree_runner.errors import UsageError, WtrunError
from worktree_runner.operations import reservations as operation
from worktree_runner.store import identity, locate
from worktree_runner.store.activity import activity_of
from worktree_runner.store.mailbox import Mailbox
from worktree_runner.store.registry import Registry

PLAN_1 = {"WTRUN_RUN": "r1", "WTRUN_PLAN": "03-01", "WTRUN_AGENT": "03-01"}
PLAN_2 = {"WTRUN_RUN": "r1", "WTRUN_PLAN": "03-02"}
COMMANDS = {
    "reserve": reserve.command,
    "release": release.command,
    "renew": renew.command,
    "reservations": reservations.command,
}


@pytest.fixture
def linked(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A linked worktree below the main one, entered."""
    repo.commit("first", {"src/a.py": "1\n", "src/[id]/page.tsx": "x\n"})
    repo.git("worktree", "add", "-q", ".worktrees/wt-03-01", "-b", "gsd/03-01")
    monkeypatch.chdir(repo.path / ".worktrees/wt-03-01")
    monkeypatch.setenv("USER", "alice")
    return repo.path / ".worktrees/wt-03-01"


def run(name: str, *args: str, env: dict[str, str] | None = None) -> str:
    result = CliRunner().invoke(COMMANDS[name], args, env=env or {}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def listed(*args: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(run("reservations", "--json", *args))
    return rows


def test_a_plan_reserves_in_its_worktree_and_the_main_worktree_sees_it(
    linked: Path, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = run("reserve", "src/a.py", "docs/", "--reason", "task 2", env=PLAN_1)
    assert said.startswith("reserved src/a.py until ")
    monkeypatch.chdir(repo.path / "src")
    rows = listed()
    assert [(row["pattern"], row["plan"], row["by"], row["branch"]) for row in rows] == [
        ("src/a.py", "03-01", "agent", "gsd/03-01"),
        ("docs/", "03-01", "agent", "gsd/03-01"),
    ]
    assert rows[0]["worktree"] == str(linked)
    assert listed("a.py") == rows[:1]
    (head, line) = run("reservations", "../docs/x.md").splitlines()
    assert head.split()[:5] == ["id", "holder", "pattern", "mode", "since"]
    assert line.split()[:4] == ["2", "03-01", "docs/", "exclusive"]
    assert line.endswith("task 2")


def test_a_denial_names_holder_times_and_reason_and_reserves_nothing(linked: Path) -> None:
    run("reserve", "src/", "--reason", "big move", env=PLAN_1)
    with pytest.raises(WtrunError) as denied:
        run("reserve", "lib/x.py", "src/a.py", env=PLAN_2)
    assert denied.value.message.startswith("src/a.py is reserved by 03-01 (src/) since ")
    assert denied.value.message.endswith(": big move")
    assert denied.value.exit_code == 1
    assert [row["plan"] for row in listed()] == ["03-01"]
    shown = CliRunner().invoke(reserve.command, ["src/a.py", "--json"], env=PLAN_2)
    assert shown.exit_code == 1
    answer = json.loads(shown.stdout)
    assert answer["granted"] == []
    assert answer["conflicts"][0]["wanted"] == "src/a.py"
    assert answer["conflicts"][0]["plan"] == "03-01"


def test_shared_reservations_go_together(linked: Path) -> None:
    run("reserve", "src/", "--shared", env=PLAN_1)
    run("reserve", "src/", "--shared", env=PLAN_2)
    with pytest.raises(WtrunError, match=r"reserved by others:\n  src/a\.py is reserved by 03-01"):
        run("reserve", "src/a.py")


def test_patterns_are_relative_to_the_folder_and_may_be_absolute(
    linked: Path, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = locate.here(linked)

    def pattern(text: str, cwd: Path) -> str:
        return operation.pattern_of(text, cwd, place)

    assert pattern("*.py", linked / "src") == "src/*.py"
    assert pattern("../docs/", linked / "src") == "docs/"
    assert pattern(str(linked / "src/a.py"), repo.path) == "src/a.py"
    assert pattern(str(repo.path / "src/a.py"), linked) == "src/a.py"
    assert pattern(".worktrees/wt-03-01/src/a.py", repo.path) == "src/a.py"
    assert pattern("src/[id]/page.tsx", linked) == "src/[id]/page.tsx"
    assert pattern("glob:[ab].py", linked / "src") == "glob:src/[ab].py"
    assert pattern("tool://build", linked) == "tool://build"
    assert pattern(".", linked) == "."
    link = repo.path.parent / "link"
    link.symlink_to(repo.path)
    assert pattern(str(link / "src/new/x.py"), linked) == "src/new/x.py"
    for outside in ("../../../x", "/etc/passwd"):
        with pytest.raises(UsageError, match="outside of the repository"):
            pattern(outside, linked)


def test_an_agent_may_not_reserve_everything_but_a_person_may(linked: Path) -> None:
    with pytest.raises(UsageError, match="whole repository"):
        run("reserve", "**", env=PLAN_1)
    run("reserve", ".", "--reason", "freeze")
    with pytest.raises(WtrunError, match="reserved by alice"):
        run("reserve", "src/a.py", env=PLAN_1)


def test_an_agent_releases_its_own_and_not_what_the_run_holds(linked: Path) -> None:
    registry = Registry(locate.here(linked).layout)
    registry.grant(Request(Holder("r1", "03-01"), ("src/a.py",), owner=identity.of_process()))
    run("reserve", "src/a.py", "src/b.py", env=PLAN_1)
    assert [row["alive"] for row in listed()] == ["alive"] * 3, "an agent's live as long as its run"
    assert run("release", "src/b.py", env=PLAN_1) == "released src/b.py (id 3)\n"
    assert run("release", env=PLAN_1) == "released src/a.py (id 2)\n"
    assert run("release", env=PLAN_1) == ""
    assert [(row["id"], row["by"]) for row in listed()] == [(1, "run")]


def test_renew_extends_the_lease(linked: Path) -> None:
    run("reserve", "src/a.py", "--ttl", "90s", "--as", "bot")
    before = listed()[0]["until"]
    assert run("renew", "--ttl", "2h", "--as", "bot").startswith("renewed src/a.py until ")
    assert listed()[0]["until"] > before
    assert run("renew", "--as", "somebody") == ""


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5h", 5400), ("30m", 1800), ("2d", 172800)]
)
def test_leases_are_said_as_people_say_them(text: str, seconds: float) -> None:
    assert operation.lease(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5m", "soon", "1y"])
def test_a_lease_that_can_not_be_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="lease"):
        operation.lease(text)


def test_force_needs_a_silent_holder_and_sends_it_a_message(linked: Path) -> None:
    layout = locate.here(linked).layout
    registry = Registry(layout)
    box = Mailbox(layout)
    box.register("03-01", "opencode")
    holder = Holder("r1", "03-01", "03-01", By.AGENT)
    assert isinstance(registry.grant(Request(holder, ("src/",), worktree=str(linked))), Grant)
    with pytest.raises(WtrunError, match="still shows recent activity"):
        run("release", "--force", "1")
    registry.renew(holder, 0)
    registry.release(holder)
    registry.grant(Request(holder, ("src/",), ttl=0, worktree=str(linked)))
    assert run("release", "--force", "2") == "released src/ (id 2): lease has run out\n"
    (delivery,) = box.inbox("03-01")
    assert delivery.message.subject == "[file-reservations] Released stale lock on src/"
    assert "alice released reservation 2: lease has run out" in delivery.message.body


def test_who_is_in_the_way_can_be_written_to_by_the_name_that_is_shown(linked: Path) -> None:
    run("reserve", "src/", "--ttl", "1s")
    layout = locate.here(linked).layout
    box, late = Mailbox(layout), Registry(layout, clock=lambda: time.time() + 60)
    late.force_release(1, Holder(name="bob", by=By.HAND), notify=operation.mail_to_holder(
        layout, Holder(name="bob", by=By.HAND)
    ))  # fmt: skip
    (delivery,) = box.inbox("alice")
    assert "bob released reservation 1: lease has run out" in delivery.message.body


def test_signs_of_life_are_files_and_git_of_the_holders_own_worktree(
    linked: Path, repo: Repo
) -> None:
    record = Registry(locate.here(linked).layout).grant(
        Request(Holder("r1", "03-01"), ("src/",), worktree=str(linked))
    )
    assert isinstance(record, Grant)
    for folder in (linked, repo.path / ".git/worktrees/wt-03-01"):
        for file in folder.rglob("*"):
            if file.is_file():
                os.utime(file, (1000, 1000))
    (one,) = record.reservations
    box, main = Mailbox(locate.here(linked).layout), repo.path
    seen = activity_of(box, one, main)
    assert (seen.files, seen.git) == (1000, 1000)
    os.utime(linked / "src/a.py", (2000, 2000))
    assert activity_of(box, one, main).files == 2000


def test_a_hostile_reason_can_not_move_the_readers_cursor(linked: Path) -> None:
    run("reserve", "src/a.py", "--reason", "x\x1b[2Jy\nz")
    assert "\x1b" not in run("reservations")
    assert len(run("reservations").splitlines()) == 2


@pytest.mark.parametrize("args", [["reservations"], ["reserve", "src/a.py"], ["release"]])
def test_they_start_without_heavy_imports(linked: Path, args: list[str]) -> None:
    code = (
        "import sys\nfrom worktree_runner.cli import main\n"
        f"try: main({args!r})\nexcept SystemExit: pass\n"
        "print(sorted(set(sys.modules) & {'pydantic', 'git', 'rich', 'psutil', 'filelock',"
        " 'asyncio', 'subprocess', 'jinja2', 'yaml'}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"
