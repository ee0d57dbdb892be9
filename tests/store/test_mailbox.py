"""The mailbox keeps every message that was sent, under kill -9 and many writers too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from worktree_runner.core.messages import Draft
from worktree_runner.errors import UsageError
from worktree_runner.store.mailbox import Mailbox, UnknownRecipientError
from worktree_runner.store.paths import Layout


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    box = Mailbox(Layout(tmp_path), clock=Clock())
    for name in ("BoldMarsh", "03-01", "03-02"):
        box.register(name, "test", "model")
    return box


def test_a_message_reaches_to_cc_and_bcc_once_with_its_kind(mailbox: Mailbox) -> None:
    draft = Draft("hello", "body\n", "gsd-03-01", importance="high", ack_required=True)
    sent = mailbox.send("03-01", ["boldmarsh", "BoldMarsh"], draft, cc=["03-02"], bcc=["03-01"])
    assert (sent.id, sent.to, sent.sender) == (1, ("BoldMarsh",), "03-01")
    kinds = [mailbox.inbox(name)[0].kind for name in ("BoldMarsh", "03-02", "03-01")]
    assert kinds == ["to", "cc", "bcc"]
    assert mailbox.message(1) == sent
    assert Mailbox(Layout(mailbox.folder.parent.parent)).message(1) == sent


def test_an_unknown_recipient_stops_the_whole_message(mailbox: Mailbox) -> None:
    with pytest.raises(UnknownRecipientError) as caught:
        mailbox.send("03-01", ["BoldMarsh", "Nobody"], Draft("s", "b"))
    assert caught.value.unknown == ("Nobody",) and "BoldMarsh" in caught.value.message
    assert mailbox.messages() == []


def test_wrong_importance_and_no_recipient_are_refused(mailbox: Mailbox) -> None:
    with pytest.raises(UsageError, match="importance"):
        mailbox.send("03-01", ["BoldMarsh"], Draft("s", "b", importance="very"))
    with pytest.raises(UsageError, match="recipient"):
        mailbox.send("03-01", [], Draft("s", "b"))


def test_inbox_filters_and_order(mailbox: Mailbox) -> None:
    for number, importance in enumerate(("normal", "urgent", "high"), start=1):
        mailbox.send("03-01", ["BoldMarsh"], Draft(f"m{number}", "b", importance=importance))
    assert [d.message.subject for d in mailbox.inbox("BoldMarsh")] == ["m3", "m2", "m1"]
    assert [d.message.id for d in mailbox.inbox("BoldMarsh", limit=1)] == [3]
    assert [d.message.id for d in mailbox.inbox("BoldMarsh", urgent_only=True)] == [3, 2]
    second = datetime.fromisoformat(mailbox.messages()[1].created_ts)
    assert [d.message.id for d in mailbox.inbox("BoldMarsh", since=second)] == [3]
    mailbox.mark_read("BoldMarsh", 2)
    assert [d.message.id for d in mailbox.inbox("BoldMarsh", unread_only=True)] == [3, 1]
    assert mailbox.inbox("03-02") == []


def test_acknowledging_marks_read_and_a_repeat_keeps_the_first_time(mailbox: Mailbox) -> None:
    mailbox.send("03-01", ["BoldMarsh"], Draft("s", "b", ack_required=True))
    read = mailbox.mark_read("BoldMarsh", 1)
    taken = mailbox.acknowledge("boldmarsh", 1)
    assert read.acknowledged_at is None and taken.read_at == read.read_at
    assert mailbox.acknowledge("BoldMarsh", 1) == taken
    with pytest.raises(UsageError, match="no message 1 in the inbox of 03-02"):
        mailbox.acknowledge("03-02", 1)


def test_a_name_is_given_once_whatever_its_case_and_a_seed_keeps_its_name(mailbox: Mailbox) -> None:
    again = mailbox.register("boldmarsh", "other", "new-model", "task")
    assert (again.name, again.id, again.model) == ("BoldMarsh", 1, "new-model")
    made_up = mailbox.register("claude-code", "claude", "m", seed="r1/03-01/1")
    assert mailbox.register(None, "claude", "m", seed="r1/03-01/1").name == made_up.name
    assert mailbox.register(None, "claude", "m", seed="r1/03-01/2").name != made_up.name
    new = mailbox.register("BoldMarsh", "p", "m", always_new=True)
    assert new.name != "BoldMarsh" and new.id == len(mailbox.agents.all())


def test_the_run_sends_only_what_an_agent_did_not(mailbox: Mailbox) -> None:
    start = mailbox.agents.all()[0].inception_ts
    own = mailbox.send(
        "03-01", ["BoldMarsh"], Draft("[gsd-03-01] Plan complete!", "b", "gsd-03-01")
    )
    done = Draft("[gsd-03-01] Plan Complete", "b", "gsd-03-01")
    failed = Draft("[gsd-03-01] Plan FAILED", "b", "gsd-03-01", importance="high")
    given = {"since": start, "authors": ["03-01"]}
    assert mailbox.send_once("03-02", ["BoldMarsh"], done, **given) == (own, False)
    _, sent = mailbox.send_once("03-02", ["BoldMarsh"], failed, **given)
    assert sent
    _, sent = mailbox.send_once("03-02", ["BoldMarsh"], failed, **given)
    assert not sent, "a resumed run does not send its own message twice"
    later = {"since": "2027-01-01T00:00:00.000000+00:00", "authors": ["03-01"]}
    assert mailbox.send_once("03-02", ["BoldMarsh"], done, **later)[1]


def test_an_unreadable_file_is_passed_over_and_its_number_is_not_used_again(
    mailbox: Mailbox,
) -> None:
    mailbox.send("03-01", ["BoldMarsh"], Draft("first", "b"))
    (mailbox.folder / "messages/00000002.json").write_text("")
    assert mailbox.send("03-01", ["BoldMarsh"], Draft("third", "b")).id == 3
    assert [message.subject for message in mailbox.messages()] == ["first", "third"]


def test_threads_of_one_process_share_a_mailbox(mailbox: Mailbox) -> None:
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        for turn in range(25):
            mailbox.send("03-01", ["BoldMarsh"], Draft(f"{number}/{turn}", "b"))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({message.subject for message in mailbox.messages()}) == 200
    assert [message.id for message in mailbox.messages()] == list(range(1, 201))


WRITER = """
import sys
from pathlib import Path
from worktree_runner.core.messages import Draft
from worktree_runner.store.mailbox import Mailbox
from worktree_runner.store.paths import Layout
box = Mailbox(Layout(Path(sys.argv[1])))
number = 0
while True:
    number += 1
    sent = box.send("03-01", ["BoldMarsh"], Draft(f"{sys.argv[2]}-{number}", "b" * 500))
    box.acknowledge("BoldMarsh", sent.id)
    print(sent.id, sent.subject, flush=True)
"""


def test_kill_9_loses_no_message_that_was_answered_and_frees_the_lock(mailbox: Mailbox) -> None:
    root = mailbox.folder.parent.parent
    answered: dict[int, str] = {}
    for turn in range(3):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(root), f"w{turn}{n}"],
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            )
            for n in range(4)
        ]
        lines = [writer.stdout.readline() for writer in writers if writer.stdout for _ in range(4)]
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            rest = writer.stdout.read() if writer.stdout else ""
            lines += [line + "\n" for line in rest.split("\n")[:-1]]
            writer.wait()
        for line in lines:
            number, _, subject = line.strip().partition(" ")
            assert int(number) not in answered, "a number was given twice"
            answered[int(number)] = subject
    kept = {message.id: message.subject for message in mailbox.messages()}
    assert len(answered) >= 48 and answered.items() <= kept.items()
    marks = mailbox.marks("BoldMarsh")
    assert all(marks[number].acknowledged_at for number in answered)
    started = time.monotonic()
    mailbox.send("03-01", ["BoldMarsh"], Draft("after", "b"))
    assert time.monotonic() - started < 1


def test_what_is_no_utf8_is_spelled_out(mailbox: Mailbox) -> None:
    sent = mailbox.send("03-01", ["BoldMarsh"], Draft("n\udcff", "changed: n\udcff"))
    assert (sent.subject, sent.body) == (r"n\udcff", r"changed: n\udcff")
    assert mailbox.message(sent.id) == sent
