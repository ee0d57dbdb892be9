"""Reservations by the endpoint: shapes, partial grants, paths of worktrees, force release."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.serve.support import Served, make_repo
from worktree_runner.core.reservations import By, Holder, Owner, Request
from worktree_runner.serve import start
from worktree_runner.serve.calls import Answer, Caller
from worktree_runner.serve.desk import Desk
from worktree_runner.serve.server import answer
from worktree_runner.store import identity, locate
from worktree_runner.store.registry import Registry


@pytest.fixture
def two(served: Served, project: str) -> tuple[dict[str, str], dict[str, str]]:
    """The arguments that two fresh agents begin each call with."""
    given = {"project_key": project, "program": "test", "model": "m"}
    names = [served.ok("register_agent", **given)["name"] for _ in range(2)]
    one, other = ({"project_key": project, "agent_name": name} for name in names)
    return one, other


def test_what_is_free_is_granted_and_the_rest_names_its_holders(
    served: Served, two: tuple[dict[str, str], dict[str, str]]
) -> None:
    one, other = two
    first = served.ok(
        "file_reservation_paths",
        **one,
        paths=["part/auth/*.ts", "part/tests/auth/*.test.ts"],
        ttl_seconds=3600,
        exclusive=True,
        reason="gsd-03-01",
    )
    assert set(first) == {"granted", "conflicts"} and first["conflicts"] == []
    assert [set(grant) for grant in first["granted"]] == [
        {"id", "path_pattern", "exclusive", "reason", "expires_ts"}
    ] * 2
    assert first["granted"][0]["reason"] == "gsd-03-01"
    until = datetime.fromisoformat(first["granted"][0]["expires_ts"])
    assert timedelta(minutes=59) < until - datetime.now(UTC) < timedelta(minutes=61)

    second = served.ok("file_reservation_paths", **other, paths=["part/auth/a.ts", "part/b.ts"])
    assert [grant["path_pattern"] for grant in second["granted"]] == ["part/b.ts"]
    (conflict,) = second["conflicts"]
    assert set(conflict) == {"path", "holders"} and conflict["path"] == "part/auth/a.ts"
    (holder,) = conflict["holders"]
    assert set(holder) == {"agent", "path_pattern", "exclusive", "expires_ts"}
    assert (holder["agent"], holder["path_pattern"]) == (one["agent_name"], "part/auth/*.ts")

    again = served.ok("file_reservation_paths", **one, paths=["part/auth/*.ts"])
    assert again["granted"][0]["id"] == first["granted"][0]["id"]
    gone = served.ok("release_file_reservations", **one)
    assert set(gone) == {"released", "released_at"} and gone["released"] == 2
    assert served.ok("release_file_reservations", **one)["released"] == 0
    third = served.ok("file_reservation_paths", **other, paths=["part/auth/a.ts"])
    assert third["conflicts"] == []


def test_shared_reservations_meet_and_an_exclusive_one_does_not(
    served: Served, two: tuple[dict[str, str], dict[str, str]]
) -> None:
    one, other = two
    shared = {"paths": ["shared/**"], "exclusive": False}
    assert served.ok("file_reservation_paths", **one, **shared)["conflicts"] == []
    assert served.ok("file_reservation_paths", **other, **shared)["conflicts"] == []
    denied = served.ok("file_reservation_paths", **other, paths=["shared/x"])
    assert denied["granted"] == []


def test_paths_of_a_worktree_are_paths_of_the_repository(
    served: Served, two: tuple[dict[str, str], dict[str, str]], project: str
) -> None:
    one, other = two
    worktree = f"{project}/.worktrees/wt-03-01"
    wanted = [f"{worktree}/w/a.py", ".worktrees/wt-03-01/w/b.py", f"{project}/w/c.py", "./w/d.py"]
    granted = served.ok("file_reservation_paths", **one, paths=wanted)["granted"]
    names = [grant["path_pattern"] for grant in granted]
    assert names == ["w/a.py", "w/b.py", "w/c.py", "w/d.py"]
    other["project_key"] = worktree
    denied = served.ok("file_reservation_paths", **other, paths=[f"{worktree}/w/c.py"])
    assert denied["conflicts"][0]["path"] == f"{worktree}/w/c.py"
    assert served.ok("release_file_reservations", **one, paths=wanted[:2])["released"] == 2


def test_check_changes_nothing(served: Served, two: tuple[dict[str, str], dict[str, str]]) -> None:
    one, other = two
    served.ok("file_reservation_paths", **one, paths=["check/a", "check/b"])
    found = served.ok("check_file_reservation_conflicts", **other, paths=["check/a", "check/c"])
    assert set(found) == {
        "conflict_free", "conflicts", "own_active", "clear_paths", "checked_paths",
        "total_conflicting_reservations", "output_truncated", "project", "snapshot_ts",
        "authoritative_source", "read_only",
    }  # fmt: skip
    assert (found["conflict_free"], found["clear_paths"]) == (False, ["check/c"])
    assert found["conflicts"][0]["path"] == "check/a" and found["own_active"] == []
    mine = served.ok("check_file_reservation_conflicts", **one, paths=["check/a"])
    assert mine["conflict_free"] and len(mine["own_active"]) == 2


def test_renew_extends_from_now_or_the_end_and_a_minute_at_least(
    served: Served, two: tuple[dict[str, str], dict[str, str]]
) -> None:
    one, _ = two
    granted = served.ok("file_reservation_paths", **one, paths=["renew/a", "renew/b"])["granted"]
    answer = served.ok("renew_file_reservations", **one, extend_seconds=5, paths=["renew/a"])
    assert set(answer) == {"renewed", "file_reservations"} and answer["renewed"] == 1
    (row,) = answer["file_reservations"]
    assert set(row) == {"id", "path_pattern", "old_expires_ts", "new_expires_ts"}
    assert (row["id"], row["old_expires_ts"]) == (granted[0]["id"], granted[0]["expires_ts"])
    added = datetime.fromisoformat(row["new_expires_ts"]) - datetime.fromisoformat(
        row["old_expires_ts"]
    )
    assert added == timedelta(seconds=60)
    by_id = served.ok("renew_file_reservations", **one, file_reservation_ids=[granted[1]["id"]])
    assert by_id["file_reservations"][0]["path_pattern"] == "renew/b"


def test_a_lease_is_a_minute_at_least(
    served: Served, two: tuple[dict[str, str], dict[str, str]]
) -> None:
    granted = served.ok("file_reservation_paths", **two[0], paths=["short"], ttl_seconds=1)
    until = datetime.fromisoformat(granted["granted"][0]["expires_ts"])
    assert until - datetime.now(UTC) > timedelta(seconds=50)


def test_paths_that_are_refused(
    served: Served, two: tuple[dict[str, str], dict[str, str]], tmp_path: Path
) -> None:
    one, _ = two
    text = served.error("file_reservation_paths", **one, paths=[])
    assert text.startswith(
        "Error calling tool 'file_reservation_paths': paths list cannot be empty. Provide at "
        "least one file path or glob pattern"
    )
    for everything in ("**", "*", ".", "**/*", "/", "./**", str(served.repo.path)):
        text = served.error("file_reservation_paths", **one, paths=["ok", everything])
        assert "whole project" in text or "outside of the project" in text
    for outside in (str(tmp_path), "../x", "a/../../x"):
        assert "outside of the project" in served.error(
            "file_reservation_paths", **one, paths=[outside]
        )
    too_many = [f"many/{n}" for n in range(201)]
    assert "200 are the limit" in served.error("file_reservation_paths", **one, paths=too_many)
    assert served.ok("release_file_reservations", **one)["released"] == 0


def test_names_of_tools_meet_only_themselves(
    served: Served, two: tuple[dict[str, str], dict[str, str]]
) -> None:
    one, other = two
    served.ok("file_reservation_paths", **one, paths=["tool://build"])
    found = served.ok("file_reservation_paths", **other, paths=["tool://build", "tool://test"])
    assert [grant["path_pattern"] for grant in found["granted"]] == ["tool://test"]


def test_a_plans_agent_and_its_run_are_one_party(served: Served, project: str) -> None:
    layout = served.place.layout
    registry = Registry(layout)
    agent = start.plan_agent(served.mailbox, "run7", "07-01", 1, program="opencode")
    registry.grant(Request(Holder(run="run7", plan="07-01"), ("seven/a",)))
    registry.grant(Request(Holder(run="run7", plan="07-02"), ("seven/b",)))
    token = start.token_of(layout, agent.name)
    mine = {"project_key": project, "agent_name": agent.name}
    found = served.ok("file_reservation_paths", token, **mine, paths=["seven/a", "seven/b"])
    assert [grant["path_pattern"] for grant in found["granted"]] == ["seven/a"]
    assert found["conflicts"][0]["holders"][0]["agent"] == "07-02"
    assert served.ok("release_file_reservations", token, **mine)["released"] == 1
    still = [held.reservation.holder.by for held in registry.active()
             if held.reservation.pattern == "seven/a"]  # fmt: skip
    assert still == [By.RUN], "an agent's release must not give back what the run holds"


def test_macros(served: Served, project: str) -> None:
    started = served.ok(
        "macro_start_session",
        human_key=project,
        program="opencode-coder",
        model="opencode-default",
        task_description="Executing 1",
        file_reservation_paths=["macro/**/*.ts"],
        file_reservation_reason="bd-1",
    )
    assert set(started) == {
        "project", "agent", "registration_token", "file_reservations", "inbox",
    }  # fmt: skip
    assert started["file_reservations"]["granted"][0]["reason"] == "bd-1"
    assert "registration_token" not in started["agent"] and started["inbox"] == []
    mine = {"project_key": project, "agent_name": started["agent"]["name"]}
    cycle = served.ok("macro_file_reservation_cycle", **mine, paths=["cycle/a"], auto_release=True)
    assert set(cycle) == {"file_reservations", "released"}
    assert cycle["released"]["released"] == 1
    cycle = served.ok("macro_file_reservation_cycle", **mine, paths=["cycle/a"])
    assert cycle["released"] is None


def test_the_guard_tools_say_that_nothing_was_installed(served: Served, project: str) -> None:
    given = {"project_key": project, "code_repo_path": project}
    assert served.ok("install_precommit_guard", **given) == {"hook": ""}
    assert served.ok("uninstall_precommit_guard", code_repo_path=project) == {"removed": False}


def test_the_resource_lists_what_is_held(
    served: Served, two: tuple[dict[str, str], dict[str, str]]
) -> None:
    one, _ = two
    served.ok("file_reservation_paths", **one, paths=["listed/a"])
    slug = served.ok("ensure_project", human_key=one["project_key"])["slug"]
    uri = f"resource://file_reservations/{slug}?active_only=true"
    _, answer = served.rpc("resources/read", {"uri": uri})
    rows = json.loads(answer["result"]["contents"][0]["text"])
    row = next(row for row in rows if row["path_pattern"] == "listed/a")
    assert set(row) == {
        "id", "agent", "path_pattern", "exclusive", "reason", "created_ts", "expires_ts",
        "released_ts", "stale", "stale_reasons", "last_agent_activity_ts",
        "last_mail_activity_ts", "last_filesystem_activity_ts", "last_git_activity_ts",
    }  # fmt: skip
    assert (row["agent"], row["stale"]) == (one["agent_name"], False)


def call(desk: Desk, tool: str, **arguments: Any) -> Answer:
    return answer(desk, Caller(), tool, {"project_key": str(desk.project.root), **arguments})


def test_force_release_of_an_active_a_quiet_and_a_dead_holder(tmp_path: Path) -> None:
    place = locate.here(make_repo(tmp_path).path)
    now = [datetime.now(UTC)]
    desk = Desk(place, clock=lambda: now[0])
    for name in ("taker-1", "quiet-1"):
        desk.mailbox.register(name, "test")
    quiet = call(desk, "file_reservation_paths", agent_name="quiet-1", paths=["src/a.py"],
                 ttl_seconds=86400)  # fmt: skip
    assert quiet.structured is not None
    number = quiet.structured["granted"][0]["id"]
    given = {"agent_name": "taker-1", "file_reservation_id": number, "note": "needed for 03-02"}
    refused = call(desk, "force_release_file_reservation", **given)
    assert refused.text == (
        "Error calling tool 'force_release_file_reservation': Reservation still shows recent "
        "activity; refusing forced release."
    )
    now[0] += timedelta(hours=2)
    (place.root / "src/a.py").write_text("changed\n")
    later = now[0].timestamp()

    os.utime(place.root / "src/a.py", (later, later))
    assert call(desk, "force_release_file_reservation", **given).is_error, "its file changed"
    os.utime(place.root / "src/a.py", (0, 0))
    done = call(desk, "force_release_file_reservation", **given).structured
    assert done is not None and done["released"] == 1
    row = done["reservation"]
    assert (row["agent"], row["notified"], row["id"]) == ("quiet-1", True, number)
    assert row["stale_reasons"] and row["released_ts"] == done["released_at"]
    (told,) = desk.mailbox.inbox("quiet-1")
    assert told.message.subject == "[file-reservations] Released stale lock on src/a.py"
    assert "needed for 03-02" in told.message.body
    again = call(desk, "force_release_file_reservation", **given).structured
    assert again is not None and set(again) == {"released", "released_at", "already_released"}
    unknown = call(desk, "force_release_file_reservation", **{**given, "file_reservation_id": 999})
    assert unknown.is_error and "id=999 not found" in unknown.text


def test_a_dead_owners_reservation_is_free_at_once(tmp_path: Path) -> None:
    place = locate.here(make_repo(tmp_path).path)
    desk = Desk(place)
    desk.mailbox.register("taker-1", "test")
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner: Owner | None = identity.of_process(process.pid)
    held = Request(Holder(run="r", plan="03-01"), ("src/a.py",), owner=owner)
    desk.registry.grant(held)
    first = call(desk, "file_reservation_paths", agent_name="taker-1", paths=["src/a.py"])
    assert first.structured is not None and first.structured["granted"] == []
    process.kill()
    process.wait()
    second = call(desk, "file_reservation_paths", agent_name="taker-1", paths=["src/a.py"])
    assert second.structured is not None and second.structured["conflicts"] == []
