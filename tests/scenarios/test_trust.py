"""Commands of the repository's own files run only after the user trusted exactly those."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.support.project import Project, plan_text
from tests.support.repo import Repo
from worktree_runner.store.config import load_settings


@pytest.fixture
def project(repo: Repo) -> Project:
    project = Project.make(repo, {"01": plan_text("01", files=["a.txt"])})
    project.trusting = False
    shutil.rmtree(project.path / ".git/wtrun")
    return project


def test_new_commands_stop_the_run_until_exactly_they_are_trusted(project: Project) -> None:
    marker = project.path / ".git/ran"
    config = project.repo.read(".wtrun.toml").decode()
    config += f'[worktrees]\nsetup = ["touch {marker}"]\n'
    project.repo.commit("setup", {".wtrun.toml": config})
    stopped = project.execute("--yes", expect=5)
    assert f'worktrees.setup = "touch {marker}"  (runs in every new worktree)' in stopped.stderr
    assert ".wtrun.toml agents.command.argv = " in stopped.stderr
    assert not (project.path / ".git/wtrun/runs").exists()
    digest = re.findall(r"wtrun trust ([0-9a-f]+)", stopped.stderr)[0]

    project.wtrun("trust", digest, expect=0)
    project.execute()
    assert marker.exists()

    changed = config.replace("touch", "touch -a")
    project.repo.commit("another setup", {".wtrun.toml": changed})
    old = project.wtrun("trust", digest, expect=2)
    assert f"{digest} is not what the repository says now" in old.stderr
    assert "touch -a" in project.execute("--yes", expect=5).stderr


def test_settings_are_those_of_the_checkout_and_trust_is_in_what_they_say(project: Project) -> None:
    """Committed or not: what is shown, trusted and run is one and the same content."""
    ran = project.path / ".git/ran"
    config = project.repo.read(".wtrun.toml").decode()
    file = project.path / ".wtrun.toml"
    committed = f'{config}[worktrees]\nsetup = ["echo committed >> {ran}"]\n'
    project.repo.commit("setup", {".wtrun.toml": committed})
    project.wtrun("trust", "--yes", expect=0)
    file.write_text(committed.replace("echo committed", "echo edited"))
    stopped = project.execute(expect=5)
    assert "echo edited" in stopped.stderr
    assert not ran.exists()
    project.wtrun("trust", "--yes", expect=0)
    project.execute()
    assert ran.read_text() == "edited\n"
    assert project.repo.git("status", "--porcelain") == " M .wtrun.toml"


def test_trust_asks_and_can_be_taken_back(project: Project) -> None:
    assert "wtrun trust " in project.wtrun("trust", expect=5).stderr
    project.wtrun("trust", "--yes", expect=0)
    assert "trusted already" in project.wtrun("trust", expect=0).stderr
    assert "took back 1 trusted set" in project.wtrun("trust", "--revoke", expect=0).stderr
    project.execute(expect=5)


def test_no_agent_can_trust(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.project import trust_commands
    from worktree_runner.errors import PreconditionError

    monkeypatch.setenv("WTRUN_ATTEMPT", "03-01-a1")
    with pytest.raises(PreconditionError, match="agent can't trust"):
        trust_commands(project.path)


def test_a_program_of_the_repository_is_not_asked_for_its_version(project: Project) -> None:
    marker = project.path / "ran"
    program = project.path / "claude"
    program.write_text(f"#!/bin/sh\ntouch {marker}\n")
    program.chmod(0o755)
    project.repo.write(".wtrun.toml", f'[agents.claude]\nprogram = "{program}"\n')
    assert "not trusted yet" in project.wtrun("agents", "--check", expect=0).stdout
    assert not marker.exists()
    project.wtrun("trust", "--yes", expect=0)
    project.wtrun("agents", "--check", expect=0)
    assert marker.exists()


def test_what_needs_trust(tmp_path: Path) -> None:
    def keys(text: str) -> list[str]:
        (tmp_path / ".wtrun.toml").write_text(text)
        return sorted(load_settings(tmp_path, None, flags={"permissions": "edit"}).supplied)

    assert keys('max_parallel = 4\nagent = "claude"\npermissions = "edit"\n') == []
    assert keys('permissions = "full"\nsandbox = false\n') == ["permissions", "sandbox"]
    assert keys('[gate]\ncommand = "make"\ntimeout = 5\n') == ["gate.command"]
    assert keys('allow_commands = ["rm"]\nextra_args = ["-x"]\n') == [
        "allow_commands",
        "extra_args",
    ]
