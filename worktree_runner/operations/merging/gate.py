"""Runs the gate: chooses the command, starts it on a commit, and takes what it said.

Order, and what a crash leaves
1. `gate.started` names the commit. Nothing is done yet.
2. A worker puts the integration worktree on the commit and makes it ready (operations/gate_tree).
3. The launcher starts the command in a folder of its own, as an agent's attempt. A wtrun that
   comes after a kill -9 finds it there, living or ended, and takes its verdict; what was stopped
   or lost is run again in a new folder.
4. `gate.ended` holds the verdict. Output stays in the run's folder.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from worktree_runner import attempts as attempt_files
from worktree_runner import process
from worktree_runner.core import schedule
from worktree_runner.core.actions import RunGate
from worktree_runner.core.events import Type
from worktree_runner.core.gate import Ended, Result, judge
from worktree_runner.core.gate_command import Detected, detect, reports_tests
from worktree_runner.core.queue import Started
from worktree_runner.errors import WtrunError
from worktree_runner.git.objects import Objects
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.merging.gate_tree import GateTree, Ready
from worktree_runner.store.settings import Gate

JOB = schedule.QUEUE
"""The loop's name for the worker that makes the worktree ready."""
LOG = "output.log"
REPORT = "tests.xml"
MOST_REPORT_BYTES = 50_000_000

Submit = Callable[[Callable[[], Any], Callable[[Future[Any]], None]], None]


# --- which gate ------------------------------------------------------------------------------


def find_command(gate: Gate, objects: Objects, commit: str) -> Detected | None:
    """The command that checks merges: as configured, else as the commit's files speak for one."""
    if gate.command:
        return Detected(gate.command, "gate.command")
    entries = objects.listing(commit)

    def read(path: str) -> str:
        return objects.read_blob(entries[path].oid).decode(errors="replace")

    return detect(sorted(entries), read, lambda name: shutil.which(name) is not None)


def choose(session: Session) -> None:
    """Records which gate the run has, at its start and where that has changed at a resume."""
    gate, queue = session.settings.gate, session.state.queue
    off, found = "", None
    if not gate.enabled:
        off = "--no-gate"
    else:
        found = find_command(gate, session.repository.objects, session.state.base)
        off = "" if found else "no check was found and none is set (gate.command)"
    command = found.argv if found else ()
    known = any(event.type == Type.GATE_CHOSEN for event in session.journal.events)
    if known and command == queue.command and (found is not None or off == queue.off):
        return
    session.record(
        Type.GATE_CHOSEN,
        command=list(command),
        origin=found.origin if found else "",
        off=off,
    )
    if off:
        say_nothing_tests(session)


def say_nothing_tests(session: Session) -> None:
    """Says that likely resolutions are not tried, where the user asked for them."""
    if session.policy.tests_resolutions:
        text = (
            "--resolve tested is not used: only a check can tell whether a likely resolution works"
        )
        session.record(Type.NOTICE, text=text)


# --- a run of the gate -----------------------------------------------------------------------


def start(session: Session, step: RunGate) -> None:
    """Records that the gate is to run on a commit; `attend` does the rest."""
    queue = session.state.queue
    assert queue.batch is not None
    commits = [entry.commit for entry in queue.batch.entries]
    upto = commits.index(step.candidate) + 1 if step.candidate in commits else 0
    session.record(
        Type.GATE_STARTED,
        n=queue.started + 1,
        candidate=step.candidate,
        purpose=str(step.purpose),
        tip=queue.batch.tip,
        plans=list(queue.batch.plans[:upto]),
    )


def tree_of(session: Session) -> GateTree:
    """The run's integration worktree."""
    return GateTree(
        session.repository, session.folder, session.settings.worktrees, session.state.phase
    )


def folders(session: Session) -> list[Path]:
    """The folder of the gate's process, if one may be running."""
    started = session.state.queue.open
    return [] if started is None else [session.folder.gate(started.n)]


def attend(session: Session, submit: Submit | None) -> None:
    """Brings the open run of the gate one step on: begins it (if it may), or records its end."""
    started = session.state.queue.open
    if started is None:
        return
    folder = session.folder.gate(started.n)
    match attempt_files.observe(folder):
        case attempt_files.NotStarted() if submit is not None:
            job = partial(tree_of(session).ready, started.candidate)
            submit(job, partial(_begun, session, started))
        case attempt_files.Exited(exit):
            record(session, started, result_of(folder, exit))
        case attempt_files.Lost():
            process.sweep(mark_of(session, started))
            record(session, started, Result(Ended.LOST, None, log=str(folder / LOG)))
        case _:
            pass


def _begun(session: Session, started: Started, done: Future[Any]) -> None:
    """Starts the command in the worktree that has been made ready."""
    folder = session.folder.gate(started.n)
    try:
        process.start(spec(session, started, done.result()), folder)
    except WtrunError as error:
        log = folder.parent / "setup.log"
        record(session, started, Result(Ended.NOT_STARTED, None, log=str(log), why=error.message))


def mark_of(session: Session, started: Started) -> process.Mark:
    """What the processes of a run of the gate carry."""
    return process.Mark(session.folder.id, f"{JOB}-{started.n}")


def spec(session: Session, started: Started, ready: Ready) -> process.Spec:
    """The gate's process, as the launcher takes it."""
    place, command = ready.place, session.state.queue.command
    env = {**ready.env, "WTRUN_GATE": started.candidate}
    folder = session.folder.gate(started.n)
    if reports_tests(command):
        report = shlex.quote(str(folder / REPORT))
        given = os.environ.get("PYTEST_ADDOPTS", "")
        env["PYTEST_ADDOPTS"] = f"{given} --junitxml={report}".strip()
    own = place / ".venv" / "bin"
    if own.is_dir() and session.settings.gate.command is None:
        env["PATH"] = f"{own}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return process.Spec(
        argv=command,
        cwd=place,
        mark=mark_of(session, started),
        env=env,
        stdout=LOG,
        stderr=LOG,
        timeout_s=session.settings.gate.timeout,
    )


def result_of(folder: Path, exit: attempt_files.Exit) -> Result:
    """What an ended process of the gate says."""
    log = str(folder / LOG)
    if exit.stopped:
        return Result(Ended.STOPPED, None, seconds=exit.duration_s, log=log)
    if exit.timed_out:
        return Result(Ended.TIMED_OUT, None, seconds=exit.duration_s, log=log)
    if exit.error:
        return Result(Ended.NOT_STARTED, exit.code, log=log, why=exit.error)
    code = exit.code if exit.signal is None else 128 + exit.signal
    failed = failed_tests(folder / REPORT)
    return Result(Ended.EXITED, code, failed, exit.duration_s, log)


def failed_tests(report: Path) -> tuple[str, ...] | None:
    """The names of failed tests out of a JUnit file; None where there is none that can be read."""
    from xml.etree import ElementTree

    try:
        if report.stat().st_size > MOST_REPORT_BYTES:
            return None
        root = ElementTree.parse(report).getroot()
    except (OSError, ElementTree.ParseError):
        return None
    return tuple(
        sorted(
            {
                "::".join(filter(None, (case.get("classname"), case.get("name"))))
                for case in root.iter("testcase")
                if case.find("failure") is not None or case.find("error") is not None
            }
        )
    )


def record(session: Session, started: Started, result: Result) -> None:
    """Appends the end of a run of the gate, with what it means as far as is known by now."""
    cut_off = result.ended in (Ended.LOST, Ended.STOPPED)
    session.record(
        Type.GATE_ENDED,
        n=started.n,
        candidate=started.candidate,
        purpose=str(started.purpose),
        plans=list(started.plans),
        verdict="" if cut_off else str(judge(result, session.state.queue.baseline)),
        ended=str(result.ended),
        code=result.code,
        failed=None if result.failed is None else list(result.failed),
        seconds=round(result.seconds, 3),
        log=result.log,
        why=result.why,
    )


def finish(session: Session) -> None:
    """Takes the integration worktree away at the end of a run."""
    if session.state.queue.started or session.policy.checkout_merge:
        tree_of(session).remove()
