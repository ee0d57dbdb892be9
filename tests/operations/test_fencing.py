"""Reservations, guard and audit of a real run's plan, between its attempt and its landing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.attempt import ALICE
from tests.support.project import Project, plan_text
from tests.support.repo import Repo
from worktree_runner.commands.terminal import open_terminal
from worktree_runner.core.audit import Kind
from worktree_runner.core.reservations import By, Grant, Holder, Request
from worktree_runner.git import guard as guards
from worktree_runner.git.gateway import Git
from worktree_runner.operations.attempt import fencing
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.opening import open_run
from worktree_runner.store.registry import Registry

PLAN = "03-02"


@pytest.fixture
def session(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A run that waits with a conflict: plan 03-02's worktree is there and may go on."""

    def change(text: str) -> list[dict[str, object]]:
        return [
            {"replace": "shared.txt", "old": "two\n", "new": text},
            {"commit": "feat: change two"},
            {"summary": True},
        ]

    plans = {
        "01": plan_text("01", steps=change("first\n")),
        "02": plan_text("02", steps=change("second\n"), files=["src/[id]/a.ts", "lib/"]),
    }
    project = Project.make(repo, plans, {"shared.txt": "one\ntwo\nthree\n"})
    project.execute(expect=3)
    monkeypatch.chdir(repo.path)
    for key, value in project.env.items():
        monkeypatch.setenv(key, value)
    with open_run(repo.path, "a test", *open_terminal()) as opened:
        yield opened


def patterns(session: Session) -> list[str]:
    held = Registry(session.repository.layout).active()
    return sorted(one.reservation.pattern for one in held)


def test_a_plans_files_are_reserved_together_and_released_together(session: Session) -> None:
    assert fencing.reserve(session, PLAN) == ()
    assert fencing.reserve(session, PLAN) == ()
    assert {"lib/", "src/[id]/a.ts"} <= set(patterns(session))
    (held,) = [
        one for one in Registry(session.repository.layout).active()
        if one.reservation.pattern == "lib/"
    ]  # fmt: skip
    assert held.reservation.holder == Holder(session.state.id, PLAN, by=By.RUN)
    assert held.alive == "alive"
    fencing.release(session, PLAN)
    assert patterns(session) == []


def test_who_is_in_the_way_is_named_and_nothing_is_reserved(session: Session) -> None:
    registry = Registry(session.repository.layout)
    assert isinstance(registry.grant(Request(ALICE, ("lib/x.py",))), Grant)
    before = registry.events.path.read_bytes()
    (found,) = fencing.reserve(session, PLAN)
    assert str(found) == "lib/ is reserved by alice (lib/x.py)"
    assert patterns(session) == ["lib/x.py"]
    assert registry.events.path.read_bytes() == before, "waiting fills no log"


def test_the_guard_and_the_audit_fit_the_runs_own_attempt(session: Session) -> None:
    plan = session.of(PLAN)
    place = Path(plan.worktree)
    fencing.reserve(session, PLAN)
    env = fencing.install(session, plan)
    facts = fencing.spec(session, plan)
    refused = Git(place).run("tag", "v1", check=False, env=env)
    assert refused.code != 0
    assert b"may move only its own branch" in refused.err
    (place / "barrel.ts").write_text("1\n")
    Git(place).run("add", "-A", env=env)
    Git(place).run("commit", "-qm", "feat: more", env=env)
    Git(session.repository.home).run("branch", "of-the-user")
    (session.repository.home / "note.txt").write_text("the user's\n")
    found = fencing.inspect(session, session.of(PLAN))
    assert found.breaches == ()
    assert set(found.undeclared) == {"barrel.ts", "shared.txt"}, "no planning file among them"
    assert [one.subject for one in found.changed_meanwhile] == [
        "refs/heads/of-the-user", "note.txt"
    ]  # fmt: skip
    assert fencing.notes(found)[0] == "changed without declaring it: barrel.ts and shared.txt"
    fencing.take_undeclared(session, plan, found)
    assert "barrel.ts" in patterns(session)
    assert fencing.inspect(session, session.of(PLAN)).undeclared == ()
    # whether the run's own attempt was noted at shared.txt depends on which plan was faster
    assert [row["kind"] for row in guards.log(facts) if row["refused"]] == ["ref"]
    fencing.release_all(session)
    assert patterns(session) == []


def test_a_foreign_path_in_the_plans_own_commits_is_a_breach(session: Session) -> None:
    fencing.install(session, session.of(PLAN))
    registry = Registry(session.repository.layout)
    assert isinstance(registry.grant(Request(ALICE, ("shared.txt",))), Grant)
    (found,) = fencing.inspect(session, session.of(PLAN)).breaches
    assert (found.kind, found.subject, found.holder) == (Kind.RESERVED, "shared.txt", "alice")


def test_hooks_that_the_worktree_lacks_are_said(session: Session, repo: Repo) -> None:
    """What husky makes is not tracked, and git passes over a hooks folder that is not there."""
    plan = session.of(PLAN)
    assert fencing.absent_hooks(session, plan) is None
    repo.git("config", "core.hooksPath", ".husky/_")
    assert fencing.absent_hooks(session, plan) is None, "nor are they in the user's own worktree"
    (repo.path / ".husky/_").mkdir(parents=True)
    assert "lack .husky/_ (core.hooksPath)" in (fencing.absent_hooks(session, plan) or "")
    (Path(plan.worktree) / ".husky/_").mkdir(parents=True)
    assert fencing.absent_hooks(session, plan) is None
