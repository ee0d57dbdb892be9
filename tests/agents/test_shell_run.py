from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.agents import PLAN_PATH, SUMMARY_PATH, perform, request_for
from tests.support.repo import Repo
from worktree_runner.agents.outcome import read_checkpoint, read_outcome
from worktree_runner.agents.protocol import AgentOutcome, AgentRequest, FailureKind, Launch
from worktree_runner.agents.shell import ShellAgent

AGENT = ShellAgent()


def plan(*tasks: str, front: str = "agent: shell") -> str:
    return f"---\nphase: 03-api\nplan: 01\n{front}\n---\n\n<tasks>\n{''.join(tasks)}</tasks>\n"


def task(name: str, script: str, verify: str = "", kind: str = "auto") -> str:
    return (
        f'<task type="{kind}">\n<name>{name}</name>\n<action>\n```bash\n{script}\n```\n</action>\n'
        f"<verify>{verify}</verify>\n</task>\n"
    )


def run(request: AgentRequest) -> AgentOutcome:
    code = perform(AGENT.build(request), request.run_dir)
    return read_outcome(AGENT, request.run_dir, code, False, False)


def subjects(repo: Repo) -> list[str]:
    return repo.git("log", "--reverse", "--format=%s", "main..gsd/03-01").splitlines()


def test_each_task_becomes_one_commit_of_exactly_what_it_changed(repo: Repo) -> None:
    text = plan(
        task("Add the module", "mkdir -p src && echo 'x = 1' > src/a.py", "test -f src/a.py"),
        task("fix: typo in readme", "echo bye > README.md\ngit mv src/a.py src/b.py"),
    )
    request = request_for(repo, text)
    outcome = run(request)
    assert outcome.status == "ok", outcome
    assert subjects(repo) == [
        "feat(03-01): Add the module",
        "fix(03-01): typo in readme",
        "docs(03-01): complete The API plan",
    ]
    shown = [
        repo.git("show", "--format=", "--no-renames", "--name-status", f"gsd/03-01~{n}")
        for n in (2, 1, 0)
    ]
    assert shown == [
        "A\tsrc/a.py", "M\tREADME.md\nD\tsrc/a.py\nA\tsrc/b.py", f"A\t{SUMMARY_PATH}",
    ]  # fmt: skip
    assert repo.git("status", "--porcelain", cwd=request.worktree) == ""
    summary = repo.show("gsd/03-01", SUMMARY_PATH).decode()
    assert "## Self-Check: PASSED" in summary
    assert "created:\n    - src/b.py\n" in summary


def test_failing_command_ends_the_plan_with_command_code_and_output(repo: Repo) -> None:
    text = plan(
        task("One", "echo one > one.txt"),
        task("Two", "echo fine\necho the reason >&2\nsh -c 'exit 7'\necho never > never.txt"),
        task("Three", "echo three > three.txt"),
    )
    request = request_for(repo, text)
    outcome = run(request)
    assert (outcome.status, outcome.failure, outcome.exit_code) == (
        "failed", FailureKind.UNKNOWN, 1,
    )  # fmt: skip
    log = (request.run_dir / "stdout.log").read_text()
    assert "task 2 (Two): command failed with exit code 7" in log
    assert "the reason" in log.split("end of its output:")[1]
    assert "line 3: sh -c 'exit 7' (exit 7)" in log
    assert subjects(repo) == ["feat(03-01): One"]
    assert not (request.worktree / "never.txt").exists()
    assert "Two" in outcome.message


def test_failing_verify_leaves_the_task_uncommitted(repo: Repo) -> None:
    text = plan(task("One", "echo one > one.txt", "<automated>grep -q two one.txt</automated>"))
    outcome = run(request_for(repo, text))
    assert outcome.status == "failed"
    assert "verify failed with exit code 1" in outcome.message
    assert subjects(repo) == []


def test_second_attempt_does_not_run_committed_tasks_again(repo: Repo) -> None:
    text = plan(
        task("One", "echo run >> ../../one.count && echo one > one.txt"),
        task("Two", "echo two > two.txt; test -f ../../go"),
    )
    request = request_for(repo, text)
    assert run(request).status == "failed"
    (repo.path / "go").write_text("")
    assert run(request).status == "ok"
    assert (repo.path / "one.count").read_text() == "run\n"
    assert subjects(repo) == [
        "feat(03-01): One", "feat(03-01): Two", "docs(03-01): complete The API plan",
    ]  # fmt: skip
    assert repo.git("show", "--format=", "--name-only", "gsd/03-01~1") == "two.txt"
    assert run(request).status == "ok"
    assert len(subjects(repo)) == 3


def test_a_task_in_which_an_attempt_was_killed_runs_again_on_the_files_as_they_were(
    repo: Repo,
) -> None:
    commands = "echo more >> b.txt; echo half >> half.txt; test -f ../../go || sleep 60"
    text = plan(task("Zero", "echo b > b.txt"), task("One", commands))
    request = request_for(repo, text)
    launch = AGENT.build(request)
    half = request.worktree / "half.txt"
    process = start(launch)
    deadline = time.monotonic() + 30
    while not half.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert half.exists()
    (repo.path / "go").write_text("")
    assert run(request).status == "ok"
    assert repo.git("show", "--format=", "--name-only", "gsd/03-01~1") == "b.txt\nhalf.txt"
    assert repo.show("gsd/03-01", "half.txt") == b"half\n"
    assert repo.show("gsd/03-01", "b.txt") == b"b\nmore\n"
    copies = request.run_dir / "half-done-task-2"
    assert (copies / "b.txt").read_text() == "b\nmore\n"
    assert (copies / "half.txt").read_text() == "half\n"


def start(launch: Launch) -> subprocess.Popen[bytes]:
    for path, text in launch.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return subprocess.Popen(
        launch.argv, cwd=launch.cwd, env={**os.environ, **launch.env}, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def test_what_was_untracked_before_is_never_committed(repo: Repo) -> None:
    request = request_for(repo, plan(task("One", "echo one > one.txt; echo x >> noted.txt")))
    (request.worktree / "local.env").write_text("SECRET=1\n")
    (request.worktree / "noted.txt").write_text("before\n")
    assert run(request).status == "ok"
    assert repo.git("show", "--format=", "--name-only", "gsd/03-01~1") == "noted.txt\none.txt"
    assert repo.git("status", "--porcelain", cwd=request.worktree) == "?? local.env"


def test_only_marked_blocks_run_in_a_plan_for_models(repo: Repo) -> None:
    text = plan(
        "<task><name>One</name><action>\nExample:\n```bash\ntouch wrong.txt\n```\nReal:\n"
        "```bash wtrun\ntouch right.txt\n```\n</action><verify>npm test passes</verify></task>\n",
        front="",
    )
    assert run(request_for(repo, text)).status == "ok"
    assert repo.git("show", "--format=", "--name-only", "gsd/03-01~1") == "right.txt"


def test_plan_without_blocks_is_refused_before_anything_runs(repo: Repo) -> None:
    text = plan(
        task("One", "touch one.txt"), "<task><name>Two</name><action>Think.</action></task>\n"
    )
    request = request_for(repo, text)
    outcome = run(request)
    assert (outcome.status, outcome.failure) == ("failed", FailureKind.CONFIG)
    assert "task 2 (Two) has no block" in outcome.message
    assert not (request.worktree / "one.txt").exists()


def test_task_that_leaves_the_branch_is_stopped(repo: Repo) -> None:
    outcome = run(request_for(repo, plan(task("One", "git checkout -q --detach"))))
    assert "not on gsd/03-01" in outcome.message


def test_git_variables_of_a_hook_do_not_redirect_the_commits(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_for(repo, plan(task("One", "echo one > one.txt")))
    monkeypatch.setenv("GIT_DIR", str(repo.path / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(repo.path / "other.index"))
    assert run(request).status == "ok"
    monkeypatch.delenv("GIT_DIR")
    assert len(subjects(repo)) == 2


def test_ignored_planning_directory_gets_the_summary_and_no_commit(repo: Repo) -> None:
    text = plan(task("One", "echo one > one.txt"))
    repo.commit("start", {"README.md": "", ".gitignore": ".planning/\n"})
    worktree = repo.path / ".worktrees" / "wt-03-01"
    repo.git("worktree", "add", "-q", "-b", "gsd/03-01", str(worktree))
    request = request_for(repo, text)
    assert run(request).status == "ok"
    assert subjects(repo) == ["feat(03-01): One"]
    assert (worktree / SUMMARY_PATH).is_file()


def test_checkpoint_stops_and_the_answer_goes_on(repo: Repo) -> None:
    stop = '<task type="checkpoint:decision"><name>Pick</name><action>a or b?</action></task>\n'
    text = plan(task("One", "echo 1 > 1.txt"), stop, task("Use", 'echo "$WTRUN_ANSWER" > pick.txt'))
    request = request_for(repo, text)
    outcome = run(request)
    found = read_checkpoint(request.run_dir, outcome)
    assert outcome.status == "ok"
    assert found is not None
    assert (found.type, found.task_number, found.details) == ("decision", 2, "a or b?")
    assert [done.name for done in found.completed] == ["One"]
    (request.outbox / "checkpoint.json").unlink()
    answered = request.model_copy(update={"answer": "option-b", "resume_task": 2})
    assert run(answered).status == "ok"
    assert repo.show("gsd/03-01", "pick.txt") == b"option-b\n"


def test_background_process_does_not_hold_the_block(repo: Repo) -> None:
    began = time.monotonic()
    assert run(request_for(repo, plan(task("One", "sleep 20 & echo 1 > 1.txt")))).status == "ok"
    assert time.monotonic() - began < 15


def test_odd_file_names_are_committed(repo: Repo) -> None:
    script = "touch -- 'a b.txt' '*' ':x' $'\\xc3\\xa4' && rm README.md && ln -s nowhere link"
    assert run(request_for(repo, plan(task("One", script)))).status == "ok"
    tree = repo.git("ls-tree", "-z", "--name-only", "gsd/03-01").split("\0")
    assert {"a b.txt", "*", ":x", "ä", "link"} <= set(tree)
    assert "README.md" not in tree


def test_request_file_holds_no_environment_values(repo: Repo) -> None:
    request = request_for(repo, plan(task("One", "true")), env={"TOKEN": "s3cret"})
    launch = AGENT.build(request)
    assert launch.env["TOKEN"] == "s3cret"
    assert all("s3cret" not in text for text in launch.files.values())
    stored = launch.files[request.run_dir / "shell-request.json"]
    assert json.loads(stored)["plan_path"] == PLAN_PATH
    assert AgentRequest.model_validate_json(stored).worktree == Path(request.worktree)
