"""A user of each dialect reads its own words only, in whatever wtrun says, asks and writes."""

from __future__ import annotations

import pexpect
import pytest

from tests.scenarios.test_conflicts import at_terminal
from tests.support.dialects import FULL, line, make_project, phase_of, told, work
from tests.support.planning import PhaseBuilder
from tests.support.project import Project
from tests.support.repo import Repo
from tests.support.words import Listening, foreign_words

STOP = {"type": "human-verify", "progress": "1/2", "completed": [], "task_number": 2,
        "task_name": "Look", "details": "Open look.txt", "awaiting": "approved"}  # fmt: skip
TRESPASS = "echo x > held.txt; git add held.txt; git commit -qm x; git tag v1; git push -q . HEAD:y"


def eventful(name: str) -> PhaseBuilder:
    """A lane and a conflict, and: a stop that needs a person, a plan that fails after its guard
    refused a reserved file, a tag and a push, and one that depends on it."""
    phase = phase_of(name)
    stop = {"first": [{"write": "look.txt", "text": "a\n"}, {"commit": "feat: look"},
                      {"checkpoint": STOP}],
            "again": [{"write": "seen.txt", "text": "b\n"}, {"commit": "feat: b"},
                      {"summary": True}]}  # fmt: skip
    phase.plan("06", objective="Ask a person", tasks=told(stop))
    fails = [{"run": ["sh", "-c", TRESPASS]}, {"say": "no way"}, {"exit": 3}]
    phase.plan("07", objective="Break down", tasks=told(fails))
    phase.plan("08", objective="Use it", wave=2, depends_on=("07",), tasks=work(line("z", "z")))
    return phase


def answer(project: Project, answers: dict[str, str]) -> str:
    """`wtrun execute 3` at a terminal: each prompt is answered by what its question says."""
    child = at_terminal(project, "execute", "3")
    shown = ""
    while child.expect([r"\[\?\](?: more)?: ", pexpect.EOF]) == 0:
        asked = str(child.before)
        shown += asked
        child.sendline("?")
        child.expect(r"\[\?\](?: more)?: ")
        shown += str(child.before)
        child.sendline(next(key for words, key in answers.items() if words in asked))
    return shown + str(child.before)


@pytest.mark.parametrize("name", ["renn", "ariadna", *(["ace"] if FULL else [])])
def test_all_that_is_said_in_an_eventful_run_is_in_its_own_words(repo: Repo, name: str) -> None:
    project = make_project(repo, eventful(name))
    listening = Listening(project)
    say = listening.wtrun
    assert "nothing has been executed" in say("status")
    for command in ("plan 3", "plan --all", "execute 3 --dry-run", "state",
                    "reserve held.txt --as alice --reason manual"):  # fmt: skip
        say(command)
    for command in ("execute 3 --wave 9", "execute 3 --wave 2", "execute 3 --only 05",
                    "execute 3 --only 09", "execute 9"):  # fmt: skip
        say(command, 2)
    first = project.execute("--on-failure", "continue", expect=3)
    assert "03-03 and 03-04 share" in first.stderr and "03-08 skipped" in first.stderr
    listening.heard.append(first.stderr)
    for command in ("status", "conflicts", "report", "reservations", "mail inbox",
                    "resolve 03-02 --list", "clean --dry-run"):  # fmt: skip
        say(command)
    assert "held.txt is reserved by alice" in say("logs 03-07")
    for command in ("resolve 03-01 --take plan", "resolve 03-07 --rerun", "logs 03-09",
                    "resolutions 03-09", "unresolve nothing.txt"):  # fmt: skip
        say(command, 2)
    asked = answer(project, {
        "waits for your check": "a", "failed": "c", "Resolve this hunk": "p", "Commit this": "y",
    })  # fmt: skip
    words = eventful(name).dialect.words
    assert f'{words.plan.capitalize()} 03-06 "Ask a person" waits' in asked
    assert f"[p] {words.plan} 03-02" in asked.replace("[p]lan", "[p] plan")
    listening.heard.append(asked)
    assert project.statuses()["03-06"] == "landed"
    for command in ("status", "report", "resolutions", "conflicts", "clean"):
        say(command)
    found = listening.everything()
    assert {"commits", "planning", "mail 1"} <= set(found)
    assert any(place.endswith("attempts/03-06-a2/prompt.md") for place in found)
    assert any("/conflicts/" in place for place in found)
    wrong = {place: lines for place, text in found.items() if (lines := foreign_words(name, text))}
    assert wrong == {}
