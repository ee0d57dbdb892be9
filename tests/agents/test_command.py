from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.agents import perform, request_for
from tests.support.repo import Repo
from worktree_runner.agents import registry
from worktree_runner.agents.common import PLACEHOLDERS, placeholders
from worktree_runner.agents.outcome import read_outcome
from worktree_runner.agents.protocol import FailureKind
from worktree_runner.agents.settings import AgentSettings
from worktree_runner.errors import UsageError

PLAN = "---\nphase: 03-api\nplan: 01\n---\n"

ODD = '{"a": {"b": 1}} {} {A}'


def settings(**table: object) -> AgentSettings:
    return AgentSettings(tables={"mine": table})


def test_placeholders_become_arguments_without_any_shell(repo: Repo) -> None:
    agent = registry.load(
        "mine",
        settings(
            argv=["prog", "--in={prompt_file}", "{worktree}", "{files}", "{{model}}", ODD],
            model_args=["-m", "{model}"],
        ),
    )  # fmt: skip
    request = request_for(repo, PLAN, files=("a b.py", "$(x)"), model="opus", extra_args=("-v",))
    launch = agent.build(request)
    assert launch.argv == (
        "prog", f"--in={request.prompt_file}", str(request.worktree), "a b.py", "$(x)", "{model}",
        ODD, "-m", "opus", "-v",
    )  # fmt: skip
    assert launch.env["WTRUN_BRANCH"] == "gsd/03-01"
    assert launch.env["WTRUN_FILES"] == "a b.py\n$(x)"
    assert "WTRUN_ATTEMPT" not in launch.env  # the launcher's own mark


def test_every_documented_placeholder_has_a_value(repo: Repo) -> None:
    assert tuple(placeholders(request_for(repo, PLAN))) == PLACEHOLDERS


def test_prompt_is_a_file_and_stdin(repo: Repo, tmp_path: Path) -> None:
    code = "import sys,os;print(sys.stdin.read()==open(sys.argv[1]).read()=='p'*300_000)"
    agent = registry.load("mine", settings(argv=[sys.executable, "-c", code, "{prompt_file}"]))
    request = request_for(repo, PLAN, prompt="p" * 300_000)
    assert perform(agent.build(request), request.run_dir) == 0
    outcome = read_outcome(agent, request.run_dir, 0, False, False)
    assert (outcome.status, outcome.final_text) == ("ok", "True")
    assert (request.run_dir / "events.jsonl").read_text() == '{"kind":"text","text":"True"}\n'


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"argv": ["x", "{plna}"]}, "unknown placeholder {plna} in '{plna}'"),
        ({"argv": ["x", "--f={files}"]}, "{files} inside '--f={files}'"),
        ({"argv": []}, "argv: "),
        ({"argv": ["x"], "evnets": "none"}, "evnets: is not known here"),
        ({"argv": ["x"], "prompt_via": "argv"}, "prompt_via: "),
    ],
)
def test_wrong_tables_are_refused_when_loaded(table: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        registry.load("mine", settings(**table))
    assert f"[agents.mine] {message}" in caught.value.message or message in caught.value.message


def test_failure_is_explained_by_the_end_of_stderr(repo: Repo) -> None:
    script = (
        "import sys;print('working');sys.stderr.write('x\\nHTTP 429: rate limited\\n');sys.exit(3)"
    )
    agent = registry.load("mine", settings(argv=[sys.executable, "-c", script]))
    request = request_for(repo, PLAN)
    code = perform(agent.build(request), request.run_dir)
    outcome = read_outcome(agent, request.run_dir, code, False, False)
    assert (outcome.status, outcome.failure) == ("failed", FailureKind.RATE_LIMIT)
    assert outcome.message == "exit code 3: HTTP 429: rate limited"


def test_words_on_stdout_never_make_a_failure_class(repo: Repo) -> None:
    script = "import sys;print('added authentication failed page, 401');sys.exit(1)"
    agent = registry.load("mine", settings(argv=[sys.executable, "-c", script]))
    request = request_for(repo, PLAN)
    code = perform(agent.build(request), request.run_dir)
    assert read_outcome(agent, request.run_dir, code, False, False).failure is FailureKind.UNKNOWN


def test_killed_and_timed_out_win_over_exit_code_zero(repo: Repo) -> None:
    agent = registry.load("mine", settings(argv=["true"]))
    request = request_for(repo, PLAN)
    assert read_outcome(agent, request.run_dir, 0, True, False).status == "killed"
    assert read_outcome(agent, request.run_dir, 0, False, True).status == "timeout"


def test_codes_that_the_user_calls_success(repo: Repo) -> None:
    agent = registry.load("mine", settings(argv=["true"], success_exit_codes=[0, 4]))
    request = request_for(repo, PLAN)
    assert read_outcome(agent, request.run_dir, 4, False, False).status == "ok"
