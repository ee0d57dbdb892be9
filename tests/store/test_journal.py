"""The journal: what survives, what is dropped, what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from worktree_runner.core.events import Type
from worktree_runner.errors import PreconditionError
from worktree_runner.store.journal import Journal, read


def test_events_come_back_in_order_with_their_payloads(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "r1" / "journal.jsonl")
    journal.append(Type.RUN_STARTED, phase="03", plans=[{"id": "03-01"}])
    journal.append(Type.PLAN_FAILED, "03-01", reason="räumlich")
    journal.close()
    events = read(tmp_path / "r1" / "journal.jsonl").events
    assert [(event.seq, event.type, event.plan) for event in events] == [
        (1, "run.started", None),
        (2, "plan.failed", "03-01"),
    ]
    assert events[1].data == {"reason": "räumlich"}


def test_a_torn_last_line_is_dropped_and_writing_goes_on_after_it(tmp_path: Path) -> None:
    path = tmp_path / "r1" / "journal.jsonl"
    journal = Journal(path)
    journal.append(Type.NOTICE, text="whole")
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"v":1,"seq":2,"at":"2026-')
    again = Journal(path)
    assert again.torn == b'{"v":1,"seq":2,"at":"2026-'
    again.append(Type.NOTICE, text="after")
    again.close()
    assert [event.data["text"] for event in read(path).events] == ["whole", "after"]


def test_a_bad_line_inside_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "r1" / "journal.jsonl"
    journal = Journal(path)
    journal.append(Type.NOTICE, text="one")
    journal.append(Type.NOTICE, text="two")
    journal.close()
    path.write_bytes(path.read_bytes().replace(b'{"v":1,"seq":1', b"garbage", 1))
    with pytest.raises(PreconditionError, match=r"journal\.jsonl:1 "):
        read(path)


def test_a_line_out_of_number_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "r1" / "journal.jsonl"
    journal = Journal(path)
    for text in ("one", "two", "three"):
        journal.append(Type.NOTICE, text=text)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2])
    with pytest.raises(PreconditionError, match="event 3 in the place of event 2"):
        read(path)


@pytest.mark.parametrize("harm", ["remove", "empty", "add", "replace"])
def test_what_another_program_did_to_the_file_is_undone(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "r1" / "journal.jsonl"
    journal = Journal(path)
    journal.append(Type.NOTICE, text="one")
    assert not journal.mend()
    match harm:
        case "remove":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "add":
            path.write_bytes(path.read_bytes() + b'{"v":1,"seq":2,"type":"merge.landed"}\n')
        case "replace":
            (tmp_path / "other").write_text("x")
            (tmp_path / "other").replace(path)
    assert journal.mend()
    journal.append(Type.NOTICE, text="two")
    assert not journal.mend()
    assert [event.data["text"] for event in read(path).events] == ["one", "two"]


def test_a_newer_version_can_be_read_but_not_written(tmp_path: Path) -> None:
    path = tmp_path / "r1" / "journal.jsonl"
    Journal(path).append(Type.NOTICE, text="one")
    path.write_bytes(path.read_bytes().replace(b'"v":1', b'"v":2', 1))
    assert read(path).newer
    with pytest.raises(PreconditionError, match="newer wtrun"):
        Journal(path)


def test_a_full_disk_leaves_the_journal_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r1" / "journal.jsonl"
    journal = Journal(path)
    journal.append(Type.NOTICE, text="one")
    whole = path.read_bytes()
    write = os.write

    def half(fd: int, data: bytes) -> int:
        write(fd, data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space left"):
        journal.append(Type.NOTICE, text="two")
    monkeypatch.undo()
    assert path.read_bytes() == whole
    journal.append(Type.NOTICE, text="three")
    assert [event.data["text"] for event in read(path).events] == ["one", "three"]
