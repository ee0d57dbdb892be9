from __future__ import annotations

import pytest

from worktree_runner.core.shell_plan import (
    ShellBlock,
    commands_of,
    problems_of,
    render_commands,
)
from worktree_runner.models import Plan, Task


def plan(*tasks: Task, agent: str | None = None) -> Plan:
    return Plan(
        id="03-01", phase="03", number="01", path="p/03-01-PLAN.md", summary_path="p/s.md",
        title="Rename", objective="", order=(), declared_wave=1, wave=1, depends_on=(), files=(),
        files_declared=(), autonomous=True, gap_closure=False, has_checkpoint=False, done=False,
        tasks=tasks, text=b"", agent=agent,
    )  # fmt: skip


def task(action: str = "", verify: str = "", *, name: str = "Do", kind: str = "auto") -> Task:
    text = f"<action>\n{action}\n</action>\n<verify>\n{verify}\n</verify>\n"
    return Task(number=1, name=name, type=kind, line=1, text=text)


def fence(info: str, body: str) -> str:
    return f"```{info}\n{body}\n```\n"


def texts(found: Plan) -> list[str]:
    return [block.text for block in commands_of(found)[0].blocks]


def test_unmarked_blocks_run_only_in_plans_for_the_shell_agent() -> None:
    action = fence("bash", "git push") + fence("bash wtrun", "ruff --fix .") + fence("py", "x")
    assert texts(plan(task(action))) == ["ruff --fix ."]
    assert texts(plan(task(action), agent="shell")) == ["git push", "ruff --fix ."]


def test_indented_fences_lose_their_indentation_and_longer_fences_hold_shorter_ones() -> None:
    action = "   ```sh wtrun\n   if true; then\n     ls\n   fi\n   ```\n"
    action += "````bash wtrun\ncat <<'X'\n```bash\nrm -rf /\n```\nX\n````\n"
    blocks = commands_of(plan(task(action)))[0].blocks
    assert blocks[0] == ShellBlock("if true; then\n  ls\nfi", "sh")
    assert blocks[1].text == "cat <<'X'\n```bash\nrm -rf /\n```\nX"


@pytest.mark.parametrize(
    ("verify", "agent", "expected"),
    [
        ("<automated>make test</automated> and look", None, ["make test"]),
        ("<automated>a</automated>\n<automated>\n  b\n  c\n</automated>", "shell", ["a", "b\nc"]),
        ("The tests pass", None, []),
        ("make test\ntest -f a", "shell", ["make test", "test -f a"]),
        (fence("bash", "make check") + "then look", "shell", ["make check"]),
        (fence("bash", "make check"), None, []),
        (fence("text", "an expected output"), "shell", []),
    ],
)
def test_verify_commands(verify: str, agent: str | None, expected: list[str]) -> None:
    found = plan(task(fence("bash wtrun", "true"), verify), agent=agent)
    blocks = commands_of(found)[0].blocks[1:]
    assert [block.text for block in blocks] == expected
    assert all(block.verify for block in blocks)


def test_automated_check_of_a_task_that_was_not_opted_in_is_not_run() -> None:
    assert texts(plan(task("Think.", "<automated>make deploy</automated>"))) == []


@pytest.mark.parametrize(
    ("name", "kind", "commit_type", "left"),
    [
        ("Add it", "auto", "feat", "Add it"),
        ("fix: the bug", "auto", "fix", "the bug"),
        ("refactor(core): split", "auto", "refactor", "split"),
        ("note: a word", "auto", "feat", "note: a word"),
        ("Tests", "test", "test", "Tests"),
    ],
)
def test_commit_type(name: str, kind: str, commit_type: str, left: str) -> None:
    found = commands_of(plan(task(fence("bash wtrun", "true"), name=name, kind=kind)))[0]
    assert (found.commit_type, found.name) == (commit_type, left)


def test_checkpoints_have_no_commands() -> None:
    found = commands_of(
        plan(task(fence("bash", "true"), kind="checkpoint:decision"), agent="shell")
    )
    assert (found[0].checkpoint, found[0].blocks) == ("decision", ())


def test_problems_name_the_task_that_has_nothing_to_run() -> None:
    assert problems_of(plan()) == ["p/03-01-PLAN.md has no <task>"]
    assert problems_of(plan(task("words"))) == [
        "p/03-01-PLAN.md has no block that the shell agent may run"
    ]
    assert problems_of(plan(task(fence("bash wtrun", "true")), task("words", name="Think"))) == [
        "task 1 (Think) has no block that the shell agent may run"
    ]
    assert problems_of(plan(task("```bash wtrun\ntrue\n"))) == [
        "task 1 (Do) has a fence that is not closed",
        "p/03-01-PLAN.md has no block that the shell agent may run",
    ]


def test_commands_are_shown_as_they_will_run() -> None:
    found = plan(task(fence("bash wtrun", "a\nb"), "<automated>c</automated>"))
    assert render_commands(found) == (
        "03-01: Rename\n  task 1: Do\n    $ a\n      b\n    verify $ c"
    )
