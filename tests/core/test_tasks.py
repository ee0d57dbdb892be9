from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worktree_runner.core.filelists import parse_entries
from worktree_runner.core.tasks import (
    action_of,
    heading_section,
    parse_tasks,
    scan,
    section,
    verify_of,
)

ONE = "<task type='auto'>\n<name>Task 1: A</name>\n<action>do</action>\n</task>\n"


def names(text: str) -> list[str]:
    return [task.name for task in parse_tasks(scan(text))]


def test_fields_attributes_and_lines() -> None:
    text = (
        "intro\n\n<tasks>\n"
        '<task type="checkpoint:decision" gate="blocking" id="T1">\n'
        "  <name>Task 1: Choose</name>\n  <files>a.py,\n  src/b.py (new)</files>\n"
        "  <action>\nStep one: if a < b && c\n\n  indented\n  </action>\n"
        "  <verify><automated>pytest -q</automated></verify>\n  <done>ok</done>\n</task>\n"
        "</tasks>\n"
    )
    (task,) = parse_tasks(scan(text, 10))
    assert (task.number, task.name, task.type, task.line) == (
        1, "Task 1: Choose", "checkpoint:decision", 13,
    )  # fmt: skip
    assert task.is_checkpoint
    assert task.files == ("a.py", "src/b.py")
    assert action_of(task) == "Step one: if a < b && c\n\n  indented"
    assert verify_of(task) == "<automated>pytest -q</automated>"


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE}```xml\n<task type='auto'>\n<name>not one</name>\n</task>\n```\n{ONE}",
        f"{ONE}~~~\n<task>\n~~~\n{ONE}",
        f"{ONE}````md\n```\n<task>\n```\n````\n{ONE}",
        f"{ONE}```\nnever closed\n{ONE}",
        f"```markdown\n# A\n```bash\nrun\n```\nmore\n```\n{ONE}{ONE}",
        f"{ONE}```md\n```json\n1\n```\n```\n{ONE}```bash\nx\n```\n",
        f"{ONE}```js\ntext\n<task>\n`</task>`\n```\n{ONE}",
        f"```\nnever closed\n{ONE}```ts\nx\n```\n{ONE}",
        f"{ONE}text with ``` inside a line\n{ONE}",
        f"{ONE}the <task> tag in a line, a <task-list> and <tasks-old>\n{ONE}",
        f"<tasks>\n{ONE}{ONE}",
        f"- <task id='T'>Task 1: A</task>\n{ONE}",
        f"**<task>**\n<name>Task 1: A</name>\n{ONE}",
        f"{ONE.replace('</task>', '')}{ONE}",
    ],
)
def test_two_tasks_are_two_tasks(text: str) -> None:
    assert names(text) == ["Task 1: A", "Task 1: A"]


def test_a_list_that_stands_in_a_fence_as_a_whole_is_read() -> None:
    assert names(f"```xml\n<tasks>\n{ONE}</tasks>\n```\n") == ["Task 1: A"]


def test_a_task_ends_at_its_end_tag_outside_of_fences() -> None:
    text = (
        "<task>\n<name>A</name>\n<action>\n```\n</task>\n```\nmore\n</action>\n</task>\n"
        "<files>b.py</files>"
    )
    (task,) = parse_tasks(scan(text))
    assert action_of(task).endswith("more") and task.files == ()


def test_names_come_from_wherever_there_is_one() -> None:
    text = (
        '<task id="FB-1" status="todo">\nDo the thing.\n</task>\n'
        "<task>\n<title>Second</title>\n</task>\n<task>\nFirst line\nmore\n</task>\n"
        '<task name="Fourth">\n</task>\n'
    )
    assert names(text) == ["Do the thing.", "Second", "First line", "Fourth"]
    assert action_of(parse_tasks(scan(text))[0]) == "Do the thing."


def test_headings_are_tasks_where_there_is_no_tag() -> None:
    text = (
        "# Plan\n\n## Task 1: First\n\na\n\n### Detail\n\nb\n\n## Task 2 - Second\n\nc\n\n## End\n"
    )
    tasks = parse_tasks(scan(text))
    assert [(task.name, action_of(task), task.line) for task in tasks] == [
        ("First", "\na\n\n### Detail\n\nb\n".strip("\n"), 3),
        ("Second", "c", 11),
    ]


def test_sections_by_tag_and_by_heading() -> None:
    assert section("x <objective> y\n  <objective>\nthis\n</objective>", "objective") == "this"
    assert section("<objective>\nthis\n<context>\nrest", "objective") == "this"
    assert (
        heading_section("# A\n\n## Goals\n\nx\n\n### y\nz\n\n## B\n", "goals?") == "x\n\n### y\nz"
    )


@given(st.lists(st.sampled_from([
    "<task>\n", "</task>\n", "<tasks>", "```\n", "```py\n", "~~~\n", "````\n", "text\n", "<name>",
    "</name>", "<files>", "a.py, b.py\n", "## Task 1\n", " ", "<task type='x", "'>", "\n",
]), max_size=60))  # fmt: skip
def test_any_mixture_of_marks_gives_numbered_tasks_in_order(parts: list[str]) -> None:
    tasks = parse_tasks(scan("".join(parts)))
    assert [task.number for task in tasks] == list(range(1, len(tasks) + 1))
    lines = [task.line for task in tasks]
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    "text",
    [
        "<task>\n" * 20_000,
        "```x\n" * 50_000 + "<task>\n",
        "````\n```\n" * 20_000 + "<task>\n",
        "````x\n" * 20_000 + "```\n" * 20_000 + "<task>\n",
        "<task " * 20_000,
        "<task>\n<name>" * 10_000,
        "## Task 1\n" * 5_000,
        "</task>" * 50_000 + "\n<task>",
        "<objective>" * 20_000,
    ],
)
def test_hostile_bodies_take_no_time(text: str) -> None:
    start = time.process_time()
    parse_tasks(scan(text))
    section(text, "objective")
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "entry",
    [
        "a" + " " * 50_000 + "b",
        "a\n" * 20_000,
        "a,," * 20_000,
        "{a,b}" * 200,
        "(" * 50_000,
        "`" * 50_000,
    ],
)
def test_hostile_file_lists_take_no_time(entry: str) -> None:
    start = time.process_time()
    parse_tasks(scan(f"<task>\n<files>{entry}</files>\n</task>\n"))
    parse_entries([entry, {"path": entry}, [entry]])
    assert time.process_time() - start < 5
