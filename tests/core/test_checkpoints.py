from __future__ import annotations

import json

import pytest

from worktree_runner.core.checkpoints import (
    Checkpoint,
    CompletedTask,
    Option,
    from_json,
    is_approval,
    parse_prose,
    read,
    render_completed_table,
    render_instructions,
)

REACHED = """I stopped at the third task.

## CHECKPOINT REACHED

**Type:** human-verify
**Plan:** 03-03
**Progress:** 2/3 tasks complete

### Completed Tasks

| Task | Name | Commit | Files |
| ---- | ---- | ------ | ----- |
| 1 | Add the route | `1a2b3c4` | src/a.py, `src/b.py` |
| 2 | Add \u00fcmlauts | deadbeef1 | src/c.py |

### Current Task

**Task 3:** Look at the dashboard
**Status:** awaiting verification
**Blocked by:** a person has to look

### Checkpoint Details

Open http://localhost:3000 and click *Save*.

### Awaiting

Type "approved" or describe what is wrong.
"""


def test_checkpoint_of_the_return_template() -> None:
    assert parse_prose(REACHED) == Checkpoint(
        type="human-verify",
        plan="03-03",
        progress="2/3",
        completed=(
            CompletedTask(1, "Add the route", "1a2b3c4", ("src/a.py", "src/b.py")),
            CompletedTask(2, "Add \u00fcmlauts", "deadbeef1", ("src/c.py",)),
        ),
        task_number=3,
        task_name="Look at the dashboard",
        status="awaiting verification",
        blocked_by="a person has to look",
        details="Open http://localhost:3000 and click *Save*.",
        awaiting='Type "approved" or describe what is wrong.',
    )


def test_gate_of_renn() -> None:
    text = (
        "## GATE REACHED ⏸\n\n**Type:** decision\n**Run:** 01.02\n**Progress:** 0/2\n\n"
        "### Gate Details\nWhich store?\n\n- **sqlite**: one file\n- `pg` — a server\n\n"
        "### Awaiting\nSelect: sqlite or pg\n"
    )
    found = parse_prose(text)
    assert found is not None
    assert (found.type, found.plan, found.progress) == ("decision", "01.02", "0/2")
    assert found.options == (Option("sqlite", "one file"), Option("pg", "a server"))


def test_presented_form_without_sections() -> None:
    found = parse_prose(
        "## Checkpoint: Human Verify\n\n**Plan:** 03-03 Dashboard\n**Progress:** 2/3 tasks "
        "complete\n\nOpen the page.\n"
    )
    assert found is not None
    assert (found.type, found.plan, found.details) == (
        "human-verify", "03-03 Dashboard", "Open the page.",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "",
        "All done, no checkpoint reached.",
        "The plan has a section '## Checkpoints' that I read.",
        REACHED + "\n## PLAN COMPLETE\n**Plan:** 03-03\n",
    ],
)
def test_other_endings_are_no_checkpoint(text: str) -> None:
    assert parse_prose(text) is None


def test_file_wins_over_prose_and_a_broken_file_does_not() -> None:
    file = json.dumps({"type": "human-action", "task_number": "4", "options": None})
    found = read(REACHED, file)
    assert found is not None
    assert (found.type, found.task_number, found.options) == ("human-action", 4, ())
    fallback = read(REACHED, '{"type": "human')
    assert fallback is not None
    assert fallback.task_number == 3


def test_json_form_reads_back() -> None:
    found = parse_prose(REACHED)
    assert found is not None
    assert from_json(json.loads(json.dumps(found.as_json()))) == found


def test_unknown_kind_is_looked_at_by_a_person() -> None:
    found = read("", '{"type": "auth-gate", "completed": "none", "details": 3}')
    assert found is not None
    assert (found.type, found.completed, found.details) == ("human-verify", (), "3")


def test_indented_text_is_read_the_same() -> None:
    indented = "".join(f"   {line}" for line in REACHED.splitlines(keepends=True))
    assert parse_prose(indented) == parse_prose(REACHED)


def test_crlf_text_is_read_the_same() -> None:
    assert parse_prose(REACHED.replace("\n", "\r\n")) == parse_prose(REACHED)


def test_table_of_a_continuation_prompt() -> None:
    table = render_completed_table((CompletedTask(1, "a | b", "1" * 40, ("x", "y")),))
    assert table.splitlines()[2] == f"| 1 | a \\| b | {'1' * 12} | x, y |"
    assert "no task" in render_completed_table(())


def test_instructions_follow_kind_and_answer() -> None:
    verify = Checkpoint(type="human-verify", task_number=3)
    assert "Go on with the next task" in render_instructions(verify, "Approved.")
    assert "Fix them first" in render_instructions(verify, "the button is red")
    assert "Verify that it is" in render_instructions(Checkpoint(type="human-action"), "done")
    assert "by this choice" in render_instructions(Checkpoint(type="decision"), "sqlite")
    assert is_approval("LGTM!")
    assert not is_approval("approved, but the button is red")


def test_what_as_json_gives_is_read_back_before_and_after_a_file() -> None:
    options = [{"id": "a", "name": "A"}]
    done = [{"number": 1, "name": "x", "commit": "abc", "files": ["f"]}]
    stop = from_json({"type": "decision", "options": options, "completed": done})
    assert from_json(stop.as_json()) == stop
    assert from_json(json.loads(json.dumps(stop.as_json()))) == stop
