"""Whole runs whose worktrees need more than git brings along."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.support.processes import eventually
from tests.support.project import Project, kill, plan_text
from tests.support.repo import Repo


def plans() -> dict[str, str]:
    return {
        number: plan_text(
            number,
            files=[file],
            # staged by name, as agents are told: what setup left is not theirs
            steps=[
                {"write": file, "text": "work\n"},
                {"run": ["git", "add", file]},
                {"run": ["git", "commit", "-qm", f"feat(03-{number}): work"]},
                {"summary": True},
            ],
        )
        for number, file in (("01", "src/a.txt"), ("02", "src/b.txt"))
    }


def with_setup(repo: Repo, setup: str, plans: dict[str, str], **files: str) -> Project:
    project = Project.make(repo, plans, {".gitignore": "*.env\n", **files})
    config = repo.read(".wtrun.toml").decode()
    repo.commit("setup", {".wtrun.toml": f"{config}\n[worktrees]\nsetup = ['''{setup}''']\n"})
    return project


def test_setup_runs_before_the_agent_and_is_nobodys_work(repo: Repo, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    setup = f"echo $WTRUN_SLOT $WTRUN_PORT_BASE >> {seen}; echo x > made.txt; echo y >> README.md"
    project = with_setup(repo, setup, plans(), **{".worktreeinclude": "*.env\n"})
    repo.write("dev.env", "A=1\n")
    done = project.execute()
    ports = sorted(line.split()[1] for line in seen.read_text().splitlines())
    assert len(set(ports)) == 2
    assert "setup had changed README.md; restored" in done.stderr
    assert "2 of 2 plans merged into main" in done.stderr
    # neither taken for leftovers, nor salvaged, nor merged
    assert "made.txt" not in done.stderr
    assert repo.git("for-each-ref", "refs/wtrun") == ""
    assert not (repo.path / "made.txt").exists()
    assert len(repo.git("worktree", "list").splitlines()) == 1
    files = repo.git("ls-tree", "-r", "--name-only", "HEAD").splitlines()
    assert "dev.env" not in files


def test_a_failed_setup_fails_its_plan_with_the_output_and_starts_no_agent(repo: Repo) -> None:
    setup = 'case $PWD in *03-02) echo "no compiler" >&2; exit 7;; esac'
    project = with_setup(repo, setup, plans())
    done = project.execute("--on-failure", "continue", expect=1)
    assert "ended with 7" in done.stderr
    assert "no compiler" in done.stderr
    assert project.statuses() == {"03-01": "landed", "03-02": "failed"}
    assert project.starts("03-02") == 0


def test_ctrl_c_does_not_wait_for_a_setup(repo: Repo, tmp_path: Path) -> None:
    running = tmp_path / "running"
    project = with_setup(repo, f"test -e {running} || {{ touch {running}; sleep 600; }}", plans())
    process = project.start("execute", "3")
    eventually(running.exists)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert project.processes() == []
    project.execute()
    assert project.statuses() == {"03-01": "landed", "03-02": "landed"}


def test_a_setup_that_outlived_a_killed_wtrun_is_ended_before_another_one_begins(
    repo: Repo, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    first = f"test -s {pid} || {{ echo $$ > {pid}; exec sleep 600; }}"
    # a zombie has an empty command line
    project = with_setup(repo, f"{first}; ! grep -q sleep /proc/$(cat {pid})/cmdline", plans())
    process = project.start("execute", "3", "--sequential")
    eventually(lambda: pid.exists() and pid.read_text())
    kill(process)
    assert project.processes() == [int(pid.read_text())]
    project.execute("--sequential")
    assert project.statuses() == {"03-01": "landed", "03-02": "landed"}
    assert project.processes() == []
