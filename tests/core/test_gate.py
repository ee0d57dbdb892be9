"""What a run of the gate means, and which command is a project's gate."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from worktree_runner.core.gate import Ended, Result, Verdict, is_usable, judge
from worktree_runner.core.gate_command import detect, reports_tests

GREEN, RED = Result(), Result(code=1)
OLD = Result(code=1, failed=("a", "b"))
NO_TESTS = Result(code=5, failed=())


@pytest.mark.parametrize(
    ("result", "baseline", "verdict"),
    [
        (GREEN, None, Verdict.GREEN),
        (RED, None, Verdict.RED),
        (RED, RED, Verdict.RED),
        (Result(Ended.TIMED_OUT, None), GREEN, Verdict.INCONCLUSIVE),
        (Result(Ended.NOT_STARTED, None), GREEN, Verdict.RED),
        (Result(code=1, failed=("a",)), OLD, Verdict.GREEN),
        (Result(code=1, failed=("a", "new")), OLD, Verdict.RED),
        (Result(code=1, failed=()), OLD, Verdict.RED),
        (Result(code=2, failed=("a",)), OLD, Verdict.RED),
        (Result(code=1, failed=("a",)), GREEN, Verdict.RED),
        (NO_TESTS, NO_TESTS, Verdict.EMPTY),
        (NO_TESTS, OLD, Verdict.RED),
    ],
)
def test_only_what_the_baseline_knows_is_forgiven(
    result: Result, baseline: Result | None, verdict: Verdict
) -> None:
    assert judge(result, baseline) is verdict


@pytest.mark.parametrize(
    ("baseline", "usable"),
    [(GREEN, True), (RED, False), (OLD, True), (NO_TESTS, True), (Result(code=2, failed=()), False),
     (Result(Ended.TIMED_OUT, None), False), (Result(Ended.NOT_STARTED, None), False)],
)  # fmt: skip
def test_a_baseline_is_usable_where_it_can_tell_plans_apart(baseline: Result, usable: bool) -> None:
    assert is_usable(baseline) is usable


@pytest.mark.parametrize(
    ("files", "argv"),
    [
        ({"Makefile": "check:\n\ttrue\ntest: all\n"}, ["make", "test"]),
        ({"Makefile": "test := 3\nall:\n"}, None),
        ({"justfile": "default:\ncheck arg='x':\n"}, ["just", "check"]),
        ({"tox.ini": "[tox]\n", "tests/test_a.py": ""}, ["tox"]),
        ({"pyproject.toml": "[tool.pytest.ini_options]\n", "uv.lock": ""}, ["uv", "run", "pytest"]),
        ({"tests/unit/test_a.py": ""}, ["pytest"]),
        ({"src/test_tools.py": ""}, None),
        ({"Cargo.toml": ""}, ["cargo", "test"]),
        ({"go.mod": ""}, ["go", "test", "./..."]),
        ({"package.json": '{"scripts": {"test": "vitest"}}', "yarn.lock": ""},
         ["yarn", "run", "test"]),
        ({"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\""}}'}, None),
        ({"package.json": "[]"}, None),
        ({"README.md": ""}, None),
    ],
)  # fmt: skip
def test_the_projects_own_check_is_found_by_its_files(
    files: Mapping[str, str], argv: list[str] | None
) -> None:
    found = detect(sorted(files), files.__getitem__, lambda program: True)
    assert (list(found.argv) if found else None) == argv


def test_a_check_whose_program_is_missing_is_passed_over() -> None:
    files = {"Makefile": "test:\n", "go.mod": ""}
    found = detect(sorted(files), files.__getitem__, lambda program: program != "make")
    assert found is not None and found.origin == "go.mod"


@pytest.mark.parametrize(
    ("argv", "reports"),
    [
        (["pytest", "-q"], True),
        (["sh", "-c", "env PYTHONPATH=src /x/python3 -m pytest -q tests"], True),
        (["uv", "run", "pytest"], True),
        (["sh", "-c", "A=1 pytest"], True),
        (["sh", "-c", "pytest a; pytest b"], False),
        (["sh", "-c", "pytest 'a"], False),
        (["make", "test"], False),
        (["tox"], False),
        ([], False),
    ],
)
def test_only_one_plain_run_of_pytest_is_compared_test_by_test(
    argv: list[str], reports: bool
) -> None:
    assert reports_tests(argv) is reports
